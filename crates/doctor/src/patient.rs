//! What every search starts from.

use std::net::{IpAddr, Ipv6Addr};

use model::{
    BaseChain, Chain, Data, Expr, Hook, Link, LinkId, LinkKind, Namespace, NftRule, NsId, Snapshot,
    Table,
};
use walk::{
    ChainRef, Change, Disposition, Indexed, Known, Loss, Outcome, Place, Protocol, Question,
    RuleRef, Verdict,
};

use crate::published::{Published, published};
use crate::wiring::{User, Wiring};
use crate::{Fault, Finding};

/// A port that stands for any that no rule speaks of.
pub(crate) const ANY_PORT: u16 = 40_404;

/// A Snapshot, with what is asked of it again and again.
pub(crate) struct Patient<'a> {
    pub(crate) net: &'a Indexed<'a>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) wiring: Wiring,
    pub(crate) published: Vec<Published>,
    /// An address that only default routes lead to.
    pub(crate) beyond: IpAddr,
    /// The same of IPv6.
    beyond6: IpAddr,
}

impl<'a> Patient<'a> {
    pub(crate) fn new(net: &'a Indexed<'a>) -> Self {
        let snapshot = net.snapshot;
        let beyond = IpAddr::V4(walk::beyond(snapshot));
        let beyond6 = IpAddr::V6(beyond6(snapshot));
        let published = published(snapshot);
        let wiring = Wiring::new(snapshot);
        Self { net, snapshot, wiring, published, beyond, beyond6 }
    }

    pub(crate) fn ns(&self, id: NsId) -> &'a Namespace {
        &self.snapshot.namespaces[&id]
    }

    pub(crate) fn link(&self, id: LinkId) -> Option<&'a Link> {
        self.snapshot.link(id)
    }

    /// All bridges.
    pub(crate) fn bridges(&self) -> impl Iterator<Item = (LinkId, &'a Link)> {
        let all = self.snapshot.namespaces.values().flat_map(|ns| {
            ns.links.values().map(move |l| (LinkId { ns: ns.id, index: l.index }, l))
        });
        all.filter(|(_, l)| matches!(l.kind, LinkKind::Bridge(_)))
    }

    /// What only default routes of that user's family lead to.
    pub(crate) const fn beyond(&self, user: &User) -> IpAddr {
        if user.ipv6 { self.beyond6 } else { self.beyond }
    }

    /// Whether rules for that family see what passes a bridge.
    pub(crate) fn calls_iptables(&self, bridge: LinkId, ipv6: bool) -> bool {
        let Some(LinkKind::Bridge(own)) = self.link(bridge).map(|l| &l.kind) else { return false };
        let all = &self.ns(bridge.ns).sysctls;
        match ipv6 {
            true => own.nf_call_ip6tables || all.bridge_nf_call_ip6tables == Some(true),
            false => own.nf_call_iptables || all.bridge_nf_call_iptables == Some(true),
        }
    }

    /// The first packet of a new connection from there.
    pub(crate) fn question(&self, from: Place, to: IpAddr, protocol: Protocol) -> Question {
        Question::new(from, to, protocol).connection(Known::Nothing)
    }

    /// An echo request, and a TCP segment to a port that no rule is about.
    pub(crate) fn plain_questions(&self, from: NsId, to: IpAddr) -> [Question; 2] {
        let of = |protocol| self.question(Place::Namespace(from), to, protocol);
        [of(Protocol::Icmp), of(Protocol::Tcp(ANY_PORT))]
    }

    /// What all of these are lost by on their way there, if they are; the first's.
    pub(crate) fn lost(&self, questions: &[Question]) -> Option<Loss> {
        let losses: Vec<Loss> =
            questions.iter().filter_map(|q| there_lost(self.net.outcome(q))).collect();
        let all = losses.len() == questions.len();
        losses.into_iter().next().filter(|_| all)
    }

    /// What this is lost by, there or back.
    pub(crate) fn loss(&self, question: &Question) -> Option<Loss> {
        let outcome = self.net.outcome(question);
        match (outcome.there, outcome.back, outcome.assumed) {
            (Disposition::Lost(loss), _, false) => Some(loss),
            (_, Some(Disposition::Lost(loss)), false) => Some(loss),
            _ => None,
        }
    }

    /// Whether this is lost neither there nor back.
    pub(crate) fn arrives(&self, question: &Question) -> bool {
        let outcome = self.net.outcome(question);
        !matches!(outcome.there, Disposition::Lost(_))
            && !matches!(outcome.back, Some(Disposition::Lost(_)))
    }

    /// The same, were the host so.
    pub(crate) fn arrives_with(&self, changes: &[Change], question: &Question) -> bool {
        let mut other = self.snapshot.clone();
        changes.iter().for_each(|change| change.apply(&mut other));
        let trace = Indexed::new(&other).trace(question.clone());
        trace.verdict() == Verdict::Yes
    }

    /// Adds whom it hits to a fault that is known already, or takes it up.
    pub(crate) fn note(
        &self,
        findings: &mut Vec<Finding>,
        (fault, ns): (Fault, NsId),
        hit: impl IntoIterator<Item = NsId>,
        shown: Option<&Question>,
    ) {
        let known = findings.iter().position(|f| f.fault == fault);
        let at = known.unwrap_or_else(|| {
            let trace = shown.map(|q| Box::new(self.net.trace(q.clone())));
            findings.push(Finding { fault, ns, hit: Vec::new(), trace });
            findings.len() - 1
        });
        let all = &mut findings[at].hit;
        for id in hit {
            if !all.contains(&id) {
                all.push(id);
            }
        }
    }

    /// The base chain of that name.
    pub(crate) fn base(&self, chain: &ChainRef) -> Option<(&'a Table, &'a BaseChain)> {
        let table = self.ns(chain.ns).ruleset.table(chain.family, &chain.table)?;
        Some((table, table.chain(&chain.chain)?.base.as_ref()?))
    }

    /// Whether that chain stands at FORWARD.
    pub(crate) fn forwards(&self, chain: &ChainRef) -> bool {
        self.base(chain).is_some_and(|(_, base)| base.hook == Hook::Forward)
    }

    /// An address of a link that is not for the link alone.
    pub(crate) fn address_of(&self, link: LinkId, ipv6: bool) -> Option<IpAddr> {
        let mut all = crate::wiring::addresses(self.snapshot, link);
        let wide = |a: &&model::Address| a.ip().is_ipv6() == ipv6 && a.scope != model::Scope::Link;
        all.find(wide).map(model::Address::ip)
    }
}

