//! The ruleset, indexed: chains and sets by name, and what runs in each hook, in order.

use model::{
    Chain, Data, Expr, Family, Hook, Namespace, NftRule, Policy, Table, Verdict, Xt, XtInfo,
};

use crate::guard::{LinkNames, Opening};
use crate::hash::Map;
use crate::links::name;
use crate::set::SetIndex;

/// Priority of the kernel's own connection tracking in prerouting and output.
const PRIORITY_CONNTRACK: i32 = -200;
/// Of its translation of destinations.
const PRIORITY_NAT_DST: i32 = -100;
/// Of its translation of sources.
const PRIORITY_NAT_SRC: i32 = 100;
/// NFT_TABLE_F_DORMANT.
const TABLE_DORMANT: u32 = 1;

/// A base chain and its table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BaseRef<'a> {
    pub(crate) table: &'a Table,
    pub(crate) chain: &'a Chain,
    /// Position of the table in the ruleset.
    pub(crate) at: usize,
    /// Position of the chain in the table.
    nth: usize,
}

/// What runs in a hook.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    /// The kernel's connection tracking.
    Conntrack,
    /// The kernel's address translation, which asks the nat chains of the hook.
    Nat,
    /// A filter or route chain.
    Chain(BaseRef<'a>),
}

/// A chain, with the first tests of its rules.
#[derive(Debug)]
pub(crate) struct ChainIndex<'a> {
    pub(crate) chain: &'a Chain,
    /// One per rule.
    pub(crate) openings: Vec<Opening<'a>>,
    /// Positions of the chains that rules jump or go to, by their one verdict; one per rule.
    leads_to: Vec<Option<usize>>,
}

/// A table, by names.
#[derive(Debug)]
struct Names<'a> {
    chains: Vec<ChainIndex<'a>>,
    by_name: Map<&'a str, usize>,
    sets: Map<&'a str, SetIndex<'a>>,
}

/// The ruleset of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Tables<'a> {
    names: Vec<Names<'a>>,
    hooks: ByHook<Item<'a>>,
    /// A flowtable, by which packets may pass by the rules.
    pub(crate) flowtable: Option<&'a str>,
    /// Chains before and behind a link, by its name.
    links: Map<&'a str, Map<Hook, Vec<BaseRef<'a>>>>,
    nat: ByHook<BaseRef<'a>>,
    /// Families whose packets are tracked as they come in.
    tracked: Vec<Family>,
}

/// Lists for hooks of families, most of which have none.
#[derive(Debug)]
struct ByHook<T> {
    /// The position of each one's among the lists; the first is empty.
    at: [u8; 64],
    lists: Vec<Vec<T>>,
}

impl<T> Default for ByHook<T> {
    fn default() -> Self {
        Self { at: [0; 64], lists: vec![Vec::new()] }
    }
}

impl<T> ByHook<T> {
    const fn nth(family: Family, hook: Hook) -> usize {
        (family as usize * 8 + hook as usize) % 64
    }

    fn push(&mut self, family: Family, hook: Hook, item: T) {
        let at = &mut self.at[Self::nth(family, hook)];
        if *at == 0 {
            // There are at most 64.
            *at = u8::try_from(self.lists.len()).unwrap_or(u8::MAX);
            self.lists.push(Vec::new());
        }
        self.lists[usize::from(*at)].push(item);
    }

    #[inline]
    const fn has(&self, family: Family, hook: Hook) -> bool {
        self.at[Self::nth(family, hook)] != 0
    }

    #[inline]
    fn get(&self, family: Family, hook: Hook) -> &[T] {
        &self.lists[usize::from(self.at[Self::nth(family, hook)])]
    }
}

impl BaseRef<'_> {
    /// It can do something to a packet: it has rules, or a policy that drops.
    pub(crate) fn acts(&self) -> bool {
        let drops = self.chain.base.as_ref().is_some_and(|b| b.policy == Policy::Drop);
        drops || !self.chain.rules.is_empty()
    }
}

impl<'a> ChainIndex<'a> {
    fn new(chain: &'a Chain, by_name: &Map<&str, usize>, links: &LinkNames) -> Self {
        let target = |rule| by_name.get(leads_to(rule)?).copied();
        let leads_to: Vec<_> = chain.rules.iter().map(target).collect();
        let rules = chain.rules.iter().zip(&leads_to);
        let openings = rules.map(|(rule, to)| Opening::of(rule, *to, links));
        Self { chain, openings: openings.collect(), leads_to }
    }
}

