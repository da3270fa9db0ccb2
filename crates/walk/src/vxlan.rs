//! VXLAN: Ethernet frames in UDP (`drivers/net/vxlan/vxlan_core.c`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{FdbEntry, Link, LinkId, LinkKind, Mac, Remote, TunnelDf, Vxlan};

use crate::indexed::VxlanEnd;
use crate::links::Spot;
use crate::route::{Flow, Found};
use crate::skb::{Next, Skb, Stop};
use crate::tunnel::{Label, Outer};
use crate::walker::Walker;
use crate::{Action, Packet, Payload, Reason, Sink, Stage, Unknown};

/// UDP, VXLAN and inner Ethernet header.
const HEADERS: u32 = 8 + 8 + 14;

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `vxlan_xmit`: a copy for each remote that is known of the frame's destination.
    pub(crate) fn vxlan_out(
        &mut self,
        skb: &mut Skb,
        link: Spot<'a>,
        vxlan: &Vxlan,
    ) -> Result<Next<'a>, Stop> {
        let id = link.id;
        self.vxlan_modelled(id, vxlan)?;
        self.lean_on(skb, Stage::Transmit, &["fdb"])?;
        let remotes = self.remotes(id, vxlan, skb.packet.dst_mac.unwrap_or_default())?;
        let to = |remote: &Remote| Skb { remote: Some(*remote), ..skb.clone() };
        let copy = |remote: &Remote| (id, to(remote), Next::Encapsulate(link));
        let copies: Vec<_> = remotes.iter().map(copy).collect();
        match remotes.as_slice() {
            [] => Err(Stop::lost(Stage::Transmit, id.ns, Some(id), Reason::NoRemote)),
            [one] => {
                skb.remote = Some(*one);
                Ok(Next::Encapsulate(link))
            }
            // The first is served last.
            _ => self.split(skb, Stage::Transmit, id, copies.into_iter().rev().collect()),
        }
    }

    fn vxlan_modelled(&self, id: LinkId, vxlan: &Vxlan) -> Result<(), Stop> {
        let Some(special) = vxlan.special.first() else { return Ok(()) };
        let what = format!("vxlan with {special}");
        Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
    }

    /// `vxlan_find_mac`: where frames for an address go to, else those for any.
    fn remotes(&self, id: LinkId, vxlan: &Vxlan, mac: Mac) -> Result<Vec<Remote>, Stop> {
        if let Some(learned) = self.overlay.remotes.get(&(id, mac)) {
            return Ok(vec![Remote::new(*learned)]);
        }
        let place = self.place(id.ns, Stage::Transmit)?;
        let known = |mac| place.remotes(id.index, mac);
        let entries: &[&FdbEntry] = match known(mac) {
            [] => known(Mac::default()),
            some => some,
        };
        if let Some(other) = entries.iter().find(|e| e.remote.is_none()) {
            let what = format!("next hops for {}", other.mac);
            return Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        }
        let mut remotes: Vec<Remote> = entries.iter().filter_map(|e| e.remote).collect();
        if entries.is_empty() {
            remotes.extend(vxlan.remote.map(Remote::new));
        }
        remotes.retain(|r| !r.ip.is_unspecified());
        Ok(remotes)
    }

    /// `vxlan_xmit_one`.
    pub(crate) fn vxlan_to(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let id = link.id;
        let (LinkKind::Vxlan(vxlan), Some(remote)) = (&link.link.kind, skb.remote.take()) else {
            return Ok(Next::Transmit(link));
        };
        let ns = self.underlay(id, link)?;
        let packet = outer(skb, vxlan, remote);
        let vni = remote.vni.unwrap_or(vxlan.vni);
        let mut outer = Outer { ns, packet, label: Label::Vni(vni), out: remote.link };
        let mark = if ns == id.ns { skb.mark } else { 0 };
        let told = Action::Encapsulated { link: id, id: vni };
        if remote.ip.is_multicast() {
            if outer.packet.ttl == 0 {
                outer.packet.ttl = 1;
            }
            return self.send_outer_by_socket(skb, id, outer, mark, told);
        }
        let found = self.outer_route(id, &mut outer, skb.mark)?;
        if found.is_local() && vxlan.local_bypass {
            return self.bypass(skb, id, &outer, vni);
        }
        self.keeps_to_no_other(id, vxlan, &outer, &found, skb.mark)?;
        let six = outer.packet.is_ipv6();
        if outer.packet.ttl == 0 {
            let flow = Flow { oif: outer.out, ..Flow::of(&outer.packet, skb.mark, None) };
            outer.packet.ttl = self.hop_limit(ns, &flow);
        }
        let whole = skb.packet.df || skb.packet.is_ipv6();
        let answers = link.port.is_some() && whole && skb.arp.is_none();
        // No router of IPv6 parts it, nor its sender (`ip6_fragment`).
        if (answers || outer.packet.df || six)
            && outer.packet.len > self.outer_mtu(&outer, &found)?
        {
            let what = "a packet that does not fit its underlay".to_owned();
            return Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        }
        self.send_outer(skb, id, outer, &found, mark, told)
    }

    /// `vxlan_snoop`: an address that is learned to be elsewhere keeps the way (`dst_cache`) that it had.
    /// Where it had been one of the usual remotes, and the way there is another, it is not known by which
    /// it goes now.
    fn keeps_to_no_other(
        &self,
        id: LinkId,
        vxlan: &Vxlan,
        outer: &Outer,
        found: &Found<'_>,
        mark: u32,
    ) -> Result<(), Stop> {
        let known = self.place(id.ns, Stage::Transmit)?.remotes(id.index, Mac::default());
        let known = known.iter().filter_map(|entry| entry.remote).map(|remote| remote.ip);
        // No address is ever learned to be at a group.
        let is_one = |ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast();
        let usual: Vec<IpAddr> = known.chain(vxlan.remote).filter(is_one).collect();
        if !vxlan.learning || usual.contains(&outer.packet.dst) {
            return Ok(());
        }
        let underlay = self.place(outer.ns, Stage::Route)?;
        let flow = Flow { oif: outer.out, ..Flow::of(&outer.packet, mark, None) };
        let elsewhere = |dst: IpAddr| {
            let way = underlay.way(&Flow { dst, ..flow });
            way.is_ok_and(|way| {
                (way.hop.link, way.hop.gateway) != (found.hop.link, found.hop.gateway)
            })
        };
        if !usual.into_iter().any(elsewhere) {
            return Ok(());
        }
        let what = "has learned of another remote, and may keep to the way that it had".to_owned();
        Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
    }

    /// `skb_tunnel_check_pmtu`: the largest outer packet that its way takes.
    fn outer_mtu(&self, outer: &Outer, found: &Found<'_>) -> Result<u32, Stop> {
        let ns = outer.ns;
        let out = self.link(LinkId { ns, index: found.hop.link }, Stage::Transmit)?;
        Ok(match outer.packet.is_ipv6() {
            true => self.place(ns, Stage::Transmit)?.mtu6(found, out),
            false => found.mtu(out.mtu),
        })
    }

    /// `encap_bypass_if_local`: the remote is an address of the underlay itself, and the frame is
    /// given to the vxlan there as it is.
    fn bypass(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        outer: &Outer,
        vni: u32,
    ) -> Result<Next<'a>, Stop> {
        let Payload::Udp { dport: port, .. } = outer.packet.payload else {
            return Err(Stop::ignored(Stage::Transmit));
        };
        let ends = self.net.vxlans(outer.ns);
        // Of one that is bound to a link, only a socket that is bound to it would do
        // (`vxlan_find_sock`), and none is.
        let six = outer.packet.is_ipv6();
        let takes = |end: &&VxlanEnd| (end.port, end.vni, end.ipv6) == (port, vni, six) && end.up;
        let there = ends.iter().find(takes).filter(|_| outer.out.is_none());
        let Some(there) = there.map(|end| end.link) else {
            let reason = Reason::NoTunnelEnd { id: vni, port, open: true };
            return Err(Stop::lost(Stage::Transmit, id.ns, Some(id), reason));
        };
        if skb.routed {
            // The kernel leaves a packet that was routed its route (a vxlan does not drop it,
            // `netif_keep_dst`), and goes on by that at the other end.
            let what = "a routed packet that is given to the other end as it is".to_owned();
            return Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
        }
        let to = self.link(there, Stage::Transmit)?;
        let loopback = match outer.packet.dst {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        self.tell(skb, Stage::Transmit, || Action::Bypassed { to: there });
        if let LinkKind::Vxlan(vxlan) = &to.kind {
            self.learn_remote(skb, there, vxlan, loopback);
        }
        skb.kept = Some(true);
        (skb.ns, skb.ct) = (there.ns, None);
        self.in_by(there)
    }

    /// `vxlan_rcv`: an outer packet is for this namespace. None: it carries none.
    pub(crate) fn vxlan_in(&mut self, skb: &mut Skb, id: LinkId) -> Result<Option<Next<'a>>, Stop> {
        let Some(carried) = &skb.carried else { return Ok(None) };
        let Label::Vni(vni) = carried.label else { return Ok(None) };
        let Payload::Udp { dport: port, .. } = skb.packet.payload else { return Ok(None) };
        let ends = self.net.vxlans(skb.ns);
        let (src_mac, remote) = (carried.skb.packet.src_mac, skb.packet.src);
        let six = skb.packet.is_ipv6();
        let is_here = |end: &&VxlanEnd| end.port == port && end.ipv6 == six && end.up;
        let mut sockets = ends.iter().filter(is_here).peekable();
        let open = sockets.peek().is_some();
        let Some(end) = sockets.find(|end| end.vni == vni) else {
            let reason = Reason::NoTunnelEnd { id: vni, port, open };
            return Err(Stop::lost(Stage::Local, skb.ns, Some(id), reason));
        };
        let to = end.link;
        let link: &'a Link = self.link(to, Stage::Receive)?;
        let LinkKind::Vxlan(vxlan) = &link.kind else { return Ok(None) };
        self.vxlan_modelled(to, vxlan)?;
        self.take_out(skb, to, Action::Decapsulated { link: to });
        let lost = |reason| Err(Stop::lost(Stage::Receive, to.ns, Some(to), reason));
        if src_mac.is_some() && src_mac == link.mac {
            return lost(Reason::TunnelLoop);
        }
        if vxlan.learning && self.is_elsewhere(to, src_mac.unwrap_or_default(), remote)? {
            return lost(Reason::RemoteFixed { mac: src_mac.unwrap_or_default() });
        }
        self.learn_remote(skb, to, vxlan, remote);
        self.in_by(to).map(Some)
    }

    /// An entry by hand says that this address is behind another remote (`vxlan_snoop`).
    fn is_elsewhere(&self, id: LinkId, mac: Mac, remote: IpAddr) -> Result<bool, Stop> {
        let entries = self.place(id.ns, Stage::Receive)?.remotes(id.index, mac);
        let first = entries.first().filter(|e| e.is_static);
        Ok(first.is_some_and(|e| e.remote.is_none_or(|r| r.ip != remote)))
    }

    /// `vxlan_snoop`.
    fn learn_remote(&mut self, skb: &Skb, id: LinkId, vxlan: &Vxlan, remote: IpAddr) {
        let Some(mac) = skb.packet.src_mac.filter(|m| vxlan.learning && !m.is_group()) else {
            return;
        };
        let entries = self.net.place(id.ns).map_or(&[][..], |p| p.remotes(id.index, mac));
        let first = entries.first();
        let known = match self.overlay.remotes.get(&(id, mac)) {
            Some(learned) => Some(*learned),
            None => first.and_then(|e| e.remote).map(|r| r.ip),
        };
        if known == Some(remote) || first.is_some_and(|e| e.is_static) {
            return;
        }
        self.overlay.remotes.insert((id, mac), remote);
        self.tell(skb, Stage::Receive, || Action::LearnedRemote { link: id, mac, remote });
    }
}

