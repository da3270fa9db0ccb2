use super::*;
use crate::fixtures::{SEED, id, network};

#[test]
fn every_command_has_a_schema_that_is_json() {
    for command in COMMANDS {
        let schema = schema(command).unwrap();
        let value: serde_json::Value = serde_json::from_str(&schema).unwrap();
        assert!(value.get("properties").is_some(), "{command}");
    }
    assert_eq!(schema("dance"), None);
}

#[test]
fn hostile_names_survive_and_do_no_harm() {
    let mut s = network(SEED);
    let ns = id(&s, "alpine01");
    let name = "a\u{202e}\u{9b}\x1b[2Jb";
    s.namespaces.get_mut(&ns).unwrap().names[0].text = name.to_owned();
    let json = text(&ls(&s, Some(ns)));
    assert!(json.chars().all(|c| c == '\n' || crate::clean::is_harmless(c)));
    let back: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(back["namespaces"][0]["name"], name);
}

#[test]
fn the_map_has_every_wire_once() {
    let s = network(SEED);
    let view = map(&s, None);
    let wires: Vec<String> = view.wires.iter().map(|w| w.ends.join(" ")).collect();
    assert_eq!(
        wires,
        [
            "pve1:fwpr111p0 pve1:fwln111i0",
            "pve1:veth111i0 docker01:eth0",
            "docker01:vethc52438e alpine01:eth0"
        ]
    );
}

#[test]
fn what_only_links_of_a_kind_have() {
    let s = network(
        "ns host\nns guest\nnic host:eth0\nvlan guest:v host:eth0 7\nbond host:bond0\n\
         nic host:eno1 @bond0",
    );
    let of = |ns: &str, name: &str| {
        let link = crate::fixtures::link(&s, &format!("{ns}:{name}"));
        let view = show(&s, model::Target::Link(link)).unwrap();
        let all = serde_json::to_value(&view.links[0]).unwrap();
        let part = |key: &str| all.get(key).map(|v| format!("{key} {v}"));
        ["info", "member", "lower"].into_iter().filter_map(part).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        of("guest", "v"),
        r#"info {"vlan":{"id":7,"protocol":"802.1Q"}}; lower "host:eth0""#
    );
    assert_eq!(of("host", "bond0"), r#"info {"bond":{"miimon":100,"mode":"active-backup"}}"#);
    assert_eq!(of("host", "eno1"), r#"member {"bond":{"mii_status":"UP","state":"ACTIVE"}}"#);
}

#[test]
fn references_go_both_ways() {
    let s = network(&format!("{SEED}\nmacvlan docker01:mac0 pve1:vmbr0"));
    let view = map(&s, None);
    let link = |id: &String| view.links.iter().find(|l| l.id == *id).unwrap();
    for l in &view.links {
        if let Some(peer) = &l.peer {
            assert_eq!(link(peer).peer.as_ref(), Some(&l.id));
        }
        if let Some(master) = &l.master_id {
            assert!(link(master).ports.contains(&l.id));
        }
        for port in &l.ports {
            assert_eq!(link(port).master_id.as_ref(), Some(&l.id));
        }
        if let Some(lower) = &l.lower {
            assert!(link(lower).uppers.contains(&l.id));
        }
        for upper in &l.uppers {
            assert_eq!(link(upper).lower.as_ref(), Some(&l.id));
        }
    }
    for ns in &view.namespaces {
        let of = |id: &String| view.namespaces.iter().find(|n| n.id == *id).unwrap();
        assert!(ns.parent.as_ref().is_none_or(|p| of(p).children.contains(&ns.id)));
        assert!(ns.children.iter().all(|c| of(c).parent.as_ref() == Some(&ns.id)));
        let known = |k: &KnownAsView| of(&k.namespace).nsids.iter().any(|n| n.namespace == ns.id);
        assert!(ns.known_as.iter().all(known));
    }
    assert!(view.links.iter().any(|l| !l.uppers.is_empty()));
}
