//! tc's filters before and behind a link (`sch_handle_ingress`, `sch_handle_egress`), and what they do
//! with a packet (`tcf_action_exec`).

use model::{Hook, Link, LinkId, LinkKind, Tc, TcAction, TcControl, TcDoing, TcFilter, TcSelector};

use crate::load::ether_type;
use crate::skb::{Handed, Next, Skb, Stop};
use crate::tc_selector::{Fits, fits_flower};
use crate::walker::Walker;
use crate::{Action, Cause, FilterRef, FilterWhy, Reason, Sink, Stage, TriedFilter, Unknown};

/// How often filters lead to others: the kernel's own limit.
const MAX_ROUNDS: u32 = 16;
/// How often actions jump.
const MAX_JUMPS: u32 = 31;
/// How many links may hand a packet on within each other (MIRRED_NEST_LIMIT); not every kernel counts
/// alike, so that more is not told.
const MAX_HANDED: u32 = 3;

/// What came of a filter's actions.
enum Acted<'a> {
    /// The packet goes on elsewhere.
    Away(Next<'a>),
    Says(TcControl),
}

/// A filter at its place.
struct At<'a> {
    link: LinkId,
    hook: Hook,
    filter: &'a TcFilter,
}

impl At<'_> {
    fn stage(&self) -> Stage {
        if self.hook == Hook::Ingress { Stage::Receive } else { Stage::Transmit }
    }

    fn refer(&self) -> FilterRef {
        FilterRef {
            link: self.link,
            hook: self.hook,
            chain: self.filter.chain,
            priority: self.filter.priority,
            handle: self.filter.handle,
            kind: kind(&self.filter.selector).to_owned(),
        }
    }

    fn unknown<T>(&self, what: String) -> Result<T, Stop> {
        let unknown = Unknown::Filter { filter: self.refer(), what };
        Err(Stop::unknown(self.stage(), unknown))
    }

    fn lost<T>(&self, reason: Reason) -> Result<T, Stop> {
        Err(Stop::lost(self.stage(), self.link.ns, Some(self.link), reason))
    }
}

