//! Containers of every engine, by fakes of their monitors and their files, in a machine of the
//! test's own: a root of its own, whose files are all the test's.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;

use std::time::{Duration, Instant};

use kernel::read::{Parts, ReadOptions, read};
use model::{Engine, Namespace, Snapshot, Teller};
use space::{START, Space, privileged};

/// A machine: what is below /run/jail is its root.
struct Machine(Space);

impl Machine {
    fn new() -> Self {
        let space = Space::new(&["--net", "--pid", "--mount", "--uts", "--fork", "--kill-child"]);
        space.run(&format!(
            "mount -t tmpfs t /run; mkdir /run/jail; mount --rbind / /run/jail
             cd /run/jail; for d in run var/lib etc; do mount -t tmpfs t $d; done
             mkdir run/bin
             for name in containerd-shim-runc-v2 conmon lxc-start systemd-nspawn; do
                 ln -s /bin/sh run/bin/$name
             done
             cat > run/start <<'END'\n{START}\nEND"
        ));
        Self(space)
    }

    /// Runs a command in its root.
    fn run(&self, command: &str) {
        self.0.run(&format!("exec chroot /run/jail sh -ec '{command}'"));
    }

    fn write(&self, path: &str, text: &str) {
        let text = text.replace('\'', "");
        self.0.run(&format!(
            "mkdir -p $(dirname /run/jail{path}); cat > /run/jail{path} <<'END'\n{text}\nEND"
        ));
    }

    /// A container, as the child of a monitor with that command line.
    fn container(&self, monitor: &str) -> Space {
        let (name, args) = monitor.split_once(' ').unwrap();
        let name = format!("/run/bin/{name}");
        let mut line = vec!["chroot", "/run/jail", &name, "/run/start"];
        line.extend(args.split(' '));
        self.0.child_of(&line)
    }
}

const A: &str = "aaaa27a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af543";
const B: &str = "bbbb27a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af543";
const C: &str = "cccc27a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af543";
const D: &str = "dddd27a984205122a70e2702e5f3005e10f3ddde7b8a63fc2b2bba12414af543";

/// Command lines of monitors.
fn monitors() -> [String; 6] {
    let storage = "/var/lib/containers/storage/overlay-containers";
    [
        format!("containerd-shim-runc-v2 -namespace moby -id {A}"),
        format!("containerd-shim-runc-v2 -namespace k8s.io -id {B}"),
        format!("conmon -c {C} -b {storage}/{C}/userdata -n web3 --exit-dir /run/libpod/exits"),
        format!("conmon -c {D} -b /run/crio/{D}/userdata --exit-dir /var/run/crio/exits"),
        "lxc-start -F -n 111".to_owned(),
        "systemd-nspawn -M box -D /srv/box".to_owned(),
    ]
}

/// Every file that is read of them.
fn files() -> [String; 13] {
    let storage = "/var/lib/containers/storage/overlay-containers";
    [
        "/etc/docker/daemon.json".to_owned(),
        format!("/var/lib/docker/containers/{A}/config.v2.json"),
        format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{B}/config.json"),
        format!("{storage}/containers.json"),
        format!("{storage}/volatile-containers.json"),
        "/etc/containers/networks/a.json".to_owned(),
        format!("/run/crio/{D}/userdata/config.json"),
        format!("/run/containers/storage/overlay-containers/{D}/userdata/config.json"),
        format!("/var/lib/containers/storage/overlay-containers/{D}/userdata/config.json"),
        "/var/lib/lxc/111/config".to_owned(),
        "/etc/pve/lxc/111.conf".to_owned(),
        "/etc/pve/nodes/a/lxc/111.conf".to_owned(),
        "/run/systemd/machines/box".to_owned(),
    ]
}

fn snapshot() -> Snapshot {
    read(&ReadOptions { parts: Parts::empty(), ..ReadOptions::default() }).unwrap()
}

/// The namespace that a container's first process is in.
fn of<'a>(snapshot: &'a Snapshot, container: &Space) -> &'a Namespace {
    container.of(snapshot)
}

