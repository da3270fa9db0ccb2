//! `-m set` and `-j SET` in iptables' words.

use model::{XtSet, XtSetCounter, XtSetRef, XtSetTarget};

use super::xt::not;

/// `-m set --match-set NAME src,dst`. A set whose name is not known is called by its number.
pub(super) fn matching(info: &XtSet) -> String {
    let mut out = format!("-m set{}", named(&info.set, "--match-set"));
    // Revisions before 3 have it among what they say of the set.
    if info.flags & XtSet::RETURN_NOMATCH != 0 || info.set.flags & 128 != 0 {
        out += " --return-nomatch";
    }
    for (flag, name) in [(8, "counters"), (16, "subcounters")] {
        if info.flags & flag != 0 {
            out += &format!(" ! --update-{name}");
        }
    }
    out + &counter(info.packets, "packets") + &counter(info.bytes, "bytes")
}

/// What the target says, with a blank before it.
pub(super) fn target(info: &XtSetTarget) -> String {
    let mut out = String::new();
    if info.add.is_some() {
        out += &named(&info.add, "--add-set");
        if info.flags & 1 != 0 {
            out += " --exist";
        }
        if info.timeout != u32::MAX {
            out += &format!(" --timeout {}", info.timeout);
        }
    }
    for (set, option) in [(&info.del, "--del-set"), (&info.map, "--map-set")] {
        if set.is_some() {
            out += &named(set, option);
        }
    }
    for (flag, name) in [(256, "mark"), (512, "prio"), (1024, "queue")] {
        if info.flags & flag != 0 {
            out += &format!(" --map-{name}");
        }
    }
    out
}

fn named(set: &XtSetRef, option: &str) -> String {
    let name = set.name.clone().unwrap_or_else(|| format!("<number {}>", set.index));
    let sides: Vec<&str> = (0..usize::from(set.dim))
        .map(|part| if set.is_source(part) { "src" } else { "dst" })
        .collect();
    format!(" {}{option} {name} {}", not(set.is_inverted()), sides.join(","))
}

/// IPSET_COUNTER_*.
fn counter(counter: XtSetCounter, what: &str) -> String {
    let option = match counter.op {
        0 => return String::new(),
        1 | 2 => "eq",
        3 => "lt",
        _ => "gt",
    };
    format!(" {}--{what}-{option} {}", not(counter.op == 2), counter.value)
}
