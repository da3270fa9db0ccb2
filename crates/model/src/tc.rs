use std::net::IpAddr;

use crate::Mac;

/// What tc does with packets at a link: its filters, in the order in which they are tried. `L` is how
/// other links are named: by ifindex, or in what is wanted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tc<L = u32> {
    /// Of frames that come in by the link.
    pub ingress: Vec<TcFilter<L>>,
    /// Of frames that are handed to it.
    pub egress: Vec<TcFilter<L>>,
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcFilter<L = u32> {
    /// The chain that it is in; packets begin in chain 0.
    pub chain: u32,
    /// Within its chain: the lowest is tried first (`pref`).
    pub priority: u32,
    /// EtherType of the frames that it looks at; None: any.
    pub protocol: Option<u16>,
    /// The kernel's handle.
    pub handle: u32,
    /// Which packets it is for.
    pub selector: TcSelector,
    /// What is done with them, one after the other.
    pub actions: Vec<TcAction<L>>,
}

/// Which packets a filter is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcSelector {
    /// `matchall`.
    All,
    /// `u32`, without hash tables of one's own.
    U32(TcU32),
    /// `flower`.
    Flower(Vec<TcFlowerKey>),
    /// Known by name alone; what it does with a packet is not known either.
    Opaque {
        /// `bpf`, `basic`, `u32`, …
        kind: String,
        /// What of it: a program's name, `hash tables`.
        what: String,
    },
}

/// A selector of `u32`: all of it must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcU32 {
    /// Words of the packet.
    pub keys: Vec<TcU32Key>,
    /// The packet's mark: value and mask.
    pub mark: Option<(u32, u32)>,
    /// The link that it came in by (`indev`).
    pub indev: Option<String>,
    /// It is never tried: only a card's own tables have it (`skip_sw`), or it neither names a class nor
    /// has an action.
    pub idle: bool,
}

/// Four bytes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcU32Key {
    /// Where, in bytes from the network header.
    pub offset: i32,
    /// What they are to be.
    pub value: [u8; 4],
    /// Which bits of them.
    pub mask: [u8; 4],
}

/// A key of `flower`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcFlowerKey {
    /// EtherType behind all tags.
    EtherType(u16),
    /// `ip_proto`.
    Protocol(u8),
    /// `src_ip` and `dst_ip`: address and mask.
    Address {
        /// The source, else the destination.
        source: bool,
        /// Which.
        ip: IpAddr,
        /// Which bits of it.
        mask: IpAddr,
    },
    /// `src_port` and `dst_port`: port and mask.
    Port {
        /// The source, else the destination.
        source: bool,
        /// Which.
        port: u16,
        /// Which bits of it.
        mask: u16,
    },
    /// `src_mac` and `dst_mac`: address and mask.
    Mac {
        /// The source, else the destination.
        source: bool,
        /// Which.
        mac: Mac,
        /// Which bits of it.
        mask: Mac,
    },
    /// `ip_tos` and its mask.
    Tos(u8, u8),
    /// `ip_ttl` and its mask.
    Ttl(u8, u8),
    /// A key that is not modelled, by its number (`TCA_FLOWER_KEY_*`).
    Other(u16),
}

/// An action of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcAction<L = u32> {
    /// What it does.
    pub doing: TcDoing<L>,
    /// What comes then.
    pub then: TcControl,
}

/// What an action does with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcDoing<L = u32> {
    /// Nothing but what comes then (`gact`).
    Nothing,
    /// It hands the packet, or a copy of it, to a link (`mirred`).
    Hand {
        /// To which.
        to: L,
        /// As if it came in there; else it is sent there.
        ingress: bool,
        /// A copy (`mirror`); else the packet itself (`redirect`).
        copy: bool,
    },
    /// `skbedit mark`: its mark becomes this in these bits.
    Mark(u32, u32),
    /// An action that is not modelled, by name.
    Opaque(String),
}

