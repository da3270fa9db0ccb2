//! Features of netfilter. Without one, the rules that hold it are gone.

use model::{
    BaseChain, CtKey, Expr, Family, Hook, IpSetEntry, MetaKey, NftRule, Ruleset, Snapshot, Table,
    Verdict, Xt, XtInfo,
};

use super::{Without, all, each};

/// NFT_SET_*.
const INTERVAL: u32 = 4;
const MAP: u32 = 8;

/// Those that are counted.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("nft: payload", |s, _| own(s, |e| matches!(e, Expr::Payload { .. }))),
    ("nft: meta", |s, _| {
        let told = |key: &MetaKey| !matches!(key, MetaKey::Nfproto | MetaKey::Protocol);
        own(s, |e| matches!(e, Expr::Meta { key, .. } if told(key)))
    }),
    ("nft: ct", |s, _| own(s, |e| matches!(e, Expr::Ct { .. }))),
    ("nft: fib", |s, _| own(s, |e| matches!(e, Expr::Fib { .. }))),
    ("nft: bitwise", |s, _| own(s, |e| matches!(e, Expr::Bitwise { .. }))),
    ("nft: range", |s, _| own(s, |e| matches!(e, Expr::Range { .. }))),
    ("nft: limit", |s, _| own(s, |e| matches!(e, Expr::Limit { .. }))),
    ("nft: numgen", |s, _| own(s, |e| matches!(e, Expr::Numgen { .. }))),
    ("nft: reject", |s, _| own(s, |e| matches!(e, Expr::Reject { .. }))),
    ("nft: drop", |s, _| own(s, |e| gives(e, |v| *v == Verdict::Drop))),
    ("nft: accept", |s, _| own(s, |e| gives(e, |v| *v == Verdict::Accept))),
    ("nft: return", |s, _| own(s, |e| gives(e, |v| *v == Verdict::Return))),
    ("nft: jump", |s, _| own(s, |e| gives(e, |v| matches!(v, Verdict::Jump(_))))),
    ("nft: goto", |s, _| own(s, |e| gives(e, |v| matches!(v, Verdict::Goto(_))))),
    ("nft: nat", |s, _| own(s, |e| matches!(e, Expr::Nat { .. }))),
    ("nft: masquerade", |s, _| own(s, |e| matches!(e, Expr::Masq { .. }))),
    ("nft: redirect", |s, _| own(s, |e| matches!(e, Expr::Redir { .. }))),
    ("nft: notrack", |s, _| own(s, |e| matches!(e, Expr::Notrack))),
    ("nft: meta mark set", |s, _| own(s, |e| matches!(e, Expr::MetaSet { .. }))),
    ("nft: ct mark set", |s, _| own(s, |e| matches!(e, Expr::CtSet { key: CtKey::Mark, .. }))),
    ("nft: ct zone set", |s, _| own(s, |e| matches!(e, Expr::CtSet { key: CtKey::Zone, .. }))),
    ("nft: payload set", |s, _| own(s, |e| matches!(e, Expr::PayloadSet { .. }))),
    ("nft: set", |s, _| sets(s, |flags, _| flags & MAP == 0)),
    ("nft: interval", |s, _| sets(s, |flags, _| flags & INTERVAL != 0)),
    ("nft: concatenation", |s, _| sets(s, |_, len| len > 4)),
    ("nft: verdict map", |s, _| {
        own(s, |e| matches!(e, Expr::Lookup { dreg: Some(reg), .. } if reg.0 == 0))
    }),
    ("nft: map", |s, _| {
        own(s, |e| matches!(e, Expr::Lookup { dreg: Some(reg), .. } if reg.0 != 0))
    }),
    ("nft: inet", |s, _| family(s, Family::Inet)),
    ("nft: bridge", |s, _| family(s, Family::Bridge)),
    ("nft: arp", |s, _| family(s, Family::Arp)),
    ("nft: netdev", |s, _| family(s, Family::Netdev)),
    ("nft: ingress", |s, _| bases(s, |b| b.hook == Hook::Ingress)),
    ("nft: egress", |s, _| bases(s, |b| b.hook == Hook::Egress)),
    ("nft: chain of type route", |s, _| bases(s, |b| b.kind == "route")),
    ("nft: policy", |s, _| {
        let drops = |b: &mut BaseChain| std::mem::take(&mut b.policy) != model::Policy::Accept;
        chains(s, |t| !is_iptables(t) && !t.is_legacy(), drops)
    }),
    ("nft: priority", |s, _| {
        // All the other way round.
        chains(
            s,
            |t| !is_iptables(t) && !t.is_legacy(),
            |b| {
                b.priority = -b.priority;
                b.priority != 0
            },
        )
    }),
    ("iptables: addrtype", |s, _| xt(s, "addrtype")),
    ("iptables: conntrack", |s, _| xt(s, "conntrack")),
    ("iptables: multiport", |s, _| xt(s, "multiport")),
    ("iptables: physdev", |s, _| xt(s, "physdev")),
    ("iptables: mac", |s, _| xt(s, "mac")),
    ("iptables: iprange", |s, _| xt(s, "iprange")),
    ("iptables: statistic", |s, _| xt(s, "statistic")),
    ("iptables: connmark", |s, _| xt(s, "connmark")),
    ("iptables: length", |s, _| xt(s, "length")),
    ("iptables: pkttype", |s, _| xt(s, "pkttype")),
    ("iptables: ttl, hl", |s, _| xt(s, "ttl") | xt(s, "hl")),
    ("iptables: tos, dscp", |s, _| xt(s, "tos") | xt(s, "dscp")),
    ("iptables: owner", |s, _| xt(s, "owner")),
    ("iptables: recent", |s, _| xt(s, "recent")),
    ("iptables: hashlimit", |s, _| xt(s, "hashlimit")),
    ("iptables: set", |s, _| xt(s, "set")),
    ("ipset: nomatch", |s, _| entries(s, |e| e.has(IpSetEntry::NOMATCH))),
    ("ipset: port", |s, _| entries(s, |e| e.port.is_some())),
    ("ipset: iface", |s, _| entries(s, |e| e.link.is_some())),
    ("ipset: list", |s, _| entries(s, |e| e.set.is_some())),
    ("iptables: limit", |s, _| rules(s, is_iptables, |e| matches!(e, Expr::Limit { .. }))),
    ("iptables: CONNMARK", |s, _| xt(s, "CONNMARK")),
    ("iptables: CT", |s, _| xt(s, "CT")),
    ("iptables: NETMAP", |s, _| xt(s, "NETMAP")),
    ("iptables: TCPMSS", |s, _| xt(s, "TCPMSS")),
    ("iptables: TTL, HL", |s, _| xt(s, "TTL") | xt(s, "HL")),
    ("iptables: TOS, DSCP", |s, _| xt(s, "TOS") | xt(s, "DSCP")),
    ("iptables: REJECT", |s, _| xt(s, "REJECT")),
    ("iptables: DNAT", |s, _| xt(s, "DNAT")),
    ("iptables: SNAT", |s, _| xt(s, "SNAT")),
    ("iptables: MASQUERADE", |s, _| xt(s, "MASQUERADE")),
    ("iptables: REDIRECT", |s, _| xt(s, "REDIRECT")),
    ("iptables: mark", |s, _| {
        let asks = |e: &Expr| {
            matches!(e, Expr::Match(Xt { info: XtInfo::Mark { .. }, .. }))
                || matches!(e, Expr::Meta { key: MetaKey::Mark, .. })
        };
        rules(s, is_iptables, asks)
    }),
    ("iptables: MARK", |s, _| {
        let sets = |e: &Expr| {
            matches!(e, Expr::Target(Xt { info: XtInfo::SetMark { .. }, .. }))
                || matches!(e, Expr::MetaSet { key: MetaKey::Mark, .. })
        };
        rules(s, is_iptables, sets)
    }),
    ("iptables-legacy: filter", |s, _| legacy(s, |t| t.name == "legacy filter")),
    ("iptables-legacy: nat", |s, _| legacy(s, |t| t.name == "legacy nat")),
    ("iptables-legacy: mangle", |s, _| legacy(s, |t| t.name == "legacy mangle")),
    ("iptables-legacy: raw", |s, _| legacy(s, |t| t.name == "legacy raw")),
    ("iptables-legacy: of IPv6", |s, _| legacy(s, |t| t.family == Family::Ip6)),
    ("iptables-legacy: first of equals", |s, _| {
        // As if they had been made first, and so came last.
        rulesets(s, |ruleset| {
            let all = ruleset.tables.len();
            let legacy = ruleset.tables.iter().filter(|t| t.is_legacy()).count();
            ruleset.tables.sort_by_key(|table| !table.is_legacy());
            legacy > 0 && legacy < all
        })
    }),
];

