//! `proxmox:` of a guest, with its `netN:` lines in Proxmox's own syntax (PVE/LXC/Config.pm).

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Fields, is_link_name, link, number, number_in, parsed_in, text, unknown};
use crate::error::{Errors, Problem};
use crate::file::{Net, Proxmox};
use crate::node::{Node, Said};

/// Keys of a net line that work here.
const WORKING: &[&str] =
    &["name", "bridge", "hwaddr", "ip", "gw", "firewall", "mtu", "link_down", "type"];
/// Keys that Proxmox knows and this does not yet, and why.
const REFUSED: &[(&str, &str)] = &[
    ("tag", "VLANs are not built yet; put the guest on a bridge of its own"),
    ("trunks", "VLANs are not built yet; put the guest on a bridge of its own"),
    ("rate", "rate limits are not built yet; remove it"),
    ("ip6", "only IPv4 is configured yet; remove it"),
    ("gw6", "only IPv4 is configured yet; remove it"),
    ("host-managed", "the guest's side is always configured by the lab itself; remove it"),
];

pub(super) fn guest(node: &Node, errors: &mut Errors) -> Option<Proxmox> {
    let names: Vec<String> = (0..32).map(|n| format!("net{n}")).collect();
    let mut known = vec!["vmid"];
    known.extend(names.iter().map(String::as_str));
    let fields = Fields::open(node, "`proxmox:`", &known, errors)?;
    let vmid = fields.needed("vmid", "it is part of the names veth{vmid}i{n}", errors);
    let vmid = vmid.and_then(|n| number(n, "vmid", (100, 999_999_999), errors));
    let mut nets = Vec::new();
    for (n, name) in (0..).zip(&names) {
        let said = fields.get(name).and_then(|node| text(node, name, errors));
        nets.extend(said.and_then(|s| net(n, &s, errors)));
    }
    Some(Proxmox { vmid: vmid?, nets })
}

fn net(n: u32, said: &Said<String>, errors: &mut Errors) -> Option<Said<Net>> {
    let before = errors.count();
    let mut words: Vec<(Said<String>, Said<String>)> = Vec::new();
    for word in said.what.split(',').map(str::trim).filter(|w| !w.is_empty()) {
        let Some((key, value)) = word.split_once('=') else {
            let hint = "KEY=VALUE is wanted between commas".to_owned();
            let found = word.to_owned();
            errors.push(said.at, Problem::BadValue { what: "part of a net line", found, hint });
            continue;
        };
        let key = Said::new(said.at, key.to_owned());
        let value = Said::new(said.at, value.to_owned());
        if allowed(n, &key, &value, &words, errors) {
            words.push((key, value));
        }
    }
    let get = |key: &str| words.iter().find(|(k, _)| k.what == key).map(|(_, v)| v);
    let needed = |key, why, errors: &mut Errors| {
        let found = get(key);
        if found.is_none() {
            let of = format!("net{n}");
            errors.push(said.at, Problem::MissingKey { of, key, why });
        }
        found
    };
    let name = needed("name", "it is the link's name in the guest", errors);
    let bridge = needed("bridge", "it is the host's bridge that the guest is put on", errors);
    for name in [name, bridge].into_iter().flatten() {
        is_link_name(name, errors);
    }
    let flag = |key, errors: &mut Errors| get(key).is_some_and(|v| bit(v, errors));
    let net = Net {
        n,
        name: name.map(|v| v.what.clone()).unwrap_or_default(),
        bridge: bridge.map(|v| v.what.clone()).unwrap_or_default(),
        hwaddr: get("hwaddr").and_then(|v| link::mac_in(v, errors)),
        ip: get("ip").filter(|v| v.what != "manual").and_then(|v| ip(n, v, errors)),
        gw: get("gw").and_then(|v| {
            let hint = "an IPv4 address is wanted, with numbers up to 255";
            parsed_in::<Ipv4Addr>(v, "gateway", hint, errors)
        }),
        firewall: flag("firewall", errors),
        mtu: get("mtu").and_then(|v| number_in(v, "mtu", (64, 65535), errors)),
        link_down: flag("link_down", errors),
    };
    (errors.count() == before).then(|| Said::new(said.at, net))
}

/// Whether a key may stand in a net line, here and now.
fn allowed(
    n: u32,
    key: &Said<String>,
    value: &Said<String>,
    before: &[(Said<String>, Said<String>)],
    errors: &mut Errors,
) -> bool {
    if let Some((_, why)) = REFUSED.iter().find(|(k, _)| *k == key.what) {
        errors.push(key.at, Problem::NetKeyRefused { n, key: key.what.clone(), why });
        return false;
    }
    if !WORKING.contains(&key.what.as_str()) {
        let known: Vec<&str> =
            WORKING.iter().copied().chain(REFUSED.iter().map(|(k, _)| *k)).collect();
        unknown(key, "a net line", &known, errors);
        return false;
    }
    if before.iter().any(|(k, _)| k.what == key.what) {
        let (key_text, first) = (key.what.clone(), key.at.line);
        errors.push(key.at, Problem::KeyTwice { key: key_text, first });
        return false;
    }
    if key.what == "type" && value.what != "veth" {
        let hint = "Proxmox knows only veth".to_owned();
        let found = value.what.clone();
        errors.push(key.at, Problem::BadValue { what: "type of a net line", found, hint });
        return false;
    }
    true
}

fn bit(said: &Said<String>, errors: &mut Errors) -> bool {
    let hint = "0 or 1 is wanted".to_owned();
    match said.what.as_str() {
        "1" => return true,
        "0" => {}
        other => {
            let found = other.to_owned();
            errors.push(said.at, Problem::BadValue { what: "switch", found, hint });
        }
    }
    false
}

fn ip(n: u32, said: &Said<String>, errors: &mut Errors) -> Option<Ipv4Net> {
    if said.what == "dhcp" || said.what == "auto" {
        let why =
            "nothing here hands out addresses; write ip=ADDRESS/LENGTH, or ip=manual for none";
        let key = format!("ip={}", said.what);
        errors.push(said.at, Problem::NetKeyRefused { n, key, why });
        return None;
    }
    match link::cidr(said, errors)? {
        ipnet::IpNet::V4(net) => Some(net),
        ipnet::IpNet::V6(_) => {
            let hint = "an IPv4 address is wanted; ip6= is not built yet".to_owned();
            let found = said.what.clone();
            errors.push(said.at, Problem::BadValue { what: "address for ip=", found, hint });
            None
        }
    }
}
