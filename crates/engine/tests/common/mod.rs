//! Labs drawn by lot, and a network as text.

#![allow(unreachable_pub, dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;

use engine::{Known, State};
use model::{Change, NsId, Snapshot, Wanted};
use proptest::prelude::*;

/// The facts of a lab file.
pub fn facts(text: &str) -> Wanted {
    let lab = lab::parse(text, "test.yaml");
    let lab = lab.unwrap_or_else(|e| {
        panic!("{}\n{text}", e.iter().map(|e| format!("{e}\n")).collect::<String>())
    });
    lab::expand(&lab)
}

/// Changes made one after the other.
pub fn applied(now: &Snapshot, known: &Known, changes: &[Change]) -> (Snapshot, Known) {
    let mut state = State::new(now, known);
    for change in changes {
        state.apply(change);
    }
    state.into_parts()
}

/// What a lab file may say of a guest.
#[derive(Clone, Debug)]
pub struct Guest {
    firewall: bool,
    unprivileged: bool,
    octet: u8,
    mtu: bool,
    docker: Option<Docker>,
    pinned: bool,
    nested: bool,
}

#[derive(Clone, Debug)]
pub struct Docker {
    second: bool,
    containers: Vec<(bool, bool)>,
}

/// A lab that hangs together whatever is drawn.
#[derive(Clone, Debug)]
pub struct Draw {
    bridge_octet: u8,
    bridge_delay: Option<u8>,
    mtu: bool,
    cable: Option<bool>,
    spare: bool,
    macvlan: Option<bool>,
    wire: Option<(u8, bool)>,
    sysctl: Option<u8>,
    route: Option<u8>,
    service: Option<u8>,
    neighbour: Option<bool>,
    guests: Vec<Option<Guest>>,
}

prop_compose! {
    fn guest()(
        firewall: bool, unprivileged: bool, octet in 10..13u8, mtu: bool,
        docker in proptest::option::of(docker()), pinned: bool, nested: bool,
    ) -> Guest {
        Guest { firewall, unprivileged, octet, mtu, docker, pinned, nested }
    }
}

prop_compose! {
    fn docker()(second: bool, containers in proptest::collection::vec(any::<(bool, bool)>(), 0..3)) -> Docker {
        Docker { second, containers }
    }
}

prop_compose! {
    pub fn draw()(
        bridge_octet in 1..4u8, bridge_delay in proptest::option::of(0..3u8), mtu: bool,
        cable: Option<bool>, spare: bool, macvlan: Option<bool>, wire: Option<(u8, bool)>,
        sysctl in proptest::option::of(0..2u8), route in proptest::option::of(0..3u8),
        service in proptest::option::of(80..82u8), neighbour: Option<bool>,
        guests in proptest::collection::vec(proptest::option::of(guest()), 3),
    ) -> Draw {
        Draw { bridge_octet, bridge_delay, mtu, cable, spare, macvlan, wire, sysctl, route,
               service, neighbour, guests }
    }
}

impl Draw {
    /// As a lab file.
    pub fn text(&self) -> String {
        let mut t = String::from("name: drawn\nnamespaces:\n  pve:\n    links:\n");
        let delay = self.bridge_delay.map(|d| format!(", forward_delay: {d}")).unwrap_or_default();
        let mtu = if self.mtu { ", mtu: 1400" } else { "" };
        let port = if self.cable.is_some() { ", ports: [eno1]" } else { "" };
        let octet = self.bridge_octet;
        let _ = writeln!(
            t,
            "      br0: {{kind: bridge{delay}{mtu}{port}, addresses: [10.0.0.{octet}/24]}}"
        );
        match self.cable {
            Some(true) => t += "      eno1: {kind: nic, cable: \"lan:eth0\"}\n",
            Some(false) => t += "      eno1: {kind: nic, up: false}\n",
            None => {}
        }
        if self.spare {
            t += "      tap9: {kind: tap, txqlen: 500, altnames: [spare]}\n";
        }
        if let Some(mode) = self.macvlan {
            let mode = if mode { "private" } else { "vepa" };
            let _ = writeln!(
                t,
                "      mv0: {{kind: macvlan, lower: br0, mode: {mode}, addresses: [10.1.0.1/24]}}"
            );
        }
        if let Some((octet, up)) = self.wire {
            let _ = writeln!(
                t,
                "      w0: {{kind: veth, peer: w1, up: {up}, addresses: [10.9.{octet}.1/24]}}"
            );
        }
        if let Some(via) = self.route {
            let _ = writeln!(
                t,
                "    routes: [{{to: default, via: 10.0.0.{}, dev: br0, metric: 5}}]",
                200 + via
            );
        }
        if let Some(value) = self.sysctl {
            let _ = writeln!(
                t,
                "    sysctls: {{net.ipv4.ip_forward: {value}, net.ipv4.conf.br0.rp_filter: {value}}}"
            );
        }
        if let Some(mac) = self.neighbour {
            let mac = if mac { ", mac: 02:00:00:00:00:07" } else { "" };
            let _ = writeln!(t, "    neighbours: [{{ip: 10.0.0.77, dev: br0{mac}}}]");
        }
        if let Some(port) = self.service {
            let _ = writeln!(t, "    services: {{tcp: [{port}]}}");
        }
        for (n, guest) in self.guests.iter().enumerate() {
            if let Some(guest) = guest {
                guest.text(100 + n, &mut t);
            }
        }
        if self.cable == Some(true) {
            t += "  lan: {links: {eth0: {addresses: [10.0.0.250/24]}}}\n";
        }
        t
    }
}