/// What stands for the internet of IPv6: the first documentation address (RFC 9637, RFC 3849) that no
/// namespace is beside, so that only default routes lead there.
fn beyond6(snapshot: &Snapshot) -> Ipv6Addr {
    const ALL: [Ipv6Addr; 2] = [
        Ipv6Addr::new(0x3fff, 0xffff, 0, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1),
    ];
    let beside = |ip: &&Ipv6Addr| {
        let mut all = snapshot.namespaces.values().flat_map(|ns| &ns.addresses);
        all.any(|a| a.net.contains(&IpAddr::V6(**ip)))
    };
    *ALL.iter().find(|ip| !beside(ip)).unwrap_or(&ALL[0])
}

fn there_lost(outcome: Outcome) -> Option<Loss> {
    match outcome.there {
        Disposition::Lost(loss) if !outcome.assumed => Some(loss),
        _ => None,
    }
}

/// What that rule does with packets.
pub(crate) fn ends_with(rule: &NftRule, verdict: &model::Verdict) -> bool {
    let same =
        |e: &Expr| matches!(e, Expr::Immediate { data: Data::Verdict(v), .. } if v == verdict);
    rule.exprs.iter().any(same)
}

/// All rules of a namespace, with what they are called.
pub(crate) fn rules(ns: &Namespace) -> impl Iterator<Item = (RuleRef, &Chain, &NftRule)> {
    let id = ns.id;
    ns.ruleset.tables.iter().flat_map(move |table| {
        table.chains.iter().flat_map(move |chain| {
            let of = ChainRef {
                ns: id,
                family: table.family,
                table: table.name.clone(),
                chain: chain.name.clone(),
            };
            let numbered = chain.rules.iter().enumerate();
            numbered.map(move |(n, rule)| {
                let name = RuleRef { chain: of.clone(), number: n + 1, handle: rule.handle };
                (name, chain, rule)
            })
        })
    })
}
