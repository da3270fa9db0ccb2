use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt, link_name};
use crate::iptables::words::{Word, Words};

/// XT_PHYSDEV_OP_*, in the order of the options.
const OPTIONS: [&str; 5] = [
    "--physdev-in",
    "--physdev-out",
    "--physdev-is-bridged",
    "--physdev-is-in",
    "--physdev-is-out",
];

#[derive(Default)]
pub(super) struct Physdev {
    names: [Option<String>; 2],
    wildcard: [bool; 2],
    invert: u8,
    bitmask: u8,
}

impl Extension for Physdev {
    fn options(&self) -> &'static [&'static str] {
        &OPTIONS
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let place = OPTIONS.iter().position(|o| *o == option.name).unwrap_or(0);
        if let Some(to) = self.names.get_mut(place) {
            let name = link_name(&words.value(&option.word)?)?;
            self.wildcard[place] = name.ends_with('+');
            *to = Some(name.strip_suffix('+').unwrap_or(&name).to_owned());
        }
        self.bitmask |= 1 << place;
        if option.invert {
            self.invert |= 1 << place;
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.bitmask == 0 {
            return Err(ErrorKind::Incomplete("an option of its own").at(asked));
        }
        let [physin, physout] = self.names.clone();
        let wildcard = self.wildcard.into();
        let (invert, bitmask) = (self.invert, self.bitmask);
        Ok(xt("physdev", 0, XtInfo::Physdev { physin, physout, wildcard, invert, bitmask }))
    }
}
