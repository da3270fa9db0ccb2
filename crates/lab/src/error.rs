//! What can be wrong with a lab file. Each error is one sentence with its cause and its remedy.

use std::fmt;

use crate::node::At;

/// One thing that is wrong with a lab file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabError {
    /// The file, as the caller named it.
    pub file: String,
    /// The place; line 0: no place in particular.
    pub at: At,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.line {
            0 => write!(f, "{}: {}", self.file, self.problem),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.at.column, self.problem),
        }
    }
}

impl std::error::Error for LabError {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each says what it is and what its fields are")]
pub enum Problem {
    #[error("not valid YAML: {0}")]
    Yaml(String),
    #[error("the file is empty: a lab has at least `name:` and `namespaces:`")]
    Empty,
    #[error("the key {key:?} is given twice in this map (first on line {first}): keep one of them")]
    KeyTwice { key: String, first: u32 },
    #[error("unknown key {key:?} in {of}: did you mean {nearest:?}?{}", list(.known))]
    UnknownKey { key: String, of: &'static str, nearest: String, known: Vec<String> },
    #[error("{of} needs the key {key:?}: {why}")]
    MissingKey { of: String, key: &'static str, why: &'static str },
    #[error("{of} must be {wanted}, but this is {found}")]
    WrongType { of: String, wanted: &'static str, found: &'static str },
    #[error("{found:?} is no {what}: {hint}")]
    BadValue { what: &'static str, found: String, hint: String },
    #[error("{what} {found} is out of range: it must be between {low} and {high}")]
    OutOfRange { what: &'static str, found: String, low: u64, high: u64 },
    #[error(
        "the link name {name:?} has {} bytes: the kernel allows 15; choose a shorter one",
        name.len()
    )]
    LongName { name: String },
    #[error("{name:?} cannot name a link: {why}")]
    BadLinkName { name: String, why: &'static str },
    #[error(
        "{name:?} cannot name a {what}: 1 to 63 letters, digits, `-`, `_` or `.`, starting with a letter or digit"
    )]
    BadName { name: String, what: &'static str },
    #[error(
        "{name:?} cannot name a {what}: on the command line it means something else; choose another"
    )]
    ReservedName { name: String, what: &'static str },
    #[error("there are two namespaces {name:?} (the first on line {first}): rename one")]
    NamespaceTwice { name: String, first: u32 },
    #[error("no namespace is called {name:?}{}: add it under `namespaces:` or correct the name", near(.nearest))]
    NoNamespace { name: String, nearest: Option<String> },
    #[error("`inside` runs in a circle: {}; one of them must be on the host", .path.join(" is inside "))]
    InsideCycle { path: Vec<String> },
    #[error("{ns} has no link {name:?}{}: declare it under its `links:` or correct the name", near(.nearest))]
    NoLink { ns: String, name: String, nearest: Option<String> },
    #[error(
        "{ns}:{name} is said to be a port of {bridge:?}, but {bridge:?} is a {kind}, not a bridge"
    )]
    NoBridge { ns: String, name: String, bridge: String, kind: &'static str },
    #[error("{ns}:{name} is said to be in VRF {vrf:?}, but {vrf:?} is a {kind}, not a vrf")]
    NoVrf { ns: String, name: String, vrf: String, kind: &'static str },
    #[error(
        "{ns}:{name} is said to be a port of bond {bond:?}, but {bond:?} is a {kind}, not a bond"
    )]
    NoBond { ns: String, name: String, bond: String, kind: &'static str },
    #[error(
        "{ns}:{bond} is said to choose {port:?}, which is no port of it: say `bond: {bond}` there"
    )]
    NoPortOfBond { ns: String, bond: String, port: String },
    #[error("{ns}:{name} is a port of {a:?} and of {b:?}: a link has one bridge; remove one")]
    TwoBridges { ns: String, name: String, a: String, b: String },
    #[error(
        "{ns}:{name} is no port of a bridge, so that {key:?} says nothing: add `bridge:` or remove it"
    )]
    NoPort { ns: String, name: String, key: &'static str },
    #[error(
        "{ns}:{name} and {backup:?} are no ports of one bridge: another port of the same bridge can stand in"
    )]
    BackupElsewhere { ns: String, name: String, backup: String },
    #[error("{ns} has two links called {name:?} (the other comes from line {first}): rename one")]
    LinkTwice { ns: String, name: String, first: u32 },
    #[error("{ns}:lo is there by itself: leave out `kind:` to say more about it")]
    LoopbackMade { ns: String },
    #[error(
        "{ns}:{name} says no kind, and nothing else makes it: add `kind:`{}",
        near(.nearest)
    )]
    NothingMakes { ns: String, name: String, nearest: Option<String> },
    #[error("{ns}:{name} cannot be joined to itself: name the link at the other end")]
    OwnPeer { ns: String, name: String },
    #[error("{ns}:{name} is no wireguard link of this lab: name one, or give its `public_key:`")]
    NoWireguard { ns: String, name: String },
    #[error("{key:?} does not fit a link of kind {kind}: remove it")]
    KeyOfOtherKind { key: String, kind: &'static str },
    #[error("{what} {value} is pinned twice in {ns} (also on line {first}): choose another")]
    PinTwice { what: &'static str, value: String, ns: String, first: u32 },
    #[error("{address} is on {ns}:{a} and, by line {first}, on {ns}:{b}: give it to one of them")]
    AddressTwice { address: String, ns: String, a: String, b: String, first: u32 },
    #[error(
        "no address of {ns} makes the gateway {via} reachable{}: give a link an address in its subnet, or add `onlink: true`",
        dev.as_ref().map(|d| format!(" by {d}")).unwrap_or_default()
    )]
    GatewayUnreachable { ns: String, via: String, dev: Option<String> },
    #[error(
        "the route to {to} in {ns} goes by {dev}, which has `up: false`: bring it up or remove the route"
    )]
    RouteByDownLink { ns: String, to: String, dev: String },
    #[error(
        "the route to {to} with metric {metric} is there twice in {ns} (also line {first}): remove one or give it another metric"
    )]
    RouteTwice { ns: String, to: String, metric: u32, first: u32 },
    #[error("tc: {what}")]
    Tc { what: String },
    #[error("{what}")]
    IpSet { what: String },
    #[error("{ns} has no ipset {name:?}{}: declare it under its `ipsets:` or correct the name", near(.nearest))]
    NoIpSet { ns: String, name: String, nearest: Option<String> },
    #[error("net{n}: the key {key:?} works in Proxmox but not here yet: {why}")]
    NetKeyRefused { n: u32, key: String, why: &'static str },
    #[error(
        "`proxmox:` is for a guest, but {ns} is not inside of another namespace: add `inside:` with the Proxmox host"
    )]
    ProxmoxOutside { ns: String },
    #[error(
        "net{n}: its mtu {mtu} is larger than {bridge}'s {of_bridge}: Proxmox refuses that; lower it"
    )]
    MtuOverBridge { n: u32, mtu: u32, bridge: String, of_bridge: u32 },
    #[error(
        "{ns} is attached to a Docker network, but {parent} is no Docker host: give {parent} `docker: {{networks: {{}}}}`"
    )]
    NoDockerHost { ns: String, parent: String },
    #[error("{parent} has no Docker network {name:?}{}: declare it under its `docker: networks:`", near(.nearest))]
    NoDockerNetwork { parent: String, name: String, nearest: Option<String> },
    #[error(
        "every address pool that Docker takes by itself overlaps one of {ns}'s networks: give {network:?} a `subnet:`"
    )]
    NoPool { ns: String, network: String },
    #[error("the network {a:?} ({subnet}) overlaps {b} in {ns}: choose another subnet")]
    SubnetOverlap { ns: String, a: String, b: String, subnet: String },
    #[error("the network {network:?} ({subnet}) has no free address left: make it larger")]
    SubnetFull { network: String, subnet: String },
    #[error("{address} does not lie in {subnet}, the subnet of {network:?}: choose one that does")]
    NotInSubnet { address: String, network: String, subnet: String },
    #[error("{address} is the {what} of {network:?} already: choose another")]
    AddressTaken { address: String, what: String, network: String },
    #[error(
        "{ns} publishes {port}, which line {first} publishes already on {parent}: choose another"
    )]
    PortTwice { ns: String, port: String, parent: String, first: u32 },
    #[error("{tool}: {what}")]
    Iptables { tool: &'static str, what: String },
    #[error("nft: {0}")]
    Nft(String),
    #[error("{what} needs {of}, which nothing in the lab makes: {hint}")]
    NeverMade { what: String, of: String, hint: &'static str },
    #[error("the lab has {count} namespaces: at most {most} are allowed")]
    TooMany { count: usize, most: usize },
}

/// The keys that there are, where none of them is like the one that was written.
fn list(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(" There are {}", known.join(", ")) }
}

fn near(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|n| format!(" (did you mean {n:?}?)")).unwrap_or_default()
}

/// The name that is most like `word`, if one is like it at all.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    best(word, known).filter(|(_, like)| *like >= 0.7).map(|(name, _)| name.to_owned())
}

/// The name that is most like `word`, however little.
pub(crate) fn best<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, f64)> {
    known
        .into_iter()
        .map(|name| {
            let like = strsim::normalized_damerau_levenshtein(word, name)
                .max(strsim::jaro_winkler(word, name));
            (name, like)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The errors found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    file: String,
    list: Vec<LabError>,
}

impl Errors {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    pub(crate) fn push(&mut self, at: At, problem: Problem) {
        self.list.push(LabError { file: self.file.clone(), at, problem });
    }

    pub(crate) const fn count(&self) -> usize {
        self.list.len()
    }

    pub(crate) const fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order of the file.
    pub(crate) fn into_list(mut self) -> Vec<LabError> {
        self.list.sort_by_key(|e| e.at);
        self.list.dedup();
        self.list
    }
}
