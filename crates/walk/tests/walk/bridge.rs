//! Bridges, where a kernel would need a cable that is cut, or frames of other protocols.

use model::{LinkId, Snapshot};

use super::{net, tell};

const NET: &str = "
ns a
ns r brnf
ns b
ns c
link r:br0 bridge
veth a:eth0 r:pa
veth b:eth0 r:pb
veth c:eth0 r:pc
port r:pa br0
port r:pb br0
port r:pc br0
addr a:eth0 10.0.0.2/24
addr b:eth0 10.0.0.3/24
addr c:eth0 10.0.0.4/24
";

fn index(snapshot: &Snapshot, ns: &str, link: &str) -> LinkId {
    net::link_id(snapshot, &format!("{ns}:{link}"))
}

fn ask(snapshot: &Snapshot, from: &str, to: &str) -> String {
    tell::ends(snapshot, &super::ask(snapshot, from, to))
}

#[test]
fn another_port_stands_in_for_one_without_carrier() {
    let mut snapshot = net::net(&format!(
        "{NET}
        neigh a:eth0 10.0.0.3 02:00:00:00:00:77
        fdb r:pb 02:00:00:00:00:77
        set r:pb carrier 0"
    ));
    let got = ask(&snapshot, "a", "10.0.0.3");
    assert!(got.starts_with("there: LOST at r:pb"), "{got}");
    let (pb, pc) = (index(&snapshot, "r", "pb"), index(&snapshot, "r", "pc"));
    let links = &mut snapshot.namespaces.get_mut(&pb.ns).unwrap().links;
    links.get_mut(&pb.index).unwrap().port.as_mut().unwrap().backup_port = Some(pc.index);
    let got = ask(&snapshot, "a", "10.0.0.3");
    assert!(got.starts_with("there: LOST at c:eth0"), "{got}");
}
