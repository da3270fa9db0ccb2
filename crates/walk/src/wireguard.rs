//! WireGuard: packets in encrypted UDP (`drivers/net/wireguard`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use model::{Gap, Link, LinkId, NsId, Wireguard, WireguardKey, WireguardPeer};

use crate::ip6;
use crate::route::Flow;
use crate::skb::{End, Next, Skb, Stop};
use crate::tunnel::{Carried, Label, Outer, not_too_deep};
use crate::walker::Walker;
use crate::{Action, Cause, Disposition, Packet, Payload, Reason, Sink, Stage, Unknown};

/// UDP header.
const UDP: u32 = 8;
/// Type, index and counter of a message that carries a packet, and its authentication tag.
const OVERHEAD: u32 = 16 + 16;
/// What is carried is filled up to a multiple of it.
const PADDING: u32 = 16;
/// HANDSHAKE_DSCP (AF41).
const HANDSHAKE_TOS: u8 = 0x88;
/// REJECT_AFTER_TIME: how many seconds after its handshake a session is not used any more.
const SESSION: u64 = 180;

/// Who sent an encrypted message to whom, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) from: WireguardKey,
    pub(crate) to: WireguardKey,
    pub(crate) message: Message,
    /// Its sender has a preshared key for it.
    preshared: bool,
}

/// A message between two peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The first of a handshake.
    Initiation,
    /// Its answer.
    Response,
    /// A packet, encrypted.
    Data,
}

impl Message {
    /// Its length; None: it hangs on what it carries.
    const fn len(self) -> Option<u32> {
        match self {
            Self::Initiation => Some(148),
            Self::Response => Some(92),
            Self::Data => None,
        }
    }
}

impl Seal {
    /// That of what the other end sends for it.
    pub(crate) const fn reversed(self) -> Self {
        let message = match self.message {
            Message::Initiation => Message::Response,
            Message::Response | Message::Data => self.message,
        };
        Self { from: self.to, to: self.from, message, preshared: self.preshared }
    }

    /// The two, whoever of them speaks.
    fn pair(self) -> (WireguardKey, WireguardKey) {
        (self.from.min(self.to), self.from.max(self.to))
    }

    /// Length of its outer packet of IPv6 or IPv4, where it is always the same.
    pub(crate) fn len(self, ipv6: bool) -> Option<u32> {
        Some(header(ipv6) + UDP + self.message.len()?)
    }
}

