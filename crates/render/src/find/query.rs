use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use model::Mac;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// An address.
    Address(IpAddr),
    /// All addresses of a prefix.
    Prefix(IpNet),
    /// An Ethernet address.
    Mac(Mac),
    /// A port.
    Port {
        /// IPPROTO_TCP (6), IPPROTO_UDP (17) or IPPROTO_SCTP (132); None: any.
        protocol: Option<u8>,
        /// At that address only.
        ip: Option<IpAddr>,
        /// The port.
        port: u16,
    },
    /// A link's number, in any namespace.
    Index(u32),
    /// Whatever is called so; `*` and `?` stand for any text and any character.
    Name(String),
}

/// What a query needs to have read, beside links and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Read {
    Routes,
    Neighbours,
    Netfilter,
    Listeners,
    Tunnels,
}

impl Query {
    /// What a word on the command line looks for: `172.17.0.2`, `172.17.0.0/16`, `fe80::1`, a MAC,
    /// `:8080`, `8080/tcp`, `udp:53`, `172.17.0.2:80`, `@if66`; anything else is a name.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        // As `ip` prints them: `2: eth0@if66:`, `fe80::1%eth0`.
        let plain = word.trim().split('%').next().unwrap_or_default();
        if let Ok(ip) = plain.parse() {
            return Self::Address(ip);
        }
        if let Ok(net) = plain.parse::<IpNet>() {
            return Self::Prefix(net.trunc());
        }
        if let Ok(mac) = plain.parse() {
            return Self::Mac(mac);
        }
        if let Some(index) = plain.strip_prefix("@if").and_then(|n| n.parse().ok()) {
            return Self::Index(index);
        }
        port(plain).unwrap_or_else(|| Self::Name(link_word(word).to_owned()))
    }

    /// What has to be read for it.
    #[must_use]
    pub const fn reads(&self) -> &'static [Read] {
        match self {
            Self::Address(_) | Self::Prefix(_) => {
                &[Read::Routes, Read::Neighbours, Read::Netfilter, Read::Tunnels]
            }
            Self::Mac(_) => &[Read::Neighbours],
            Self::Port { .. } => &[Read::Netfilter, Read::Listeners],
            Self::Index(_) | Self::Name(_) => &[],
        }
    }

    /// As JSON has it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Prefix(_) => "prefix",
            Self::Mac(_) => "mac",
            Self::Port { .. } => "port",
            Self::Index(_) => "index",
            Self::Name(_) => "name",
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(ip) => write!(f, "{ip}"),
            Self::Prefix(net) => write!(f, "{net}"),
            Self::Mac(mac) => write!(f, "{mac}"),
            Self::Port { protocol, ip, port } => {
                let ip = match ip {
                    Some(IpAddr::V6(ip)) => format!("[{ip}]"),
                    Some(ip) => ip.to_string(),
                    None => String::new(),
                };
                match protocol {
                    Some(p) => write!(f, "{ip}:{port}/{}", super::port::protocol(*p)),
                    None => write!(f, "{ip}:{port}"),
                }
            }
            Self::Index(n) => write!(f, "@if{n}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// `:8080`, `8080/tcp`, `tcp:8080`, `ADDRESS:8080`, each with or without a protocol behind.
fn port(word: &str) -> Option<Query> {
    let (rest, protocol) = match word.rsplit_once('/') {
        Some((rest, name)) => (rest, Some(named(name)?)),
        None => (word, None),
    };
    let Some((before, digits)) = rest.rsplit_once(':') else {
        // A bare number may be anything: a VMID, a process.
        return Some(Query::Port { protocol: Some(protocol?), ip: None, port: number(rest)? });
    };
    let port = number(digits)?;
    if before.is_empty() {
        return Some(Query::Port { protocol, ip: None, port });
    }
    if let Some(first) = named(before) {
        return Some(Query::Port { protocol: Some(first), ip: None, port });
    }
    let ip = before.strip_prefix('[').and_then(|b| b.strip_suffix(']')).unwrap_or(before);
    Some(Query::Port { protocol, ip: Some(ip.parse().ok()?), port })
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|n| *n != 0)
}

fn named(name: &str) -> Option<u8> {
    match name.to_ascii_lowercase().as_str() {
        "tcp" => Some(6),
        "udp" => Some(17),
        "sctp" => Some(132),
        _ => None,
    }
}

/// `eth0@if66:`, as `ip` prints it, is `eth0`.
fn link_word(word: &str) -> &str {
    let plain = word.strip_suffix(':').unwrap_or(word);
    let name = plain
        .split_once("@if")
        .filter(|(n, d)| !n.is_empty() && !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    name.map_or(word, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, kind: &str, text: &str) {
        let query = Query::parse(word);
        assert_eq!((query.kind(), query.to_string().as_str()), (kind, text));
    }

    #[test]
    fn words() {
        check("172.17.0.2", "address", "172.17.0.2");
        check("fe80::1%eth0", "address", "fe80::1");
        check("172.17.0.9/16", "prefix", "172.17.0.0/16");
        check("BC:24:11:bf:ee:9b", "mac", "bc:24:11:bf:ee:9b");
        check(":8080", "port", ":8080");
        check("8080/tcp", "port", ":8080/tcp");
        check("udp:53", "port", ":53/udp");
        check("10.0.0.1:80", "port", "10.0.0.1:80");
        check("[fd00::1]:80/tcp", "port", "[fd00::1]:80/tcp");
        check("@if66", "index", "@if66");
        check("eth0@if66:", "name", "eth0");
        check("8080", "name", "8080");
        check(":0", "name", ":0");
        check(":99999", "name", ":99999");
        check("web", "name", "web");
        check("library/web", "name", "library/web");
        check("web:1", "name", "web:1");
        check("", "name", "");
    }
}
