//! The next hop's Ethernet address: from the neighbour table, or by asking.

use std::net::IpAddr;

use model::{Link, LinkFlags, LinkId, LinkKind, Mac, Neighbour, NeighbourState};

use crate::arp::{Asked, Asker};
use crate::indexed::Place;
use crate::links::Spot;
use crate::skb::{Next, Skb, Stop};
use crate::walker::{Walker, tell};
use crate::{Action, ArpAnswer, Disposition, Loss, Reason, Sink, Stage, Unknown};

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `neigh_resolve_output`: writes the frame's addresses.
    pub(crate) fn resolve(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        link: Spot<'a>,
        ip: IpAddr,
    ) -> Result<(), Stop> {
        skb.packet.src_mac = link.mac;
        if needs_none(link) {
            skb.packet.dst_mac = link.mac;
            return Ok(());
        }
        let taught = self.overlay.neighbours.get_by(|| (link.id, ip));
        let known = taught.or_else(|| place.neighbour(link.id.index, ip));
        if let Some(entry) = known.filter(|n| n.state.is_valid() && n.mac.is_some()) {
            if !self.overlay.late.is_empty() && self.overlay.late.contains(&(link.id, ip)) {
                let what = format!("{ip} may have asked by it too late for this packet");
                return Err(Stop::unknown(Stage::Neighbour, Unknown::Link { link: link.id, what }));
            }
            skb.packet.dst_mac = entry.mac;
            if !self.overlay.answered.is_empty()
                && let Some(moment) = self.overlay.answered.get(&(link.id, ip))
            {
                skb.moment = skb.moment.max(*moment);
            }
            let told = || Action::Neighbour { ip, link: link.id, entry: entry.clone() };
            tell(&mut self.sink, skb, Stage::Neighbour, told);
            return Ok(());
        }
        self.lean_on(skb, Stage::Neighbour, &["neighbours"])?;
        self.ask(skb, link, ip)
    }

    /// What the neighbour table says: what was learned on this walk, else what was read.
    pub(crate) fn known(&self, link: LinkId, ip: IpAddr) -> Option<Neighbour> {
        let taught = self.overlay.neighbours.get(&(link, ip));
        taught.or_else(|| self.known_place(link.ns)?.neighbour(link.index, ip)).cloned()
    }

    pub(crate) fn learn_neighbour(
        &mut self,
        link: LinkId,
        ip: IpAddr,
        mac: Mac,
        state: NeighbourState,
    ) {
        // What a person fixed, no packet changes.
        let fixed = [NeighbourState::Permanent, NeighbourState::Noarp];
        if self.known(link, ip).is_some_and(|e| fixed.contains(&e.state)) {
            return;
        }
        // `neigh_update`: an address that is only heard again changes nothing.
        let same = |e: &Neighbour| e.mac == Some(mac) && e.state.is_valid();
        if state == NeighbourState::Stale && self.known(link, ip).is_some_and(|e| same(&e)) {
            return;
        }
        let entry = Neighbour { link: link.index, ip, mac: Some(mac), state, proxy: false };
        self.overlay.neighbours.insert((link, ip), entry);
    }

    /// Asks by ARP or ND: the request goes its way, and whoever answers sends a reply on its own way.
    fn ask(&mut self, skb: &mut Skb, link: Spot<'a>, ip: IpAddr) -> Result<(), Stop> {
        let out = link.id;
        // Not that of the segment it came from: who answers outside, nobody here may know.
        skb.packet.dst_mac = None;
        if let Some(reason) = self.cannot_send(link) {
            // Nobody will answer, and that is told as if nobody had.
            return Err(Stop::lost(Stage::Neighbour, out.ns, Some(out), reason));
        }
        if self.asking.contains(&(out, ip)) {
            let what = format!("the question who has {ip} waits for its own answer");
            return Err(Stop::unknown(Stage::Neighbour, Unknown::Link { link: out, what }));
        }
        let (request, first) = match ip {
            IpAddr::V4(_) => (self.request(skb, out, link, ip), Next::Arp(link)),
            IpAddr::V6(target) => match self.solicitation(skb, out, link, target) {
                Some(request) => (request, Next::Nd(link)),
                None => {
                    let reason = Reason::NoLinkLocal;
                    return Err(Stop::lost(Stage::Neighbour, out.ns, Some(out), reason));
                }
            },
        };
        if let Some(came) = self.remembered(&request, out) {
            skb.moment = came.map_or(skb.moment, |(_, moment)| moment);
            return self.answered_before(skb, out, ip, came.map(|(mac, _)| mac));
        }
        let watch = self.watch(&request, out);
        self.asking.push((out, ip));
        let asked = self.exchange(request, first, Asker::Here(out));
        self.asking.pop();
        let mut end = self.verdict(out, ip, &asked);
        if end.is_err() && self.overlay.overheard.contains(&(out, ip)) {
            let what = format!("what {ip} has asked others may come while it is asked for itself");
            end = Err(Stop::unknown(Stage::Neighbour, Unknown::Link { link: out, what }));
        }
        if let Some(watch) = watch {
            self.keep(watch, end.is_ok().then_some(asked.came()));
        }
        if let Some((mac, moment)) = asked.came() {
            skb.packet.dst_mac = Some(mac);
            skb.moment = moment;
            self.learn_neighbour(out, ip, mac, NeighbourState::Reachable);
            self.overlay.answered.insert((out, ip), moment);
        } else {
            self.overlay.given_up.insert((out, ip));
        }
        self.tell_asked(skb, out, ip, asked);
        end
    }

    /// It has been asked before, and what came of it is taught already.
    fn answered_before(
        &mut self,
        skb: &mut Skb,
        out: LinkId,
        ip: IpAddr,
        mac: Option<Mac>,
    ) -> Result<(), Stop> {
        skb.packet.dst_mac = mac;
        let state = NeighbourState::Reachable;
        if let Some(mac) = mac {
            self.learn_neighbour(out, ip, mac, state);
        } else {
            self.overlay.given_up.insert((out, ip));
        }
        let entry = Neighbour { link: out.index, ip, mac, state, proxy: false };
        self.tell(skb, Stage::Neighbour, || Action::Neighbour { ip, link: out, entry });
        Ok(())
    }

    /// What the asking means for the packet that waits for it.
    fn verdict(&self, out: LinkId, ip: IpAddr, asked: &Asked<S>) -> Result<(), Stop> {
        self.foreseeable(Stage::Neighbour)?;
        let lost = |reason| Err(Stop::lost(Stage::Neighbour, out.ns, Some(out), reason));
        let entry = self.known(out, ip);
        let because = || {
            let reply = asked.reply.as_ref().and_then(|reply| loss(&reply.end.disposition));
            reply.or_else(|| loss(&asked.request.1.disposition)).or_else(|| self.deaf(ip, asked))
        };
        let doubt = || match &asked.doubt {
            Some(unknown) => Err(Stop::unknown(Stage::Neighbour, unknown.clone())),
            None => Ok(()),
        };
        match &asked.answer {
            ArpAnswer::Several(owners) if self.in_no_known_order(owners) => {
                let what = format!("which of the macvlans that answer for {ip} is asked first");
                let unknown = Unknown::Link { link: out, what };
                return Err(Stop::unknown(Stage::Neighbour, unknown));
            }
            // The first answer counts, and others are not listened to for a second (locktime).
            ArpAnswer::Several(_) if asked.came().is_some() => return Ok(()),
            ArpAnswer::Several(owners) => {
                return lost(Reason::DuplicateAddress { ip, owners: owners.clone() });
            }
            ArpAnswer::Link { .. } if asked.came().is_some() => return Ok(()),
            ArpAnswer::Outside { known_from, .. } => {
                doubt()?;
                let expected = known_from.is_none() && self.vain(asked, ip).is_none();
                if asked.came().is_some() || expected {
                    return Ok(());
                }
            }
            ArpAnswer::Link { .. } | ArpAnswer::Nobody => doubt()?,
        }
        let entry = entry.or_else(|| self.vain(asked, ip));
        lost(Reason::NoNeighbour { ip, entry, because: because() })
    }

    /// Where the request ended unheard, if that is one place alone: a link that was to lead on and
    /// does not. One that has an address is rightly an end.
    fn deaf(&self, ip: IpAddr, asked: &Asked<S>) -> Option<Box<Loss>> {
        if matches!(asked.answer, ArpAnswer::Outside { .. }) {
            return None; // it went on to where nobody here can look
        }
        let link = self.only_heard_at(asked)?;
        let mut addresses = self.known_place(link.ns)?.ns.addresses_of(link.index);
        if addresses.any(|a| a.ip().is_ipv4() == ip.is_ipv4()) {
            return None;
        }
        Some(Box::new(Loss { ns: link.ns, link: Some(link), reason: Reason::DeadEnd { ip } }))
    }
}

/// Frames of this link need no address looked up.
fn needs_none(link: &Link) -> bool {
    matches!(link.kind, LinkKind::Loopback)
        || link.flags.contains(LinkFlags::NOARP)
        || matches!(&link.kind, LinkKind::Tap(tap) if tap.layer3)
}

fn loss(disposition: &Disposition) -> Option<Box<Loss>> {
    match disposition {
        Disposition::Lost(loss) => Some(Box::new(loss.clone())),
        _ => None,
    }
}
