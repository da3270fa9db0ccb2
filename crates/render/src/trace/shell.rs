//! Names as words of a shell's command line.

use model::{LinkId, NsId, Snapshot};
use walk::ChainRef;

use crate::words as w;

/// A name as one word. Links and namespaces are named by whoever is inside a container, and the
/// command is made to be pasted.
pub(crate) fn word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@+".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

pub(super) fn namespace(snapshot: &Snapshot, id: NsId) -> String {
    word(&snapshot.name_of(id))
}

pub(super) fn link(snapshot: &Snapshot, id: LinkId) -> String {
    word(&w::link(snapshot, id))
}

/// The tool that wrote a chain of iptables, and which table it is to take: `-t nat`, and nothing for the one that it
/// takes by itself.
pub(crate) fn iptables_of(chain: &ChainRef) -> String {
    let tool = iptables(chain.family == model::Family::Ip6);
    let (tool, table) = match chain.table.strip_prefix(model::LEGACY) {
        Some(table) => (format!("{tool}-legacy"), table),
        None => (tool.to_owned(), chain.table.as_str()),
    };
    if table == "filter" { tool } else { format!("{tool} -t {table}") }
}

pub(super) const fn iptables(ipv6: bool) -> &'static str {
    if ipv6 { "ip6tables" } else { "iptables" }
}
