//! Processes that engines leave beside a container, and whose child its first process is: their
//! command lines say which container it is.

use model::Engine;

use super::is_file_name;

/// What a monitor's command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// Whose it is.
    pub engine: Engine,
    /// The container's id; of a pod's only monitor, its first container's.
    pub id: String,
    /// The container's name, where it says one.
    pub name: Option<String>,
    /// The folder that the container's own folder is in, or its storage: where it says one.
    pub folder: Option<String>,
    /// containerd's own namespace.
    pub namespace: Option<String>,
}

/// Reads a command line (/proc/PID/cmdline); None if it is no monitor's.
#[must_use]
pub fn monitor(cmdline: &[u8]) -> Option<Monitor> {
    let text = String::from_utf8_lossy(cmdline);
    if let Some(rest) = text.strip_prefix("[lxc monitor] ") {
        return lxc_monitor(rest.trim_end_matches('\0'));
    }
    let args: Vec<&str> = text.trim_end_matches('\0').split('\0').collect();
    let program = args.first()?.rsplit('/').next()?;
    let found = match program {
        "conmon" => conmon(&args),
        "lxc-start" => lxc_start(&args),
        "systemd-nspawn" => nspawn(&args),
        _ if program.starts_with("containerd-shim") => shim(&args),
        _ => None,
    };
    found.filter(|m| is_file_name(&m.id))
}

/// The value of the first of some options, behind it or, where `glued`, after an equals sign.
pub(super) fn option<'a>(args: &[&'a str], names: &[&str]) -> Option<&'a str> {
    args.iter().enumerate().find_map(|(i, arg)| {
        names.iter().find_map(|name| match arg.strip_prefix(name)? {
            "" => args.get(i + 1).copied(),
            rest if name.starts_with("--") => rest.strip_prefix('='),
            _ => None,
        })
    })
}

fn shim(args: &[&str]) -> Option<Monitor> {
    let id = option(args, &["-id", "--id"])?;
    let namespace = option(args, &["-namespace", "--namespace"]).unwrap_or("default");
    let engine = if namespace == "moby" { Engine::Docker } else { Engine::Containerd };
    let (id, namespace) = (id.to_owned(), Some(namespace.to_owned()));
    Some(Monitor { engine, id, name: None, folder: None, namespace })
}

/// Podman's and CRI-O's.
fn conmon(args: &[&str]) -> Option<Monitor> {
    let id = option(args, &["-c", "--cid"])?;
    let exits = option(args, &["--exit-dir", "-x"]).unwrap_or_default();
    let engine = if exits.contains("/crio/") { Engine::Crio } else { Engine::Podman };
    // CRI-O's own names are made of the pod's and the container's: its files tell them apart.
    let name = option(args, &["-n", "--name"]).filter(|_| engine == Engine::Podman);
    Some(Monitor {
        engine,
        id: id.to_owned(),
        name: name.map(str::to_owned),
        folder: option(args, &["-b", "--bundle"]).map(str::to_owned),
        namespace: None,
    })
}

/// In the foreground; Proxmox starts all of its containers so.
fn lxc_start(args: &[&str]) -> Option<Monitor> {
    let name = option(args, &["-n", "--name"])?;
    Some(lxc(option(args, &["-P", "--lxcpath"]).unwrap_or("/var/lib/lxc"), name))
}

/// `[lxc monitor] /var/lib/lxc NAME`: what LXC, and what uses its library, calls itself then.
fn lxc_monitor(rest: &str) -> Option<Monitor> {
    let (folder, name) = rest.rsplit_once(' ')?;
    is_file_name(name).then(|| lxc(folder, name))
}

fn lxc(folder: &str, name: &str) -> Monitor {
    let engine = if folder.contains("/incus/") {
        Engine::Incus
    } else if folder.contains("/lxd/") {
        Engine::Lxd
    } else {
        Engine::Lxc
    };
    Monitor {
        engine,
        id: name.to_owned(),
        name: Some(instance(engine, name)),
        folder: Some(folder.to_owned()),
        namespace: None,
    }
}

