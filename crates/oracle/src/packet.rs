//! The packet of a case, in one line of text.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use kernel::probe::SYN;

/// A packet to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Namespace that sends it.
    pub from: String,
    /// Destination.
    pub to: IpAddr,
    /// Source that its socket is bound to; None: the kernel chooses.
    pub src: Option<IpAddr>,
    /// What it carries.
    pub carries: Carries,
    /// Bytes of the IP packet (TCP: always 44, of IPv6 64).
    pub len: u32,
    /// Don't fragment.
    pub df: bool,
    /// Time to live.
    pub ttl: u8,
    /// Type of service.
    pub tos: u8,
    /// SO_MARK.
    pub mark: u32,
    /// Flags of a TCP segment.
    pub flags: u8,
    /// Link that its socket is bound to.
    pub dev: Option<String>,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// An echo request of that id.
    Icmp(u16),
    /// A datagram from and to these ports.
    Udp(u16, u16),
    /// A segment from and to these ports.
    Tcp(u16, u16),
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)?;
        match self.carries {
            Carries::Icmp(id) => write!(f, " icmp {id}"),
            Carries::Udp(sport, dport) => write!(f, " udp {sport}>{dport}"),
            Carries::Tcp(sport, dport) => write!(f, " tcp {sport}>{dport}"),
        }?;
        write!(f, " len {} ttl {}", self.len, self.ttl)?;
        if self.df {
            write!(f, " df")?;
        }
        if self.tos != 0 {
            write!(f, " tos {}", self.tos)?;
        }
        if self.mark != 0 {
            write!(f, " mark {}", self.mark)?;
        }
        if self.flags != SYN {
            write!(f, " flags {}", self.flags)?;
        }
        if let Some(src) = self.src {
            write!(f, " src {src}")?;
        }
        match &self.dev {
            Some(dev) => write!(f, " dev {dev}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let mut next = || words.next().ok_or_else(|| format!("{text:?} is cut short"));
        let from = next()?.to_owned();
        next()?;
        let to = number(next()?)?;
        let carries = match (next()?, next()?) {
            ("icmp", id) => Carries::Icmp(number(id)?),
            (kind, ports) => {
                let (sport, dport) = ports.split_once('>').ok_or("ports are wanted as 1>2")?;
                let (sport, dport) = (number(sport)?, number(dport)?);
                if kind == "udp" { Carries::Udp(sport, dport) } else { Carries::Tcp(sport, dport) }
            }
        };
        let mut spec = Self {
            from,
            to,
            src: None,
            carries,
            len: 84,
            df: false,
            ttl: 64,
            tos: 0,
            mark: 0,
            flags: SYN,
            dev: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} of what?"));
            match word {
                "df" => spec.df = true,
                "len" => spec.len = number(value()?)?,
                "ttl" => spec.ttl = number(value()?)?,
                "tos" => spec.tos = number(value()?)?,
                "mark" => spec.mark = number(value()?)?,
                "flags" => spec.flags = number(value()?)?,
                "dev" => spec.dev = Some(value()?.to_owned()),
                "src" => spec.src = Some(number(value()?)?),
                other => return Err(format!("{other:?} is nothing of a packet")),
            }
        }
        Ok(spec)
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word:?} is not what is wanted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "a -> 10.0.0.1 icmp 7 len 84 ttl 64",
            "b -> 10.0.0.1 udp 1>2 len 1500 ttl 3 df tos 16 mark 5 src 10.0.0.9",
            "a -> 10.0.0.1 tcp 1>2 len 44 ttl 64 df flags 16",
            "a -> 2001:db8::1 icmp 7 len 104 ttl 64",
            "a -> fe80::1 icmp 7 len 104 ttl 64 dev e1",
            "a -> 2001:db8::1 tcp 1>80 len 64 ttl 255 src 2001:db8::2",
        ] {
            let spec: Spec = text.parse().expect("a packet");
            assert_eq!(spec.to_string(), text);
        }
    }
}
