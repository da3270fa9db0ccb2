//! What a lab file says, before the ready-made parts are worked out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use model::{
    BondSpec, BridgeSpec, BridgeVlan, HopSpec, IpSet, Ipvlan, LinkRef, Mac, MacvlanMode, PortSpec,
    PortState, Protocol, Queue, RouteKind, RouteMetrics, Rule, Scope, ServiceSpec, Tc, Vlan, Vrf,
    Vxlan, WireguardKey, WireguardSecret,
};

use crate::node::{At, Said};

/// A lab file that was read and found good. See docs/lab-file.md for the format.
#[derive(Clone, Debug)]
pub struct Lab {
    /// `name:`, what the lab is called: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// `namespaces:`, in the order of the file.
    pub(crate) spaces: Vec<Space>,
    /// Made for a user without privileges: everything lies in one user namespace with one id.
    pub(crate) rootless: bool,
}

/// One entry of `namespaces:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    pub(crate) at: At,
    /// Its key.
    pub(crate) name: String,
    /// `inside:` the namespace that it is a container in.
    pub(crate) inside: Option<Said<String>>,
    /// `unprivileged:` it has its own user namespace: uid 100000 and 65536 ids.
    pub(crate) unprivileged: bool,
    /// `links:`
    pub(crate) links: Vec<LinkEntry>,
    /// `routes:`
    pub(crate) routes: Vec<Said<RouteEntry>>,
    /// `rules:`, then `rules6:`
    pub(crate) rules: Vec<Said<Rule>>,
    /// `addrlabels:`
    pub(crate) labels: Vec<Said<LabelEntry>>,
    /// `neighbours:`
    pub(crate) neighbours: Vec<Said<NeighbourEntry>>,
    /// `vlans:` which port is in which: its number, whether it is the PVID, and untagged.
    pub(crate) vlans: Vec<Said<(Said<String>, BridgeVlan)>>,
    /// `mdb:` which group is wanted behind which port.
    pub(crate) mdb: Vec<Said<(Said<String>, IpAddr)>>,
    /// `fdb:` which address is behind which port.
    pub(crate) fdb: Vec<Said<(Said<String>, Mac)>>,
    /// `sysctls:` path with slashes → value.
    pub(crate) sysctls: Vec<Said<(String, String)>>,
    /// `ipsets:`
    pub(crate) ipsets: Vec<IpSetEntry>,
    /// `iptables:` by table, then `ip6tables:`, and those of iptables-legacy.
    pub(crate) iptables: Vec<TableEntry>,
    pub(crate) nft: Vec<NftEntry>,
    /// `services:`
    pub(crate) services: Option<Said<ServiceSpec>>,
    /// `nsids:` number → namespace.
    pub(crate) nsids: Vec<(Said<u32>, Said<String>)>,
    /// `netns_files:` path → namespace.
    pub(crate) files: Vec<(Said<String>, Said<String>)>,
    /// `proxmox:`
    pub(crate) proxmox: Option<Proxmox>,
    /// `docker: networks:`
    pub(crate) docker_host: Option<DockerHost>,
    /// `docker: network:` and kin.
    pub(crate) docker_guest: Option<DockerGuest>,
}

/// One entry of `ipsets:`.
#[derive(Clone, Debug)]
pub(crate) struct IpSetEntry {
    pub(crate) at: At,
    pub(crate) set: IpSet,
}

/// One entry of `links:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkEntry {
    pub(crate) at: At,
    /// Its key.
    pub(crate) name: String,
    /// `kind:` and what only that kind has. None: another entry or a ready-made part makes the
    /// link, and this one says more about it.
    pub(crate) kind: Option<Kind>,
    /// `mac:`
    pub(crate) mac: Option<Mac>,
    /// `mtu:`
    pub(crate) mtu: Option<u32>,
    /// `index:` (ifindex)
    pub(crate) index: Option<u32>,
    /// `txqlen:`
    pub(crate) txqlen: Option<u32>,
    /// `group:`
    pub(crate) group: Option<u32>,
    /// `altnames:`
    pub(crate) altnames: Vec<Said<String>>,
    /// `up:` (default true)
    pub(crate) up: Option<bool>,
    /// `vrf:` that it is a member of.
    pub(crate) vrf: Option<Said<String>>,
    /// `bond:` that it is a port of.
    pub(crate) bond: Option<Said<String>>,
    /// `bridge:` that it is a port of.
    pub(crate) bridge: Option<Said<String>>,
    /// `hairpin:`, `isolated:`, `learning:` and what else is set on a port.
    pub(crate) port: PortSpec,
    /// `backup_port:`
    pub(crate) backup: Option<Said<String>>,
    /// `queue:`
    pub(crate) queue: Option<Said<Queue>>,
    /// `tc:`
    pub(crate) tc: Option<Said<Tc<String>>>,
    /// `state:` of a port.
    pub(crate) state: Option<Said<PortState>>,
    /// `addresses:`
    pub(crate) addresses: Vec<Said<AddressEntry>>,
}

