//! What is done with bytes that nobody vouches for: every decoder, and all that is done with what it
//! decodes. A target takes any bytes and must come back soon, without a panic.
//!
//! `fuzz/` looks for bytes that bring one down (docs/fuzzing.md); those that did are kept in `kept/`
//! and tried by this crate's test, as are the seeds.

#![forbid(unsafe_code)]

mod containers;
mod files;
mod hosts;
mod ipset;
mod netfilter;
mod netlink;
mod section;
mod seeds;
mod texts;
mod views;

pub use seeds::seeds;

/// One decoder, or several that read the same kind of bytes.
pub struct Target {
    /// Its name, in `fuzz/` and in `kept/`.
    pub name: &'static str,
    /// Tries these bytes.
    pub try_on: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 20] = [
    Target { name: "rtnetlink", try_on: netlink::rtnetlink },
    Target { name: "conntrack", try_on: netlink::conntrack },
    Target { name: "wireguard", try_on: netlink::wireguard },
    Target { name: "expressions", try_on: netfilter::expressions },
    Target { name: "ruleset", try_on: netfilter::ruleset },
    Target { name: "xt", try_on: netfilter::xt },
    Target { name: "legacy", try_on: netfilter::legacy },
    Target { name: "rule-text", try_on: netfilter::rule_text },
    Target { name: "walked-rules", try_on: netfilter::walked },
    Target { name: "ipsets", try_on: ipset::sets },
    Target { name: "btf", try_on: netlink::btf },
    Target { name: "answers", try_on: hosts::answers },
    Target { name: "bundle", try_on: hosts::bundle },
    Target { name: "manifest", try_on: hosts::manifest },
    Target { name: "pasted", try_on: files::pasted },
    Target { name: "lab", try_on: files::lab },
    Target { name: "check", try_on: files::check },
    Target { name: "engine-api", try_on: containers::engine_api },
    Target { name: "container", try_on: containers::container },
    Target { name: "proc", try_on: texts::proc },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
