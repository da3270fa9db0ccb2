//! From the tree of the file to what it says. A wrong entry is reported and left out, so that one
//! run finds all that is wrong.

mod bond;
mod docker;
mod firewall;
mod ipset;
mod link;
mod nft;
mod proxmox;
mod repeat;
mod route;
mod rule;
mod space;
mod tc;
mod vxlan;
mod wireguard;

use std::str::FromStr;

use model::LinkRef;

use crate::error::{Errors, Problem, best};
use crate::file::{Lab, Space};
use crate::node::{At, Node, Said, Value};

/// The most namespaces of one lab: what a kernel still makes in a few seconds.
const MOST_SPACES: usize = 5000;

/// The whole file.
pub(crate) fn lab(root: &Node, errors: &mut Errors) -> Option<Lab> {
    if root.what == Value::Null {
        errors.push(At::default(), Problem::Empty);
        return None;
    }
    let fields = Fields::open(root, "a lab file", &["name", "namespaces"], errors)?;
    let name = fields.needed("name", "it is what `down` and `labs` call it", errors);
    let name = name.and_then(|n| plain_name(n, "lab", errors));
    let spaces = fields.needed("namespaces", "a lab without any is nothing", errors);
    let spaces = spaces.map(|n| all_spaces(n, errors)).unwrap_or_default();
    Some(Lab { name: name?.what, spaces, rootless: false })
}

fn all_spaces(node: &Node, errors: &mut Errors) -> Vec<Space> {
    let mut spaces: Vec<Space> = Vec::new();
    for (name, node) in entries(node, "namespaces", errors) {
        for (name, node) in repeat::times(name, node, errors) {
            if spaces.len() >= MOST_SPACES {
                let problem = Problem::TooMany { count: spaces.len() + 1, most: MOST_SPACES };
                errors.push(name.at, problem);
                return spaces;
            }
            let Some(space) = space::space(&name, &node, errors) else { continue };
            match spaces.iter().find(|s| s.name == space.name) {
                Some(first) => {
                    let first = first.at.line;
                    errors.push(name.at, Problem::NamespaceTwice { name: name.what, first });
                }
                None => spaces.push(space),
            }
        }
    }
    spaces
}

/// A map whose keys are known beforehand.
pub(crate) struct Fields<'n> {
    at: At,
    of: &'static str,
    entries: &'n [(Said<String>, Node)],
}

impl<'n> Fields<'n> {
    /// Refuses what is no map (nothing at all is an empty one), and unknown keys.
    pub(crate) fn open(
        node: &'n Node,
        of: &'static str,
        known: &[&str],
        errors: &mut Errors,
    ) -> Option<Self> {
        let entries = match &node.what {
            Value::Null => &[],
            Value::Map(entries) => entries.as_slice(),
            other => {
                wrong(node.at, of, "a map", other, errors);
                return None;
            }
        };
        for (key, _) in entries.iter().filter(|(k, _)| !known.contains(&k.what.as_str())) {
            unknown(key, of, known, errors);
        }
        Some(Self { at: node.at, of, entries })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(k, _)| k.what == key).map(|(_, n)| n)
    }

    /// The place of a key.
    pub(crate) fn key_at(&self, key: &str) -> At {
        self.entries.iter().find(|(k, _)| k.what == key).map_or(self.at, |(k, _)| k.at)
    }

    pub(crate) fn needed(
        &self,
        key: &'static str,
        why: &'static str,
        errors: &mut Errors,
    ) -> Option<&'n Node> {
        let found = self.get(key).filter(|n| n.what != Value::Null);
        if found.is_none() {
            let of = self.of.to_owned();
            errors.push(self.at, Problem::MissingKey { of, key, why });
        }
        found
    }
}

/// Names an unknown key and the nearest known one.
pub(crate) fn unknown(key: &Said<String>, of: &'static str, known: &[&str], errors: &mut Errors) {
    let (nearest, like) = best(&key.what, known.iter().copied()).unwrap_or_default();
    let known = if like < 0.75 { known } else { &[] };
    let known = known.iter().map(|k| (*k).to_owned()).collect();
    let nearest = nearest.to_owned();
    errors.push(key.at, Problem::UnknownKey { key: key.what.clone(), of, nearest, known });
}

pub(crate) fn wrong(
    at: At,
    of: impl Into<String>,
    wanted: &'static str,
    found: &Value,
    errors: &mut Errors,
) {
    errors.push(at, Problem::WrongType { of: of.into(), wanted, found: found.kind() });
}

/// The entries of a map with free keys.
pub(crate) fn entries<'n>(
    node: &'n Node,
    of: &str,
    errors: &mut Errors,
) -> &'n [(Said<String>, Node)] {
    match &node.what {
        Value::Null => &[],
        Value::Map(entries) => entries,
        other => {
            wrong(node.at, format!("`{of}:`"), "a map", other, errors);
            &[]
        }
    }
}

/// The items of a list.
pub(crate) fn items<'n>(node: &'n Node, of: &str, errors: &mut Errors) -> &'n [Node] {
    match &node.what {
        Value::Null => &[],
        Value::List(items) => items,
        other => {
            wrong(node.at, format!("`{of}:`"), "a list, as in [a, b]", other, errors);
            &[]
        }
    }
}