/// The chain that the one verdict of a rule names.
fn leads_to(rule: &NftRule) -> Option<&str> {
    let verdicts = rule.exprs.iter().filter_map(|expr| match expr {
        Expr::Immediate { data: Data::Verdict(verdict), .. } => Some(verdict),
        _ => None,
    });
    let mut verdicts = verdicts.peekable();
    let first = verdicts.next()?;
    match first {
        Verdict::Jump(name) | Verdict::Goto(name) if verdicts.peek().is_none() => Some(name),
        _ => None,
    }
}

impl<'a> Names<'a> {
    fn new(table: &'a Table, links: &LinkNames) -> Self {
        let names = (0..).zip(&table.chains).map(|(nth, chain)| (chain.name.as_str(), nth));
        let by_name = names.collect();
        Self {
            chains: table.chains.iter().map(|c| ChainIndex::new(c, &by_name, links)).collect(),
            by_name,
            sets: table.sets.iter().map(|s| (s.name.as_str(), SetIndex::new(s))).collect(),
        }
    }
}

impl<'a> Tables<'a> {
    pub(crate) fn new(ns: &'a Namespace) -> Self {
        let links = ns.links.values().map(|link| (name(&link.name), link.index)).collect();
        let names = ns.ruleset.tables.iter().map(|table| Names::new(table, &links)).collect();
        let mut tables = Self { names, ..Self::default() };
        for family in [Family::Ip, Family::Ip6, Family::Bridge, Family::Arp] {
            tables.index_family(ns, family);
        }
        tables.index_links(ns);
        let mut flowtables = ns.ruleset.tables.iter().flat_map(|table| &table.flowtables);
        tables.flowtable = flowtables.next().map(String::as_str);
        tables
    }

    /// Chains of a family see its packets; those of inet see IPv4 and IPv6.
    fn index_family(&mut self, ns: &'a Namespace, family: Family) {
        let ip = matches!(family, Family::Ip | Family::Ip6);
        let mut found: Vec<(Hook, i32, Item<'a>)> = Vec::new();
        let mut nat: Vec<(Hook, i32, BaseRef<'a>)> = Vec::new();
        for base in base_chains(ns) {
            let Some(b) = &base.chain.base else { continue };
            if base.table.family != family && !(ip && base.table.family == Family::Inet) {
                continue;
            }
            match b.kind.as_str() {
                "nat" => nat.push((b.hook, b.priority, base)),
                _ => found.push((b.hook, b.priority, Item::Chain(base))),
            }
        }
        // Of equal priority, the chain that was registered last runs first (nf_hook_entries_grow).
        found.reverse();
        nat.reverse();
        if !nat.is_empty() {
            found
                .extend([Hook::Prerouting, Hook::Output].map(|h| (h, PRIORITY_NAT_DST, Item::Nat)));
            found
                .extend([Hook::Input, Hook::Postrouting].map(|h| (h, PRIORITY_NAT_SRC, Item::Nat)));
        }
        if ip && tracks(ns, family) {
            self.tracked.push(family);
            let track = |h| (h, PRIORITY_CONNTRACK, Item::Conntrack);
            found.extend([Hook::Prerouting, Hook::Output].map(track));
        }
        found.sort_by_key(|(_, priority, _)| *priority);
        nat.sort_by_key(|(_, priority, _)| *priority);
        for (hook, _, item) in found {
            self.hooks.push(family, hook, item);
        }
        for (hook, _, base) in nat {
            self.nat.push(family, hook, base);
        }
    }

    fn index_links(&mut self, ns: &'a Namespace) {
        let mut found: Vec<(i32, BaseRef<'a>)> = Vec::new();
        for base in base_chains(ns).into_iter().rev() {
            let Some(b) = &base.chain.base else { continue };
            if matches!(base.table.family, Family::Netdev | Family::Inet) {
                found.push((b.priority, base));
            }
        }
        found.sort_by_key(|(priority, _)| *priority);
        for (_, base) in found {
            let Some(b) = base.chain.base.as_ref().filter(|_| base.acts()) else { continue };
            for device in &b.devices {
                self.links.entry(device).or_default().entry(b.hook).or_default().push(base);
            }
        }
    }

    /// The chain of that name in a table.
    pub(crate) fn chain(&self, table: usize, name: &str) -> Option<&ChainIndex<'a>> {
        let names = self.names.get(table)?;
        names.chains.get(*names.by_name.get(name)?)
    }

    /// A base chain.
    pub(crate) fn base(&self, base: BaseRef<'_>) -> Option<&ChainIndex<'a>> {
        self.nth(base.at, base.nth)
    }

    /// The chain that the one verdict of a rule leads to.
    pub(crate) fn led_to(
        &self,
        table: usize,
        from: &ChainIndex<'_>,
        rule: usize,
    ) -> Option<&ChainIndex<'a>> {
        self.nth(table, from.leads_to.get(rule).copied().flatten()?)
    }

    /// The chain at that position of a table.
    pub(crate) fn nth(&self, table: usize, chain: usize) -> Option<&ChainIndex<'a>> {
        self.names.get(table)?.chains.get(chain)
    }

    /// The set of that name in a table.
    pub(crate) fn set(&self, table: usize, name: &str) -> Option<&SetIndex<'a>> {
        self.names.get(table)?.sets.get(name)
    }

