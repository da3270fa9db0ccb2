//! Which parts of the kernel can be asked without loading a module by asking.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use wire::gathered::Question;

use super::{Parts, programs};
use crate::netlink::Protocol;

/// What may be asked, found out once per read. What is not there holds nothing either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Present {
    /// nftables.
    pub(crate) nft: bool,
    /// Connection tracking at all.
    pub(super) conntrack: bool,
    /// Connections can be listed.
    pub(super) ctnetlink: bool,
    /// IPsec policies can be counted.
    pub(super) xfrm: bool,
    /// Files below /proc/net that tell of iptables-legacy.
    pub(super) legacy: Vec<(Question, &'static str)>,
    /// IPVS.
    pub(super) ipvs: bool,
    /// WireGuard.
    pub(super) wireguard: bool,
    /// ipset.
    pub(crate) ipset: bool,
    /// Where cgroups of version 2 are mounted.
    pub(super) cgroups: Option<PathBuf>,
}

impl Present {
    /// As far as it matters for these parts.
    pub(crate) fn find(parts: Parts) -> Self {
        let wireguard = parts.contains(Parts::TUNNELS) && is_loaded("wireguard");
        if !parts.intersects(Parts::NETFILTER | Parts::CONNTRACK) {
            return Self { wireguard, ..Self::default() };
        }
        let sockets = fs::read_to_string("/proc/thread-self/net/netlink").unwrap_or_default();
        let netfilter = has_protocol(&sockets, Protocol::Netfilter);
        let tables = [Question::IptablesNames, Question::Ip6tablesNames, Question::ArptablesNames]
            .map(|question| (question, question.as_str()));
        Self {
            nft: netfilter && parts.contains(Parts::NETFILTER) && is_loaded("nf_tables"),
            conntrack: Path::new("/proc/sys/net/netfilter/nf_conntrack_count").exists(),
            ctnetlink: netfilter
                && parts.contains(Parts::CONNTRACK)
                && is_loaded("nf_conntrack_netlink"),
            xfrm: has_protocol(&sockets, Protocol::Xfrm),
            legacy: tables.into_iter().filter(|(_, file)| in_proc_net(file)).collect(),
            ipvs: in_proc_net("ip_vs"),
            wireguard,
            cgroups: programs::groups(),
            ipset: netfilter && parts.contains(Parts::NETFILTER) && is_loaded("ip_set"),
        }
    }
}

fn in_proc_net(name: &str) -> bool {
    Path::new("/proc/thread-self/net").join(name).exists()
}

/// The kernel's own socket of a protocol is in the list of every namespace's.
fn has_protocol(sockets: &str, protocol: Protocol) -> bool {
    let number = protocol.number().to_string();
    sockets.lines().skip(1).any(|l| l.split_whitespace().nth(1) == Some(number.as_str()))
}

/// Whether the module is loaded or built in; a message for one that is neither makes the kernel
/// load it.
fn is_loaded(module: &str) -> bool {
    let list = match fs::read_to_string("/proc/modules") {
        // A kernel that cannot load modules.
        Err(error) if error.kind() == ErrorKind::NotFound => return true,
        list => list.unwrap_or_default(),
    };
    list.lines().any(|l| l.split(' ').next() == Some(module))
        || Path::new("/sys/module").join(module).exists()
        || is_built_in(module)
}

/// By the list of the installed kernel; where that is not installed here (in a container), by the
/// kernel's own table of symbols, which has the names of functions after the module's.
fn is_built_in(module: &str) -> bool {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let modules = Path::new("/lib/modules").join(release);
    if let Ok(list) = fs::read_to_string(modules.join("modules.builtin")) {
        return list.lines().any(|l| l.ends_with(&format!("/{module}.ko")));
    }
    let init = match module {
        "nf_conntrack_netlink" => "ctnetlink_dump_table",
        "wireguard" => "wg_xmit",
        "ip_set" => "ip_set_net_init",
        _ => "nf_tables_newtable",
    };
    let Ok(symbols) = fs::File::open("/proc/kallsyms") else { return false };
    let lines = BufReader::with_capacity(1 << 16, symbols).lines();
    lines.map_while(Result::ok).any(|l| l.split(' ').nth(2) == Some(init))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_in_the_second_column() {
        let text = "sk               Eth Pid\n0000 0   12\n0000 6   0\n";
        assert!(has_protocol(text, Protocol::Route));
        assert!(has_protocol(text, Protocol::Xfrm));
        assert!(!has_protocol(text, Protocol::Netfilter));
        assert!(!has_protocol("", Protocol::Route));
    }
}
