//! What differs between engines: how their processes are known, and how they are asked.

use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use model::{Engine, Network};
use wire::engine_api::{AnswerError, Running, docker, incus, podman};

/// The engine that a process of that name may be. containerd and CRI-O have no API but gRPC; what
/// their files tell is what there is.
pub(crate) fn engine(pid: u32, comm: &str) -> Option<Engine> {
    match comm {
        // A program that runs itself again by /proc/self/exe, as rootless Podman does.
        "exe" => named(executable(pid)?.as_bytes()),
        comm => named(comm.as_bytes()),
    }
}

fn named(name: &[u8]) -> Option<Engine> {
    Some(match name {
        b"dockerd" => Engine::Docker,
        b"podman" => Engine::Podman,
        b"incusd" => Engine::Incus,
        b"lxd" => Engine::Lxd,
        _ => return None,
    })
}

fn executable(pid: u32) -> Option<std::ffi::OsString> {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(path.file_name()?.to_owned())
}

/// Whether that process is (still) the service itself, and not a client or helper under the same
/// name.
pub(crate) fn serves(engine: Engine, pid: u32) -> io::Result<bool> {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"))?;
    if self::engine(pid, comm.trim_end()) != Some(engine) {
        return Ok(false);
    }
    let mut line = Vec::new();
    std::fs::File::open(format!("/proc/{pid}/cmdline"))?.take(64 << 10).read_to_end(&mut line)?;
    let mut args = line.split(|b| *b == 0).skip(1);
    Ok(match engine {
        Engine::Podman => args.any(|a| a == b"service"),
        Engine::Incus | Engine::Lxd => !args.any(|a| a.starts_with(b"fork")),
        _ => true,
    })
}

/// How surely a socket of that name is the one for questions, the surest lowest; None: it is for
/// something else.
pub(super) fn rank(engine: Engine, path: &[u8]) -> Option<u8> {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let within = |folder: &[u8]| path.windows(folder.len()).any(|w| w == folder);
    match engine {
        Engine::Docker if name == b"docker.sock" => Some(0),
        // Docker's own: how its network helper, its metrics and its cluster are spoken with.
        Engine::Docker => {
            let other = name == b"metrics.sock"
                || [&b"/libnetwork/"[..], b"/swarm/", b"/plugins/", b"/buildkit"]
                    .into_iter()
                    .any(within);
            (!other).then_some(1)
        }
        Engine::Podman => Some(0),
        Engine::Incus | Engine::Lxd => (name == b"unix.socket").then_some(0),
        _ => None,
    }
}

/// Where an engine's lists are.
pub(super) struct Paths {
    pub(super) containers: &'static str,
    pub(super) networks: &'static str,
}

pub(super) const fn paths(engine: Engine) -> Paths {
    match engine {
        Engine::Podman => Paths { containers: podman::CONTAINERS, networks: podman::NETWORKS },
        Engine::Incus | Engine::Lxd => {
            Paths { containers: incus::INSTANCES, networks: incus::NETWORKS }
        }
        _ => Paths { containers: docker::CONTAINERS, networks: docker::NETWORKS },
    }
}

pub(super) fn containers(engine: Engine, json: &[u8]) -> Result<Vec<Running>, AnswerError> {
    match engine {
        Engine::Podman => podman::containers(json),
        Engine::Incus | Engine::Lxd => incus::containers(engine, json),
        _ => docker::containers(json),
    }
}

pub(super) fn networks(engine: Engine, json: &[u8]) -> Result<Vec<Network>, AnswerError> {
    match engine {
        Engine::Podman => podman::networks(json),
        Engine::Incus | Engine::Lxd => incus::networks(engine, json),
        _ => docker::networks(json),
    }
}

pub(super) fn pid(engine: Engine, json: &[u8]) -> Result<Option<u32>, AnswerError> {
    match engine {
        Engine::Incus | Engine::Lxd => incus::pid(json),
        _ => docker::pid(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_for_questions() {
        let docker = |path: &str| rank(Engine::Docker, path.as_bytes());
        assert_eq!(docker("/run/docker.sock"), Some(0));
        assert_eq!(docker("/srv/own/api"), Some(1));
        assert_eq!(docker("/var/run/docker/libnetwork/0a1b.sock"), None);
        assert_eq!(docker("/var/run/docker/metrics.sock"), None);
        assert_eq!(docker("/var/run/docker/swarm/control.sock"), None);
        let incus = |path: &str| rank(Engine::Incus, path.as_bytes());
        assert_eq!(incus("/var/lib/incus/unix.socket"), Some(0));
        assert_eq!(incus("/var/lib/incus/guestapi/sock"), None);
    }
}