/// Takes away the rules of such tables of iptables-legacy.
fn legacy(snapshot: &mut Snapshot, of: impl Fn(&Table) -> bool) -> bool {
    without(snapshot, |table| table.is_legacy() && of(table), |_, _| true)
}

/// One of those that iptables has.
fn is_iptables(table: &Table) -> bool {
    table.family == Family::Ip && ["filter", "nat", "mangle", "raw"].contains(&table.name.as_str())
}

fn gives(expr: &Expr, verdict: impl Fn(&Verdict) -> bool) -> bool {
    matches!(expr, Expr::Immediate { data: model::Data::Verdict(v), .. } if verdict(v))
}

fn rulesets(snapshot: &mut Snapshot, change: impl Fn(&mut Ruleset) -> bool) -> bool {
    each(snapshot, |n| change(&mut n.ruleset))
}

/// Takes away the rules that hold such an expression.
fn rules(s: &mut Snapshot, of: impl Fn(&Table) -> bool, has: impl Fn(&Expr) -> bool) -> bool {
    without(s, of, |_, rule| rule.exprs.iter().any(&has))
}

fn without(
    snapshot: &mut Snapshot,
    of: impl Fn(&Table) -> bool,
    gone: impl Fn(&Table, &NftRule) -> bool,
) -> bool {
    rulesets(snapshot, |ruleset| {
        all(ruleset.tables.iter_mut().filter(|t| of(t)), |table| {
            let before = table.clone();
            let chains = table.chains.iter_mut();
            all(chains, |chain| {
                let rules = chain.rules.len();
                chain.rules.retain(|rule| !gone(&before, rule));
                chain.rules.len() != rules
            })
        })
    })
}