/// What comes behind an action (`TC_ACT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcControl {
    /// The packet goes on; no other filter is tried.
    Ok,
    /// Filters are tried again from the first on.
    Reclassify,
    /// The packet is thrown away.
    Drop,
    /// The next action; behind the last one, as `Ok`.
    Pipe,
    /// Somebody else has the packet now: here it ends.
    Stolen,
    /// The next filter.
    Continue,
    /// The filters of another chain.
    Chain(u32),
    /// That many actions are left out.
    Jump(u32),
    /// Any other.
    Other(i32),
}

impl<L> Tc<L> {
    /// Filters that are there, or may be, and are not known.
    #[must_use]
    pub fn not_shown() -> Self {
        let filter = || TcFilter {
            chain: 0,
            priority: 0,
            protocol: None,
            handle: 0,
            selector: TcSelector::Opaque { kind: String::new(), what: "not shown".to_owned() },
            actions: Vec::new(),
        };
        Self { ingress: vec![filter()], egress: vec![filter()] }
    }

    /// The same with other links named otherwise; None: one of them has no such name.
    #[must_use]
    pub fn renamed<M>(&self, name: impl Fn(&L) -> Option<M> + Copy) -> Option<Tc<M>> {
        let all = |filters: &[TcFilter<L>]| -> Option<Vec<TcFilter<M>>> {
            filters.iter().map(|f| f.renamed(name)).collect()
        };
        Some(Tc { ingress: all(&self.ingress)?, egress: all(&self.egress)? })
    }
}

impl<L> TcFilter<L> {
    fn renamed<M>(&self, name: impl Fn(&L) -> Option<M> + Copy) -> Option<TcFilter<M>> {
        let action = |action: &TcAction<L>| {
            let doing = match &action.doing {
                TcDoing::Nothing => TcDoing::Nothing,
                TcDoing::Hand { to, ingress, copy } => {
                    TcDoing::Hand { to: name(to)?, ingress: *ingress, copy: *copy }
                }
                TcDoing::Mark(mark, mask) => TcDoing::Mark(*mark, *mask),
                TcDoing::Opaque(what) => TcDoing::Opaque(what.clone()),
            };
            Some(TcAction { doing, then: action.then })
        };
        Some(TcFilter {
            chain: self.chain,
            priority: self.priority,
            protocol: self.protocol,
            handle: self.handle,
            selector: self.selector.clone(),
            actions: self.actions.iter().map(action).collect::<Option<_>>()?,
        })
    }
}

impl TcControl {
    /// As the kernel numbers it.
    #[must_use]
    pub const fn of(number: i32) -> Self {
        // The operand of the two that have one is below the operation.
        let operand = number.cast_unsigned() & 0x0fff_ffff;
        match number {
            -1 => Self::Continue,
            0 => Self::Ok,
            1 => Self::Reclassify,
            2 => Self::Drop,
            3 => Self::Pipe,
            4 | 5 | 8 => Self::Stolen,
            _ => match number >> 28 {
                1 => Self::Jump(operand),
                2 => Self::Chain(operand),
                _ => Self::Other(number),
            },
        }
    }

    /// The kernel's number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Continue => -1,
            Self::Ok => 0,
            Self::Reclassify => 1,
            Self::Drop => 2,
            Self::Pipe => 3,
            Self::Stolen => 4,
            Self::Jump(n) => 1 << 28 | n.cast_signed(),
            Self::Chain(n) => 2 << 28 | n.cast_signed(),
            Self::Other(n) => n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_what_their_numbers_say() {
        for number in [-1, 0, 1, 2, 3, 4, 6, 7, 0x1000_0002, 0x2000_0063] {
            assert_eq!(TcControl::of(number).number(), number);
        }
        assert_eq!(TcControl::of(8), TcControl::Stolen);
        assert_eq!(TcControl::of(0x2000_0007), TcControl::Chain(7));
    }
}
