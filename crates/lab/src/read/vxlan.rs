//! `kind: vxlan`.

use std::net::IpAddr;

use model::{Mac, TunnelDf, Vxlan};

use super::{Fields, flag, items, link_name, number, parsed, text};
use crate::error::{Errors, Problem};
use crate::file::Kind;
use crate::node::Node;

pub(super) const KEYS: &[&str] = &[
    "vni",
    "dev",
    "local",
    "remote",
    "port",
    "vxlan_learning",
    "ttl",
    "tos",
    "df",
    "srcport",
    "localbypass",
    "remotes",
];

pub(super) fn vxlan(fields: &Fields<'_>, errors: &mut Errors) -> Option<Kind> {
    let vni = fields.needed("vni", "it is the network's number", errors)?;
    let vni = number(vni, "vni", (1, 0x00ff_ffff), errors)?;
    let lower = fields.get("dev").and_then(|n| link_name(n, "dev", errors));
    let ip = |key, errors: &mut Errors| {
        let node = fields.get(key)?;
        parsed::<IpAddr>(node, "address", "an IP address is wanted, as in 10.0.0.1", errors)
    };
    let usual = Vxlan::default();
    let (local, remote) = (ip("local", errors), ip("remote", errors));
    let short = |key, high, errors: &mut Errors| {
        let number = fields.get(key).and_then(|n| number(n, key, (0, high), errors));
        number.and_then(|n| u16::try_from(n).ok())
    };
    let port = short("port", 65535, errors).unwrap_or(usual.port);
    let byte = |n: Option<u16>| n.and_then(|n| u8::try_from(n).ok()).unwrap_or(0);
    let (ttl, tos) = (byte(short("ttl", 255, errors)), byte(short("tos", 255, errors)));
    let on = |key, errors: &mut Errors| fields.get(key).and_then(|n| flag(n, key, errors));
    let learning = on("vxlan_learning", errors).unwrap_or(usual.learning);
    let local_bypass = on("localbypass", errors).unwrap_or(usual.local_bypass);
    let vxlan = Vxlan {
        vni,
        local: local.map(|l| l.what),
        remote: remote.map(|r| r.what),
        port,
        learning,
        ttl,
        tos,
        df: fields.get("df").and_then(|n| df(n, errors)).unwrap_or_default(),
        source_ports: fields.get("srcport").and_then(|n| ports(n, errors)).unwrap_or_default(),
        local_bypass,
        special: Vec::new(),
    };
    let mut remotes = Vec::new();
    if let Some(node) = fields.get("remotes") {
        for node in items(node, "remotes", errors) {
            let Some(remote) = remote_of(node, errors) else { continue };
            if remotes.contains(&remote) {
                let hint = "it is given already: leave it out".to_owned();
                let found = remote.1.to_string();
                errors.push(node.at, Problem::BadValue { what: "remote", found, hint });
                continue;
            }
            remotes.push(remote);
        }
    }
    Some(Kind::Vxlan { lower, vxlan, remotes })
}

fn df(node: &Node, errors: &mut Errors) -> Option<TunnelDf> {
    let said = text(node, "df", errors)?;
    let all = [TunnelDf::Unset, TunnelDf::Set, TunnelDf::Inherit];
    let df = all.into_iter().find(|df| df.as_str() == said.what);
    if df.is_none() {
        let hint = "there are unset, set and inherit".to_owned();
        errors.push(said.at, Problem::BadValue { what: "df", found: said.what, hint });
    }
    df
}

/// `[FIRST, LAST]`.
fn ports(node: &Node, errors: &mut Errors) -> Option<(u16, u16)> {
    let all = items(node, "srcport", errors);
    let ports = all.iter().filter_map(|n| number(n, "srcport", (1, 65535), errors));
    let ports: Vec<u16> = ports.filter_map(|n| u16::try_from(n).ok()).collect();
    match ports.as_slice() {
        [first, end] if first < end => Some((*first, *end)),
        _ => {
            let hint = "two ports are wanted, as in [20000, 30000], the first below the second";
            let (found, hint) = (format!("{ports:?}"), hint.to_owned());
            errors.push(node.at, Problem::BadValue { what: "srcport", found, hint });
            None
        }
    }
}

/// `MAC ADDRESS`, or `default ADDRESS` for all that is not known.
fn remote_of(node: &Node, errors: &mut Errors) -> Option<(Mac, IpAddr)> {
    let said = text(node, "remotes", errors)?;
    let mut words = said.what.split_whitespace();
    let mac = match words.next() {
        Some("default") => Some(Mac::default()),
        word => word.and_then(|w| w.parse().ok()),
    };
    let remote = mac.zip(words.next().and_then(|w| w.parse().ok()));
    if remote.is_none() || words.next().is_some() {
        let hint = "`MAC ADDRESS` is wanted, or `default ADDRESS`".to_owned();
        errors.push(said.at, Problem::BadValue { what: "remote", found: said.what, hint });
        return None;
    }
    remote
}