#[track_caller]
fn check(namespace: &Namespace, engine: Engine, name: &str, teller: Teller) {
    let [container] = namespace.containers.as_slice() else { panic!("{namespace:?}") };
    assert_eq!(container.engine, engine);
    assert_eq!(container.told_by[0], teller, "{container:?}");
    assert_eq!(namespace.name(), name, "{container:?}");
    assert!(container.pid.is_some());
}

#[test]
fn every_engine_s_containers_have_their_names() {
    privileged("every_engine_s_containers_have_their_names", || {
        let machine = Machine::new();
        let [_, docker, cri, stored, _, network, crio, ..] = files();
        machine.write("/etc/docker/daemon.json", r#"{"data-root":"/var/lib/other"}"#);
        machine.write(
            &docker.replace("/docker/", "/other/"),
            &format!(
                r#"{{"ID":"{A}","Name":"/web1","Config":{{"Image":"nginx"}},"NetworkSettings":
                {{"Networks":{{"shop":{{"NetworkID":"{B}","Gateway":"172.18.0.1",
                "IPAddress":"172.18.0.2","IPPrefixLen":16}}}},
                "Ports":{{"80/tcp":[{{"HostIp":"","HostPort":"8080"}}]}}}}}}"#
            ),
        );
        let pod = |prefix: &str| {
            format!(
                r#"{{"annotations":{{"{prefix}sandbox-name":"web-0","{prefix}sandbox-namespace":"shop",
                "{prefix}container-name":"web2"}}}}"#
            )
        };
        machine.write(&cri, &pod("io.kubernetes.cri."));
        machine.write(&stored, &format!(r#"[{{"id":"{C}","names":["web3"]}}]"#));
        machine.write(&network, r#"{"name":"net3","id":"1","driver":"bridge"}"#);
        machine.write(
            &crio,
            r#"{"annotations":{"io.kubernetes.container.name":"web4","io.kubernetes.pod.name":"p4"}}"#,
        );
        machine.write("/var/lib/lxc/111/config", "lxc.uts.name = web5");
        machine.write("/etc/pve/lxc/111.conf", "hostname: web5");
        machine.write("/run/systemd/machines/box", "NAME=box\nLEADER=7");

        let containers = monitors().map(|line| machine.container(&line));
        let snapshot = snapshot();
        let all = containers.each_ref().map(|c| of(&snapshot, c));
        check(all[0], Engine::Docker, "web1", Teller::Files);
        check(all[1], Engine::Containerd, "web-0", Teller::Files);
        check(all[2], Engine::Podman, "web3", Teller::Files);
        check(all[3], Engine::Crio, "p4", Teller::Files);
        check(all[4], Engine::Proxmox, "web5", Teller::Files);
        check(all[5], Engine::Nspawn, "box", Teller::Files);
        assert_eq!(all[0].containers[0].publishes[0].host_port, 8080);
        assert_eq!(all[1].names[1].text, "web2");
        assert_eq!(all[4].containers[0].id, "111");
        // What the engines call their networks is said of the namespace that they are in.
        let names: Vec<&str> =
            machine.0.of(&snapshot).networks.iter().map(|n| n.name.as_str()).collect();
        assert_eq!(names, ["shop", "net3", "podman"]);
    });
}