/// Where a peer was heard from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    endpoint: SocketAddr,
    /// The own address that it spoke to: it is answered from there.
    own: IpAddr,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `wg_xmit`: the peer that has the destination gets the packet, after a handshake if there has
    /// been none.
    pub(crate) fn wireguard_out(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        own: Option<&'a Wireguard>,
    ) -> Result<Next<'a>, Stop> {
        if own.is_none() {
            self.lean_on(skb, Stage::Transmit, &["wireguard"])?;
        }
        let own = own.ok_or_else(|| unread(id))?;
        let dst = skb.packet.dst;
        let lost = |reason| Stop::lost(Stage::Transmit, id.ns, Some(id), reason);
        let (peer, net) = own.peer_for(dst).ok_or_else(|| lost(Reason::NoPeer(dst)))?;
        let key = peer.public_key;
        if self.heard_from(id, peer).is_none() {
            return Err(lost(Reason::NoEndpoint { peer: key }));
        }
        let from = own.public_key.ok_or_else(|| lost(Reason::NoPrivateKey))?;
        let message = Message::Data;
        let seal = Seal { from, to: key, message, preshared: peer.preshared };
        self.handshake(skb, id, own, peer, seal)?;
        let mtu = self.link(id, Stage::Transmit)?.mtu;
        // The handshake may have told where the peer is now.
        let heard =
            self.heard_from(id, peer).ok_or_else(|| lost(Reason::NoEndpoint { peer: key }))?;
        let tos = congestion(skb.packet.tos);
        let len = OVERHEAD + padded(skb.fragment.unwrap_or(skb.packet.len), mtu);
        let (ns, packet) = self.outer(id, own, heard, tos, len)?;
        let mut outer = Outer { ns, packet, label: Label::Sealed(seal), out: None };
        let told = Action::Encrypted { link: id, peer: key, net, endpoint: heard.endpoint };
        if outer.packet.is_ipv6() {
            return self.send_outer_by_socket(skb, id, outer, own.fwmark, told);
        }
        let found = self.outer_route(id, &mut outer, own.fwmark)?;
        self.send_outer(skb, id, outer, &found, own.fwmark, told)
    }

    /// Where a peer is: where it was heard from on this walk, else what was read.
    fn heard_from(&self, id: LinkId, peer: &WireguardPeer) -> Option<Heard> {
        let heard = self.overlay.endpoints.get(&(id, peer.public_key)).copied();
        heard.or_else(|| {
            // Which own address it spoke to before, the kernel does not tell.
            let endpoint = peer.endpoint?;
            let own = match endpoint {
                SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            };
            Some(Heard { endpoint, own })
        })
    }

    /// `send4`, `send6`: the outer packet with a message as long as that, and where it is sent.
    fn outer(
        &self,
        id: LinkId,
        own: &Wireguard,
        heard: Heard,
        tos: u8,
        len: u32,
    ) -> Result<(NsId, Packet), Stop> {
        let unknown = |what: &str| {
            let what = what.to_owned();
            Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what })
        };
        let ns = own
            .socket
            .ok_or_else(|| not_read(id, "where the UDP socket of a WireGuard link is"))?;
        if matches!(heard.endpoint, SocketAddr::V6(v6) if v6.scope_id() != 0) {
            return Err(unknown("a peer at an address that is good on one link only"));
        }
        let ipv6 = heard.endpoint.is_ipv6();
        let (sport, dport) = (own.listen_port, heard.endpoint.port());
        let mut packet = Packet {
            src_mac: None,
            dst_mac: None,
            src: heard.own,
            dst: heard.endpoint.ip(),
            ttl: 0,
            tos,
            df: false,
            len: header(ipv6) + UDP + len,
            payload: Payload::Udp { sport, dport },
            mss: None,
        };
        packet.ttl = self.hop_limit(ns, &Flow { tos: 0, ..Flow::of(&packet, own.fwmark, None) });
        Ok((ns, packet))
    }

    /// There is a session, or a handshake makes one: a message there, and one back.
    fn handshake(
        &mut self,
        skb: &Skb,
        id: LinkId,
        own: &Wireguard,
        peer: &WireguardPeer,
        data: Seal,
    ) -> Result<(), Stop> {
        if self.overlay.sessions.contains(&data.pair()) {
            return Ok(());
        }
        let seal = Seal { message: Message::Initiation, ..data };
        self.answered_by = None;
        let (end, way) = self.send_message(skb, id, own, peer, seal)?;
        self.sink.child(Cause::Handshake, &end.1, way, &end.0.disposition);
        let end = end.0;
        let mut ended = end.disposition.clone();
        if let Disposition::Left(link) = ended {
            let response = end.skb.innermost().packet.clone();
            let (back, way) = self.beside(|walker| walker.answered(link, &end.skb, response));
            self.sink.child(Cause::Handshake, &back.skb.packet, way, &back.disposition);
            ended = back.disposition;
        } else if let Some(response) = self.answered_by.take() {
            ended = response;
        }
        if self.overlay.sessions.contains(&data.pair()) {
            self.same_preshared_key(skb, peer);
            return Ok(());
        }
        Err(self.no_session(id, peer, ended))
    }

    /// Preshared keys are never kept: where both ends have one, and no handshake has ever proved it,
    /// they are taken for the same.
    fn same_preshared_key(&mut self, skb: &Skb, peer: &WireguardPeer) {
        if peer.preshared && peer.handshake.is_none() {
            let what = "the preshared keys of both ends are the same";
            let gap = Gap::assumed("wireguard", "preshared keys are never kept", what);
            self.assume(skb, Stage::Transmit, vec![gap]);
        }
    }

    /// What comes of a packet whose handshake came to that.
    fn no_session(&self, id: LinkId, peer: &WireguardPeer, ended: Disposition) -> Stop {
        let because = match ended {
            Disposition::Lost(loss) => Some(Box::new(loss)),
            Disposition::Unknown(unknown) => return Stop::unknown(Stage::Transmit, unknown),
            Disposition::Delivered(_) | Disposition::Left(_) | Disposition::Ignored => None,
        };
        let age = peer.handshake.map(|then| self.net.snapshot.taken.saturating_sub(then));
        if let Some(age) = age.filter(|age| *age < SESSION) {
            let what = format!(
                "a new handshake would be lost, and whether the session of {age} s ago is still in use is not told"
            );
            return Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what });
        }
        let reason = Reason::NoHandshake { peer: peer.public_key, because };
        Stop::lost(Stage::Transmit, id.ns, Some(id), reason)
    }

    /// A message of a handshake goes its way, for a packet that waits.
    #[allow(clippy::type_complexity, reason = "how it ended, what was sent, and the way told")]
    fn send_message(
        &mut self,
        waiting: &Skb,
        id: LinkId,
        own: &Wireguard,
        peer: &WireguardPeer,
        seal: Seal,
    ) -> Result<((End, Packet), S), Stop> {
        let lost = |reason| Stop::lost(Stage::Transmit, id.ns, Some(id), reason);
        let no_endpoint = || lost(Reason::NoEndpoint { peer: peer.public_key });
        let heard = self.heard_from(id, peer).ok_or_else(no_endpoint)?;
        let len = seal.message.len().unwrap_or_default();
        let (ns, packet) = self.outer(id, own, heard, HANDSHAKE_TOS, len)?;
        not_too_deep(waiting, id)?;
        // Its way is looked for as if it had no type of service.
        let (mark, asked_tos) = (own.fwmark, Some(0));
        let mut message =
            Skb { mark, asked_tos, ..Skb::new(ns, packet.clone()).at(waiting.moment) };
        let label = Label::Sealed(seal);
        message.carried = Some(Box::new(Carried { skb: waiting.clone(), label }));
        let (end, way) = self.aside(message, Next::Socket);
        Ok(((end, packet), way))
    }

    /// `wg_receive`: an outer packet is for this namespace. None: it is not WireGuard's.
    pub(crate) fn wireguard_in(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
    ) -> Result<Option<Next<'a>>, Stop> {
        let Some(Label::Sealed(seal)) = skb.carried.as_ref().map(|c| c.label) else {
            return Ok(None);
        };
        let Payload::Udp { sport, dport } = skb.packet.payload else { return Ok(None) };
        let to = self.wireguard_at(skb.ns, id, dport)?;
        let link: &'a Link = self.link(to, Stage::Receive)?;
        let own = link.wireguard().ok_or_else(|| unread(to))?;
        let lost = |reason| Err(Stop::lost(Stage::Local, to.ns, Some(to), reason));
        if own.public_key != Some(seal.to) {
            return lost(Reason::OtherKey { expected: seal.to, key: own.public_key });
        }
        let Some(peer) = own.peer(seal.from) else {
            return lost(Reason::StrangePeer { peer: seal.from });
        };
        if peer.preshared != seal.preshared {
            return lost(Reason::PresharedKey { peer: seal.from });
        }
        let heard = Heard { endpoint: SocketAddr::new(skb.packet.src, sport), own: skb.packet.dst };
        self.hear(skb, to, peer, heard);
        match seal.message {
            Message::Initiation => self.respond(skb, to, own, peer, seal.reversed()),
            Message::Response => _ = self.overlay.sessions.insert(seal.pair()),
            Message::Data => return self.decrypted(skb, to, own, peer).map(Some),
        }
        let end = End { disposition: Disposition::Delivered(skb.ns), skb: skb.clone() };
        Err(Stop::told(Stage::Local, end))
    }

    /// The link whose socket waits at that port.
    fn wireguard_at(&self, ns: NsId, by: LinkId, port: u16) -> Result<LinkId, Stop> {
        if let Some(link) = self.net.wireguard_at(ns, port) {
            return Ok(link);
        }
        match self.net.stray_wireguard(port) {
            Some(link) => {
                Err(not_read(link, "whether the UDP socket of a WireGuard link is at that port"))
            }
            None => Err(Stop::lost(Stage::Local, ns, Some(by), Reason::NoWireguard { port })),
        }
    }

    /// `wg_socket_set_peer_endpoint`: a peer is from now on where it was heard from.
    fn hear(&mut self, skb: &Skb, id: LinkId, peer: &WireguardPeer, heard: Heard) {
        let key = peer.public_key;
        let before = self.heard_from(id, peer).map(|before| before.endpoint);
        self.overlay.endpoints.insert((id, key), heard);
        if before != Some(heard.endpoint) {
            let endpoint = heard.endpoint;
            let told = || Action::LearnedEndpoint { link: id, peer: key, endpoint };
            self.tell(skb, Stage::Receive, told);
        }
    }

    /// `wg_packet_send_handshake_response`.
    fn respond(
        &mut self,
        skb: &Skb,
        id: LinkId,
        own: &Wireguard,
        peer: &WireguardPeer,
        seal: Seal,
    ) {
        let seal = Seal { preshared: peer.preshared, ..seal };
        let Some(waiting) = skb.carried.as_ref().map(|carried| carried.skb.clone()) else { return };
        let waiting = waiting.at(skb.moment);
        self.answered_by = Some(match self.send_message(&waiting, id, own, peer, seal) {
            Ok(((end, packet), way)) => {
                self.sink.child(Cause::Handshake, &packet, way, &end.disposition);
                end.disposition
            }
            Err(stop) => stop.into_disposition(),
        });
    }

    /// `wg_packet_consume_data_done`: the packet comes in by the link, if its source is one of that
    /// peer's.
    fn decrypted(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        own: &Wireguard,
        peer: &WireguardPeer,
    ) -> Result<Next<'a>, Stop> {
        let key = peer.public_key;
        let src = skb.carried.as_ref().map_or(skb.packet.src, |carried| carried.skb.packet.src);
        let whose = own.peer_for(src);
        let net = whose.filter(|(owner, _)| owner.public_key == key).map(|(_, net)| net);
        self.take_out(skb, id, Action::Decrypted { link: id, peer: key, net });
        if net.is_none() {
            let owner = whose.map(|(owner, _)| owner.public_key);
            let reason = Reason::SourceNotAllowed { peer: key, src, owner };
            return Err(Stop::lost(Stage::Receive, id.ns, Some(id), reason));
        }
        (skb.mark, skb.kept) = (0, Some(true));
        skb.queued();
        self.in_by(id)
    }
}