fn kind(selector: &TcSelector) -> &str {
    match selector {
        TcSelector::All => "matchall",
        TcSelector::U32(_) => "u32",
        TcSelector::Flower(_) => "flower",
        TcSelector::Opaque { kind, .. } => kind,
    }
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `tcf_classify`, and what `sch_handle_ingress` and `sch_handle_egress` do by what it says. None: the
    /// packet goes on.
    pub(crate) fn filters(
        &mut self,
        skb: &mut Skb,
        link: LinkId,
        tc: &'a Tc,
        hook: Hook,
    ) -> Result<Option<Next<'a>>, Stop> {
        let all = if hook == Hook::Ingress { &tc.ingress } else { &tc.egress };
        let (mut chain, mut rounds) = (0, 0);
        loop {
            let Some((at, acted)) = self.chain_of_filters(skb, all, chain, (link, hook))? else {
                return Ok(None);
            };
            let control = match acted {
                Acted::Away(next) => return Ok(Some(next)),
                Acted::Says(control) => control,
            };
            chain = match control {
                TcControl::Reclassify => 0,
                TcControl::Chain(chain) => chain,
                TcControl::Drop => return at.lost(Reason::FilterDrop(at.refer())),
                TcControl::Stolen => return at.lost(Reason::FilterSteals(at.refer())),
                TcControl::Other(number) => return at.unknown(format!("control {number}")),
                TcControl::Ok | TcControl::Pipe | TcControl::Jump(_) | TcControl::Continue => {
                    return Ok(None);
                }
            };
            rounds += 1;
            if rounds > MAX_ROUNDS {
                return at.lost(Reason::FilterDrop(at.refer()));
            }
        }
    }

    /// `__tcf_classify`: the filters of one chain, until one says more than that the next is to be tried.
    fn chain_of_filters(
        &mut self,
        skb: &mut Skb,
        all: &'a [TcFilter],
        chain: u32,
        (link, hook): (LinkId, Hook),
    ) -> Result<Option<(At<'a>, Acted<'a>)>, Stop> {
        let (mut done, mut tried) = (None, Vec::new());
        let came = if hook == Hook::Ingress { Some(link.index) } else { skb.iif };
        for filter in all.iter().filter(|f| f.chain == chain) {
            let at = At { link, hook, filter };
            let asked = done != Some(filter.priority);
            let protocol = filter.protocol.is_none_or(|p| p == frame_type(skb));
            let fits = (asked && protocol).then(|| self.fits(skb, filter, came));
            if self.sink.explains() {
                let why = FilterWhy::of(asked, fits.as_ref());
                tried.push(TriedFilter { filter: at.refer(), why });
            }
            match fits {
                None | Some(Fits::No) => continue,
                Some(Fits::Beyond) => {
                    done = Some(filter.priority);
                    continue;
                }
                Some(Fits::Yes | Fits::NotKnown(_)) => {}
            }
            self.consider_filters((link, hook), std::mem::take(&mut tried));
            if let Some(Fits::NotKnown(what)) = fits {
                return at.unknown(what);
            }
            one_of_many(skb, &at, all)?;
            match self.act(skb, &at)? {
                // Of those beside a filter of `u32` each is tried, of others none.
                Acted::Says(TcControl::Continue) => {
                    let each = matches!(filter.selector, TcSelector::U32(_));
                    done = if each { done } else { Some(filter.priority) };
                }
                acted => return Ok(Some((at, acted))),
            }
        }
        self.consider_filters((link, hook), tried);
        Ok(None)
    }

    /// `tcf_action_exec`.
    fn act(&mut self, skb: &mut Skb, at: &At<'a>) -> Result<Acted<'a>, Stop> {
        if std::mem::take(&mut skb.past_tc) {
            return Ok(Acted::Says(TcControl::Ok));
        }
        let actions = &at.filter.actions;
        self.tell(skb, at.stage(), || Action::Filter(at.refer()));
        let (mut nth, mut jumps, mut said) = (0, 0, TcControl::Ok);
        while let Some(action) = actions.get(nth) {
            nth += 1;
            said = match self.act_once(skb, at, action)? {
                Acted::Away(next) => return Ok(Acted::Away(next)),
                Acted::Says(said) => said,
            };
            match said {
                TcControl::Pipe => {}
                TcControl::Jump(to) => {
                    jumps += 1;
                    nth = to as usize;
                    if nth == 0 || nth > actions.len() || jumps > MAX_JUMPS {
                        return Ok(Acted::Says(TcControl::Ok));
                    }
                }
                _ => break,
            }
        }
        Ok(Acted::Says(said))
    }

    fn act_once(
        &mut self,
        skb: &mut Skb,
        at: &At<'a>,
        action: &TcAction,
    ) -> Result<Acted<'a>, Stop> {
        let then = action.then;
        match &action.doing {
            TcDoing::Nothing => {}
            TcDoing::Mark(mark, mask) => skb.mark = skb.mark & !mask | mark & mask,
            TcDoing::Hand { to, ingress, copy } => {
                let to = skb.link(*to);
                return self.hand(skb, at, &Hands { to, ingress: *ingress, copy: *copy, then });
            }
            TcDoing::Opaque(name) => return at.unknown(format!("action {name}")),
        }
        Ok(Acted::Says(then))
    }

    /// `tcf_mirred_act`.
    fn hand(&mut self, skb: &mut Skb, at: &At<'a>, hands: &Hands) -> Result<Acted<'a>, Stop> {
        let to = hands.to;
        if !self.known_link(to).is_some_and(Link::is_running) {
            return Ok(Acted::Says(if hands.copy { hands.then } else { TcControl::Drop }));
        }
        if skb.handed_on >= MAX_HANDED {
            return at.unknown("hands the packet on again and again".to_owned());
        }
        if [at.link, to].into_iter().any(|link| self.is_without_ethernet(link)) {
            return at.unknown("a link without Ethernet headers".to_owned());
        }
        let mut given = skb.clone();
        given.hand_on(at.link, at.hook == Hook::Ingress, hands);
        let next = if hands.ingress { self.in_by(to)? } else { self.out_by(to)? };
        let told = || Action::Handed { to, ingress: hands.ingress, copy: hands.copy };
        self.tell(skb, at.stage(), told);
        // The packet itself is let go of, whoever has it then.
        if !hands.copy && hands.then == TcControl::Stolen {
            *skb = given;
            return Ok(Acted::Away(next));
        }
        given.spare = true;
        let (end, way) = self.aside(given, next);
        self.sink.child(Cause::Copy(to), &skb.packet, way, &end.disposition);
        Ok(Acted::Says(hands.then))
    }

    fn is_without_ethernet(&self, link: LinkId) -> bool {
        match self.known_link(link).map(|link| &link.kind) {
            Some(LinkKind::Tap(tap)) => tap.layer3,
            Some(LinkKind::Wireguard(_)) => true,
            _ => false,
        }
    }

    /// `ifb_xmit` and `ifb_ri_tasklet`: what was handed to it goes on where it was taken from, past the hooks
    /// there; anything else it swallows.
    pub(crate) fn ifb_out(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        let Some(handed) = skb.handed.take() else {
            return Err(Stop::lost(Stage::Transmit, id.ns, Some(id), Reason::Swallowed));
        };
        let to = handed.from;
        self.tell(skb, Stage::Transmit, || Action::GivenBack { to, ingress: handed.ingress });
        skb.by_tasklet();
        (skb.past_nft, skb.past_tc) = (true, !handed.ingress);
        if handed.ingress {
            let link = self.spot(to, Stage::Receive)?;
            return self.handle(skb, link);
        }
        self.out_by(to)
    }
}

