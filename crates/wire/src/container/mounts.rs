//! What a container's own mounts tell of it (/proc/PID/mountinfo, proc_pid_mountinfo(5)): engines
//! mount files out of a folder that is called by its id.

use model::Engine;

use super::{is_file_name, is_id};

/// The container that a mount table is of: engine and id.
#[must_use]
pub fn container(mountinfo: &str) -> Option<(Engine, String)> {
    let mounts: Vec<(&str, &str)> = mountinfo.lines().filter_map(source_and_target).collect();
    let by_file = mounts.iter().find_map(|(source, target)| by_file(source, target));
    by_file.or_else(|| {
        let (source, _) = mounts.iter().find(|(_, target)| *target == "/")?;
        by_root(source)
    })
}

/// Fields 4 and 5: the folder within its file system, and where it is mounted.
fn source_and_target(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split(' ').skip(3);
    Some((fields.next()?, fields.next()?))
}

fn by_file(source: &str, target: &str) -> Option<(Engine, String)> {
    // Containers that share a network share these files too; only this one is a container's own.
    if let ("/run/.containerenv", Some((_, rest))) =
        (target, source.split_once("/overlay-containers/"))
    {
        return id(rest).map(|id| (Engine::Podman, id));
    }
    if !matches!(target, "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf") {
        return None;
    }
    let (_, rest) = source.split_once("/containers/")?;
    id(rest).map(|id| (Engine::Docker, id))
}

fn by_root(source: &str) -> Option<(Engine, String)> {
    let name = |folder: &str, tail: &str| {
        let (_, rest) = source.split_once(folder)?;
        rest.strip_suffix(tail).filter(|name| is_file_name(name)).map(str::to_owned)
    };
    let lxc = || name("/lxc/", "/rootfs").map(|name| (Engine::Lxc, name));
    let nspawn = || name("/var/lib/machines/", "").map(|name| (Engine::Nspawn, name));
    lxc().or_else(nspawn)
}

fn id(rest: &str) -> Option<String> {
    rest.split('/').next().filter(|id| is_id(id)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "543927028a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af";

    #[track_caller]
    fn check(source: &str, target: &str, wanted: Option<(Engine, &str)>) {
        let source = source.replace("{A}", A);
        let text = format!("84 67 0:100 {source} {target} rw,relatime - overlay overlay rw\n");
        assert_eq!(container(&text), wanted.map(|(e, id)| (e, id.to_owned())));
    }

    #[test]
    fn files_and_roots() {
        check("/var/lib/docker/containers/{A}/hosts", "/etc/hosts", Some((Engine::Docker, A)));
        check("/docker/containers/{A}/hosts", "/srv/hosts", None);
        let podman = "/containers/storage/overlay-containers/{A}/userdata/.containerenv";
        check(podman, "/run/.containerenv", Some((Engine::Podman, A)));
        check("/var/lib/lxc/web/rootfs", "/", Some((Engine::Lxc, "web")));
        check("/var/lib/lxc/a/b/rootfs", "/", None);
        check("/var/lib/machines/box", "/", Some((Engine::Nspawn, "box")));
        check("/", "/", None);
        assert_eq!(container("1 2\nnonsense"), None);
    }
}
