//! `bridge fdb`.

use std::net::IpAddr;

use model::Mac;

use crate::report::Report;
use crate::words::Words;

/// An entry, with its links by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartFdb {
    pub(crate) dev: String,
    /// The bridge; None: the device's own filter, or a bridge that is not named.
    pub(crate) bridge: Option<String>,
    pub(crate) mac: Mac,
    pub(crate) vlan: Option<u16>,
    pub(crate) permanent: bool,
    pub(crate) is_static: bool,
    pub(crate) own: bool,
    pub(crate) age: Option<u32>,
    pub(crate) remote: Option<IpAddr>,
}

/// All entries of an output. `dev` is what was asked for, which the lines then leave out.
pub(crate) fn parse(text: &str, dev: Option<&str>, report: &mut Report<'_>) -> Vec<PartFdb> {
    let mut entries = Vec::new();
    for (number, line) in report.lines(text) {
        match line_of(line, dev) {
            Some(entry) => entries.push(entry),
            None => report.line(number, "no entry of `bridge fdb`"),
        }
    }
    entries
}

/// `02:00:00:00:00:01 dev veth0 vlan 1 master br0 permanent`.
fn line_of(line: &str, dev: Option<&str>) -> Option<PartFdb> {
    let mut words = Words::new(line);
    let mut entry = PartFdb {
        mac: words.value()?,
        dev: String::new(),
        bridge: None,
        vlan: None,
        permanent: false,
        is_static: false,
        own: false,
        age: None,
        remote: None,
    };
    let mut named = dev.map(str::to_owned);
    while let Some(word) = words.next() {
        match word {
            "dev" => named = Some(words.next()?.to_owned()),
            "master" => entry.bridge = words.next().map(str::to_owned),
            "vlan" => entry.vlan = words.value(),
            "dst" => entry.remote = words.value(),
            // Seconds since it was used, and since it was updated.
            "used" => {
                let ages = words.next()?;
                entry.age = ages.split_once('/').and_then(|(_, age)| age.parse().ok());
            }
            "port" | "vni" | "src_vni" | "via" | "nhid" | "link-netnsid" => _ = words.next(),
            "self" => entry.own = true,
            "permanent" => entry.permanent = true,
            "static" => entry.is_static = true,
            _ => {}
        }
    }
    entry.dev = named?;
    Some(entry)
}
