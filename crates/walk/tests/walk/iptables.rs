//! Rules in iptables' words, as iptables-nft 1.8.9 writes them into the kernel.

use ipnet::Ipv4Net;
use model::*;

/// `-t TABLE -A CHAIN …`, `-t TABLE -P CHAIN POLICY`; tables and chains come with their first use.
pub(crate) fn rule(ruleset: &mut Ruleset, words: &[&str]) {
    let mut words = words.to_vec();
    let mut table = "filter";
    if words[0] == "-t" {
        table = words[1];
        words.drain(..2);
    }
    let table = table_mut(ruleset, table);
    match words[..] {
        ["-P", chain, policy] => {
            let base = chain_mut(table, chain).base.as_mut().expect("a base chain");
            base.policy = if policy == "DROP" { Policy::Drop } else { Policy::Accept };
        }
        ["-N", chain] => _ = chain_mut(table, chain),
        ["-A", chain, ..] => {
            let exprs = expressions(&words[2..]);
            let chain = chain_mut(table, chain);
            let handle = chain.rules.len() as u64 + 1;
            chain.rules.push(NftRule { handle, exprs, ..NftRule::default() });
        }
        _ => panic!("cannot read {words:?}"),
    }
}

fn table_mut<'a>(ruleset: &'a mut Ruleset, name: &str) -> &'a mut Table {
    if ruleset.table(Family::Ip, name).is_none() {
        ruleset.tables.push(Table::new(Family::Ip, name));
    }
    ruleset.tables.iter_mut().find(|t| t.name == name).unwrap()
}

fn chain_mut<'a>(table: &'a mut Table, name: &str) -> &'a mut Chain {
    if table.chain(name).is_none() {
        let hook = match name {
            "PREROUTING" => Some(Hook::Prerouting),
            "INPUT" => Some(Hook::Input),
            "FORWARD" => Some(Hook::Forward),
            "OUTPUT" => Some(Hook::Output),
            "POSTROUTING" => Some(Hook::Postrouting),
            _ => None,
        };
        let priority = match (table.name.as_str(), hook) {
            ("raw", _) => -300,
            ("mangle", _) => -150,
            ("nat", Some(Hook::Prerouting | Hook::Output)) => -100,
            ("nat", _) => 100,
            _ => 0,
        };
        let kind = match (table.name.as_str(), hook) {
            ("nat", _) => "nat",
            ("mangle", Some(Hook::Output)) => "route",
            _ => "filter",
        };
        let base = hook.map(|hook| BaseChain {
            hook,
            priority,
            kind: kind.into(),
            policy: Policy::Accept,
            devices: Vec::new(),
        });
        table.chains.push(Chain { name: name.into(), base, rules: Vec::new() });
    }
    table.chains.iter_mut().find(|c| c.name == name).unwrap()
}

fn expressions(words: &[&str]) -> Vec<Expr> {
    let mut out = Vec::new();
    let mut words = words.iter().copied();
    let mut invert = false;
    let mut protocol = 0;
    while let Some(word) = words.next() {
        let not = std::mem::take(&mut invert);
        let op = if not { CmpOp::Neq } else { CmpOp::Eq };
        let mut next = || words.next().expect("a word more");
        match word {
            "!" => invert = true,
            "-i" | "-o" => {
                let key = if word == "-i" { MetaKey::IifName } else { MetaKey::OifName };
                let mut name = next().as_bytes().to_vec();
                if name.last() == Some(&b'+') {
                    name.pop();
                } else {
                    name.resize(16, 0);
                }
                out.push(Expr::Meta { key, dreg: Reg(1) });
                out.push(Expr::Cmp { sreg: Reg(1), op, data: name });
            }
            "-s" | "-d" => {
                let offset = if word == "-s" { 12 } else { 16 };
                let text = next();
                let net: Ipv4Net =
                    text.parse().unwrap_or_else(|_| format!("{text}/32").parse().unwrap());
                let base = PayloadBase::Network;
                out.push(Expr::Payload { base, offset, len: 4, dreg: Reg(1) });
                out.push(Expr::Bitwise {
                    sreg: Reg(1),
                    dreg: Reg(1),
                    len: 4,
                    mask: net.netmask().octets().to_vec(),
                    xor: vec![0; 4],
                });
                let data = net.network().octets().to_vec();
                out.push(Expr::Cmp { sreg: Reg(1), op, data });
            }
            "-p" => {
                protocol = match next() {
                    "tcp" => 6,
                    "udp" => 17,
                    _ => 1,
                };
                out.push(Expr::Meta { key: MetaKey::L4proto, dreg: Reg(1) });
                out.push(Expr::Cmp { sreg: Reg(1), op, data: vec![protocol] });
            }
            "--sport" | "--dport" => {
                let offset = if word == "--sport" { 0 } else { 2 };
                let data = next().parse::<u16>().unwrap().to_be_bytes().to_vec();
                let base = PayloadBase::Transport;
                out.push(Expr::Payload { base, offset, len: 2, dreg: Reg(1) });
                out.push(Expr::Cmp { sreg: Reg(1), op, data });
            }
            "-m" => {
                if let Some(m) = match_(next(), &mut words) {
                    out.push(Expr::Match(m));
                }
            }
            "-j" => {
                out.push(Expr::Counter { packets: 0, bytes: 0 });
                out.push(target(next(), &mut words));
            }
            other => panic!("cannot read {other:?}"),
        }
    }
    let _ = protocol;
    out
}

