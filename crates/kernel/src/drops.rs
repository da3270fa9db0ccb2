//! Which packets the kernel throws away, where in its code, and the reason that it gives.
//!
//! The kernel tells it at one place, the tracepoint `skb:kfree_skb`. A program of ours sits there
//! for as long as [`Drops`] lives, and keeps those packets that carry the probe's tag: so a drop
//! is tied to the probe by what is in the packet itself, through every copy and translation, and
//! not by an address of memory that another packet may have a moment later. What carries no tag
//! (the ARP request for a next hop) cannot be told this way, and is not.
//!
//! What the fields are and the reasons are called is asked of this very kernel ([`wire::btf`]).

mod program;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use model::{LinkId, NsId, NsKey, Snapshot};
use thiserror::Error;
use walk::{KernelDrop, Packet};
use wire::btf::Btf;

use crate::probe::{self, Probe, Tag};
use crate::sys::bpf;
use program::{Layout, Record, SIZE, program};

/// So many thrown away packets of one probe are kept.
const MOST: u32 = 1024;

/// What has to be known of the kernel to watch it.
#[derive(Debug)]
pub struct Tracepoint {
    layout: Layout,
    reasons: HashMap<u32, String>,
    /// Read when the first packet is thrown away.
    functions: OnceLock<Functions>,
}

/// The watch over thrown away packets. Nothing is left of it when it is dropped.
#[derive(Debug)]
pub struct Drops<'k> {
    kernel: &'k Tracepoint,
    queue: OwnedFd,
    _attached: OwnedFd,
}

/// Why it cannot be told.
#[derive(Debug, Error)]
pub enum NoDrops {
    /// The kernel does not tell its types.
    #[error("this kernel does not tell its types (/sys/kernel/btf/vmlinux: {0})")]
    Types(io::Error),
    /// It tells them, and they are otherwise than this program knows them.
    #[error("this kernel's {0} is not as expected")]
    Layout(&'static str),
    /// No program may be put at the tracepoint.
    #[error("no program may watch the kernel's drops ({0})")]
    Refused(io::Error),
}

impl Tracepoint {
    /// Asks the kernel for its types.
    ///
    /// # Errors
    /// If it does not tell them.
    pub fn find() -> Result<Self, NoDrops> {
        let types = fs::read("/sys/kernel/btf/vmlinux").map_err(NoDrops::Types)?;
        let types = Btf::parse(&types).map_err(|_| NoDrops::Layout("description of its types"))?;
        let (layout, reasons) = (layout(&types)?, reasons(&types));
        Ok(Self { layout, reasons, functions: OnceLock::new() })
    }

    /// Watches packets with this tag or another of its family ([`Tag::member`]), from now on.
    ///
    /// # Errors
    /// If this kernel, or this process's rights, do not allow it.
    pub fn watch(&self, tag: Tag) -> Result<Drops<'_>, NoDrops> {
        let attach = || {
            let queue = bpf::queue(u32::try_from(SIZE).map_err(io::Error::other)?, MOST)?;
            let program = bpf::load(&program(self.layout, tag.number(), queue.as_fd()))?;
            let attached = bpf::attach(program.as_fd(), c"kfree_skb")?;
            Ok(Drops { kernel: self, queue, _attached: attached })
        };
        attach().map_err(NoDrops::Refused)
    }

    /// Whether this kernel has a reason of that name.
    #[must_use]
    pub fn has_reason(&self, name: &str) -> bool {
        self.reasons.values().any(|known| known == name)
    }

    fn reason(&self, number: u32) -> String {
        match self.reasons.get(&number) {
            Some(name) => name.clone(),
            // Reasons of a part of the kernel that counts its own (Open vSwitch, mac80211).
            None => format!("reason {} of subsystem {}", number & 0xffff, number >> 16),
        }
    }
}

