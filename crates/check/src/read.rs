//! From the text of a check file to what it says. A wrong entry is reported and left out, so that
//! one run finds all that is wrong.

use std::borrow::Cow;

use yaml::{At, Fault, Node, Said, Value};

use crate::error::{CheckError, Errors, Problem, nearest};
use crate::file::{File, Label, Rule, Selector, Service, Want, net};

/// Reads a check file. `file_name` is how errors call it.
///
/// # Errors
/// All that is wrong with it, in the order of the file.
pub fn parse(text: &str, file_name: &str) -> Result<File, Vec<CheckError>> {
    let mut errors = Errors::new(file_name);
    let mut faults = Vec::new();
    let root = yaml::read(&quote_stars(text), &mut faults);
    for (at, fault) in faults {
        errors.push(
            at,
            match fault {
                Fault::Syntax(why) => Problem::Yaml(why),
                Fault::KeyTwice { key, first } => Problem::KeyTwice { key, first },
            },
        );
    }
    let mut file = File { name: file_name.to_owned(), groups: Vec::new(), rules: Vec::new() };
    if let Some(root) = root {
        top(&root, &mut file, &mut errors);
        if file.rules.is_empty() {
            errors.push(At::default(), Problem::NoRules);
        }
    }
    errors.or(file)
}

/// In YAML a word may not begin with a star, unless in quotes. Here it stands for everybody, so a
/// rule that begins with one is put into them.
fn quote_stars(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start_matches([' ', '-']).starts_with('*');
    if !text.lines().any(|line| begins(line) && line.contains("->")) {
        return text.into();
    }
    let quoted = |line: &str| {
        let start = line.find('*').filter(|_| begins(line) && line.contains("->"))?;
        let end = line.rfind(": ").or_else(|| line.trim_end().strip_suffix(':').map(str::len))?;
        let (key, rest) = (line.get(start..end)?.trim_end(), &line[end..]);
        (!key.contains('"')).then(|| format!("{}\"{key}\"{rest}", &line[..start]))
    };
    let lines: Vec<Cow<'_, str>> =
        text.split('\n').map(|line| quoted(line).map_or(line.into(), Cow::from)).collect();
    lines.join("\n").into()
}

/// `groups:`, `rules:`, and rules that stand by themselves.
fn top(root: &Node, file: &mut File, errors: &mut Errors) {
    let entries = match &root.what {
        Value::Null => return,
        Value::Map(entries) => entries,
        other => return wrong(root.at, "a check file", "a map of groups and rules", other, errors),
    };
    for (key, node) in entries {
        match key.what.as_str() {
            "groups" => groups(node, file, errors),
            "rules" => rules(node, file, errors),
            arrow if arrow.contains("->") => file.rules.extend(rule(key, node, errors)),
            _ => errors.push(key.at, Problem::NoArrow { key: key.what.clone() }),
        }
    }
}

fn groups(node: &Node, file: &mut File, errors: &mut Errors) {
    let entries = match &node.what {
        Value::Null => return,
        Value::Map(entries) => entries,
        other => return wrong(node.at, "`groups:`", "a map of names", other, errors),
    };
    for (name, node) in entries {
        let word = name.what.clone();
        if !matches!(selector(name), Selector::Word(_)) || word.contains([',', '*', '?']) {
            errors.push(name.at, Problem::ReservedName { word });
            continue;
        }
        let (mut members, before) = (Vec::new(), errors.count());
        members_of(node, &mut members, errors);
        if members.is_empty() && errors.count() == before {
            errors.push(name.at, Problem::EmptyGroup { group: word.clone() });
        }
        file.groups.push((word, members));
    }
}

/// A word, a list of members, or a map of labels.
fn members_of(node: &Node, members: &mut Vec<Said<Selector>>, errors: &mut Errors) {
    match &node.what {
        Value::Null => {}
        Value::List(items) => items.iter().for_each(|item| members_of(item, members, errors)),
        Value::Map(entries) => members.extend(labels(node.at, entries, errors)),
        Value::Text(text) => members.extend(side(&Said::new(node.at, text.clone()))),
        other @ Value::Bool(_) => wrong(node.at, "a group", "names or labels", other, errors),
    }
}

fn labels(at: At, entries: &[(Said<String>, Node)], errors: &mut Errors) -> Option<Said<Selector>> {
    let mut found = Vec::new();
    for (key, node) in entries {
        let label = Label::ALL.iter().find(|(name, _)| *name == key.what);
        match (label, &node.what) {
            (Some((_, label)), Value::Text(word)) => found.push((*label, word.clone())),
            (Some(_), other) => wrong(node.at, "a label", "one word", other, errors),
            (None, _) => {
                let names = Label::ALL.map(|(name, _)| name);
                let (known, nearest) = (names.join(", "), nearest(&key.what, names));
                let key_at = key.at;
                errors.push(key_at, Problem::UnknownKey { key: key.what.clone(), nearest, known });
            }
        }
    }
    (!found.is_empty()).then(|| Said::new(at, Selector::Labels(found)))
}

