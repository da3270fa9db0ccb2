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