/// Length of the header of IP.
fn header(ipv6: bool) -> u32 {
    if ipv6 { ip6::HEADER } else { 20 }
}

fn unread(id: LinkId) -> Stop {
    not_read(id, "the peers of a WireGuard link")
}

fn not_read(id: LinkId, what: &str) -> Stop {
    let what = what.to_owned();
    Stop::unknown(Stage::Transmit, Unknown::Gap { ns: id.ns, what })
}

/// `calculate_skb_padding`. (A route may have a smaller MTU than its link, which is not looked up
/// again here.)
fn padded(len: u32, mtu: u32) -> u32 {
    if mtu == 0 {
        return len.next_multiple_of(PADDING);
    }
    let last = if len > mtu { len % mtu } else { len };
    len - last + last.next_multiple_of(PADDING).min(mtu)
}

/// `ip_tunnel_ecn_encap` on a type of service of 0: only the two bits of congestion are shown.
const fn congestion(inner: u8) -> u8 {
    if inner & 3 == 3 { 2 } else { inner & 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_is_filled_up() {
        for (len, mtu, wanted) in
            [(84, 1420, 96), (96, 1420, 96), (1420, 1420, 1420), (1410, 1420, 1420), (30, 0, 32)]
        {
            assert_eq!(padded(len, mtu), wanted, "{len} by {mtu}");
        }
    }

    #[test]
    fn congestion_bits() {
        assert_eq!([0x10, 0x11, 0x12, 0x13].map(congestion), [0, 1, 2, 2]);
    }
}