/// A map of rules, or a list of such maps.
fn rules(node: &Node, file: &mut File, errors: &mut Errors) {
    match &node.what {
        Value::Null => {}
        Value::List(items) => items.iter().for_each(|item| rules(item, file, errors)),
        Value::Map(entries) => {
            for (key, node) in entries {
                file.rules.extend(rule(key, node, errors));
            }
        }
        other => wrong(node.at, "`rules:`", "rules as in `web -> db: 5432`", other, errors),
    }
}

fn rule(key: &Said<String>, node: &Node, errors: &mut Errors) -> Option<Rule> {
    let Some((from, to)) = key.what.split_once("->") else {
        errors.push(key.at, Problem::NoArrow { key: key.what.clone() });
        return None;
    };
    let [from, to] = [from, to].map(|text| {
        let found: Vec<_> = side(&Said::new(key.at, text.to_owned())).collect();
        if found.is_empty() || text.contains("->") {
            errors.push(key.at, Problem::NoSide { side: key.what.clone() });
        }
        found
    });
    let (mut wants, before) = (Vec::new(), errors.count());
    wants_of(node, &mut wants, errors);
    if wants.is_empty() && errors.count() == before {
        errors.push(node.at, Problem::NoWants);
    }
    let said: Vec<String> = wants.iter().map(Want::to_string).collect();
    let sides: Vec<&str> = key.what.split_whitespace().collect();
    let text = format!("{}: {}", sides.join(" "), said.join(", "));
    Some(Rule { at: key.at, text, from, to, wants })
}

/// Words with commas between them.
fn side(said: &Said<String>) -> impl Iterator<Item = Said<Selector>> {
    let words = said.what.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| Said::new(said.at, selector(&Said::new(said.at, word.to_owned()))))
}

fn selector(said: &Said<String>) -> Selector {
    let word = said.what.as_str();
    match word {
        "*" => Selector::Everybody,
        "outside" | "internet" => Selector::Outside,
        _ => net(word).map_or_else(|| Selector::Word(word.to_owned()), Selector::Net),
    }
}

fn wants_of(node: &Node, wants: &mut Vec<Want>, errors: &mut Errors) {
    match &node.what {
        Value::Null => {}
        Value::List(items) => items.iter().for_each(|item| wants_of(item, wants, errors)),
        Value::Text(text) => {
            for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
                wants.extend(want(word, node.at, errors));
            }
        }
        other => wrong(node.at, "what a rule says", "a port, `icmp` or `deny`", other, errors),
    }
}

fn want(word: &str, at: At, errors: &mut Errors) -> Option<Want> {
    let denied = word.strip_prefix("deny").filter(|rest| rest.is_empty() || rest.starts_with(' '));
    let deny = denied.is_some();
    match (denied.unwrap_or(word).trim(), deny) {
        ("", true) => Some(Want { deny, service: Service::Any }),
        (rest, _) => service(rest, at, errors).map(|service| Want { deny, service }),
    }
}

/// `5432`, `5432/tcp`, `tcp/5432`, `icmp`.
fn service(word: &str, at: At, errors: &mut Errors) -> Option<Service> {
    let lower = word.to_ascii_lowercase();
    let (port, protocol) = match lower.split_once('/') {
        _ if lower == "icmp" => return Some(Service::Icmp),
        None => (lower.as_str(), "tcp"),
        Some((protocol @ ("tcp" | "udp"), port)) => (port, protocol),
        Some((port, protocol)) => (port, protocol),
    };
    let make = match protocol {
        "tcp" => Service::Tcp,
        "udp" => Service::Udp,
        _ => {
            errors.push(at, Problem::NoService { found: word.to_owned() });
            return None;
        }
    };
    match port.parse::<u64>() {
        Ok(number) => match u16::try_from(number).ok().filter(|n| *n > 0) {
            Some(port) => return Some(make(port)),
            None => errors.push(at, Problem::NoPort { found: port.to_owned() }),
        },
        Err(_) => errors.push(at, Problem::NoService { found: word.to_owned() }),
    }
    None
}

fn wrong(at: At, of: &'static str, wanted: &'static str, found: &Value, errors: &mut Errors) {
    errors.push(at, Problem::WrongType { of, wanted, found: found.kind() });
}
