use std::collections::BTreeMap;

use model::{IpSet, Opaque, Rule, Table};

use crate::address::PartAddress;
use crate::command::Entered;
use crate::fdb::PartFdb;
use crate::link::{At, PartLink};
use crate::lsns::{About, Row};
use crate::neighbour::PartNeighbour;
use crate::port::PartPort;
use crate::route::PartRoute;
use crate::sysctl::Settings;

/// What the files of one namespace tell, before it is known how namespaces belong together.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Its folder.
    pub(crate) folder: String,
    /// Where it was entered from that folder's namespace.
    pub(crate) entered: Entered,
    pub(crate) host_name: Option<String>,
    pub(crate) about: About,
    /// Every output's links; a higher rank tells more.
    pub(crate) parts: Vec<(u8, PartLink)>,
    /// The links by index, with all that is told of them.
    pub(crate) links: BTreeMap<u32, PartLink>,
    pub(crate) addresses: Vec<PartAddress>,
    pub(crate) routes: Vec<Routes>,
    pub(crate) rules: Option<Vec<Rule>>,
    pub(crate) neighbours: Vec<PartNeighbour>,
    pub(crate) fdb: Vec<PartFdb>,
    pub(crate) ports: Vec<PartPort>,
    /// iptables' tables; a higher rank tells more.
    pub(crate) iptables: Vec<(u8, Table)>,
    pub(crate) nft: Vec<Table>,
    pub(crate) ipsets: Vec<IpSet>,
    pub(crate) settings: Settings,
    pub(crate) rows: Vec<Row>,
    pub(crate) nsids: Vec<(u32, Option<String>)>,
    pub(crate) netns: Vec<(String, Option<u32>)>,
    pub(crate) legacy: Vec<String>,
    /// Links that `tc` has filters for, or a place for them.
    pub(crate) filtered: Vec<String>,
    /// IPsec and the like, of which only that they are there is known.
    pub(crate) opaque: Vec<Opaque>,
    pub(crate) shown: Shown,

    /// The inode that identifies it.
    pub(crate) inode: Option<u64>,
    /// The draft that it is inside of.
    pub(crate) parent: Option<usize>,
    /// Whom its nsids mean.
    pub(crate) knows: BTreeMap<u32, usize>,
    /// Ends of pairs: index, and the other end's draft and index.
    pub(crate) peers: BTreeMap<u32, (usize, u32)>,
}

/// Routes of one output.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    /// A higher one tells more.
    pub(crate) rank: u8,
    /// Table that was asked for; None: all.
    pub(crate) table: Option<u32>,
    pub(crate) routes: Vec<PartRoute>,
}

/// Which parts are shown as a whole.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a part of its own")]
pub(crate) struct Shown {
    pub(crate) links: bool,
    pub(crate) addresses: bool,
    pub(crate) neighbours: bool,
    pub(crate) fdb: bool,
    /// Bridges whose table is shown.
    pub(crate) fdb_of: Vec<String>,
    pub(crate) iptables: bool,
    pub(crate) nft: bool,
    pub(crate) qdiscs: bool,
    pub(crate) ipsec: bool,
    pub(crate) ipvs: bool,
}

impl Draft {
    pub(crate) fn new(folder: &str, entered: Entered) -> Self {
        Self {
            folder: folder.to_owned(),
            entered,
            host_name: None,
            about: About::default(),
            parts: Vec::new(),
            links: BTreeMap::new(),
            addresses: Vec::new(),
            routes: Vec::new(),
            rules: None,
            neighbours: Vec::new(),
            fdb: Vec::new(),
            ports: Vec::new(),
            iptables: Vec::new(),
            nft: Vec::new(),
            ipsets: Vec::new(),
            settings: Settings::new(),
            rows: Vec::new(),
            nsids: Vec::new(),
            netns: Vec::new(),
            legacy: Vec::new(),
            filtered: Vec::new(),
            opaque: Vec::new(),
            shown: Shown::default(),
            inode: None,
            parent: None,
            knows: BTreeMap::new(),
            peers: BTreeMap::new(),
        }
    }

