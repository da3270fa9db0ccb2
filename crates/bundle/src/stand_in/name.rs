//! Names: letter by letter, each by all that stand before it. So names that begin alike begin alike
//! afterwards (`eth+`, `veth*`), none is longer than it was, and no two become one.

use std::hash::BuildHasher;

use super::StandIns;

/// What says of a link only what everybody knows.
const STEMS: &[&str] = &[
    "docker_gwbridge",
    "docker",
    "podman",
    "incusbr",
    "virbr",
    "lxcbr",
    "lxdbr",
    "vmbr",
    "fwbr",
    "fwpr",
    "fwln",
    "vxlan",
    "dummy",
    "veth",
    "vlan",
    "bond",
    "wlan",
    "sit",
    "gre",
    "eth",
    "tun",
    "tap",
    "cni",
    "ifb",
    "br-",
    "br",
    "wg",
    "lo",
    "en",
    "wl",
    "ip",
];

/// Names that many hosts have: of tables, chains, folders.
const KNOWN: &[&str] = &[
    "filter",
    "nat",
    "mangle",
    "raw",
    "security",
    "INPUT",
    "FORWARD",
    "OUTPUT",
    "PREROUTING",
    "POSTROUTING",
    "BROUTING",
    "input",
    "forward",
    "output",
    "prerouting",
    "postrouting",
    "ingress",
    "egress",
    "DOCKER",
    "DOCKER-USER",
    "DOCKER-FORWARD",
    "DOCKER-CT",
    "DOCKER-BRIDGE",
    "DOCKER-INTERNAL",
    "DOCKER-ISOLATION-STAGE-1",
    "DOCKER-ISOLATION-STAGE-2",
    "",
    "run",
    "var",
    "lib",
    "tmp",
    "proc",
    "netns",
    "ns",
    "net",
    "self",
    "task",
    "mnt",
    "host",
    "default",
];

/// Digits after a stem that are still no secret: `eth0`, `vmbr12`.
const FEW: usize = 2;

impl<K: BuildHasher> StandIns<K> {
    /// A name, of anything but a link.
    pub(super) fn name(&self, name: &str) -> String {
        if is_known(name) { name.to_owned() } else { self.stemmed("", name) }
    }

    /// A link's name, or the beginning of one. What it says of the link's kind stays.
    pub(super) fn link(&self, name: &str) -> String {
        let stem = STEMS.iter().find(|stem| name.starts_with(**stem)).copied().unwrap_or_default();
        let rest = &name[stem.len()..];
        if !stem.is_empty() && rest.len() <= FEW && rest.bytes().all(|b| b.is_ascii_digit()) {
            return name.to_owned();
        }
        self.stemmed(stem, name)
    }

    fn stemmed(&self, stem: &str, name: &str) -> String {
        let image = format!("{stem}{}", self.letters(stem, &name[stem.len()..]));
        self.note(name.to_owned(), image.clone());
        image
    }

    fn letters(&self, stem: &str, rest: &str) -> String {
        let mut before = stem.to_owned();
        let mut image = String::new();
        for letter in rest.chars() {
            let turn = self.secret(&before);
            image.push(turned(letter, turn));
            before.push(letter);
        }
        image
    }

    /// A public key: who has which is the same everywhere.
    pub(super) fn key(&self, key: [u8; 32]) -> [u8; 32] {
        let mut image = [0; 32];
        for (nth, eight) in image.chunks_exact_mut(8).enumerate() {
            eight.copy_from_slice(&self.secret(("key", nth, key)).to_be_bytes());
        }
        self.note(model::WireguardKey(key).to_string(), model::WireguardKey(image).to_string());
        image
    }

    /// A path: its folders by themselves, so that the last is what a name made of it is.
    pub(super) fn path(&self, path: &str) -> String {
        let part = |part: &str| {
            if part.bytes().all(|b| b.is_ascii_digit()) { part.to_owned() } else { self.name(part) }
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// Our own words or the kernel's, in which names and addresses may stand.
    pub(super) fn sentence(&self, text: &str) -> String {
        let part = |c: char| c.is_alphanumeric() || "._:/-@".contains(c);
        let replaced = self.replaced.borrow();
        let mut out = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| part(c) != part(first)).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            let bare = word.trim_end_matches([':', '.']);
            match replaced.get(bare) {
                Some(image) => out.push_str(&word.replacen(bare, image, 1)),
                None => out.push_str(word),
            }
            rest = tail;
        }
        out
    }
}

fn is_known(name: &str) -> bool {
    // The kernel numbers sets without a name itself.
    KNOWN.contains(&name) || name.starts_with("__set") || name.starts_with("__map")
}

/// A letter becomes a letter, a digit a digit; the rest stays.
fn turned(letter: char, by: u64) -> char {
    let turn = |first: u8, many: u64, letter: char| {
        let place = (u64::from(letter as u32) - u64::from(first) + by % many) % many;
        char::from(first + u8::try_from(place).unwrap_or_default())
    };
    match letter {
        'a'..='z' => turn(b'a', 26, letter),
        'A'..='Z' => turn(b'A', 26, letter),
        '0'..='9' => turn(b'0', 10, letter),
        other if other.is_ascii() => other,
        _ => turn(b'a', 26, 'a'),
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn names_that_begin_alike_begin_alike() {
        let keys = StandIns::new(BuildHasherDefault::<DefaultHasher>::default());
        for kept in ["lo", "eth0", "docker0", "vmbr12", "eth", "veth"] {
            assert_eq!(keys.link(kept), kept);
        }
        for kept in ["filter", "DOCKER-USER", "__set3"] {
            assert_eq!(keys.name(kept), kept);
        }
        assert_ne!(keys.name("docker0"), "docker0");
        let (long, short) = (keys.link("tailscale0"), keys.link("tail"));
        assert!(long.starts_with(&short) && long.len() == 10 && short != "tail");
        assert!(keys.link("veth12345").starts_with("veth"));
        assert_ne!(keys.link("veth12345"), "veth12345");
        assert_eq!(keys.path("/run/netns/web"), format!("/run/netns/{}", keys.name("web")));
        let told = keys.sentence("cannot open tailscale0: denied");
        assert_eq!(told, format!("cannot open {long}: denied"));
    }
}
