use std::fmt;

/// What the queueing discipline behind a link (`tc qdisc`) does to packets, beside that it lets them
/// wait. Of one that does nothing else (`fq_codel`, `htb`, …) there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queue {
    /// It throws all away (`blackhole`, `pfifo limit 0`, `netem loss 100%`).
    Swallows {
        /// Its kind.
        kind: String,
    },
    /// It throws away what is larger, in bytes with the Ethernet header (`tbf`, `bfifo`).
    UpTo {
        /// Its kind.
        kind: String,
        /// The largest that it takes.
        most: u32,
    },
    /// `netem`: it does something to some, by chance; each as a part of 2^32 - 1. All 0: it does so by
    /// a model of its own (`loss gemodel`).
    Chance {
        /// Throws away.
        loss: u32,
        /// Sends twice.
        duplicate: u32,
        /// Damages.
        corrupt: u32,
    },
    /// What it does hangs on settings that were not shown.
    NotShown {
        /// Its kind.
        kind: String,
    },
    /// Whether it takes a packet hangs on its classes and filters, which are not read (`drr`, …), or it
    /// is of a kind that is not known.
    Unknown {
        /// Its kind.
        kind: String,
    },
}

impl Queue {
    /// That of a kind, by its name alone; None: it does nothing else.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        let named = || kind.to_owned();
        match kind {
            "blackhole" => Some(Self::Swallows { kind: named() }),
            "netem" | "tbf" => Some(Self::NotShown { kind: named() }),
            // Their link is down, or has none.
            "" | "noop" | "noqueue" => None,
            kind if KEEPING.contains(&kind) => None,
            _ => Some(Self::Unknown { kind: named() }),
        }
    }
}

/// Kinds that keep whatever they have room for.
const KEEPING: [&str; 28] = [
    "bfifo",
    "cake",
    "cake_mq",
    "cbq",
    "cbs",
    "choke",
    "codel",
    "dsmark",
    "dualpi2",
    "ets",
    "fq",
    "fq_codel",
    "fq_pie",
    "gred",
    "hhf",
    "htb",
    "mq",
    "mqprio",
    "multiq",
    "pfifo",
    "pfifo_fast",
    "pfifo_head_drop",
    "pie",
    "prio",
    "red",
    "sfb",
    "sfq",
    "skbprio",
];

impl fmt::Display for Queue {
    /// In the words of `tc qdisc`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swallows { kind } => write!(f, "{kind}, which throws all away"),
            Self::UpTo { kind, most } => write!(f, "{kind}, frames of {most} bytes at most"),
            Self::Chance { loss: 0, duplicate: 0, corrupt: 0 } => {
                f.write_str("netem loss by a model")
            }
            Self::Chance { loss, duplicate, corrupt } => {
                f.write_str("netem")?;
                let all = [("loss", loss), ("duplicate", duplicate), ("corrupt", corrupt)];
                let mut all = all.into_iter().filter(|(_, part)| **part > 0);
                all.try_for_each(|(what, part)| write!(f, " {what} {}", Percent(*part)))
            }
            Self::NotShown { kind } => write!(f, "{kind}, whose settings are not shown"),
            Self::Unknown { kind } => write!(f, "{kind}, whose classes and filters are not read"),
        }
    }
}

/// A part of 2^32 - 1, with three digits behind the point at most, as `tc` writes it.
struct Percent(u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths =
            (u64::from(self.0) * 100_000 + u64::from(u32::MAX / 2)) / u64::from(u32::MAX);
        let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let chance = |percent: f64| {
            let loss = (percent / 100.0 * f64::from(u32::MAX)).round() as u32;
            Queue::Chance { loss, duplicate: 0, corrupt: 0 }.to_string()
        };
        assert_eq!(chance(10.0), "netem loss 10%");
        assert_eq!(chance(0.3), "netem loss 0.3%");
        assert_eq!(chance(33.333), "netem loss 33.333%");
        assert_eq!(Queue::of_kind("fq_codel"), None);
        let unknown = Queue::of_kind("drr").unwrap().to_string();
        assert_eq!(unknown, "drr, whose classes and filters are not read");
    }
}
