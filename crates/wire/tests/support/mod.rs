//! Reads the fixture of captured rules.
#![allow(dead_code, reason = "each test uses a part of it")]

/// One rule as iptables wrote and printed it.
pub(crate) struct Captured {
    pub(crate) table: &'static str,
    pub(crate) chain: &'static str,
    pub(crate) args: &'static str,
    pub(crate) print: &'static str,
    pub(crate) sent: Vec<u8>,
    pub(crate) compat: Vec<u8>,
    pub(crate) read: Vec<u8>,
}

/// All rules of `fixtures/iptables-1.8.9.txt`.
pub(crate) fn captured() -> Vec<Captured> {
    include_str!("../../fixtures/iptables-1.8.9.txt")
        .split("\n\n")
        .filter(|block| block.starts_with("rule "))
        .map(|block| {
            let field = |name: &str| {
                let line = block.lines().find(|l| l.split(' ').next() == Some(name));
                line.unwrap_or_else(|| panic!("no {name} in {block}"))[name.len()..].trim_start()
            };
            let mut rule = field("rule").splitn(3, ' ');
            let mut next = || rule.next().expect("table, chain, args");
            let (table, chain, args) = (next(), next(), next());
            Captured {
                table,
                chain,
                args: args.strip_prefix('-').filter(|rest| rest.is_empty()).unwrap_or(args),
                print: field("print"),
                sent: bytes(field("sent")),
                compat: bytes(field("compat")),
                read: bytes(field("read")),
            }
        })
        .collect()
}

/// Hex digits, in which `_N_` is N zero bytes.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, piece) in hex.split('_').enumerate() {
        if index % 2 == 1 {
            out.resize(out.len() + piece.parse::<usize>().expect("a count"), 0);
            continue;
        }
        for pair in piece.as_bytes().chunks(2) {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            out.push(u8::from_str_radix(pair, 16).expect("hex"));
        }
    }
    out
}
