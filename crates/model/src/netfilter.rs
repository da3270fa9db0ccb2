//! Netfilter as the kernel keeps it: tables, chains, and rules as lists of typed expressions.
//!
//! iptables-nft and nft both write these; how they spell them lives in `render`. What is read
//! equals what was written: an expression that has no type here is kept as [`Expr::Opaque`].

use crate::xt::Xt;

/// All nftables tables of one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Tables in the kernel's order.
    pub tables: Vec<Table>,
    /// NFT_MSG_GETGEN before and after the read were equal to this.
    pub generation: u32,
}

impl Ruleset {
    /// The table of that family and name.
    #[must_use]
    pub fn table(&self, family: Family, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.family == family && t.name == name)
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What packets it sees.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// NFT_TABLE_F_* (1: dormant, its base chains do not run).
    pub flags: u32,
    /// Chains in the kernel's order.
    pub chains: Vec<Chain>,
    /// Sets and maps.
    pub sets: Vec<Set>,
    /// Names of its flowtables.
    pub flowtables: Vec<String>,
}

impl Table {
    /// A table with nothing in it.
    #[must_use]
    pub fn new(family: Family, name: &str) -> Self {
        Self {
            family,
            name: name.to_owned(),
            flags: 0,
            chains: Vec::new(),
            sets: Vec::new(),
            flowtables: Vec::new(),
        }
    }

    /// The chain of that name.
    #[must_use]
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|c| c.name == name)
    }

    /// The same table without what differs between two equal ones: handles, counted packets, and
    /// NFTA_RULE_COMPAT, which the kernel takes and never gives back.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut table = self.clone();
        for rule in table.chains.iter_mut().flat_map(|c| &mut c.rules) {
            rule.handle = 0;
            rule.compat = None;
            for expr in &mut rule.exprs {
                if let Expr::Counter { packets, bytes } = expr {
                    (*packets, *bytes) = (0, 0);
                }
            }
        }
        table
    }
}

/// NFPROTO_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum Family {
    Inet,
    Ip,
    Arp,
    Netdev,
    Bridge,
    Ip6,
}

impl Family {
    /// As `nft` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Arp => "arp",
            Self::Netdev => "netdev",
            Self::Bridge => "bridge",
            Self::Ip6 => "ip6",
        }
    }
}

/// A chain; a base chain if `base` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where it hooks in.
    pub base: Option<BaseChain>,
    /// Rules in order.
    pub rules: Vec<Rule>,
}

/// What makes a chain a base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseChain {
    /// The hook.
    pub hook: Hook,
    /// Lower runs first; −200 is conntrack's.
    pub priority: i32,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// What happens to a packet that no rule decides.
    pub policy: Policy,
    /// Links it is bound to (netdev family only).
    pub devices: Vec<String>,
}

/// NF_INET_* and kin. In the netdev family, 0 is ingress and 1 egress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum Hook {
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
    Ingress,
    Egress,
}

impl Hook {
    /// As `nft` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// Policy of a base chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum Policy {
    #[default]
    Accept,
    Drop,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The kernel's handle, unique in its table; 0 in a rule not yet written.
    pub handle: u64,
    /// What it does, in order; a failed comparison ends it.
    pub exprs: Vec<Expr>,
    /// NFTA_RULE_COMPAT, which iptables-nft always sends. None in every rule that was read: the
    /// kernel does not give it back.
    pub compat: Option<Compat>,
    /// NFTA_RULE_USERDATA, raw (a comment, for `nft`).
    pub userdata: Vec<u8>,
}

/// NFTA_RULE_COMPAT: what xt extensions are told of the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compat {
    /// `-p`: IP protocol, 0 for any.
    pub protocol: u32,
    /// NFT_RULE_COMPAT_F_* (2: the protocol is inverted).
    pub flags: u32,
}

/// A register of the nftables machine, by its netlink number: 0 is the verdict, 1 to 4 are the
/// 16-byte ones, 8 to 23 the same space in 4-byte pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reg(pub u32);