/// Incus and LXD put the project before an instance's name, which has no underscore itself.
fn instance(engine: Engine, name: &str) -> String {
    let bare = name.rsplit_once('_').map_or(name, |(_, bare)| bare);
    if engine == Engine::Lxc { name.to_owned() } else { bare.to_owned() }
}

fn nspawn(args: &[&str]) -> Option<Monitor> {
    let folder = option(args, &["-D", "--directory"]);
    let last = || folder?.trim_end_matches('/').rsplit('/').next();
    let id = option(args, &["-M", "--machine"]).or_else(last)?.to_owned();
    let name = Some(id.clone());
    Some(Monitor { engine: Engine::Nspawn, id, name, folder: None, namespace: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, wanted: &str) {
        let cmdline = format!("{}\0", line.replace(' ', "\0"));
        assert_eq!(words(monitor(cmdline.as_bytes())), wanted);
    }

    fn words(monitor: Option<Monitor>) -> String {
        let Some(m) = monitor else { return "none".to_owned() };
        let rest = [m.name, m.folder, m.namespace].map(Option::unwrap_or_default);
        format!("{} {} {}", m.engine, m.id, rest.join("|"))
    }

    #[test]
    fn containerd_s_shims() {
        let shim = "/usr/bin/containerd-shim-runc-v2 -namespace moby -id 5439 -address /run/x.sock";
        check(shim, "Docker 5439 ||moby");
        check(&shim.replace("moby", "k8s.io"), "containerd 5439 ||k8s.io");
        check("containerd-shim-runc-v2 -id ../../etc", "none");
        check("containerd-shim-runc-v2 -id", "none");
    }

    #[test]
    fn conmon() {
        // Podman 4.3: as `ps` shows it, shortened.
        let podman = "/usr/bin/conmon --api-version 1 -c 340a -u 340a -r /usr/bin/runc \
                      -b /var/lib/containers/storage/overlay-containers/340a/userdata \
                      -n pod1 --exit-dir /run/libpod/exits";
        let folder = "/var/lib/containers/storage/overlay-containers/340a/userdata";
        check(podman, &format!("Podman 340a pod1|{folder}|"));
        // CRI-O 1.2x.
        let crio = "/usr/libexec/crio/conmon -b /run/containers/storage/overlay-containers/1f/userdata \
                    -c 1f --exit-dir /var/run/crio/exits -n k8s_web_web-0_default_1-2_0";
        check(crio, "CRI-O 1f |/run/containers/storage/overlay-containers/1f/userdata|");
    }

    #[test]
    fn lxc_s_monitors() {
        check("/usr/bin/lxc-start -F -n 111", "LXC 111 111|/var/lib/lxc|");
        check("lxc-start --name=a --lxcpath=/srv/lxc", "LXC a a|/srv/lxc|");
        let title = |text: &str| words(monitor(text.as_bytes()));
        assert_eq!(
            title("[lxc monitor] /var/lib/lxc docker01\0\0"),
            "LXC docker01 docker01|/var/lib/lxc|"
        );
        assert_eq!(
            title("[lxc monitor] /var/lib/incus/containers shop_web\0"),
            "Incus shop_web web|/var/lib/incus/containers|"
        );
        let snap = "[lxc monitor] /var/snap/lxd/common/lxd/containers web\0";
        assert_eq!(title(snap), "LXD web web|/var/snap/lxd/common/lxd/containers|");
        assert_eq!(title("[lxc monitor] "), "none");
    }

    #[test]
    fn others() {
        check("systemd-nspawn -M box -D /srv/other", "nspawn box box||");
        check(
            "/usr/bin/systemd-nspawn --boot --directory=/var/lib/machines/deb/",
            "nspawn deb deb||",
        );
        check("/bin/sh -c conmon", "none");
        check("", "none");
    }
}