/// The same of tables that are not iptables', nor iptables-legacy's.
fn own(snapshot: &mut Snapshot, has: impl Fn(&Expr) -> bool) -> bool {
    rules(snapshot, |t| !is_iptables(t) && !t.is_legacy(), has)
}

/// Takes away the rules that look into such a set, by its flags and the length of its key.
fn sets(snapshot: &mut Snapshot, such: impl Fn(u32, u32) -> bool) -> bool {
    let found = |table: &Table, name: &str| {
        let set = table.sets.iter().find(|set| set.name == name);
        set.is_some_and(|set| such(set.flags, set.key_len))
    };
    without(
        snapshot,
        |_| true,
        |table, rule| {
            let asks = |e: &Expr| matches!(e, Expr::Lookup { set, .. } if found(table, set));
            rule.exprs.iter().any(asks)
        },
    )
}

fn xt(snapshot: &mut Snapshot, name: &str) -> bool {
    let is = |e: &Expr| matches!(e, Expr::Match(x) | Expr::Target(x) if x.name == name);
    rules(snapshot, |_| true, is)
}

/// Takes such entries out of all sets of ipset.
fn entries(snapshot: &mut Snapshot, such: impl Fn(&IpSetEntry) -> bool) -> bool {
    each(snapshot, |n| {
        all(n.ipsets.iter_mut(), |set| {
            let before = set.entries.len();
            set.entries.retain(|entry| !such(entry));
            set.entries.len() != before
        })
    })
}

fn family(snapshot: &mut Snapshot, family: Family) -> bool {
    rulesets(snapshot, |ruleset| {
        let before = ruleset.tables.len();
        ruleset.tables.retain(|table| table.family != family);
        ruleset.tables.len() != before
    })
}

/// Takes away the base chains that are such.
fn bases(snapshot: &mut Snapshot, such: impl Fn(&BaseChain) -> bool) -> bool {
    rulesets(snapshot, |ruleset| {
        all(ruleset.tables.iter_mut(), |table| {
            let before = table.chains.len();
            table.chains.retain(|chain| !chain.base.as_ref().is_some_and(&such));
            table.chains.len() != before
        })
    })
}

fn chains(
    snapshot: &mut Snapshot,
    of: impl Fn(&Table) -> bool,
    change: impl Fn(&mut BaseChain) -> bool,
) -> bool {
    rulesets(snapshot, |ruleset| {
        let tables = ruleset.tables.iter_mut().filter(|t| of(t));
        let chains = tables.flat_map(|t| &mut t.chains);
        all(chains.filter_map(|c| c.base.as_mut()), &change)
    })
}
