//! Features that are not drawn: those of links that this kernel may not have.

use crate::generate::{Kind, Kinds};

/// Kinds of links that the walk knows of and the generator does not draw. They are tested from
/// captures and by pure tests.
const KINDS: [&str; 7] = ["geneve", "gre", "ipip", "netkit", "sit", "team", "wireguard"];

/// A line for each: whether this kernel has it, which is found out by trying.
#[must_use]
pub fn lacking() -> String {
    let here = Kinds::here();
    let drawn = Kind::ALL.into_iter().filter(|kind| !here.has(*kind));
    let mut text: String = drawn.map(|kind| line(&kind.to_string(), Ok(false))).collect();
    for kind in KINDS {
        text += &line(&format!("link: {kind}"), kernel::has_link_kind(kind));
    }
    text
}

fn line(feature: &str, tried: std::io::Result<bool>) -> String {
    let what = match tried {
        Ok(false) => "not here".to_owned(),
        Ok(true) => "here, and not drawn".to_owned(),
        Err(error) => format!("not tried: {error}"),
    };
    format!("{feature:<32} {what}\n")
}
