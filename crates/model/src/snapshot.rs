use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::{
    Address, AddressLabels, Bridge, BridgeVlan, Conntrack, Container, Engine, FdbEntry, Gap, IpSet,
    LearnedRoute, Link, LinkId, LinkKind, Listener, MdbEntry, Namespaces, Neighbour, Network, NsId,
    NsInode, Opaque, Owner, Release, Route, RouterPort, Rule, Ruleset, Sysctls, Teller, Warning,
};

/// Everything that was read of one or more hosts at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// All namespaces found.
    pub namespaces: Namespaces,
    /// The namespace that nestwork itself ran in.
    pub viewer: Option<NsId>,
    /// Which Linux it is. None: not known, or there are several.
    pub kernel: Option<Release>,
    /// When, in seconds since 1970 (0 in fixtures).
    pub taken: u64,
    /// Where it is from, in words. None: read from this host.
    pub origin: Option<String>,
    /// What went wrong while reading. A partial view says so here.
    pub warnings: Vec<Warning>,
}

impl Snapshot {
    /// The link with that id.
    #[must_use]
    pub fn link(&self, id: LinkId) -> Option<&Link> {
        self.namespaces.get(&id.ns)?.links.get(&id.index)
    }

    /// The namespaces directly inside `ns`, in order of their ids.
    pub fn children(&self, ns: NsId) -> impl Iterator<Item = &Namespace> {
        self.namespaces.values().filter(move |n| n.parent == Some(ns))
    }
}

/// One network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// What identifies it.
    pub id: NsId,
    /// What it is called, best first. Empty: nobody named it.
    pub names: Vec<Name>,
    /// The namespace of the container that its container is inside of.
    pub parent: Option<NsId>,
    /// What shows it.
    pub found: Vec<Found>,
    /// Processes in it, lowest PID first.
    pub processes: Vec<Process>,
    /// Files that it is mounted on (nsfs).
    pub files: Vec<NsFile>,
    /// Containers whose processes are in it, by what engines say.
    pub containers: Vec<Container>,
    /// Networks of engines that run in it.
    pub networks: Vec<Network>,
    /// Whose it is.
    pub owner: Owner,
    /// The PID namespace of the process that stands for it.
    pub pid_ns: Option<NsInode>,
    /// Its own table of nsids: number → namespace. −1 is never in it.
    pub nsids: BTreeMap<u32, NsId>,
    /// Links by ifindex.
    pub links: BTreeMap<u32, Link>,
    /// Addresses, in the kernel's order: per link, primary before its secondaries.
    pub addresses: Vec<Address>,
    /// By which labels IPv6 chooses a source.
    pub address_labels: AddressLabels,
    /// Routes of all tables, in the kernel's order.
    pub routes: Vec<Route>,
    /// What it has learned of single destinations.
    pub learned: Vec<LearnedRoute>,
    /// Routing rules by priority.
    pub rules: Vec<Rule>,
    /// IPv4's tables local and main are two: since the first rule of one's own, and for good. False:
    /// they are one, and the longest prefix of both wins. None: that was not read, and the rules
    /// have to tell.
    pub tables_split: Option<bool>,
    /// Neighbour entries.
    pub neighbours: Vec<Neighbour>,
    /// Forwarding-database entries of its bridges and vxlans.
    pub fdb: Vec<FdbEntry>,
    /// VLANs of bridges that filter by them, and of their ports.
    pub vlans: Vec<BridgeVlan>,
    /// Which multicasts its bridges hand to whom.
    pub mdb: Vec<MdbEntry>,
    /// Ports of its bridges that get all multicasts.
    pub router_ports: Vec<RouterPort>,
    /// Netfilter: nftables, which iptables-nft writes too.
    pub ruleset: Ruleset,
    /// Sets of ipset, in the kernel's order.
    pub ipsets: Vec<IpSet>,
    /// Groups of IPv4 that its links are in (`ip maddr`): ifindex and address.
    pub groups: Vec<(u32, IpAddr)>,
    /// Sockets that wait for somebody.
    pub listeners: Vec<Listener>,
    /// The name servers that are asked first to last here, where a file of its own names them; empty:
    /// there is none, or it is the reader's own.
    pub resolvers: Vec<IpAddr>,
    /// Tracked connections.
    pub conntrack: Vec<Conntrack>,
    /// Namespace-wide settings.
    pub sysctls: Sysctls,
    /// What changes packets' ways here and is not modelled.
    pub opaque: Vec<Opaque>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Puts what namespaces have learned of single destinations in the place of what was read.
    pub fn learn(&mut self, now: BTreeMap<NsId, Vec<LearnedRoute>>) {
        for (id, learned) in now {
            if let Some(namespace) = self.namespaces.get_mut(&id) {
                namespace.learned = learned;
            }
        }
    }
}

