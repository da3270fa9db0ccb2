//! What Proxmox VE makes for a container: the pair veth{vmid}i{n} ⇄ guest, and with `firewall=1`
//! the bridge fwbr between it and the host's bridge. Names, order, flags, addresses and MTU as in
//! PVE::Network (`create_firewall_bridge_linux`, `bridge_add_interface`), PVE::LXC and LXC.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use model::{
    AddressSpec, BridgeOption, BridgeSpec, Fact, LinkRef, LinkSpec, LinkSpecKind, Protocol,
    RouteKind, RouteMetrics, RouteSpec, Scope, TABLE_MAIN,
};

use super::Making;
use crate::error::Problem;
use crate::file::{Kind, Net, Proxmox, Space};
use crate::node::{At, Said};
use crate::stable;

/// First bytes of the addresses that Proxmox gives to guests.
const GUEST_PREFIX: [u8; 3] = [0xbc, 0x24, 0x11];

/// The links of one `netN:` line.
struct Wires {
    veth: LinkRef,
    guest: LinkRef,
    fwbr: LinkRef,
    fwln: LinkRef,
    fwpr: LinkRef,
}

impl<'l> Making<'l> {
    pub(super) fn proxmox(&mut self, space: &'l Space, proxmox: &'l Proxmox) {
        let Some(host) = &space.inside else {
            self.errors.push(space.at, Problem::ProxmoxOutside { ns: space.name.clone() });
            return;
        };
        for net in &proxmox.nets {
            let (vmid, n) = (proxmox.vmid, net.what.n);
            let on_host = |name: String| LinkRef::new(&host.what, name);
            let wires = Wires {
                veth: on_host(format!("veth{vmid}i{n}")),
                guest: LinkRef::new(&space.name, &net.what.name),
                fwbr: on_host(format!("fwbr{vmid}i{n}")),
                fwln: on_host(format!("fwln{vmid}i{n}")),
                fwpr: on_host(format!("fwpr{vmid}p{n}")),
            };
            self.net(net, &wires);
        }
    }

    fn net(&mut self, net: &'l Said<Net>, wires: &Wires) {
        let (at, net) = (net.at, &net.what);
        let (bridge_mtu, spec) = self.bridge_of(net, &wires.veth);
        if let Some(mtu) = net.mtu.filter(|m| *m > bridge_mtu) {
            let (n, bridge) = (net.n, net.bridge.clone());
            self.errors.push(at, Problem::MtuOverBridge { n, mtu, bridge, of_bridge: bridge_mtu });
        }
        self.guest_pair(at, net, wires, bridge_mtu);
        if net.link_down {
            self.tell(at, Fact::Up { link: wires.veth.clone(), up: false });
        } else {
            self.plug(at, net, wires, bridge_mtu, spec);
        }
        self.inside(at, net, &wires.guest);
    }

    /// MTU of the host's bridge, and what a firewall bridge copies from it.
    fn bridge_of(&self, net: &Net, beside: &LinkRef) -> (u32, BridgeSpec) {
        let entry = self.entry(&LinkRef::new(&beside.ns, &net.bridge));
        let spec = match entry.and_then(|e| e.kind.as_ref()) {
            Some(Kind::Bridge { spec, .. }) => copied(spec),
            _ => BridgeSpec::default(),
        };
        (entry.and_then(|e| e.mtu).unwrap_or(1500), spec)
    }

    /// LXC: the guest's end is made inside of the guest, and the host's end gets an address that
    /// begins with fe, so that no bridge takes it for its own.
    fn guest_pair(&mut self, at: At, net: &Net, wires: &Wires, bridge_mtu: u32) {
        let lab = &self.lab.name;
        let mut host = self.pins(&wires.veth);
        let drawn = || stable::mac_with(&[0xfe], &[lab, &wires.veth.ns, &wires.veth.name]);
        host.mac = Some(host.mac.unwrap_or_else(drawn));
        host.mtu = host.mtu.or(Some(bridge_mtu));
        let mut guest = self.pins(&wires.guest);
        let drawn = || stable::mac_with(&GUEST_PREFIX, &[lab, &wires.guest.ns, &wires.guest.name]);
        guest.mac = Some(guest.mac.or(net.hwaddr).unwrap_or_else(drawn));
        guest.mtu = guest.mtu.or(net.mtu).or(Some(bridge_mtu));
        self.pair(at, (wires.veth.clone(), host), (wires.guest.clone(), guest));
        self.link_settings(&wires.veth);
        self.link_settings(&wires.guest);
    }

