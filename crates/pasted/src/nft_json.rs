//! `nft -j list ruleset`: each rule is put into the words that nft prints, and read as such.

use model::{BaseChain, Chain, Table};
use serde_json::{Map, Value};

use crate::nft;
use crate::report::Report;

type Object = Map<String, Value>;

/// All tables of an output.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Vec<Table> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            report.line(error.line(), "no JSON");
            return Vec::new();
        }
    };
    let mut tables = Vec::new();
    let items = value.get("nftables").and_then(Value::as_array);
    for (n, item) in (1..).zip(items.into_iter().flatten()) {
        let Some((kind, object)) = item.as_object().and_then(|o| o.iter().next()) else { continue };
        let Some(object) = object.as_object() else { continue };
        let understood = match kind.as_str() {
            "table" => table(object).map(|t| tables.push(t)),
            "chain" => find(&mut tables, object).and_then(|t| chain(t, object)),
            "flowtable" => find(&mut tables, object).and_then(|t| {
                t.flowtables.push(text_of(object, "name")?.to_owned());
                Some(())
            }),
            "rule" => match find(&mut tables, object).and_then(|t| rule(t, object)) {
                Some(Some(doubt)) => {
                    report.file(&format!("item {n}: {doubt}"));
                    Some(())
                }
                Some(None) => Some(()),
                None => None,
            },
            _ => Some(()),
        };
        if understood.is_none() {
            report.file(&format!("item {n} is not understood"));
        }
    }
    tables
}

fn text_of<'o>(object: &'o Object, key: &str) -> Option<&'o str> {
    object.get(key)?.as_str()
}

fn table(o: &Object) -> Option<Table> {
    let family = nft::family_of(text_of(o, "family")?)?;
    let mut table = Table::new(family, text_of(o, "name")?);
    let dormant = match o.get("flags") {
        Some(Value::Array(flags)) => flags.iter().any(|f| f == "dormant"),
        Some(flag) => flag == "dormant",
        None => false,
    };
    table.flags = u32::from(dormant);
    Some(table)
}

fn find<'t>(tables: &'t mut [Table], o: &Object) -> Option<&'t mut Table> {
    let (family, name) = (nft::family_of(text_of(o, "family")?)?, text_of(o, "table")?);
    tables.iter_mut().find(|t| t.family == family && t.name == name)
}

fn chain(table: &mut Table, o: &Object) -> Option<()> {
    let base = match text_of(o, "hook") {
        None => None,
        Some(hook) => Some(BaseChain {
            hook: nft::hook_of(hook)?,
            priority: o.get("prio")?.as_i64()?.try_into().ok()?,
            kind: text_of(o, "type")?.to_owned(),
            policy: nft::policy_of(text_of(o, "policy").unwrap_or("accept")),
            devices: match o.get("dev") {
                Some(Value::String(one)) => vec![one.clone()],
                Some(Value::Array(all)) => {
                    all.iter().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
                }
                _ => Vec::new(),
            },
        }),
    };
    let name = text_of(o, "name")?.to_owned();
    table.chains.push(Chain { name, base, rules: Vec::new() });
    Some(())
}

/// Adds a rule; the inner value is what of it is not understood.
#[allow(clippy::option_option, reason = "no rule, and a rule without doubt, are two things")]
fn rule(table: &mut Table, o: &Object) -> Option<Option<String>> {
    let (family, name) = (table.family, text_of(o, "chain")?);
    let chain = table.chains.iter_mut().find(|c| c.name == name)?;
    let exprs = o.get("expr")?.as_array()?;
    let line = exprs.iter().map(statement).collect::<Vec<_>>().join(" ");
    let nat = chain.base.as_ref().is_none_or(|b| b.kind == "nat");
    let (mut rule, doubt) = nft::rule(&line, family, nat);
    rule.handle = o.get("handle").and_then(Value::as_u64).unwrap_or(0);
    chain.rules.push(rule);
    Some(doubt)
}

/// A statement in nft's words; one that has none in words that no rule has.
fn statement(value: &Value) -> String {
    let Some((name, what)) = value.as_object().and_then(|o| o.iter().next()) else {
        return "<unknown>".to_owned();
    };
    let of = |key: &str| what.get(key);
    match name.as_str() {
        "match" => {
            let op = match of("op").and_then(Value::as_str) {
                Some("!=") => "!= ",
                Some("==" | "in") => "",
                _ => "<unknown> ",
            };
            let side = |key| of(key).map(value_text).unwrap_or_default();
            format!("{} {op}{}", side("left"), side("right"))
        }
        "accept" | "drop" | "return" | "counter" | "masquerade" | "log" | "reject" => name.clone(),
        "jump" | "goto" => {
            format!("{name} {}", of("target").and_then(Value::as_str).unwrap_or_default())
        }
        "snat" | "dnat" => {
            let part = |key| of(key).map(value_text);
            let port = part("port").map(|p| format!(":{p}")).unwrap_or_default();
            format!("{name} to {}{port}", part("addr").unwrap_or_default())
        }
        "redirect" => match of("port").map(value_text) {
            Some(port) => format!("redirect to :{port}"),
            None => "redirect".to_owned(),
        },
        "mangle" => {
            let side = |key| of(key).map(value_text).unwrap_or_default();
            format!("{} set {}", side("key"), side("value"))
        }
        // Of what iptables wrote, nft's JSON tells the name alone.
        "xt" => format!("xt {}", of("name").and_then(Value::as_str).unwrap_or_default()),
        other => format!("<{other}>"),
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => list(all),
        Value::Object(object) => object_text(object),
        other => other.to_string(),
    }
}

fn list(values: &[Value]) -> String {
    values.iter().map(value_text).collect::<Vec<_>>().join(",")
}

fn object_text(object: &Object) -> String {
    let Some((kind, what)) = object.iter().next() else { return "<unknown>".to_owned() };
    let of = |key: &str| what.get(key).map(value_text).unwrap_or_default();
    match kind.as_str() {
        "meta" => match of("key").as_str() {
            key @ ("iifname" | "oifname" | "iif" | "oif") => key.to_owned(),
            key => format!("meta {key}"),
        },
        "payload" => format!("{} {}", of("protocol"), of("field")),
        "ct" if what.get("dir").is_none() => format!("ct {}", of("key")),
        "fib" => {
            let flags = of("flags");
            format!("fib {flags} {}", of("result"))
        }
        "prefix" => format!("{}/{}", of("addr"), of("len")),
        "range" => match what.as_array().map(Vec::as_slice) {
            Some([first, last]) => format!("{}-{}", value_text(first), value_text(last)),
            _ => "<unknown>".to_owned(),
        },
        "set" => match what {
            Value::Array(all) => format!("{{ {} }}", list(all)),
            other => value_text(other),
        },
        "&" => match what.as_array().map(Vec::as_slice) {
            Some([left, mask]) => format!("{} & {}", value_text(left), value_text(mask)),
            _ => "<unknown>".to_owned(),
        },
        other => format!("<{other}>"),
    }
}