/// One expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// `meta`: loads a fact about the packet that is not in its bytes.
    Meta {
        /// Which.
        key: MetaKey,
        /// To where.
        dreg: Reg,
    },
    /// `meta KEY set`: writes the mark and the like.
    MetaSet {
        /// Which.
        key: MetaKey,
        /// From where.
        sreg: Reg,
    },
    /// Loads bytes of the packet.
    Payload {
        /// Counted from where.
        base: PayloadBase,
        /// First byte.
        offset: u32,
        /// How many.
        len: u32,
        /// To where.
        dreg: Reg,
    },
    /// Ends the rule unless the comparison holds.
    Cmp {
        /// Left side.
        sreg: Reg,
        /// How.
        op: CmpOp,
        /// Right side, as long as what is compared.
        data: Vec<u8>,
    },
    /// Ends the rule unless `from <= sreg <= to` (or the other way round with Neq).
    Range {
        /// What.
        sreg: Reg,
        /// Eq or Neq.
        op: CmpOp,
        /// First.
        from: Vec<u8>,
        /// Last.
        to: Vec<u8>,
    },
    /// `dreg = (sreg & mask) ^ xor`.
    Bitwise {
        /// From.
        sreg: Reg,
        /// To.
        dreg: Reg,
        /// Bytes.
        len: u32,
        /// And this.
        mask: Vec<u8>,
        /// Xor that.
        xor: Vec<u8>,
    },
    /// Puts a value or a verdict into a register.
    Immediate {
        /// To where; `Reg(0)` for a verdict.
        dreg: Reg,
        /// What.
        data: Data,
    },
    /// Looks a register up in a set; with `dreg`, in a map.
    Lookup {
        /// Name of the set.
        set: String,
        /// What is looked up.
        sreg: Reg,
        /// Where a map's value goes.
        dreg: Option<Reg>,
        /// Matches where it is not found.
        invert: bool,
    },
    /// Loads a fact about the connection.
    Ct {
        /// Which.
        key: CtKey,
        /// Of which direction (0 original, 1 reply), for keys that have one.
        dir: Option<u8>,
        /// To where.
        dreg: Reg,
    },
    /// Counts, and matches always.
    Counter {
        /// Packets so far.
        packets: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// Native SNAT or DNAT.
    Nat {
        /// Which.
        kind: NatKind,
        /// Of addresses of this family.
        family: Family,
        /// Registers of the first and last address.
        addr: Option<(Reg, Option<Reg>)>,
        /// Registers of the first and last port.
        port: Option<(Reg, Option<Reg>)>,
        /// NF_NAT_RANGE_*.
        flags: u32,
    },
    /// Native masquerade.
    Masq {
        /// NF_NAT_RANGE_*.
        flags: u32,
        /// Registers of the first and last port.
        port: Option<(Reg, Option<Reg>)>,
    },
    /// Native redirect to this host.
    Redir {
        /// NF_NAT_RANGE_*.
        flags: u32,
        /// Registers of the first and last port.
        port: Option<(Reg, Option<Reg>)>,
    },
    /// Refuses with an ICMP error or a TCP reset.
    Reject {
        /// NFT_REJECT_*: 0 ICMP unreachable, 1 TCP reset, 2 ICMPX.
        kind: u32,
        /// ICMP (or ICMPX) code.
        code: u8,
    },
    /// An xtables match.
    Match(Xt),
    /// An xtables target.
    Target(Xt),
    /// A condition that whoever showed the rule left out (`iptables -L` without `-v` hides links).
    /// The kernel has no such expression, so it cannot be written.
    Hidden {
        /// Which, in words.
        what: String,
        /// Whether it may be taken to hold, by whoever says so.
        holds: bool,
    },
    /// Anything else: kept as it came, and never guessed at.
    Opaque {
        /// The kernel's name of the expression.
        name: String,
        /// NFTA_EXPR_DATA as it came.
        data: Vec<u8>,
    },
}

/// What an immediate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Bytes.
    Value(Vec<u8>),
    /// A verdict.
    Verdict(Verdict),
}

/// NF_* and NFT_* verdict codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ends all chains of this hook.
    Drop,
    /// Ends this base chain; the next one of the hook still runs.
    Accept,
    /// To userspace (low half 3), with the queue's number in the high half.
    Queue(u32),
    /// Go on with the next rule.
    Continue,
    /// Ends the base chain's rules.
    Break,
    /// Into a chain, and back after it.
    Jump(String),
    /// Into a chain, without coming back.
    Goto(String),
    /// Back to the calling chain; in a base chain, the policy.
    Return,
}

/// NFT_META_*: those that have a type; the rest is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum MetaKey {
    Len,
    Protocol,
    Mark,
    Iif,
    Oif,
    IifName,
    OifName,
    IifType,
    OifType,
    Nfproto,
    L4proto,
    BridgeIifName,
    BridgeOifName,
    PktType,
    Other(u32),
}

/// NFT_CT_*: those that have a type; the rest is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum CtKey {
    State,
    Direction,
    Status,
    Mark,
    L3protocol,
    Protocol,
    Src,
    Dst,
    ProtoSrc,
    ProtoDst,
    Zone,
    Other(u32),
}

/// From where a payload is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum PayloadBase {
    LinkLayer,
    Network,
    Transport,
    Other(u32),
}

/// NFT_CMP_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kernel's")]
pub enum CmpOp {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// NFT_NAT_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum NatKind {
    Snat,
    Dnat,
}

/// A set or map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: String,
    /// NFT_SET_* (8: map, 2: constant, 4: interval, 1: anonymous).
    pub flags: u32,
    /// Type of the key, nft's number.
    pub key_type: u32,
    /// Length of the key in bytes.
    pub key_len: u32,
    /// Type of a map's value; `0xffff_ff00` is verdict.
    pub data_type: Option<u32>,
    /// Length of a map's value in bytes.
    pub data_len: Option<u32>,
    /// Lengths of the parts of a concatenated key, in bytes; empty where the kernel does not need
    /// them (it does for ranges).
    pub fields: Vec<u32>,
    /// NFTA_SET_USERDATA, raw (for `nft`: byte order of the key, a comment).
    pub userdata: Vec<u8>,
    /// Elements in the kernel's order.
    pub elements: Vec<SetElement>,
}

/// An element of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetElement {
    /// Key; None: the catch-all.
    pub key: Option<Vec<u8>>,
    /// Last key of an element of a concatenated interval set.
    pub key_end: Option<Vec<u8>>,
    /// NFT_SET_ELEM_* (1: ends an interval).
    pub flags: u32,
    /// A map's value.
    pub data: Option<Data>,
    /// NFTA_SET_ELEM_USERDATA, raw (a comment, for `nft`).
    pub userdata: Vec<u8>,
}