/// `kind:` of a link.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// `veth`: `peer: NS:LINK` names the other end, which this entry makes too; `peer_bridge:`
    /// makes that a port.
    Veth { peer: Said<LinkRef>, peer_bridge: Option<Said<String>> },
    /// `bridge`: `ports:`, and its options.
    Bridge { ports: Vec<Said<String>>, spec: BridgeSpec },
    /// `tap`
    Tap,
    /// `nic`: `cable: NS:LINK` names the card at the other end, which this entry makes too; none:
    /// not plugged in.
    Nic { cable: Option<Said<LinkRef>> },
    /// `macvlan`: `lower: [NS:]LINK`, `mode:`, `sources:`.
    Macvlan { lower: Said<LinkRef>, mode: MacvlanMode, sources: Vec<Mac> },
    /// `vlan`: `lower: [NS:]LINK`, `id:`, `protocol:`.
    Vlan { lower: Said<LinkRef>, vlan: Vlan },
    /// `ipvlan`: `lower: [NS:]LINK`, `mode:`, `flag:`.
    Ipvlan { lower: Said<LinkRef>, ipvlan: Ipvlan },
    /// `bond`: `mode:`, `primary:`, `active_slave:` and other options.
    Bond(BondEntry),
    /// `vrf`: `table:`.
    Vrf(Vrf),
    /// `dummy`
    Dummy,
    /// `ifb`
    Ifb,
    /// `vxlan`: `vni:`, `dev:`, `local:`, `remote:`, `port:` (default 4789), `learning:`, `ttl:`,
    /// `tos:`, `df:`, `srcport:`, `localbypass:`, `remotes:`.
    Vxlan { lower: Option<Said<String>>, vxlan: Vxlan, remotes: Vec<(Mac, IpAddr)> },
    /// `wireguard`: `private_key:`, `listen_port:`, `fwmark:`, `peers:`.
    Wireguard(WireguardEntry),
}

/// What a `bond` says of itself.
#[derive(Clone, Debug)]
pub(crate) struct BondEntry {
    pub(crate) spec: BondSpec,
    pub(crate) primary: Option<Said<String>>,
    pub(crate) active: Option<Said<String>>,
}

/// What a `wireguard` link says of itself.
#[derive(Clone, Debug)]
pub(crate) struct WireguardEntry {
    /// None: drawn from its name.
    pub(crate) private_key: Option<WireguardSecret>,
    pub(crate) listen_port: u16,
    pub(crate) fwmark: u32,
    pub(crate) peers: Vec<PeerEntry>,
}

/// One entry of `peers:`.
#[derive(Clone, Debug)]
pub(crate) struct PeerEntry {
    pub(crate) whom: Whom,
    pub(crate) preshared_key: Option<WireguardSecret>,
    pub(crate) endpoint: Option<SocketAddr>,
    pub(crate) keepalive: u16,
    pub(crate) allowed_ips: Vec<IpNet>,
}

/// Who a peer is.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    /// `public_key:`
    Key(WireguardKey),
    /// `peer: NAMESPACE:LINK`
    Link(Said<LinkRef>),
}

/// One entry of `addresses:`, as after `ip address add`: `10.0.0.1/24 brd + scope link`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressEntry {
    pub(crate) net: IpNet,
    pub(crate) broadcast: Option<Ipv4Addr>,
    pub(crate) scope: Option<Scope>,
    pub(crate) no_prefix_route: bool,
}