/// To whom a packet is handed, and how.
pub(crate) struct Hands {
    to: LinkId,
    pub(crate) ingress: bool,
    pub(crate) copy: bool,
    then: TcControl,
}

impl Skb {
    /// What `tcf_mirred_act` changes about the packet that it hands on.
    fn hand_on(&mut self, from: LinkId, at_ingress: bool, hands: &Hands) {
        (self.ct, self.untracked, self.sought) = (None, false, false);
        self.handed_on += 1;
        self.handed = (!hands.copy).then_some(Handed { from, ingress: at_ingress });
        // `nf_skip_egress`, while filters behind a link are tried.
        self.past_nft = !at_ingress;
        if !hands.ingress {
            return;
        }
        // It is for whom it was for, whatever that link's address is; what is sent from here, for here.
        if !at_ingress {
            self.ours |= self.came_by.is_none();
            (self.routed, self.looped) = (false, false);
            self.queued();
        }
        self.kept = Some(self.ours);
    }
}

/// EtherType, or that of its outermost tag.
fn frame_type(skb: &Skb) -> u16 {
    skb.tags.last().map_or_else(|| ether_type(skb), |tag| tag.protocol)
}

/// The kernel looks a packet up by one mask of `flower` after the other, in the order of their making, which
/// nobody tells.
fn one_of_many(skb: &Skb, at: &At<'_>, all: &[TcFilter]) -> Result<(), Stop> {
    let beside = |f: &&TcFilter| {
        (f.chain, f.priority) == (at.filter.chain, at.filter.priority)
            && f.handle != at.filter.handle
    };
    let also = |f: &TcFilter| match &f.selector {
        TcSelector::Flower(keys) => !matches!(fits_flower(skb, keys), Fits::No),
        _ => false,
    };
    if matches!(at.filter.selector, TcSelector::Flower(_)) && all.iter().filter(beside).any(also) {
        return at.unknown("another filter of the same pref fits, too".to_owned());
    }
    Ok(())
}