    /// What it is called: by its folder, else by the host's own name, else by what tells of it.
    pub(crate) fn name(&self) -> Option<String> {
        let last = self.folder.rsplit('/').next().filter(|n| !n.is_empty()).map(str::to_owned);
        match &self.entered {
            Entered::Here => self.about.name.clone().or(last).or_else(|| self.host_name.clone()),
            Entered::Pid(pid) => Some(format!("pid {pid}")),
            Entered::Name(name) => Some(name.clone()),
        }
    }

    /// Takes what another tells of the same namespace.
    pub(crate) fn merge(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.addresses.extend(other.addresses);
        self.routes.extend(other.routes);
        self.rules = self.rules.take().or(other.rules);
        self.neighbours.extend(other.neighbours);
        self.fdb.extend(other.fdb);
        self.ports.extend(other.ports);
        self.iptables.extend(other.iptables);
        self.nft.extend(other.nft);
        self.ipsets.extend(other.ipsets);
        self.settings.extend(other.settings);
        self.nsids.extend(other.nsids);
        self.legacy.extend(other.legacy);
        self.filtered.extend(other.filtered);
        self.opaque.extend(other.opaque);
        let (mine, theirs) = (&mut self.shown, other.shown);
        mine.links |= theirs.links;
        mine.addresses |= theirs.addresses;
        mine.neighbours |= theirs.neighbours;
        mine.fdb |= theirs.fdb;
        mine.fdb_of.extend(theirs.fdb_of);
        mine.iptables |= theirs.iptables;
        mine.nft |= theirs.nft;
        mine.qdiscs |= theirs.qdiscs;
        mine.ipsec |= theirs.ipsec;
        mine.ipvs |= theirs.ipvs;
    }

    /// Puts together what several outputs tell of each link: of two, that which tells more.
    pub(crate) fn settle(&mut self) {
        let mut parts = self.parts.clone();
        parts.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        let mut links: BTreeMap<u32, PartLink> = BTreeMap::new();
        for (_, part) in parts.iter().filter(|(_, p)| !p.name.is_empty()) {
            let named = links.values().find(|l| l.name == part.name).and_then(|l| l.index);
            let Some(index) = part.index.or(named) else { continue };
            match links.get_mut(&index) {
                Some(link) => fill(link, part),
                None => _ = links.insert(index, PartLink { index: Some(index), ..part.clone() }),
            }
        }
        // Where nothing tells an index (`ip -br` alone), the order has to do.
        if links.is_empty() {
            for ((_, part), index) in parts.iter().zip(1..) {
                if !part.name.is_empty() && links.values().all(|l| l.name != part.name) {
                    links.insert(index, PartLink { index: Some(index), ..part.clone() });
                }
            }
        }
        self.links = links;
    }

    /// The other end of a pair that lies within this namespace: each names the other.
    pub(crate) fn peer_here(&self, link: &PartLink) -> Option<u32> {
        let other = |link: &PartLink| match link.at.as_ref()? {
            At::Name(name) => self.index_of(name),
            At::Index(index) => Some(*index),
        };
        let pair = |l: &PartLink| {
            l.far.is_none() && l.kind.as_ref().is_none_or(|(k, _)| k == "veth" || k == "netkit")
        };
        let there = other(link).filter(|i| Some(*i) != link.index)?;
        let peer = self.links.get(&there).filter(|l| pair(l))?;
        (other(peer) == link.index && pair(link)).then_some(there)
    }

    /// The index of the link of that name.
    pub(crate) fn index_of(&self, name: &str) -> Option<u32> {
        let by_name = self.links.values().find(|l| l.name == name);
        let by_other = || self.links.values().find(|l| l.altnames.iter().any(|a| a == name));
        by_name.or_else(by_other)?.index
    }
}

/// Takes from `part` what is not known of the link.
fn fill(link: &mut PartLink, part: &PartLink) {
    macro_rules! take {
        ($($field:ident),*) => {
            $(if link.$field.is_none() { link.$field.clone_from(&part.$field); })*
        };
    }
    take!(at, far, flags, mtu, qdisc, master, state, txqlen, group, mac, alias, kind, slave);
    link.loopback |= part.loopback;
    link.xdp = link.xdp.filter(|n| *n != 0).or(part.xdp).or(link.xdp);
    link.promiscuous |= part.promiscuous;
    link.detailed |= part.detailed;
    for name in &part.altnames {
        if !link.altnames.contains(name) {
            link.altnames.push(name.clone());
        }
    }
}
