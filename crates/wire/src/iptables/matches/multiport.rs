use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// XT_MULTI_PORTS: a range takes two of them.
const MOST: usize = 15;
/// Protocols with ports: udp, tcp, udplite, sctp, dccp.
const WITH_PORTS: [u8; 5] = [17, 6, 136, 132, 33];

#[derive(Default)]
pub(super) struct Multiport(Option<XtInfo>);

fn parse(word: &Word) -> Result<Vec<(u16, Option<u16>)>, ParseError> {
    let mut ports = Vec::new();
    for text in word.text.split(',') {
        ports.push(if text.contains(':') {
            let (first, last) = value::port_range(word, text, ':')?;
            (first, Some(last))
        } else {
            (value::one_port(word, text)?, None)
        });
    }
    let count: usize = ports.iter().map(|(_, last)| 1 + usize::from(last.is_some())).sum();
    if count > MOST {
        let expected = "a list of at most 15 ports (a range counts as two)";
        return Err(ErrorKind::BadValue(expected).at(word));
    }
    Ok(ports)
}

impl Extension for Multiport {
    fn options(&self) -> &'static [&'static str] {
        &["--sports", "--source-ports", "--dports", "--destination-ports", "--ports"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        if self.0.is_some() {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        let which = match option.name {
            "--sports" | "--source-ports" => 0,
            "--ports" => 2,
            _ => 1,
        };
        let ports = parse(&words.value(&option.word)?)?;
        self.0 = Some(XtInfo::Multiport { which, ports, invert: option.invert });
        Ok(())
    }

    fn exprs(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if protocol.is_none_or(|p| !WITH_PORTS.contains(&p)) {
            return Err(ErrorKind::NeedsProtocol("tcp, udp, udplite, sctp or dccp").at(asked));
        }
        let info = self.0.clone();
        let info = info.ok_or_else(|| ErrorKind::Incomplete("--dports or --sports").at(asked))?;
        Ok(xt("multiport", 1, info))
    }
}