impl Drops<'_> {
    /// What of this probe was thrown away since the last call, in order.
    ///
    /// # Errors
    /// If the kernel does not give out what was kept.
    pub fn collect(&self, probe: &Probe, snapshot: &Snapshot) -> io::Result<Vec<KernelDrop>> {
        let records = self.records()?;
        let dropped = |record| self.dropped(record, probe, snapshot);
        Ok(records.iter().filter_map(dropped).collect())
    }

    fn records(&self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut bytes = [0; SIZE];
        while bpf::pop(self.queue.as_fd(), &mut bytes)?.is_some() {
            records.push(Record::decode(&bytes));
        }
        Ok(records)
    }

    fn dropped(&self, record: &Record, probe: &Probe, snapshot: &Snapshot) -> Option<KernelDrop> {
        let (packet, leg) = probe::sighting(&frame(&record.bytes), probe)?;
        let ns = namespace(snapshot, u64::from(record.inum));
        let link = |ns| LinkId { ns, index: record.ifindex };
        Some(KernelDrop {
            ns,
            link: ns.map(link).filter(|link| snapshot.link(*link).is_some()),
            reason: self.kernel.reason(record.reason),
            function: self.kernel.functions.get_or_init(Functions::read).at(record.location),
            packet: Packet { src_mac: None, dst_mac: None, ..packet },
            leg,
        })
    }
}

/// All of one boot of a kernel have one device.
fn namespace(snapshot: &Snapshot, inode: u64) -> Option<NsId> {
    let is = |id: &&NsId| matches!(id.key, NsKey::Inode { ino, .. } if ino == inode);
    snapshot.namespaces.keys().find(is).copied()
}

/// An IP packet as if on Ethernet.
fn frame(packet: &[u8]) -> Vec<u8> {
    const IPV6: u8 = 0x60;
    let version = packet.first().map_or(0, |byte| byte & 0xf0);
    let kind = if version == IPV6 { [0x86, 0xdd] } else { [8, 0] };
    [&[0; 12], kind.as_slice(), packet].concat()
}

fn layout(types: &Btf<'_>) -> Result<Layout, NoDrops> {
    let field = |structure: &'static str, field| {
        let at = types.offset(structure, field).ok_or(NoDrops::Layout(structure))?;
        i16::try_from(at).map_err(|_| NoDrops::Layout(structure))
    };
    let inum = field("net", "ns")?.checked_add(field("ns_common", "inum")?);
    Ok(Layout {
        head: field("sk_buff", "head")?,
        network_header: field("sk_buff", "network_header")?,
        dev: field("sk_buff", "dev")?,
        ifindex: field("net_device", "ifindex")?,
        net: field("net_device", "nd_net")?,
        inum: inum.ok_or(NoDrops::Layout("net"))?,
    })
}

fn reasons(types: &Btf<'_>) -> HashMap<u32, String> {
    let short = |name: &str| name.trim_start_matches("SKB_DROP_REASON_").to_owned();
    let names = types.names("skb_drop_reason").into_iter();
    names.map(|(number, name)| (number, short(name))).collect()
}

/// The kernel's functions, in order of where they begin.
#[derive(Debug)]
struct Functions(Vec<(u64, String)>);

impl Functions {
    /// Without the right to know addresses, all of them are 0, and no function is known.
    fn read() -> Self {
        Self::parse(&fs::read_to_string("/proc/kallsyms").unwrap_or_default())
    }

    fn parse(symbols: &str) -> Self {
        let code = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let at = u64::from_str_radix(words.next()?, 16).ok().filter(|at| *at != 0)?;
            words.next().filter(|kind| matches!(*kind, "t" | "T" | "w" | "W"))?;
            Some((at, words.next()?.to_owned()))
        };
        let mut functions: Vec<_> = symbols.lines().filter_map(code).collect();
        functions.sort_by_key(|(at, _)| *at);
        Self(functions)
    }

    /// The last one that begins before a place.
    fn at(&self, place: u64) -> Option<String> {
        let before = self.0.partition_point(|(at, _)| *at <= place);
        Some(self.0[before.checked_sub(1)?].1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_around_a_place() {
        let known = Functions::parse(
            "0000000000003000 t nft_do_chain\t[nf_tables]\n0000000000001000 T ip_forward\n\
             0000000000002000 d data\n",
        );
        assert_eq!(known.at(0x1fff), Some("ip_forward".into()));
        assert_eq!(known.at(0x2fff), Some("ip_forward".into()), "data is no function");
        assert_eq!(known.at(0x3abc), Some("nft_do_chain".into()));
        assert_eq!(known.at(0xfff), None);
        assert_eq!(
            Functions::parse("0000000000000000 T ip_forward\n").at(0x1fff),
            None,
            "not told"
        );
    }
}
