//! What is said of each fault: what is wrong, what shows it, and what to do. Files by what the fault is
//! in.

mod firewall;
mod guest;
mod nat;
mod routing;
mod sets;
mod size;

use doctor::{Fault, Finding, Published};
use model::{LinkId, NsId, Snapshot};
use walk::{Loss, Protocol};

use crate::near::typed;
use crate::trace::because;
use crate::words as w;

/// What is said of a fault.
pub(crate) struct Told {
    /// The fault in a sentence.
    pub(crate) title: String,
    /// What was read that shows it.
    pub(crate) evidence: Vec<String>,
    /// What to do, a line each; the first is enough unless the next begins with `and`.
    pub(crate) fix: Vec<String>,
}

/// The fault's name for programs.
pub(crate) const fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::ForwardingOff { .. } => "forwarding-off",
        Fault::BridgedDrop { .. } => "bridged-drop",
        Fault::RoutedDrop { .. } => "routed-drop",
        Fault::RawDrop { .. } => "raw-drop",
        Fault::OpenIpv6 { .. } => "open-ipv6",
        Fault::BlindRule { .. } => "blind-rule",
        Fault::HiddenPort { .. } => "hidden-port",
        Fault::MacFilter { .. } => "mac-filter",
        Fault::SourceFilter { .. } => "source-filter",
        Fault::Asymmetric { .. } => "asymmetric",
        Fault::SkippedNat { .. } => "skipped-nat",
        Fault::NarrowUplink { .. } => "narrow-uplink",
        Fault::Overlap { .. } => "overlap",
        Fault::AcceptRa { .. } => "accept-ra",
        Fault::Hairpin { .. } => "hairpin",
        Fault::OtherSource { .. } => "other-source",
        Fault::UnequalPorts { .. } => "unequal-ports",
        Fault::CutOff { .. } => "cut-off",
        Fault::NameServer { .. } => "name-server",
    }
}

/// All that is said of it.
pub(crate) fn told(s: &Snapshot, finding: &Finding) -> Told {
    let mut told = of_fault(s, finding);
    told.evidence.extend(sets::asked(s, &finding.fault));
    told
}

fn of_fault(s: &Snapshot, finding: &Finding) -> Told {
    let c = Case { s, finding };
    match &finding.fault {
        Fault::ForwardingOff { link, ipv6 } => routing::forwarding_off(&c, *link, *ipv6),
        Fault::Overlap { link, net, other } => routing::overlap(&c, *link, *net, other),
        Fault::AcceptRa { link } => routing::accept_ra(&c, *link),
        Fault::NameServer { servers, why } => routing::name_server(&c, servers, why),
        Fault::CutOff { link, port } => routing::cut_off(&c, *link, *port),
        Fault::BridgedDrop { bridge, chain } => firewall::bridged_drop(&c, *bridge, chain),
        Fault::RoutedDrop { link, chain } => firewall::routed_drop(&c, *link, chain),
        Fault::RawDrop { rule, accept, link, to } => {
            firewall::raw_drop(&c, rule, accept, *link, *to)
        }
        Fault::OpenIpv6 { bridge } => firewall::open_ipv6(&c, *bridge),
        Fault::BlindRule { bridge, rule, loaded } => {
            firewall::blind_rule(&c, *bridge, rule, *loaded)
        }
        Fault::Asymmetric { rule, from, to } => firewall::asymmetric(&c, rule, *from, *to),
        Fault::HiddenPort { port, loss, .. } => guest::hidden_port(&c, port, loss),
        Fault::MacFilter { port, rule, child } => guest::mac_filter(&c, *port, rule, *child),
        Fault::SourceFilter { rule, net, out } => guest::source_filter(&c, rule, *net, *out),
        Fault::SkippedNat { rule, bridge } => nat::skipped(&c, rule, *bridge),
        Fault::Hairpin { port, from, loss } => nat::hairpin(&c, port, *from, loss),
        Fault::OtherSource { rule, route, link, source } => {
            nat::other_source(&c, rule, route, *link, *source)
        }
        Fault::NarrowUplink { link, router, out, told } => {
            size::narrow_uplink(&c, *link, *router, *out, *told)
        }
        Fault::UnequalPorts { bridge, large, small } => {
            size::unequal_ports(&c, *bridge, *large, *small)
        }
    }
}

/// A finding, and the words that all faults are told in.
struct Case<'a> {
    s: &'a Snapshot,
    finding: &'a Finding,
}