/// The outer packet. Its source port depends on what is within in a way that nobody knows but the
/// kernel, and is 0 here, unless there is one only.
fn outer(skb: &Skb, vxlan: &Vxlan, remote: Remote) -> Packet {
    let sport = match vxlan.source_ports {
        (first, end) if first.checked_add(1) == Some(end) => first,
        _ => 0,
    };
    let (header, any) = match remote.ip {
        IpAddr::V4(_) => (20, IpAddr::from(Ipv4Addr::UNSPECIFIED)),
        IpAddr::V6(_) => (40, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
    };
    // ARP has neither type of service nor DF.
    let (inner_tos, inner_df) = match skb.arp {
        Some(_) => (0, false),
        None => (skb.packet.tos, skb.packet.df || skb.packet.is_ipv6()),
    };
    let tos = if vxlan.tos == 1 { inner_tos } else { vxlan.tos };
    Packet {
        src_mac: None,
        dst_mac: None,
        src: vxlan.local.unwrap_or(any),
        dst: remote.ip,
        ttl: vxlan.ttl,
        tos: congestion(tos, inner_tos),
        df: match vxlan.df {
            TunnelDf::Unset => false,
            TunnelDf::Set => true,
            TunnelDf::Inherit => inner_df,
        },
        len: header + HEADERS + skb.fragment.unwrap_or(skb.packet.len) + skb.tags_len(),
        payload: Payload::Udp { sport, dport: remote.port.unwrap_or(vxlan.port) },
        mss: None,
    }
}

/// `INET_ECN_encapsulate`: the two bits of congestion are those of the packet within.
const fn congestion(tos: u8, inner: u8) -> u8 {
    let bits = if inner & 3 == 3 { 2 } else { inner & 3 };
    tos & !3 | bits
}