impl Guest {
    fn text(&self, vmid: usize, t: &mut String) {
        let Self { firewall, unprivileged, octet, .. } = self;
        let firewall = u8::from(*firewall);
        let _ = writeln!(t, "  ct{vmid}:\n    inside: pve\n    unprivileged: {unprivileged}");
        let mtu = if self.mtu { ",mtu=1300" } else { "" };
        let _ = writeln!(
            t,
            "    proxmox: {{vmid: {vmid}, net0: \"name=eth0,bridge=br0,firewall={firewall},ip=10.0.0.{octet}/24,gw=10.0.0.250{mtu}\"}}",
            octet = usize::from(*octet) * 10 + vmid - 100,
        );
        if self.pinned {
            *t += "    links: {eth0: {index: 7}}\n    nsids: {3: pve}\n";
        }
        if let Some(docker) = &self.docker {
            docker.text(vmid, t);
        }
        if self.nested {
            let _ = writeln!(
                t,
                "  in{vmid}:\n    inside: ct{vmid}\n    links: {{eth0: {{kind: veth, peer: \"pve:skip{vmid}\", peer_bridge: br0}}}}"
            );
        }
    }
}

impl Docker {
    fn text(&self, vmid: usize, t: &mut String) {
        let second = if self.second { "back: {}" } else { "" };
        let _ = writeln!(t, "    docker: {{networks: {{{second}}}}}");
        for (n, (back, publish)) in self.containers.iter().enumerate() {
            let network = if *back && self.second { "back" } else { "bridge" };
            let publish =
                if *publish { format!(", publish: [\"80{n}:80\"]") } else { String::new() };
            let _ = writeln!(
                t,
                "  c{vmid}-{n}:\n    inside: ct{vmid}\n    docker: {{network: {network}{publish}}}"
            );
        }
    }
}

/// All of a network that a plan speaks of, by names alone.
pub fn picture(snapshot: &Snapshot, known: &Known) -> String {
    let name = |id: &NsId| {
        let found = known.namespaces.iter().find(|(_, i)| *i == id);
        found.map_or("?", |(n, _)| n.as_str())
    };
    let mut t = String::new();
    for (ns, id) in &known.namespaces {
        let space = &snapshot.namespaces[id];
        let parent = space.parent.as_ref().map_or("-", name);
        let _ = writeln!(t, "{ns} in {parent} {}", space.owner.unprivileged);
        let link_name = |i: u32| space.links[&i].name.clone();
        let mut lines: Vec<String> = Vec::new();
        for l in space.links.values() {
            let related = match l.relation {
                model::Relation::Peer(id) | model::Relation::Lower(id) => {
                    format!(
                        "{}:{}",
                        name(&id.ns),
                        snapshot.link(id).expect("a related link is there").name
                    )
                }
                other => format!("{other:?}"),
            };
            let master = l.master.map(link_name);
            // A bridge's address that is no longer said stays as it is.
            let mac = l.mac.filter(|_| !matches!(l.kind, model::LinkKind::Bridge(_)));
            lines.push(format!(
                "  link {} {:?} {:?} {} {} {:?} {:?} {master:?} {:?} {related}",
                l.name, l.kind, mac, l.mtu, l.txqlen, l.altnames, l.flags, l.port
            ));
        }
        for a in &space.addresses {
            lines.push(format!(
                "  address {} {} {:?} {:?}",
                link_name(a.link),
                a.net,
                a.broadcast,
                a.scope
            ));
        }
        for r in &space.routes {
            let hops: Vec<String> = r
                .nexthops
                .iter()
                .map(|h| format!("{:?} {} {}", h.gateway, link_name(h.link), h.onlink))
                .collect();
            lines.push(format!(
                "  route {} {:?} {:?} {:?} {:?} {}",
                r.dst, r.kind, r.protocol, r.prefsrc, hops, r.metric
            ));
        }
        for n in &space.neighbours {
            lines.push(format!(
                "  neighbour {} {} {:?} {:?}",
                link_name(n.link),
                n.ip,
                n.mac,
                n.state
            ));
        }
        // An nsid that is no longer said stays until its namespace ends.
        lines.extend(
            space
                .files
                .iter()
                .map(|f| format!("  file {} in {}", f.path, f.seen_in.as_ref().map_or("-", name))),
        );
        lines.extend(
            space.ruleset.tables.iter().map(|table| format!("  table {:?}", table.normalised())),
        );
        lines.sort();
        t += &lines.join("\n");
        t.push('\n');
    }
    let _ = writeln!(t, "{:?}\n{:?}\n{:?}", known.services, known.cables, known.sysctls);
    t
}