fn xt(name: &str, revision: u32, info: XtInfo) -> Xt {
    Xt { name: name.into(), revision, info }
}

fn match_<'a>(name: &str, words: &mut impl Iterator<Item = &'a str>) -> Option<Xt> {
    let mut next = || words.next().expect("a word more");
    let info = match name {
        "addrtype" => {
            assert_eq!(next(), "--dst-type");
            assert_eq!(next(), "LOCAL");
            let dst = AddrTypes::only(AddrType::Local);
            XtInfo::Addrtype(XtAddrtype { dst, ..XtAddrtype::default() })
        }
        "conntrack" => {
            assert_eq!(next(), "--ctstate");
            let mut info = XtConntrack { match_flags: 1, ..XtConntrack::default() };
            for state in next().split(',') {
                info.state_mask |= match state {
                    "INVALID" => 1,
                    "ESTABLISHED" => 2,
                    "RELATED" => 4,
                    "NEW" => 8,
                    "DNAT" => 128,
                    _ => panic!("{state}"),
                };
            }
            XtInfo::Conntrack(Box::new(info))
        }
        "physdev" => {
            assert_eq!(next(), "--physdev-in");
            XtInfo::Physdev {
                physin: Some(next().into()),
                physout: None,
                wildcard: (false, false),
                invert: 0,
                bitmask: 1,
            }
        }
        "mark" => {
            assert_eq!(next(), "--mark");
            XtInfo::Mark { mark: next().parse().unwrap(), mask: u32::MAX, invert: false }
        }
        "multiport" => {
            let mut which = next();
            let invert = which == "!";
            if invert {
                which = next();
            }
            let number = |text: &str| text.parse().unwrap();
            let ports = next().split(',').map(|p| match p.split_once(':') {
                Some((first, last)) => (number(first), Some(number(last))),
                None => (number(p), None),
            });
            let which = ["--sports", "--dports", "--ports"].iter().position(|w| *w == which);
            let which = u8::try_from(which.unwrap()).unwrap();
            XtInfo::Multiport { which, ports: ports.collect(), invert }
        }
        "icmp" => {
            assert_eq!(next(), "--icmp-type");
            XtInfo::Icmp { kind: next().parse().unwrap(), codes: (0, 255), invert: false }
        }
        "tcp" | "udp" => return None,
        _ => XtInfo::Opaque(vec![1, 2, 3]),
    };
    Some(xt(name, 1, info))
}

fn target<'a>(name: &str, words: &mut impl Iterator<Item = &'a str>) -> Expr {
    let verdict = |v| Expr::Immediate { dreg: Reg(0), data: Data::Verdict(v) };
    let to = |text: &str| {
        let (ip, port) = match text.split_once(':') {
            Some((ip, port)) => (ip, Some(port.parse::<u16>().unwrap())),
            None => (text, None),
        };
        let addr = ip.parse().ok().map(|ip| (ip, ip));
        let flags = u32::from(addr.is_some()) | if port.is_some() { 2 } else { 0 };
        XtNatRange { flags, ipv6: false, addr, port: port.map(|p| (p, p)), base_port: 0 }
    };
    match name {
        "ACCEPT" => verdict(Verdict::Accept),
        "DROP" => verdict(Verdict::Drop),
        "RETURN" => verdict(Verdict::Return),
        "NFQUEUE" => verdict(Verdict::Queue(0)),
        "MASQUERADE" => Expr::Target(xt(name, 0, XtInfo::Nat(XtNatRange::default()))),
        "DNAT" | "SNAT" => {
            Expr::Target(xt(name, 2, XtInfo::Nat(to(words.nth(1).expect("a value")))))
        }
        "REDIRECT" => {
            let port = words.nth(1).expect("a value").parse().unwrap();
            let range = XtNatRange { flags: 2, port: Some((port, port)), ..Default::default() };
            Expr::Target(xt(name, 0, XtInfo::Nat(range)))
        }
        "MARK" => {
            let mark = words.nth(1).expect("a value").parse().unwrap();
            Expr::Target(xt(name, 2, XtInfo::SetMark { mark, mask: u32::MAX }))
        }
        "TCPMSS" => {
            let mss = match words.next() {
                Some("--clamp-mss-to-pmtu") => u16::MAX,
                _ => words.next().expect("a value").parse().unwrap(),
            };
            Expr::Target(xt(name, 0, XtInfo::TcpMss(mss)))
        }
        "REJECT" => Expr::Target(xt(name, 0, XtInfo::Reject(3))),
        "NOTRACK" | "TPROXY" => Expr::Target(xt(name, 0, XtInfo::Opaque(Vec::new()))),
        chain => verdict(Verdict::Jump(chain.into())),
    }
}