impl Case<'_> {
    /// The namespace where it is to be mended.
    fn ns(&self) -> String {
        self.s.name_of(self.finding.ns)
    }

    /// A command there.
    fn here(&self, command: &str) -> String {
        self.at(self.finding.ns, command)
    }

    fn at(&self, ns: NsId, command: &str) -> String {
        format!("nestwork exec {} {command}", typed(self.s, ns))
    }

    /// A link by its name alone, as commands have it.
    fn name(&self, link: LinkId) -> String {
        w::link(self.s, link)
    }

    /// A link with its namespace.
    fn link(&self, link: LinkId) -> String {
        self.s.link_name(link)
    }

    /// It is shown by a packet of IPv6.
    fn is_ipv6(&self) -> bool {
        self.finding.trace.as_ref().is_some_and(|t| t.question.packet.is_ipv6())
    }

    /// `iptables` or `ip6tables`.
    fn iptables(&self) -> &'static str {
        if self.is_ipv6() { "ip6tables" } else { "iptables" }
    }

    /// `host:eth0 has mtu 1500`.
    fn has_mtu(&self, link: LinkId) -> String {
        format!("{} has mtu {}", self.link(link), self.mtu(link))
    }

    fn mtu(&self, link: LinkId) -> u32 {
        self.s.link(link).map_or(0, |l| l.mtu)
    }

    fn mac(&self, link: LinkId) -> String {
        self.s.link(link).and_then(|l| l.mac).map_or_else(String::new, |mac| mac.to_string())
    }

    /// The addresses of a link, of the packet's family.
    fn addresses(&self, link: LinkId) -> String {
        self.addresses_of(link, self.is_ipv6())
    }

    fn addresses_of(&self, link: LinkId, ipv6: bool) -> String {
        let ns = self.s.namespaces.get(&link.ns);
        let all = ns.into_iter().flat_map(|ns| ns.addresses_of(link.index));
        let ours = all.filter(|a| a.ip().is_ipv6() == ipv6);
        ours.map(|a| a.net.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Why its packet is lost.
    fn because(&self, loss: &Loss) -> String {
        because(self.s, loss, &self.packet())
    }

    /// The packet that shows it, as it was when it was lost.
    fn packet(&self) -> walk::Packet {
        let Some(trace) = &self.finding.trace else { return any_packet() };
        let way = trace.back.as_ref().unwrap_or(&trace.there);
        let steps = way.hops.iter().flat_map(|hop| &hop.steps);
        steps.last().map_or_else(|| way.packet.clone(), |step| step.packet.clone())
    }

    /// Docker leaves this chain to people, and asks it first.
    fn user_chain(&self) -> &'static str {
        let family = if self.is_ipv6() { model::Family::Ip6 } else { model::Family::Ip };
        let ns = self.s.namespaces.get(&self.finding.ns);
        let mut tables = ns.into_iter().flat_map(|ns| &ns.ruleset.tables);
        let docker = tables.any(|t| t.family == family && t.chain("DOCKER-USER").is_some());
        if docker { "DOCKER-USER" } else { "FORWARD" }
    }

    /// Rules for IP see what passes that bridge: by which setting.
    fn calls_iptables(&self, bridge: LinkId) -> String {
        let ns = self.s.namespaces.get(&bridge.ns);
        let (name, own, of_ns) = match self.is_ipv6() {
            true => (
                "ip6tables",
                "nf_call_ip6tables",
                ns.and_then(|n| n.sysctls.bridge_nf_call_ip6tables),
            ),
            false => {
                ("iptables", "nf_call_iptables", ns.and_then(|n| n.sysctls.bridge_nf_call_iptables))
            }
        };
        match of_ns {
            Some(true) => {
                format!("{}: net.bridge.bridge-nf-call-{name} = 1", self.s.name_of(bridge.ns))
            }
            _ => format!("{}: {own} 1", self.link(bridge)),
        }
    }
}

/// `8080/tcp for 172.17.0.2`.
fn port_name(port: &Published) -> String {
    let at = port.at.map_or_else(String::new, |ip| match ip.is_ipv6() {
        true => format!("[{ip}]:"),
        false => format!("{ip}:"),
    });
    let number = match port.protocol {
        Protocol::Tcp(n) => format!("{n}/tcp"),
        Protocol::Udp(n) => format!("{n}/udp"),
        Protocol::Icmp => "icmp".to_owned(),
    };
    format!("{at}{number} for {}", port.to)
}

fn any_packet() -> walk::Packet {
    let nowhere = walk::Place::Namespace(NsId::inode(0));
    let to = std::net::Ipv4Addr::UNSPECIFIED;
    walk::Question::new(nowhere, to, Protocol::Icmp).packet
}