#[test]
fn an_engine_inside_a_container_speaks_of_what_is_inside() {
    privileged("an_engine_inside_a_container_speaks_of_what_is_inside", || {
        let machine = Machine::new();
        let [_, docker, ..] = files();
        let file = |name: &str| format!(r#"{{"ID":"{A}","Name":"/{name}"}}"#);
        machine.write(&docker, &file("outside"));
        machine.write("/var/lib/lxc/web/config", "lxc.uts.name = web");
        let outer = machine.container("lxc-start -n web");
        outer.run(&format!(
            "mount -t tmpfs t /run/jail/var/lib; mkdir -p $(dirname /run/jail{docker})
             echo '{}' > /run/jail{docker}",
            file("inside")
        ));
        let [shim, ..] = monitors();
        let outer = Machine(outer);
        let inner = outer.container(&shim);
        let snapshot = snapshot();
        let ns = of(&snapshot, &inner);
        check(ns, Engine::Docker, "inside", Teller::Files);
        assert!(snapshot.path_of(ns.id).ends_with("web/inside"), "{}", snapshot.path_of(ns.id));
    });
}

/// What a container can put where a file belongs. `{f}` stands for the file; the host's own file is
/// /run/secret, outside of the container's root.
const EVIL: [(&str, &str); 12] = [
    ("an absolute link to the host", "ln -s /run/secret {f}"),
    ("a relative link to the host", "ln -s ../../../../../../../../../../../../run/secret {f}"),
    ("a link by /proc", "ln -s /proc/1/root/run/secret {f}"),
    ("a loop of links", "ln -s {f} {f}"),
    ("a pipe", "mkfifo {f}"),
    ("a directory", "mkdir {f}"),
    ("a device", "touch {f}; mount --bind /dev/zero {f}"),
    ("a link to a device", "ln -s /dev/zero {f}"),
    ("a huge file", "truncate -s 8G {f}"),
    ("a file of /proc that never ends", "touch {f}; mount --bind /proc/kmsg {f}"),
    ("deep JSON", "head -c 1000000 /dev/zero | tr \"\\\\0\" \"[\" > {f}"),
    ("not even text", "head -c 1000000 /dev/zero > {f}"),
];

/// A command for each of the files that are read.
fn for_files(command: &str) -> String {
    let one =
        |file: &String| format!("mkdir -p $(dirname {file}); {}\n", command.replace("{f}", file));
    files().iter().map(one).collect()
}

#[test]
fn whatever_a_container_puts_there_nothing_hangs_and_nothing_of_the_host_is_taken() {
    let name = "whatever_a_container_puts_there_nothing_hangs_and_nothing_of_the_host_is_taken";
    privileged(name, || {
        let machine = Machine::new();
        let containers = monitors().map(|line| machine.container(&line));
        machine.0.run(&format!(
            r#"cat > /run/secret <<'END'
[{{"id":"{C}","names":["secret"],"ID":"{A}","Name":"secret"}}]
hostname: secret
LEADER=1
END"#
        ));
        for (what, how) in EVIL {
            machine.run(&for_files(how));
            let began = Instant::now();
            let snapshot = snapshot();
            assert!(began.elapsed() < Duration::from_secs(20), "{what}");
            let all = containers.each_ref().map(|c| of(&snapshot, c));
            check(all[0], Engine::Docker, &A[..12], Teller::Kernel);
            check(all[1], Engine::Containerd, &B[..12], Teller::Kernel);
            check(all[2], Engine::Podman, "web3", Teller::Kernel);
            check(all[3], Engine::Crio, &D[..12], Teller::Kernel);
            assert_eq!(all[4].name(), "111", "{what}");
            check(all[5], Engine::Nspawn, "box", Teller::Kernel);
            assert!(!format!("{snapshot:?}").contains("secret"), "{what}");
            machine.run(&for_files("umount {f} 2>/dev/null || true; rm -rf {f}"));
        }
    });
}

#[test]
fn what_is_not_read_is_said() {
    privileged("what_is_not_read_is_said", || {
        let machine = Machine::new();
        let [_, docker, ..] = files();
        machine.run(&format!("mkdir -p $(dirname {docker}); mkfifo {docker}"));
        machine.run("mkdir -p /etc/containers/networks; cd /etc/containers/networks; seq 100000 | xargs touch");
        let [shim, _, podman, ..] = monitors();
        let containers = [shim, podman].map(|line| machine.container(&line));
        let snapshot = snapshot();
        let of_machine: Vec<&str> = snapshot
            .warnings
            .iter()
            .filter(|w| w.ns == Some(machine.0.id()))
            .map(|w| w.text.as_str())
            .collect();
        let wanted =
            format!("2 files of engines were not read; one: {docker}: it is no regular file");
        assert_eq!(of_machine, [wanted]);
        drop(containers);
    });
}