/// A word or number, as text.
pub(crate) fn text(node: &Node, of: &str, errors: &mut Errors) -> Option<Said<String>> {
    match &node.what {
        Value::Text(text) => Some(Said::new(node.at, text.clone())),
        other => {
            wrong(node.at, format!("`{of}:`"), "one word", other, errors);
            None
        }
    }
}

/// true or false; on and off are taken too, as `ip` writes them.
pub(crate) fn flag(node: &Node, of: &str, errors: &mut Errors) -> Option<bool> {
    match &node.what {
        Value::Bool(b) => Some(*b),
        Value::Text(t) if t == "on" || t == "1" => Some(true),
        Value::Text(t) if t == "off" || t == "0" => Some(false),
        other => {
            wrong(node.at, format!("`{of}:`"), "true or false", other, errors);
            None
        }
    }
}

/// A number between two.
pub(crate) fn number(
    node: &Node,
    what: &'static str,
    (low, high): (u32, u32),
    errors: &mut Errors,
) -> Option<u32> {
    let said = text(node, what, errors)?;
    number_in(&said, what, (low, high), errors)
}

/// The same of a word already taken out.
pub(crate) fn number_in(
    said: &Said<String>,
    what: &'static str,
    (low, high): (u32, u32),
    errors: &mut Errors,
) -> Option<u32> {
    let digits = !said.what.is_empty() && said.what.bytes().all(|b| b.is_ascii_digit());
    if !digits && said.what.parse::<i128>().is_err() {
        let hint = format!("a number between {low} and {high} is wanted");
        errors.push(said.at, Problem::BadValue { what, found: said.what.clone(), hint });
        return None;
    }
    let number = said.what.parse().ok().filter(|n| (low..=high).contains(n));
    if number.is_none() {
        let (low, high) = (low.into(), high.into());
        errors.push(said.at, Problem::OutOfRange { what, found: said.what.clone(), low, high });
    }
    number
}

/// A word that can be read as a `T`.
pub(crate) fn parsed<T: FromStr>(
    node: &Node,
    what: &'static str,
    hint: &str,
    errors: &mut Errors,
) -> Option<Said<T>> {
    let said = text(node, what, errors)?;
    parsed_in(&said, what, hint, errors).map(|t| Said::new(said.at, t))
}

/// The same of a word already taken out.
pub(crate) fn parsed_in<T: FromStr>(
    said: &Said<String>,
    what: &'static str,
    hint: &str,
    errors: &mut Errors,
) -> Option<T> {
    let found = said.what.parse().ok();
    if found.is_none() {
        let hint = hint.to_owned();
        errors.push(said.at, Problem::BadValue { what, found: said.what.clone(), hint });
    }
    found
}

/// A name of a lab or a namespace: it becomes a host name and part of a path.
pub(crate) fn plain_name(
    node: &Node,
    what: &'static str,
    errors: &mut Errors,
) -> Option<Said<String>> {
    let name = text(node, what, errors)?;
    is_plain_name(&name, what, errors).then_some(name)
}

/// Words that mean something else on the command line.
const RESERVED: [&str; 3] = ["outside", "pid", "net"];

pub(crate) fn is_plain_name(name: &Said<String>, what: &'static str, errors: &mut Errors) -> bool {
    let bytes = name.what.as_bytes();
    let good = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b));
    if !good {
        errors.push(name.at, Problem::BadName { name: name.what.clone(), what });
    } else if RESERVED.contains(&name.what.as_str()) {
        errors.push(name.at, Problem::ReservedName { name: name.what.clone(), what });
    }
    good
}

/// What the kernel's dev_valid_name allows, and no control characters.
pub(crate) fn is_link_name(name: &Said<String>, errors: &mut Errors) -> bool {
    let why = match name.what.as_str() {
        "" => "it is empty",
        "." | ".." => "it means a folder",
        n if n.contains(['/', ':']) => "`/` and `:` are not allowed",
        n if n.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            "blanks and control characters are not allowed"
        }
        n if n.len() > 15 => {
            errors.push(name.at, Problem::LongName { name: name.what.clone() });
            return false;
        }
        _ => return true,
    };
    errors.push(name.at, Problem::BadLinkName { name: name.what.clone(), why });
    false
}

/// A link's name.
pub(crate) fn link_name(node: &Node, of: &str, errors: &mut Errors) -> Option<Said<String>> {
    let name = text(node, of, errors)?;
    is_link_name(&name, errors).then_some(name)
}

/// `NAMESPACE:LINK`; without a namespace, `own`.
pub(crate) fn link_ref(
    node: &Node,
    of: &str,
    own: &str,
    errors: &mut Errors,
) -> Option<Said<LinkRef>> {
    let said = text(node, of, errors)?;
    let (ns, link) = said.what.rsplit_once(':').unwrap_or((own, &said.what));
    let link = Said::new(said.at, link.to_owned());
    is_link_name(&link, errors).then(|| Said::new(said.at, LinkRef::new(ns, link.what)))
}