    /// Something runs in a hook for packets of a family.
    #[inline]
    pub(crate) const fn runs(&self, family: Family, hook: Hook) -> bool {
        self.hooks.has(family, hook)
    }

    /// Packets of a family are tracked as they come in.
    #[inline]
    pub(crate) fn tracks(&self, family: Family) -> bool {
        self.tracked.contains(&family)
    }

    /// What runs in a hook for packets of a family, in order.
    #[inline]
    pub(crate) fn hook(&self, family: Family, hook: Hook) -> &[Item<'a>] {
        self.hooks.get(family, hook)
    }

    /// Some chain stands before or behind a link.
    pub(crate) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// There are nat chains for packets of a family.
    pub(crate) fn translates(&self, family: Family) -> bool {
        let hooks = [Hook::Prerouting, Hook::Input, Hook::Output, Hook::Postrouting];
        hooks.iter().any(|hook| self.nat.has(family, *hook))
    }

    /// The nat chains of a hook, in order.
    pub(crate) fn nat(&self, family: Family, hook: Hook) -> &[BaseRef<'a>] {
        self.nat.get(family, hook)
    }

    /// The chains before (ingress) or behind (egress) a link that do something, in order.
    pub(crate) fn link(&self, name: &str, hook: Hook) -> &[BaseRef<'a>] {
        if self.links.is_empty() {
            return &[];
        }
        let bound = self.links.get(name).and_then(|hooks| hooks.get(&hook));
        bound.map_or(&[], Vec::as_slice)
    }
}

/// Base chains that run, in the order in which they were read.
fn base_chains(ns: &Namespace) -> Vec<BaseRef<'_>> {
    let tables = ns.ruleset.tables.iter().enumerate();
    tables
        .filter(|(_, t)| t.flags & TABLE_DORMANT == 0)
        .flat_map(|(at, table)| {
            let chains = table.chains.iter().enumerate();
            chains.map(move |(nth, chain)| BaseRef { table, chain, at, nth })
        })
        .filter(|b| b.chain.base.is_some())
        .collect()
}

/// Whether the kernel tracks connections here: it does where some rule asks for them.
fn tracks(ns: &Namespace, family: Family) -> bool {
    let sees = |t: &&Table| t.family == family || matches!(t.family, Family::Inet | Family::Bridge);
    let tables = ns.ruleset.tables.iter().filter(sees);
    let mut rules = tables.flat_map(|t| &t.chains).flat_map(|c| &c.rules);
    let six = family == Family::Ip6;
    ns.conntrack.iter().any(|entry| entry.original.src.is_ipv6() == six)
        || rules.any(|r| r.exprs.iter().any(|expr| asks_for_connections(expr, family)))
}

/// `nf_ct_netns_get` is called as such a rule is made. (A chain of type nat alone does not.)
fn asks_for_connections(expr: &Expr, family: Family) -> bool {
    match expr {
        // In inet, a rule that gives addresses of IPv4 alone has nothing of IPv6 tracked.
        Expr::Nat { family: of, .. } => *of == family || *of == Family::Inet,
        Expr::Masq { .. } | Expr::Redir { .. } => true,
        Expr::Ct { .. } | Expr::CtSet { .. } | Expr::Connlimit { .. } => true,
        Expr::Match(xt) | Expr::Target(xt) => xt_asks_for_connections(xt),
        Expr::Dynset { exprs, .. } => exprs.iter().any(|expr| asks_for_connections(expr, family)),
        Expr::Opaque { name, .. } => {
            matches!(name.as_str(), "ct" | "connlimit" | "flow_offload" | "synproxy")
        }
        _ => false,
    }
}

/// The matches and targets of xtables that call it. What is not to be tracked needs no tracking:
/// `CT --notrack` does not (`xt_ct_tg_check`), nor does `NOTRACK`.
fn xt_asks_for_connections(xt: &Xt) -> bool {
    const NOTRACK: u16 = 1;
    let name = xt.name.as_str();
    match name {
        "CT" => !matches!(xt.info, XtInfo::Ct { flags, .. } if flags & NOTRACK != 0),
        "state" | "helper" | "cluster" | "CLUSTERIP" | "SYNPROXY" => true,
        "SNAT" | "DNAT" | "MASQUERADE" | "REDIRECT" | "NETMAP" => true,
        _ => name.to_ascii_lowercase().starts_with("conn"),
    }
}
