//! What a check file says.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use yaml::{At, Said};

/// A check file that was read and found good. See docs/check-file.md for the format.
#[derive(Clone, Debug)]
pub struct File {
    /// The file, as the caller named it.
    pub(crate) name: String,
    /// `groups:`
    pub(crate) groups: Vec<(String, Vec<Said<Selector>>)>,
    /// In the order of the file.
    pub(crate) rules: Vec<Rule>,
}

impl File {
    /// Every namespace, and whoever is outside, to one of whom the word is as behind an arrow.
    #[must_use]
    pub fn who_reaches(to: &str, service: Service, outside: bool) -> Self {
        let said = |what| Said::new(At::default(), what);
        let mut from = vec![said(Selector::Everybody)];
        from.extend(outside.then(|| said(Selector::Outside)));
        let to = match net(to) {
            Some(net) => Selector::Net(net),
            None if to == "outside" => Selector::Outside,
            None => Selector::Word(to.to_owned()),
        };
        let wants = vec![Want { deny: false, service }];
        let rule =
            Rule { at: At::default(), text: service.to_string(), from, to: vec![said(to)], wants };
        Self { name: String::new(), groups: Vec::new(), rules: vec![rule] }
    }

    /// Its rules, each as it is written, in one line.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.text.as_str())
    }
}

/// `FROM -> TO: WANTS`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) at: At,
    /// As it is written, in one line.
    pub(crate) text: String,
    pub(crate) from: Vec<Said<Selector>>,
    pub(crate) to: Vec<Said<Selector>>,
    pub(crate) wants: Vec<Want>,
}

/// What is asserted of each pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// It must not come there; else it must, and its answer back.
    pub deny: bool,
    /// What is sent.
    pub service: Service,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// ICMP, TCP and UDP, to any port.
    Any,
    /// An ICMP echo request.
    Icmp,
    /// To this TCP port.
    Tcp(u16),
    /// To this UDP port.
    Udp(u16),
}

impl Service {
    /// Whoever says something of this says it of that, too.
    pub(crate) fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Icmp => f.write_str("icmp"),
            Self::Tcp(port) => write!(f, "{port}/tcp"),
            Self::Udp(port) => write!(f, "{port}/udp"),
        }
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.deny, self.service) {
            (true, Service::Any) => f.write_str("deny"),
            (true, service) => write!(f, "deny {service}"),
            (false, service) => service.fmt(f),
        }
    }
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    /// `*`: every namespace.
    Everybody,
    /// `outside`, `internet`: beyond this host.
    Outside,
    /// An address, or all namespaces with one in a prefix.
    Net(IpNet),
    /// The group of that name, else whoever is so called; `*` and `?` as in file names.
    Word(String),
    /// Namespaces of which all of this is so.
    Labels(Vec<(Label, String)>),
}

/// What may be asked of a namespace in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Name,
    Network,
    Image,
    Engine,
    Pod,
    PodNamespace,
    Lab,
    Inside,
    Address,
}

impl Label {
    pub(crate) const ALL: [(&'static str, Self); 9] = [
        ("name", Self::Name),
        ("network", Self::Network),
        ("image", Self::Image),
        ("engine", Self::Engine),
        ("pod", Self::Pod),
        ("pod_namespace", Self::PodNamespace),
        ("lab", Self::Lab),
        ("inside", Self::Inside),
        ("address", Self::Address),
    ];
}

/// An address or a prefix.
pub(crate) fn net(word: &str) -> Option<IpNet> {
    let address = || word.parse::<IpAddr>().ok().map(IpNet::from);
    word.parse::<IpNet>().ok().or_else(address).map(|net| net.trunc())
}