/// One entry of `routes:`, with the words of `ip route add`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteEntry {
    pub(crate) to: IpNet,
    pub(crate) via: Option<IpAddr>,
    pub(crate) dev: Option<Said<String>>,
    pub(crate) src: Option<IpAddr>,
    pub(crate) metric: u32,
    pub(crate) proto: Protocol,
    pub(crate) onlink: bool,
    pub(crate) table: u32,
    pub(crate) kind: RouteKind,
    pub(crate) scope: Option<Scope>,
    pub(crate) tos: u8,
    pub(crate) metrics: RouteMetrics,
    pub(crate) weight: u16,
    /// The second and further of `nexthops:`.
    pub(crate) more: Vec<HopSpec>,
}

/// One entry of `neighbours:`: permanent with `mac:`, answered for with `proxy:`, else asked for
/// and waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeighbourEntry {
    pub(crate) ip: IpAddr,
    pub(crate) dev: Said<String>,
    pub(crate) mac: Option<Mac>,
    pub(crate) proxy: bool,
}

/// One entry of `addrlabels:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelEntry {
    pub(crate) net: ipnet::Ipv6Net,
    pub(crate) dev: Option<Said<String>>,
    pub(crate) label: u32,
}

/// One table of `iptables:`, `ip6tables:` or one of their likes of iptables-legacy.
#[derive(Clone, Debug)]
pub(crate) struct TableEntry {
    pub(crate) at: At,
    pub(crate) tool: crate::firewall::Tool,
    pub(crate) name: String,
    pub(crate) chains: Vec<ChainEntry>,
}

/// One chain: a list of rules, or a map with `policy:` and `rules:`.
#[derive(Clone, Debug)]
pub(crate) struct ChainEntry {
    pub(crate) at: At,
    pub(crate) name: String,
    /// True: DROP.
    pub(crate) drop: Option<bool>,
    pub(crate) rules: Vec<Said<String>>,
}

/// One table of `nft:`, and where its parts stand.
#[derive(Clone, Debug)]
pub(crate) struct NftEntry {
    pub(crate) at: At,
    pub(crate) spec: wire::nft_text::TableSpec,
    pub(crate) sets: Vec<At>,
    /// Each chain, and its rules.
    pub(crate) chains: Vec<(At, Vec<At>)>,
}

/// `proxmox:` of a guest.
#[derive(Clone, Debug)]
pub(crate) struct Proxmox {
    pub(crate) vmid: u32,
    pub(crate) nets: Vec<Said<Net>>,
}

/// A `netN:` line in Proxmox's syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Net {
    pub(crate) n: u32,
    pub(crate) name: String,
    pub(crate) bridge: String,
    pub(crate) hwaddr: Option<Mac>,
    pub(crate) ip: Option<Ipv4Net>,
    pub(crate) gw: Option<Ipv4Addr>,
    pub(crate) firewall: bool,
    pub(crate) mtu: Option<u32>,
    pub(crate) link_down: bool,
}

/// `docker:` of a Docker host.
#[derive(Clone, Debug)]
pub(crate) struct DockerHost {
    pub(crate) at: At,
    pub(crate) networks: Vec<NetworkEntry>,
}

/// One entry of `networks:`.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkEntry {
    pub(crate) at: At,
    pub(crate) name: String,
    /// `subnet:`; none: the next free of Docker's own pools.
    pub(crate) subnet: Option<Said<Ipv4Net>>,
    /// `gateway:`; none: the subnet's first address.
    pub(crate) gateway: Option<Said<Ipv4Addr>>,
    /// `bridge:` its name; none: `docker0`, or `br-` and 12 hexadecimal digits.
    pub(crate) bridge: Option<Said<String>>,
    /// `mtu:`
    pub(crate) mtu: Option<u32>,
}

/// `docker:` of a container.
#[derive(Clone, Debug)]
pub(crate) struct DockerGuest {
    pub(crate) at: At,
    /// `network:`, one or several; none: `bridge`.
    pub(crate) networks: Vec<Said<String>>,
    /// `ip:` on the first network.
    pub(crate) ip: Option<Said<Ipv4Addr>>,
    /// `publish:` as after `docker run -p`.
    pub(crate) publish: Vec<Said<Publish>>,
    /// `veth:` name of the host's end of the first network's pair.
    pub(crate) veth: Option<Said<String>>,
    /// `file:` name of the namespace file below /run/docker/netns.
    pub(crate) file: Option<Said<String>>,
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) ip: Option<Ipv4Addr>,
    pub(crate) host: u16,
    pub(crate) guest: u16,
    pub(crate) udp: bool,
}
