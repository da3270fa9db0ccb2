//! `count: N`: one entry stands for N namespaces.

use std::borrow::Cow;

use super::{number, wrong};
use crate::error::Errors;
use crate::node::{Node, Said, Value};

/// The namespaces that an entry stands for. With `count: 3`, `web` becomes `web1`, `web2` and
/// `web3`, and `{n}` in every word of the entry (or of the name, where it says `{n}` itself) the
/// number.
pub(super) fn times<'n>(
    name: &Said<String>,
    node: &'n Node,
    errors: &mut Errors,
) -> Vec<(Said<String>, Cow<'n, Node>)> {
    let count = match &node.what {
        Value::Map(entries) => entries.iter().find(|(k, _)| k.what == "count").map(|(_, n)| n),
        Value::Null => None,
        other => {
            wrong(node.at, format!("namespace {:?}", name.what), "a map", other, errors);
            return Vec::new();
        }
    };
    let Some(count) = count else { return vec![(name.clone(), Cow::Borrowed(node))] };
    let Some(count) = number(count, "count", (1, 4096), errors) else { return Vec::new() };
    let pattern =
        if name.what.contains("{n}") { name.what.clone() } else { name.what.clone() + "{n}" };
    (1..=count)
        .map(|n| {
            let n = n.to_string();
            let name = Said::new(name.at, pattern.replace("{n}", &n));
            (name, Cow::Owned(numbered(node, &n)))
        })
        .collect()
}

fn numbered(node: &Node, n: &str) -> Node {
    let what = match &node.what {
        Value::Text(text) => Value::Text(text.replace("{n}", n)),
        Value::List(items) => Value::List(items.iter().map(|i| numbered(i, n)).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(k, v)| (Said::new(k.at, k.what.replace("{n}", n)), numbered(v, n)))
                .collect(),
        ),
        other => other.clone(),
    };
    Said::new(node.at, what)
}
