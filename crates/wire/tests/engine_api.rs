//! What engines answer, and what is taken from it.
//!
//! The files were captured in namespaces of their own with `curl --unix-socket … http://localhost…`:
//! Docker 20.10.24 (`docker run --name web --link db:database -p 8080:80 -p 127.0.0.1:5353:53/udp
//! --expose 9999 …`, `docker run --name two --network app …`), Podman 4.3.1 (`podman run --name
//! range -p 127.0.0.1:9000-9002:80-82 -p 53:53/udp …`, `podman run --pod mypod --name member …`).
//! What newer engines add or leave out, and Incus, follow their published API: moby `api/swagger.yaml`
//! 1.48, podman `pkg/domain/entities/types`, incus `doc/rest-api.yaml`.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::fmt::Write;

use model::{Engine, Network};
use wire::engine_api::{AnswerError, MOST, Running, docker, incus, podman};

fn containers(list: Result<Vec<Running>, AnswerError>) -> String {
    let mut text = String::new();
    for Running { container: c, pid, details } in list.unwrap() {
        let id = c.id.get(..4).unwrap_or(&c.id);
        write!(text, "{} {id} {} pid {pid:?}", c.engine, c.name()).unwrap();
        write!(text, " image {:?} on {:?}", c.image.as_deref().unwrap_or("-"), c.networks).unwrap();
        if let Some(pod) = &c.pod {
            write!(text, " pod {}/{}", pod.namespace.as_deref().unwrap_or("-"), pod.name).unwrap();
        }
        for p in &c.publishes {
            let host = p.host.map_or("*".to_owned(), |h| h.to_string());
            write!(text, " {host}:{}->{}/{}", p.host_port, p.port, p.protocol).unwrap();
        }
        if let Some(details) = details {
            write!(text, " {}", details.replace(&c.id, "ID")).unwrap();
        }
        text.push('\n');
    }
    text
}

fn networks(list: Result<Vec<Network>, AnswerError>) -> String {
    let lines = list.unwrap().into_iter().map(|n| {
        let id = n.id.get(..4).unwrap_or(&n.id);
        let (link, subnets) = (n.link.unwrap_or("-".into()), n.subnets);
        format!("{} {} {id} {} link {link} {subnets:?}\n", n.engine, n.name, n.driver)
    });
    lines.collect()
}

