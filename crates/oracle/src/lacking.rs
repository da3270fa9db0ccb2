//! Features that are not drawn: those of links that this kernel may not have.

/// Kinds of links that the walk knows of and the generator does not draw. They are tested from
/// captures and by pure tests.
const KINDS: [&str; 12] = [
    "bond",
    "dummy",
    "geneve",
    "gre",
    "ipip",
    "ipvlan",
    "netkit",
    "sit",
    "team",
    "vlan",
    "vrf",
    "wireguard",
];

/// A line for each: whether this kernel has it, which is found out by trying.
#[must_use]
pub fn lacking() -> String {
    let mut text = String::new();
    for kind in KINDS {
        text += &line(&format!("link: {kind}"), kernel::has_link_kind(kind));
    }
    text += &line("bridge: VLAN filtering", kernel::bridges_filter_vlans());
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
