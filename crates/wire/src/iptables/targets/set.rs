use model::{Expr, XtInfo, XtSetRef, XtSetTarget};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// IPSET_FLAG_EXIST and IPSET_FLAG_MAP_*.
const FLAGS: [(&str, u32); 4] =
    [("--exist", 1), ("--map-mark", 256), ("--map-prio", 512), ("--map-queue", 1024)];

/// `-j SET`: adds what a packet has to a set, takes it out, or takes over what an entry says.
pub(super) struct Set(XtSetTarget);

impl Default for Set {
    fn default() -> Self {
        Self(XtSetTarget { timeout: u32::MAX, ..XtSetTarget::default() })
    }
}

impl Extension for Set {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--add-set",
            "--del-set",
            "--map-set",
            "--exist",
            "--timeout",
            "--map-mark",
            "--map-prio",
            "--map-queue",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        if let Some((_, flag)) = FLAGS.iter().find(|(name, _)| *name == option.name) {
            self.0.flags |= flag;
            return Ok(());
        }
        let place = match option.name {
            "--timeout" => {
                self.0.timeout = value::u32(&words.value(&option.word)?)?;
                return Ok(());
            }
            "--add-set" => &mut self.0.add,
            "--del-set" => &mut self.0.del,
            _ => &mut self.0.map,
        };
        if place.is_some() {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        *place = value::ip_set(&option.word, words)?;
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let XtSetTarget { add, del, map, .. } = &self.0;
        if ![add, del, map].into_iter().any(XtSetRef::is_some) {
            return Err(ErrorKind::Incomplete("--add-set, --del-set or --map-set").at(asked));
        }
        Ok(xt("SET", 3, XtInfo::SetTarget(Box::new(self.0.clone()))))
    }
}