    /// The host's end onto the host's bridge, by way of a firewall bridge where one is wanted.
    fn plug(&mut self, at: At, net: &Net, wires: &Wires, mtu: u32, spec: BridgeSpec) {
        if net.firewall {
            self.firewall_bridge(at, net, wires, mtu, spec);
        }
        let bridge = if net.firewall { &wires.fwbr.name } else { &net.bridge };
        self.port(at, &wires.veth, bridge);
        self.up(at, &wires.veth);
    }

    fn firewall_bridge(&mut self, at: At, net: &Net, wires: &Wires, mtu: u32, spec: BridgeSpec) {
        let mut pins = self.pins(&wires.fwbr);
        pins.mtu = pins.mtu.or(Some(mtu));
        let kind = LinkSpecKind::Bridge(spec);
        self.tell(at, Fact::Link(LinkSpec { link: wires.fwbr.clone(), kind, pins }));
        self.quiet(at, &wires.fwbr);
        self.up(at, &wires.fwbr);

        let (mut near, mut far) = (self.drawn(&wires.fwln), self.drawn(&wires.fwpr));
        near.mtu = near.mtu.or(Some(mtu));
        far.mtu = far.mtu.or(Some(mtu));
        self.pair(at, (wires.fwln.clone(), near), (wires.fwpr.clone(), far));
        for link in [&wires.fwln, &wires.fwpr] {
            self.quiet(at, link);
            self.up(at, link);
        }
        self.master(at, &wires.fwpr, &net.bridge);
        self.master(at, &wires.fwln, &wires.fwbr.name);
    }

    fn port(&mut self, at: At, link: &LinkRef, bridge: &str) {
        let key = format!("net/ipv6/conf/{}/disable_ipv6", link.name);
        self.setting(at, &link.ns, &key, "1");
        self.master(at, link, bridge);
    }

    /// The file's settings of a link, and no IPv6.
    fn quiet(&mut self, at: At, link: &LinkRef) {
        self.link_settings(link);
        let key = format!("net/ipv6/conf/{}/disable_ipv6", link.name);
        self.setting(at, &link.ns, &key, "1");
    }

    /// What the guest's own configuration does, as Proxmox writes it.
    fn inside(&mut self, at: At, net: &Net, guest: &LinkRef) {
        if let Some(ip) = net.ip {
            let spec = AddressSpec {
                link: guest.clone(),
                net: IpNet::V4(ip),
                broadcast: Some(ip.broadcast()),
                scope: Scope::Global,
                no_prefix_route: false,
            };
            self.tell(at, Fact::Address(spec));
        }
        if let Some(entry) = self.entry(guest) {
            self.addresses(entry, guest);
        }
        self.up(at, guest);
        let Some(gw) = net.gw else { return };
        if !net.ip.is_some_and(|ip| ip.contains(&gw)) {
            self.tell(at, Fact::Route(route(guest, Ipv4Net::from(gw), None)));
        }
        let default = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);
        self.tell(at, Fact::Route(route(guest, default, Some(gw))));
    }
}

/// A route as `ip route add` makes it.
pub(super) fn route(link: &LinkRef, dst: Ipv4Net, via: Option<Ipv4Addr>) -> RouteSpec {
    RouteSpec {
        ns: link.ns.clone(),
        dst: IpNet::V4(dst),
        via: via.map(IpAddr::V4),
        dev: Some(link.name.clone()),
        src: None,
        metric: 0,
        table: TABLE_MAIN,
        protocol: Protocol::Boot,
        scope: if via.is_some() { Scope::Global } else { Scope::Link },
        onlink: false,
        kind: RouteKind::Unicast,
        tos: 0,
        metrics: RouteMetrics::default(),
        weight: 1,
        more: Vec::new(),
    }
}

/// What Proxmox's firewall bridge copies from the host's.
fn copied(of: &BridgeSpec) -> BridgeSpec {
    let mut spec = BridgeSpec::default();
    for option in [BridgeOption::ForwardDelay, BridgeOption::Snooping] {
        spec.set(option, of.get(option));
    }
    spec
}