#[test]
fn docker_20() {
    let json = include_bytes!("captures/docker-20.10-containers.json");
    insta::assert_snapshot!(containers(docker::containers(json)), @r#"
    Docker 842b two pid None image "busy:1" on ["app", "bridge"] /containers/ID/json
    Docker 0f8f web pid None image "busy:1" on ["bridge"] 127.0.0.1:5353->53/udp *:8080->80/tcp /containers/ID/json
    Docker 06e0 db pid None image "busy:1" on ["bridge"] /containers/ID/json
    "#);
    let json = include_bytes!("captures/docker-20.10-networks.json");
    insta::assert_snapshot!(networks(docker::networks(json)), @r#"
    Docker none 56e2 null link - []
    Docker host 5795 host link - []
    Docker bridge 0f05 bridge link docker0 [172.17.0.0/16]
    Docker app 8e59 bridge link br-8e59a206e45a [10.77.0.0/24]
    "#);
    let json = br#"{"Id":"0f","State":{"Status":"running","Pid":322,"ExitCode":0},"Name":"/web"}"#;
    assert_eq!(docker::pid(json), Ok(Some(322)));
    assert_eq!(docker::pid(br#"{"State":{"Pid":0}}"#), Ok(None));
    assert_eq!(docker::pid(br#"{"State":{"Pid":-7}}"#), Ok(None));
}

/// 28 leaves out what is empty, and tells more of each network; Kubernetes sets labels.
#[test]
fn docker_28_and_kubernetes() {
    let json = br#"[{"Id":"4f66","Names":["/k8s_app_web-0_shop_uid_0"],"Image":"nginx","ImageManifestDescriptor":
        {"mediaType":"application/vnd.oci.image.manifest.v1+json"},"Ports":null,"HostConfig":{"NetworkMode":"bridge"},
        "Labels":{"io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop"},
        "NetworkSettings":{"Networks":{"bridge":{"GwPriority":0,"DNSNames":null,"MacAddress":"62:a2:e5:2c:9f:a4"}}}},
        {"Id":"../../x","Names":null,"NetworkSettings":null}]"#;
    insta::assert_snapshot!(containers(docker::containers(json)), @r#"
    Docker 4f66 k8s_app_web-0_shop_uid_0 pid None image "nginx" on ["bridge"] pod shop/web-0 /containers/ID/json
    Docker ../. ../../x pid None image "-" on []
    "#);
    let json = br#"[{"Name":"mv","Id":"aa11","Driver":"macvlan","EnableIPv4":true,"IPAM":{"Config":
        [{"Subnet":"fd00:9::/64"},{"Subnet":"10.9.0.0/24","IPRange":""}]},"Options":{"parent":"eth0.7"}},
        {"Name":"odd","Id":"short","Driver":"bridge","IPAM":{"Config":null},"Options":null}]"#;
    insta::assert_snapshot!(networks(docker::networks(json)), @r#"
    Docker mv aa11 macvlan link eth0.7 [fd00:9::/64, 10.9.0.0/24]
    Docker odd shor bridge link - []
    "#);
}

#[test]
fn podman_4() {
    let json = include_bytes!("captures/podman-4.3-containers.json");
    insta::assert_snapshot!(containers(podman::containers(json)), @r#"
    Podman 7c56 web pid Some(116) image "-" on ["podman"] *:8080->80/tcp
    Podman dcbe member pid Some(146) image "-" on [] pod -/mypod
    Podman 4444 range pid Some(214) image "-" on ["podman"] 127.0.0.1:9000->80/tcp 127.0.0.1:9001->81/tcp 127.0.0.1:9002->82/tcp *:53->53/udp
    Podman 23c7 alone pid Some(244) image "-" on []
    "#);
    let json = include_bytes!("captures/podman-4.3-networks.json");
    insta::assert_snapshot!(networks(podman::networks(json)), @r#"Podman podman 2f25 bridge link podman0 [10.88.0.0/16]"#);
}

/// 5 has new keys, and one line for several protocols.
#[test]
fn podman_5() {
    let json = br#"[{"AutoRemove":false,"CIDFile":"","Created":"2025-06-01T10:00:00Z","Exited":false,"ExposedPorts":
        {"80":["tcp"]},"Id":"9c01","Image":"docker.io/library/nginx:latest","ImageID":"x","IsInfra":true,
        "Names":["pod1-infra"],"Networks":["podman"],"Pid":4321,"Pod":"77","PodName":"pod1","Restarts":0,
        "Ports":[{"host_ip":"0.0.0.0","container_port":53,"host_port":5300,"range":1,"protocol":"tcp,udp"}]}]"#;
    insta::assert_snapshot!(containers(podman::containers(json)), @r#"Podman 9c01 pod1-infra pid Some(4321) image "docker.io/library/nginx:latest" on ["podman"] pod -/pod1 *:5300->53/tcp *:5300->53/udp"#);
}

#[test]
fn incus_6() {
    let json = br#"{"type":"sync","status":"Success","status_code":200,"metadata":[
        {"name":"web","project":"default","type":"container","status":"Running","config":{"image.description":
         "Debian bookworm amd64 (20250601_05:24)","volatile.eth0.host_name":"veth1"},"expanded_devices":{
         "eth0":{"name":"eth0","network":"incusbr0","type":"nic"},
         "http":{"type":"proxy","listen":"tcp:0.0.0.0:8000-8001,9000","connect":"tcp:127.0.0.1:80"},
         "v6":{"type":"proxy","listen":"udp:[::1]:53","connect":"udp:127.0.0.1:5353","nat":"true"},
         "many":{"type":"proxy","listen":"tcp:192.0.2.1:70-71","connect":"tcp:127.0.0.1:90-91"},
         "out":{"type":"proxy","bind":"instance","listen":"tcp:127.0.0.1:1","connect":"tcp:127.0.0.1:2"},
         "sock":{"type":"proxy","listen":"unix:/x","connect":"tcp:127.0.0.1:2"},
         "root":{"path":"/","pool":"default","type":"disk"}}},
        {"name":"web","project":"shop","type":"container","status":"Frozen","config":null,"expanded_devices":null},
        {"name":"off","project":"default","type":"container","status":"Stopped"},
        {"name":"vm","project":"default","type":"virtual-machine","status":"Running"}]}"#;
    insta::assert_snapshot!(containers(incus::containers(Engine::Incus, json)), @r#"
    Incus web web pid None image "Debian bookworm amd64 (20250601_05:24)" on ["incusbr0"] *:8000->80/tcp *:8001->80/tcp *:9000->80/tcp 192.0.2.1:70->90/tcp 192.0.2.1:71->91/tcp ::1:53->5353/udp /1.0/instances/ID/state?project=default
    Incus shop web pid None image "-" on [] /1.0/instances/web/state?project=shop
    "#);
    let json = br#"{"metadata":{"status":"Running","status_code":103,"pid":7281,"processes":50}}"#;
    assert_eq!(incus::pid(json), Ok(Some(7281)));
    let json = br#"{"metadata":[
        {"name":"incusbr0","type":"bridge","managed":true,"status":"Created","project":"default","config":
         {"ipv4.address":"10.158.7.1/24","ipv4.nat":"true","ipv6.address":"none"}},
        {"name":"mv0","type":"macvlan","managed":true,"config":{"parent":"eth0"}},
        {"name":"eth0","type":"physical","managed":false,"config":{}}]}"#;
    insta::assert_snapshot!(networks(incus::networks(Engine::Lxd, json)), @r#"
    LXD incusbr0 incu bridge link incusbr0 [10.158.7.0/24]
    LXD mv0 mv0 macvlan link eth0 []
    "#);
}

/// Nothing of what is said is repeated, nothing panics, and there is an end to it.
#[test]
fn what_is_not_understood() {
    let shape = |line, column| Err(AnswerError::Shape { line, column });
    assert_eq!(docker::containers(b""), shape(1, 0));
    assert_eq!(docker::containers(b"\x1b[31m{}"), shape(1, 1));
    assert_eq!(docker::containers(br#"[{"Id":7}]"#), shape(1, 8));
    assert_eq!(docker::containers(br#"{"message":"no"}"#), shape(1, 1));
    assert!(docker::containers("[".repeat(100_000).as_bytes()).is_err());
    assert!(podman::networks(br#"[{"name":"x","subnets":[{"subnet":[]}]}]"#).is_err());
    assert!(incus::containers(Engine::Incus, br#"{"metadata":7}"#).is_err());
    let many = format!("[{}{{\"Id\":\"\"}}]", "{\"Id\":\"\"},".repeat(MOST));
    assert!(docker::containers(many.as_bytes()).is_err());
    let port = r#"{"container_port":1,"host_port":1,"range":65535,"protocol":"tcp"}"#;
    let json = format!(r#"[{{"Id":"","Ports":[{port}]}}]"#);
    assert_eq!(podman::containers(json.as_bytes()), Err(AnswerError::TooMany));
}