impl Namespace {
    /// A namespace with nothing in it.
    #[must_use]
    pub fn new(id: NsId) -> Self {
        Self {
            id,
            names: Vec::new(),
            parent: None,
            found: Vec::new(),
            processes: Vec::new(),
            files: Vec::new(),
            containers: Vec::new(),
            networks: Vec::new(),
            owner: Owner::default(),
            pid_ns: None,
            nsids: BTreeMap::new(),
            links: BTreeMap::new(),
            addresses: Vec::new(),
            address_labels: AddressLabels::default(),
            routes: Vec::new(),
            learned: Vec::new(),
            rules: Vec::new(),
            tables_split: None,
            neighbours: Vec::new(),
            fdb: Vec::new(),
            vlans: Vec::new(),
            mdb: Vec::new(),
            router_ports: Vec::new(),
            ruleset: Ruleset::default(),
            ipsets: Vec::new(),
            groups: Vec::new(),
            listeners: Vec::new(),
            resolvers: Vec::new(),
            conntrack: Vec::new(),
            sysctls: Sysctls::default(),
            opaque: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// The link of that name or alternative name.
    #[must_use]
    pub fn link_named(&self, name: &str) -> Option<&Link> {
        self.links
            .values()
            .find(|l| l.name == name)
            .or_else(|| self.links.values().find(|l| l.altnames.iter().any(|a| a == name)))
    }

    /// The bridge that a link is a port of, or is itself.
    #[must_use]
    pub fn bridge_of(&self, index: u32) -> Option<&Bridge> {
        let link = self.links.get(&index)?;
        let bridge = link.port.as_ref().and(link.master).unwrap_or(index);
        match &self.links.get(&bridge)?.kind {
            LinkKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    /// The ports of the bridge with that ifindex, by ifindex.
    pub fn ports(&self, bridge: u32) -> impl Iterator<Item = &Link> {
        self.links.values().filter(move |l| l.master == Some(bridge) && l.port.is_some())
    }

    /// What a master other than a bridge has: the ports of a bond, the members of a VRF.
    pub fn members(&self, master: u32) -> impl Iterator<Item = &Link> {
        self.links.values().filter(move |l| l.master == Some(master) && l.port.is_none())
    }

    /// The addresses of the link with that ifindex.
    pub fn addresses_of(&self, link: u32) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |a| a.link == link)
    }

    /// Whether that part of it could not be read.
    #[must_use]
    pub fn gap(&self, part: &str) -> Option<&Gap> {
        self.gaps.iter().find(|g| g.part == part)
    }
}

/// What somebody calls a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name. It may come from inside a container: never print it raw.
    pub text: String,
    /// Who calls it so.
    pub source: NameSource,
}

/// Who gave a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// A nestwork lab, by the lab's name.
    Lab(String),
    /// A container engine, and by what that is known.
    Engine(Engine, Teller),
    /// The machine itself (its host name), for the namespace of PID 1.
    Host,
    /// A file it is mounted on (`/run/netns/x`).
    File,
    /// The name of its lowest process: the last resort.
    Process,
}

/// What shows that a namespace exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A process is in it.
    Process,
    /// A thread is in it whose process is elsewhere.
    Thread,
    /// It is mounted somewhere.
    Mount,
    /// A process (by PID) has a namespace file open.
    Descriptor(u32),
    /// A process (by PID) has a socket that was made in it.
    Socket(u32),
    /// A process (by PID) holds a tun or tap device in it.
    Tap(u32),
    /// A link's peer is in it, and nothing else shows it.
    Peer,
}

/// A process, as the reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// PID in the reader's PID namespace.
    pub pid: u32,
    /// PID in its own PID namespace (last of NSpid).
    pub inner_pid: u32,
    /// comm: at most 15 bytes; the process chooses it: never print it raw.
    pub comm: String,
    /// Effective uid in the reader's user namespace.
    pub uid: u32,
}

/// A file that a namespace is mounted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NsFile {
    /// Path within the mount namespace it was seen in.
    pub path: String,
    /// The network namespace of the container whose mount namespace that is; None: the reader's.
    pub seen_in: Option<NsId>,
}
