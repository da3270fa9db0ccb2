//! What /proc/PID/cgroup says (cgroups(7)): engines put their ids into the names of groups.
//!
//! Where a path leads is relative to the reader's own cgroup namespace (it can begin with `/../..`),
//! so only the names in it are looked at.

use model::Engine;

use super::is_id;

/// A container that a cgroup's path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose it is; None: the path does not say.
    pub engine: Option<Engine>,
    /// Its id as its engine has it.
    pub id: String,
    /// The id of the Podman pod around it.
    pub pod: Option<String>,
}

/// The containers that a process is in, the outermost first: the longest chain that a hierarchy
/// shows.
#[must_use]
pub fn chain(text: &str) -> Vec<Place> {
    let chains = paths(text).map(chain_of);
    chains.max_by_key(Vec::len).unwrap_or_default()
}

/// The systemd service that a process is in, directly.
#[must_use]
pub fn service(text: &str) -> Option<String> {
    let last = |path: &str| path.rsplit('/').next().map(unescape);
    paths(text).filter_map(last).find(|name| name.ends_with(".service"))
}

/// `4:memory:/a/b`, of the unified hierarchy `0::/a/b`.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.splitn(3, ':').nth(2))
}

fn chain_of(path: &str) -> Vec<Place> {
    let names: Vec<&str> = path.split('/').filter(|n| !matches!(*n, "" | "." | "..")).collect();
    let at = |i: usize| place(&names, i);
    (0..names.len()).filter_map(at).collect()
}

fn place(names: &[&str], i: usize) -> Option<Place> {
    let before = |n: usize| i.checked_sub(n).map_or("", |i| names[i]);
    let name = names[i];
    let named = |engine, id: &str| Some(Place { engine, id: id.to_owned(), pod: None });
    match before(1) {
        "lxc.payload" | "lxc" => return named(Some(Engine::Lxc), name),
        "docker" if is_id(name) => return named(Some(Engine::Docker), name),
        parent if is_id(name) => {
            let in_pod = parent.starts_with("pod") && before(2) != "libpod_parent";
            // Podman's own pods are such a group, around the containers'.
            let outside = parent == "libpod_parent";
            let engine = in_pod.then_some(Engine::Containerd);
            return named(engine, name).filter(|_| !outside);
        }
        _ => {}
    }
    if let Some(name) = name.strip_prefix("lxc.payload.") {
        return named(Some(Engine::Lxc), name);
    }
    if let Some(unit) = machine(names, i) {
        return named(Some(Engine::Nspawn), &unit);
    }
    let (engine, id) = prefixed(name)?;
    let pod = (engine == Engine::Podman).then(|| podman_pod(before(1))).flatten();
    Some(Place { engine: Some(engine), id: id.to_owned(), pod })
}

/// `docker-ID.scope` and the like; with a wrong driver, `SLICE:cri-containerd:ID`.
fn prefixed(name: &str) -> Option<(Engine, &str)> {
    const PREFIXES: [(&str, Engine); 8] = [
        ("docker-", Engine::Docker),
        ("libpod-payload-", Engine::Podman),
        ("libpod-", Engine::Podman),
        ("cri-containerd-", Engine::Containerd),
        ("nerdctl-", Engine::Containerd),
        ("crio-", Engine::Crio),
        ("cri-containerd:", Engine::Containerd),
        ("crio:", Engine::Crio),
    ];
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let name = name.split_once(".slice:").map_or(name, |(_, rest)| rest);
    PREFIXES.into_iter().find_map(|(prefix, engine)| {
        name.strip_prefix(prefix).filter(|id| is_id(id)).map(|id| (engine, id))
    })
}

/// `machine-libpod_pod_ID.slice`, or the group of that id below Podman's own.
fn podman_pod(parent: &str) -> Option<String> {
    let inner = parent.strip_suffix(".slice").unwrap_or(parent);
    let id = inner.rsplit_once("libpod_pod_").map_or(inner, |(_, id)| id);
    is_id(id).then(|| id.to_owned())
}

/// A machine of systemd-machined: `machine-NAME.scope`, or systemd-nspawn's own service. Virtual
/// machines are registered there too.
fn machine(names: &[&str], i: usize) -> Option<String> {
    let name = names[i];
    if let Some(unit) = name.strip_prefix("machine-").and_then(|n| n.strip_suffix(".scope")) {
        return Some(unescape(unit)).filter(|unit| !unit.starts_with("qemu-"));
    }
    let unit = name.strip_prefix("systemd-nspawn@")?.strip_suffix(".service")?;
    (names.get(i + 1) != Some(&"supervisor")).then(|| unescape(unit))
}

