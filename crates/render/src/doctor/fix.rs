//! What to do about a fault: commands where there are some.

use doctor::{Fault, Finding, From, Overlapped};
use model::{LinkId, Snapshot};
use walk::{Protocol, Reason};

use super::said::{mac, mtu};
use crate::near::typed;
use crate::words as w;

/// What to do, a line each; the first is enough unless it says otherwise.
pub(crate) fn fix(s: &Snapshot, finding: &Finding) -> Vec<String> {
    let here = |command: &str| format!("nestwork exec {} {command}", typed(s, finding.ns));
    let name = |link: &LinkId| w::link(s, *link);
    match &finding.fault {
        Fault::ForwardingOff { .. } => vec![
            here("sysctl -w net.ipv4.ip_forward=1"),
            "in a container with /proc/sys read-only, have its manager set it (LXC: lxc.sysctl.net.ipv4.ip_forward = 1)".to_owned(),
        ],
        Fault::BridgedDrop { bridge, .. } => vec![
            here("sysctl -w net.bridge.bridge-nf-call-iptables=0"),
            format!("or, where rules are to see what passes other bridges: {}", here(&format!(
                "iptables -I {} -i {b} -o {b} -j ACCEPT", user_chain(s, finding), b = name(bridge)
            ))),
        ],
        Fault::RoutedDrop { link, .. } => {
            let (chain, link) = (user_chain(s, finding), name(link));
            vec![
                here(&format!("iptables -I {chain} -i {link} -j ACCEPT")),
                format!("and {}", here(&format!(
                    "iptables -I {chain} -o {link} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
                ))),
            ]
        }
        Fault::BlindRule { loaded, .. } => {
            let on = here("sysctl -w net.bridge.bridge-nf-call-iptables=1");
            if *loaded { vec![on] } else { vec![format!("on the host: modprobe br_netfilter, then {on}")] }
        }
        Fault::HiddenPort { port, .. } => {
            let (protocol, number) = match port.protocol {
                Protocol::Udp(n) => ("udp", n),
                Protocol::Tcp(n) => ("tcp", n),
                Protocol::Icmp => ("icmp", 0),
            };
            vec![format!(
                "in the guest's firewall (/etc/pve/firewall/VMID.fw, under [RULES]): IN ACCEPT -p {protocol} -dport {number}"
            )]
        }
        Fault::MacFilter { child, .. } => vec![
            "in the guest's firewall options: macfilter: 0".to_owned(),
            format!("or use an ipvlan, which keeps the guest's address, in place of {} ({})", s.link_name(*child), mac(s, *child)),
        ],
        Fault::SkippedNat { bridge, .. } => vec![
            here(&format!("iptables -t raw -I PREROUTING -i {} -j CT --zone 1", like(&name(bridge)))),
        ],
        Fault::NarrowUplink { link, router, out, .. } => {
            let size = mtu(s, *out);
            vec![
                mtu_command(s, *link, size),
                format!("and {}", mtu_command(s, *router, size)),
                format!("for containers to come: \"mtu\": {size} in Docker's daemon.json, or the network's option com.docker.network.driver.mtu"),
                format!("or {}", here("iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu")),
            ]
        }
        Fault::Overlap { link, other, .. } => {
            let what = match other {
                Overlapped::Link(_, net) => *net,
                Overlapped::Route(_, route) => route.dst,
            };
            vec![format!(
                "give the network of {} other addresses than {what}: Docker's daemon.json, \"bip\" for docker0, \"default-address-pools\" for the rest; then make the network anew",
                s.link_name(*link)
            )]
        }
        Fault::Hairpin { from, loss, port } => vec![match (&loss.reason, from) {
            (Reason::NoHairpin(p), _) => {
                format!("nestwork exec {} bridge link set dev {} hairpin on", typed(s, p.ns), w::link(s, *p))
            }
            (Reason::Martian, _) => here(&format!(
                "sysctl -w net.ipv4.conf.{}.route_localnet=1",
                loss.link.map_or_else(|| "all".to_owned(), |l| w::link(s, l))
            )),
            (_, From::Loopback) => here("sysctl -w net.ipv4.conf.all.route_localnet=1"),
            _ => here(&format!("iptables -t nat -A POSTROUTING -s {} -d {} -j MASQUERADE", around(s, finding, port.to), port.to)),
        }],
        Fault::OtherSource { rule, route, link, .. } => {
            let source = route.prefsrc.map_or_else(String::new, |ip| ip.to_string());
            vec![format!(
                "in place of {}: {}",
                w::rule_ref(s, rule),
                here(&format!("iptables -t nat -A POSTROUTING -o {} -j SNAT --to-source {source}", name(link)))
            )]
        }
        Fault::UnequalPorts { large, small, .. } => {
            let size = mtu(s, *small);
            vec![mtu_command(s, *large, size)]
        }
        Fault::CutOff { link, .. } => {
            vec![format!("nestwork exec {} ip link set {} up", typed(s, link.ns), name(link))]
        }
    }
}

fn mtu_command(s: &Snapshot, link: LinkId, size: u32) -> String {
    format!("nestwork exec {} ip link set {} mtu {size}", typed(s, link.ns), w::link(s, link))
}

/// The network that an address is in there.
fn around(s: &Snapshot, finding: &Finding, ip: std::net::IpAddr) -> String {
    let ns = s.namespaces.get(&finding.ns);
    let mut all = ns.into_iter().flat_map(|ns| &ns.addresses).map(|a| a.net.trunc());
    all.find(|net| net.contains(&ip)).map_or_else(|| ip.to_string(), |net| net.to_string())
}

/// Docker leaves this chain to people, and asks it first.
fn user_chain(s: &Snapshot, finding: &Finding) -> &'static str {
    let ns = s.namespaces.get(&finding.ns);
    let mut tables = ns.into_iter().flat_map(|ns| &ns.ruleset.tables);
    if tables.any(|t| t.chain("DOCKER-USER").is_some()) { "DOCKER-USER" } else { "FORWARD" }
}

/// `fwbr111i0` → `fwbr+`: one rule for all that Proxmox makes.
fn like(bridge: &str) -> String {
    if bridge.starts_with("fwbr") { "fwbr+".to_owned() } else { bridge.to_owned() }
}
