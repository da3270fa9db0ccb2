//! What to type: names that the command line takes, and those near to one that it does not.

use std::collections::BTreeSet;

use model::{LinkId, NameError, NsId, Snapshot};

use crate::clean::clean;

/// A word that stands for the namespace on a command line, quoted for a shell where that is
/// needed: its name where that is its alone, else `net:[INODE]`.
#[must_use]
pub fn typed(snapshot: &Snapshot, id: NsId) -> String {
    typed_as(snapshot, id, &snapshot.name_of(id))
}

/// The same, best by that name.
fn typed_as(snapshot: &Snapshot, id: NsId, name: &str) -> String {
    let candidates = [name.to_owned(), snapshot.name_of(id), snapshot.path_of(id)];
    // What begins with a dash would be taken for an option.
    let good = |w: &String| !w.starts_with('-') && snapshot.resolve_ns(&clean(w)) == Ok(id);
    let word = candidates.into_iter().find(good).unwrap_or_else(|| id.to_string());
    quoted(&clean(&word))
}

/// The same for a link.
#[must_use]
pub fn typed_link(snapshot: &Snapshot, id: LinkId) -> String {
    let ns = snapshot.name_of(id.ns);
    let link = snapshot.link(id).map_or_else(|| format!("if{}", id.index), |l| l.name.clone());
    let good = !ns.starts_with('-') && snapshot.resolve_ns(&clean(&ns)) == Ok(id.ns);
    let ns = if good { ns } else { id.ns.to_string() };
    quoted(&clean(&format!("{ns}:{link}")))
}

/// What to do about a word that names nothing, or too much.
#[must_use]
pub fn hint(snapshot: &Snapshot, error: &NameError) -> String {
    match error {
        NameError::Ambiguous { ids, .. } => {
            let called: Vec<String> = ids.iter().map(|id| typed(snapshot, *id)).collect();
            format!("say which one: {}", list(&called))
        }
        NameError::NoLink { ns, link, known } => {
            let near = nearest(link, known.iter().cloned());
            if near.is_empty() {
                format!("`nestwork show {}` lists its links", quoted(&clean(ns)))
            } else {
                let full = near.iter().map(|l| quoted(&clean(&format!("{ns}:{l}"))));
                format!("did you mean {}?", list(&full.collect::<Vec<_>>()))
            }
        }
        NameError::NoNamespace { name, .. } => match names(snapshot, name).as_slice() {
            [] => "`nestwork ls` lists the namespaces".to_owned(),
            near => format!("did you mean {}?", list(near)),
        },
    }
}

/// Names near to that word, of namespaces, containers, links and networks, the nearest first, as
/// they are to be typed.
pub(crate) fn names(snapshot: &Snapshot, word: &str) -> Vec<String> {
    let mut known: Vec<(f64, Near)> = Vec::new();
    let score = |name: &str| Some(likeness(name, word)).filter(|l| *l > ENOUGH);
    for ns in snapshot.namespaces.values() {
        let containers = ns.containers.iter().flat_map(|c| c.names.iter().map(|(n, _)| n));
        for name in ns.names.iter().map(|n| &n.text).chain(containers) {
            known.extend(score(name).map(|l| (l, Near::Namespace(ns.id, name))));
        }
        for network in &ns.networks {
            known.extend(score(&network.name).map(|l| (l, Near::Word(&network.name))));
        }
        for l in ns.links.values() {
            for name in std::iter::once(&l.name).chain(&l.altnames) {
                let id = LinkId { ns: ns.id, index: l.index };
                known.extend(score(name).map(|l| (l, Near::Link(id))));
            }
        }
    }
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut told = BTreeSet::new();
    let words = known.into_iter().map(|(_, near)| match near {
        Near::Namespace(id, name) => typed_as(snapshot, id, name),
        Near::Link(id) => typed_link(snapshot, id),
        Near::Word(word) => quoted(&clean(word)),
    });
    words.filter(|w| told.insert(w.clone())).take(MOST).collect()
}

/// What has a near name.
enum Near<'a> {
    /// By that name.
    Namespace(NsId, &'a str),
    Link(LinkId),
    Word(&'a str),
}

/// How many near names are offered.
const MOST: usize = 5;
/// Names less alike than this are not near.
const ENOUGH: f64 = 0.8;

fn nearest(word: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    let mut near: Vec<String> = known.filter(|k| likeness(k, word) > ENOUGH).collect();
    near.sort_by(|a, b| likeness(b, word).total_cmp(&likeness(a, word)));
    near.truncate(MOST);
    near
}

/// From 0 to 1; a name that has the word in it is near.
fn likeness(name: &str, word: &str) -> f64 {
    let (name, word) = (name.to_lowercase(), word.to_lowercase());
    let part = word.chars().count() > 1 && name.contains(&word);
    let alike = strsim::jaro_winkler(&name, &word);
    // Of short words, Jaro and Winkler think little; one slip of the finger is near all the same.
    let slip = word.chars().count() > 2 && strsim::osa_distance(&name, &word) == 1;
    match (part, slip) {
        (true, _) => alike.max(0.9),
        (_, true) => alike.max(0.85),
        _ => alike,
    }
}

/// `a`, `a or b`, `a, b or c`.
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// As a POSIX shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| {
        c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | '%' | ',')
    };
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::fixtures::{id, network};

    const NET: &str = "
        ns host viewer pid 1
        ns ct1 in host
        ns ct2 in host
        ns web in ct1
        ns db in ct1
        veth ct1:eth0 host:veth111i0
    ";

    #[track_caller]
    fn check(snapshot: &Snapshot, word: &str) -> String {
        let error = snapshot.resolve(word).unwrap_err();
        format!("{}\n{}", clean(&error.to_string()), hint(snapshot, &error))
    }

    #[test]
    fn near_names_of_every_kind() {
        let s = network(NET);
        assert_snapshot!(check(&s, "wbe"), @r#"
        no namespace is called "wbe"
        did you mean web?
        "#);
        assert_snapshot!(check(&s, "veth111"), @r#"
        no namespace is called "veth111"
        did you mean host:veth111i0?
        "#);
        assert_snapshot!(check(&s, "ct1:eht0"), @r#"
        ct1 has no link "eht0"
        did you mean ct1:eth0?
        "#);
        assert_snapshot!(check(&s, "zzz"), @r#"
        no namespace is called "zzz"
        `nestwork ls` lists the namespaces
        "#);
    }

    #[test]
    fn what_is_offered_can_be_typed() {
        let mut s = network(NET);
        let [web, db, ct2] = ["web", "db", "ct2"].map(|n| id(&s, n));
        let odd = "my \x1b[2J'web'\n";
        for ns in [web, db] {
            s.namespaces.get_mut(&ns).unwrap().names[0].text = odd.to_owned();
        }
        s.namespaces.get_mut(&ct2).unwrap().names[0].text = "two words".to_owned();
        assert_snapshot!(typed(&s, ct2), @"'two words'");
        assert_snapshot!(check(&s, odd), @r#"
        "my \u{1b}[2J'web'\n" could be any of test/ct1/my \u{1b}[2J'web'\u{a} (net:[4026532003]), test/ct1/my \u{1b}[2J'web'\u{a} (net:[4026532004])
        say which one: 'net:[4026532003]' or 'net:[4026532004]'
        "#);
        assert_eq!(s.resolve_ns("net:[4026532003]"), Ok(web));
        s.namespaces.get_mut(&ct2).unwrap().names[0].text = "-rf".to_owned();
        assert_snapshot!(typed(&s, ct2), @"test/-rf");
    }
}