/// systemd writes `\x2d` for a dash in a unit's name (systemd.unit(5)).
fn unescape(unit: &str) -> String {
    let mut bytes = Vec::with_capacity(unit.len());
    let mut rest = unit.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = rest.strip_prefix(b"\\x").and_then(|t| std::str::from_utf8(t.get(..2)?).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "543927028a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af";
    const B: &str = "f8fa28c90b3759b7039bc9248c8d96fd9a2d4f69a59f0fe84569f4406cb28b4a";

    /// `A` and `B` stand for two ids.
    #[track_caller]
    fn check(path: &str, wanted: &str) {
        let text = format!("1:cpu:/\n0::{}\n", path.replace("{A}", A).replace("{B}", B));
        let words: Vec<String> = chain(&text)
            .into_iter()
            .map(|p| {
                let engine = p.engine.map_or("?", Engine::as_str);
                let pod = p.pod.map(|p| format!(" in {p}")).unwrap_or_default();
                format!("{engine} {}{pod}", p.id)
            })
            .collect();
        assert_eq!(words.join(", ").replace(A, "{A}").replace(B, "{B}"), wanted, "{path}");
    }

    #[test]
    fn docker() {
        check("/docker/{A}", "Docker {A}");
        check("/../../docker/{A}/init", "Docker {A}");
        check("/system.slice/docker-{A}.scope", "Docker {A}");
        check(
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{A}.scope",
            "Docker {A}",
        );
        check("/custom/{A}", "? {A}");
        check("/docker/{A}/docker/{B}", "Docker {A}, Docker {B}");
        check("/docker/short", "");
    }

    #[test]
    fn podman() {
        check("/machine.slice/libpod-{A}.scope/container", "Podman {A}");
        check("/machine.slice/machine-libpod_pod_{B}.slice/libpod-{A}.scope", "Podman {A} in {B}");
        check(
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope",
            "Podman {A}",
        );
        check("/system.slice/web.service/libpod-payload-{A}", "Podman {A}");
        check("/libpod_parent/libpod-{A}", "Podman {A}");
        check("/libpod_parent/{B}/libpod-{A}", "Podman {A} in {B}");
        check("/machine.slice/libpod-conmon-{A}.scope", "");
    }

    #[test]
    fn kubernetes() {
        let uid = "3ad2b8ae_7a3f_4d2c_9c0c_0e2a56ee4d7e";
        let pod =
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice");
        check(&format!("{pod}/cri-containerd-{{A}}.scope"), "containerd {A}");
        check(&format!("{pod}/crio-{{A}}.scope/container"), "CRI-O {A}");
        check(&format!("{pod}/crio-conmon-{{A}}.scope"), "");
        check("/kubepods/besteffort/pod0d2f-1/{A}", "containerd {A}");
        check(
            "/system.slice/containerd.service/kubepods-pod1_2.slice:cri-containerd:{A}",
            "containerd {A}",
        );
        // kind: a node is a Docker container.
        check(
            "/docker/{B}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-{A}.scope",
            "Docker {B}, containerd {A}",
        );
        check("/system.slice/nerdctl-{A}.scope", "containerd {A}");
    }

    #[test]
    fn lxc_and_its_kin() {
        check("/lxc.payload.docker01/system.slice/ssh.service", "LXC docker01");
        check("/lxc.payload/docker01", "LXC docker01");
        check("/lxc/111/ns/init.scope", "LXC 111");
        check("/lxc.monitor.docker01", "");
        check("/lxc.monitor/111", "");
        check("/lxc.payload.111/docker/{A}", "LXC 111, Docker {A}");
        check("/lxc.payload.project_web", "LXC project_web");
    }

    #[test]
    fn machines() {
        check("/machine.slice/machine-my\\x2dbox.scope/payload", "nspawn my-box");
        check("/machine.slice/systemd-nspawn@box.service/payload/init.scope", "nspawn box");
        check("/machine.slice/systemd-nspawn@box.service/supervisor", "");
        check("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "");
    }

    #[test]
    fn services_and_the_longest_chain() {
        let of = |text: &str| service(text);
        assert_eq!(of("0::/system.slice/my\\x2dweb.service\n").as_deref(), Some("my-web.service"));
        assert_eq!(of("0::/system.slice/web.service/sub\n"), None);
        assert_eq!(of("0::/user.slice/session-3.scope\n"), None);
        let text = format!(
            "9:name=systemd:/\n4:memory:/group/lxc.payload.x/docker/{A}\n0::/lxc.payload.x\n"
        );
        assert_eq!(chain(&text).len(), 2);
        assert_eq!(chain("nonsense\n:::\n"), []);
    }
}
