//! What a rule is made of.

use super::{CmpOp, CtKey, Family, MetaKey, NatKind, PayloadBase, RtKey, SocketKey};
use crate::xt::{Xt, XtInfo};

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
    /// `dreg = sreg << by`, or `>>` with `right`; a register is one number in network byte order
    /// of 4-byte pieces in the host's order, as the kernel shifts.
    Shift {
        /// From.
        sreg: Reg,
        /// To.
        dreg: Reg,
        /// Bytes.
        len: u32,
        /// To the right.
        right: bool,
        /// How many bits.
        by: u32,
    },
    /// Turns pieces of a register round between the host's byte order and the network's.
    Byteorder {
        /// From.
        sreg: Reg,
        /// To.
        dreg: Reg,
        /// From the network's order to the host's (NFT_BYTEORDER_NTOH), else to the network's.
        to_host: bool,
        /// Bytes.
        len: u32,
        /// Bytes of each piece.
        size: u32,
    },
    /// Writes bytes of the packet.
    PayloadSet {
        /// Counted from where.
        base: PayloadBase,
        /// First byte.
        offset: u32,
        /// How many.
        len: u32,
        /// From where.
        sreg: Reg,
        /// Which checksum is mended.
        csum: Csum,
    },
    /// Writes a fact about the connection.
    CtSet {
        /// Which.
        key: CtKey,
        /// Of which direction, for keys that have one.
        dir: Option<u8>,
        /// From where.
        sreg: Reg,
    },
    /// Asks the routing tables about an address of the packet.
    Fib {
        /// What about it.
        result: FibResult,
        /// NFTA_FIB_F_*: 1 source address, 2 destination address, 4 with the mark, 8 on the link
        /// in, 16 on the link out, 32 whether there is any.
        flags: u32,
        /// To where.
        dreg: Reg,
    },
    /// Matches as long as a bucket of tokens is not empty.
    Limit {
        /// How many per unit.
        rate: u64,
        /// Seconds.
        unit: u64,
        /// How many more at once.
        burst: u32,
        /// Bytes are counted, not packets.
        bytes: bool,
        /// Matches what is over the limit instead.
        over: bool,
    },
    /// Matches until so many bytes have passed.
    Quota {
        /// How many.
        bytes: u64,
        /// Passed so far.
        consumed: u64,
        /// Matches what is over it instead.
        over: bool,
    },
    /// Matches while there are at most so many connections.
    Connlimit {
        /// How many.
        count: u32,
        /// Matches what is over it instead.
        over: bool,
    },
    /// A number in turn, or by chance.
    Numgen {
        /// To where.
        dreg: Reg,
        /// Numbers below this one.
        modulus: u32,
        /// By chance (NFT_NG_RANDOM), else in turn.
        random: bool,
        /// Added to it.
        offset: u32,
    },
    /// A number made of a register, or of the packet's addresses and ports.
    Hash {
        /// Of what.
        of: HashOf,
        /// To where.
        dreg: Reg,
        /// Numbers below this one.
        modulus: u32,
        /// Added to it.
        offset: u32,
    },
    /// A field of an IPv6 extension header, an IPv4, TCP or SCTP option.
    Exthdr {
        /// Which field.
        field: Exthdr,
        /// To where.
        dreg: Reg,
    },
    /// Writes a field of a TCP option, or removes it; the packet goes on.
    ExthdrSet {
        /// Which field.
        field: Exthdr,
        /// From where; None: the option is removed.
        sreg: Option<Reg>,
    },
    /// A fact about the packet's route.
    Rt {
        /// Which.
        key: RtKey,
        /// To where.
        dreg: Reg,
    },
    /// A fact about the socket that the packet is for.
    Socket {
        /// Which.
        key: SocketKey,
        /// Level of the cgroup that is asked for.
        level: Option<u32>,
        /// To where.
        dreg: Reg,
    },
    /// Writes to the log, and matches always.
    Log {
        /// What each line begins with.
        prefix: Option<String>,
        /// NFLOG group; None: the kernel's log.
        group: Option<u16>,
        /// Bytes of the packet that are copied.
        snaplen: Option<u32>,
        /// Packets that are sent at once.
        threshold: Option<u16>,
        /// Syslog level.
        level: Option<u32>,
        /// NF_LOG_*.
        flags: Option<u32>,
    },
    /// The packet is not tracked.
    Notrack,
    /// When it matched last; matches always.
    Last {
        /// Milliseconds ago; None: never.
        ago: Option<u64>,
    },
    /// Sends a copy elsewhere; the packet itself goes on.
    Dup {
        /// Register of the address of whom it goes to.
        addr: Option<Reg>,
        /// Register of the link that it leaves by.
        dev: Option<Reg>,
    },
    /// Sends the packet out by another link.
    Fwd {
        /// Register of the link.
        dev: Reg,
        /// Register of the next hop's address, and its family (NFPROTO_*).
        addr: Option<(Reg, u32)>,
    },
    /// Uses an object of the table, by its name.
    Object {
        /// What it is.
        kind: ObjectKind,
        /// Which.
        name: String,
    },
    /// Uses an object that a map names.
    ObjectMap {
        /// Register of the key.
        sreg: Reg,
        /// Name of the map.
        set: String,
    },
    /// Adds to a set, or removes from it.
    Dynset {
        /// Name of the set.
        set: String,
        /// What is done.
        op: SetOp,
        /// Register of the key.
        key: Reg,
        /// Register of a map's value.
        data: Option<Reg>,
        /// How long it stays, in milliseconds.
        timeout: Option<u64>,
        /// NFT_DYNSET_F_* (1: inverted, 2: `exprs` is a list).
        flags: u32,
        /// What is done for the element each time.
        exprs: Vec<Self>,
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

impl Expr {
    /// The source becomes an address of the link out (nft's `masquerade`, xtables' MASQUERADE).
    #[must_use]
    pub fn masquerades(&self) -> bool {
        match self {
            Self::Masq { .. } => true,
            Self::Target(xt) => xt.name == "MASQUERADE",
            _ => false,
        }
    }

    /// The source becomes what the rule says (nft's `snat`, xtables' SNAT).
    #[must_use]
    pub fn is_snat(&self) -> bool {
        match self {
            Self::Nat { kind, .. } => *kind == NatKind::Snat,
            Self::Target(xt) => xt.name == "SNAT",
            _ => false,
        }
    }

    /// Its name, if it is of no type that is known here.
    #[must_use]
    pub fn unknown(&self) -> Option<String> {
        match self {
            Self::Opaque { name, .. } => Some(name.clone()),
            Self::Match(Xt { name, revision, info: XtInfo::Opaque(_) })
            | Self::Target(Xt { name, revision, info: XtInfo::Opaque(_) }) => {
                Some(format!("{name} revision {revision}"))
            }
            Self::Dynset { exprs, .. } => exprs.iter().find_map(Self::unknown),
            _ => None,
        }
    }
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

/// Which checksum a written payload mends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Csum {
    /// NFT_PAYLOAD_CSUM_*: 0 none, 1 the internet's, 2 SCTP's.
    pub kind: u32,
    /// Where it is.
    pub offset: u32,
    /// NFT_PAYLOAD_L4CSUM_* (1: the transport header's, by its pseudo header).
    pub flags: u32,
}

/// What is asked of the routing tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FibResult {
    /// Index of the link.
    Oif,
    /// Name of the link.
    OifName,
    /// Type of the address (RTN_*).
    AddrType,
}

/// Of what a hash is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashOf {
    /// Of a register, with this seed (None: one of the kernel's choosing).
    Register {
        /// Which.
        sreg: Reg,
        /// Bytes.
        len: u32,
        /// Seed.
        seed: Option<u32>,
    },
    /// Of addresses and ports, the same in both directions.
    Flow,
}

/// A field of an extension header or option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exthdr {
    /// Number of the header or option.
    pub kind: u8,
    /// First byte.
    pub offset: u32,
    /// How many.
    pub len: u32,
    /// NFT_EXTHDR_OP_*: 0 IPv6, 1 TCP option, 2 IPv4 option, 3 SCTP, 4 DCCP.
    pub op: u32,
    /// Only whether it is there (NFT_EXTHDR_F_PRESENT).
    pub present: bool,
}

/// NFT_OBJECT_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum ObjectKind {
    Counter,
    Quota,
    CtHelper,
    Limit,
    Connlimit,
    Tunnel,
    CtTimeout,
    Secmark,
    CtExpectation,
    Synproxy,
    Other(u32),
}

/// NFT_DYNSET_OP_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum SetOp {
    Add,
    Update,
    Delete,
}
