//! What namespaces and links are called, and what a word on the command line means.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::namespaces::Names;
use crate::{Container, Link, LinkId, NameSource, Namespace, NsId, NsKey, Pod, Snapshot};

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A namespace.
    Namespace(NsId),
    /// A link (`NAMESPACE:LINK`).
    Link(LinkId),
}

/// Why a word names nothing, or too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// No namespace is called that. The nearest name, if one is near.
    NoNamespace {
        /// What was asked for.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },
    /// Several are.
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Which.
        ids: Vec<NsId>,
        /// How each is called.
        paths: Vec<String>,
    },
    /// The namespace has no such link.
    NoLink {
        /// The namespace's name.
        ns: String,
        /// What was asked for.
        link: String,
        /// Links that exist.
        known: Vec<String>,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNamespace { name, .. } => write!(f, "no namespace is called {name:?}"),
            Self::Ambiguous { name, paths, .. } => {
                write!(f, "{name:?} could be any of {}", paths.join(", "))
            }
            Self::NoLink { ns, link, .. } => write!(f, "{ns} has no link {link:?}"),
        }
    }
}

impl std::error::Error for NameError {}

impl Namespace {
    /// Its best name, or its inode (`net:[4026531840]`) where it has none.
    #[must_use]
    pub fn name(&self) -> String {
        let named = self.names.iter().find(|n| !n.text.trim().is_empty());
        named.map_or_else(|| self.id.to_string(), |n| n.text.clone())
    }

    /// Whether the word is a name of it or of a container in it.
    fn is_called(&self, word: &str) -> bool {
        self.names.iter().any(|n| n.text == word)
            || self.containers.iter().any(|c| c.is_called(word))
    }

    /// The lab it belongs to.
    #[must_use]
    pub fn lab(&self) -> Option<&str> {
        self.names.iter().find_map(|n| match &n.source {
            NameSource::Lab(lab) => Some(lab.as_str()),
            _ => None,
        })
    }
}

impl Snapshot {
    /// The name of a namespace: its own where that is enough, its path (`docker01/alpine01`)
    /// where another has the same.
    #[must_use]
    pub fn name_of(&self, id: NsId) -> String {
        let index = self.namespaces.names(|| self.index());
        let name = if index.viewer == self.viewer {
            index.of.get(&id).cloned()
        } else {
            self.index().of.remove(&id)
        };
        name.unwrap_or_else(|| id.to_string())
    }

    /// What all are called: each by its own name, twins by their paths, and what has even its path
    /// in common with another by its id too.
    fn index(&self) -> Names {
        let mut by_name: HashMap<String, Vec<NsId>> = HashMap::new();
        for ns in self.namespaces.values() {
            by_name.entry(ns.name()).or_default().push(ns.id);
        }
        let mut of = BTreeMap::new();
        for (name, ids) in by_name {
            if let [one] = ids.as_slice() {
                of.insert(*one, name);
                continue;
            }
            let mut by_path: HashMap<String, Vec<NsId>> = HashMap::new();
            for id in ids {
                by_path.entry(self.path_of(id)).or_default().push(id);
            }
            for (path, ids) in by_path {
                let alone = ids.len() == 1;
                let text = |id| if alone { path.clone() } else { format!("{path} ({id})") };
                of.extend(ids.iter().map(|id| (*id, text(*id))));
            }
        }
        Names { viewer: self.viewer, of }
    }

    /// The names from the outermost container to this one, with slashes. Of a lab it begins with the
    /// lab's own name, wherever that stands.
    #[must_use]
    pub fn path_of(&self, id: NsId) -> String {
        let mut parts = Vec::new();
        let mut lab = None;
        let mut at = self.namespaces.get(&id);
        while let Some(ns) = at {
            if parts.len() > self.namespaces.len() {
                break; // a cycle in what was read must not hang us
            }
            parts.push(ns.name());
            lab = ns.lab().or(lab);
            let parent = ns.parent.filter(|p| Some(*p) != self.viewer);
            let parent = parent.and_then(|p| self.namespaces.get(&p));
            at = parent.filter(|p| lab.is_none() || p.lab() == lab);
        }
        parts.extend(lab.map(str::to_owned));
        parts.reverse();
        parts.join("/")
    }

    /// `NAMESPACE:LINK`.
    #[must_use]
    pub fn link_name(&self, id: LinkId) -> String {
        let link = self.link(id).map_or_else(|| format!("if{}", id.index), |l| l.name.clone());
        format!("{}:{link}", self.name_of(id.ns))
    }

    /// The namespace that a word names: a name of it or of a container in it, a container's id or
    /// the beginning of one, `POD/CONTAINER`, the end of a path (by any of these names), `pid:N`, `net:[INODE]`, or a file
    /// that it is mounted on. Quotes around it are none of it, and `\\u{1b}` stands for the
    /// character that cannot be typed, so that names can be given as they are printed.
    ///
    /// # Errors
    /// If none or several are so called.
    pub fn resolve_ns(&self, word: &str) -> Result<NsId, NameError> {
        match self.named(word) {
            Err(NameError::NoNamespace { name, known }) => {
                let plain = unescape(unquote(word));
                let again = (plain != word).then(|| self.named(&plain));
                again
                    .filter(|r| !matches!(r, Err(NameError::NoNamespace { .. })))
                    .unwrap_or(Err(NameError::NoNamespace { name, known }))
            }
            result => result,
        }
    }

    fn named(&self, word: &str) -> Result<NsId, NameError> {
        let mut called: Vec<&Namespace> =
            self.namespaces.values().filter(|ns| self.is_called(ns, word)).collect();
        // What a process happens to be called gives way to a name that somebody gave.
        let given = |ns: &&Namespace| {
            !ns.names.iter().any(|n| n.text == word && n.source == NameSource::Process)
        };
        if called.iter().any(given) {
            called.retain(given);
        }
        let found: Vec<NsId> = called.iter().map(|ns| ns.id).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(NameError::NoNamespace {
                name: word.to_owned(),
                known: self.namespaces.keys().map(|id| self.name_of(*id)).collect(),
            }),
            many => Err(NameError::Ambiguous {
                name: word.to_owned(),
                ids: many.to_vec(),
                paths: many.iter().map(|id| self.name_of(*id)).collect(),
            }),
        }
    }

    /// A namespace, or a link as `NAMESPACE:LINK`, each as it is printed.
    ///
    /// # Errors
    /// If nothing or several things are so called.
    pub fn resolve(&self, word: &str) -> Result<Target, NameError> {
        let first = match self.resolve_ns(word) {
            Ok(id) => return Ok(Target::Namespace(id)),
            Err(e) => e,
        };
        let Some((ns, link)) = word.rsplit_once(':').filter(|(ns, _)| *ns != "pid" && *ns != "net")
        else {
            return Err(first);
        };
        let ns = self.resolve_ns(ns)?;
        let space = &self.namespaces[&ns];
        let plain = unescape(link);
        let link =
            space.link_named(link).or_else(|| space.link_named(&plain)).ok_or_else(|| {
                NameError::NoLink {
                    ns: self.name_of(ns),
                    link: link.to_owned(),
                    known: space.links.values().map(|l: &Link| l.name.clone()).collect(),
                }
            })?;
        Ok(Target::Link(LinkId { ns, index: link.index }))
    }

    fn is_called(&self, ns: &Namespace, word: &str) -> bool {
        if let Some(pid) = word.strip_prefix("pid:") {
            return ns.processes.iter().any(|p| pid.parse() == Ok(p.pid));
        }
        if let Some(ino) = word.strip_prefix("net:[").and_then(|w| w.strip_suffix(']')) {
            return matches!(ns.id.key, NsKey::Inode { ino: i, .. } if ino.parse() == Ok(i));
        }
        if word.starts_with('/') {
            return ns.files.iter().any(|f| f.path == word);
        }
        word == ns.id.to_string() || ns.is_called(word) || self.is_called_inside(ns, word)
    }

    /// Whether the word is the end of its path, or of one by another of its names.
    fn is_called_inside(&self, ns: &Namespace, word: &str) -> bool {
        let Some((outer, own)) = word.rsplit_once('/') else { return false };
        let around = || ns.parent.and_then(|p| self.namespaces.get(&p));
        format!("/{}", self.path_of(ns.id)).ends_with(&format!("/{word}"))
            || (ns.is_called(own)
                && around().is_some_and(|p| p.is_called(outer) || self.is_called_inside(p, outer)))
    }
}

impl Container {
    /// Whether the word is one of its names, its id or (from six digits on) the beginning of a
    /// long id, its pod, or `POD/NAME`.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        /// Hexadecimal digits of a container's whole id.
        const LONG: usize = 64;
        let digits = word.len() >= 6 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let by_id = self.id == word
            || (digits && self.id.len() == LONG && self.id.starts_with(&word.to_ascii_lowercase()));
        let by_pod = |pod: &Pod| {
            let full = pod.namespace.as_ref().map(|n| format!("{n}/{}", pod.name));
            [Some(&pod.name), full.as_ref()].into_iter().flatten().any(|p| {
                let container = word.strip_prefix(p.as_str()).and_then(|w| w.strip_prefix('/'));
                word == p || container.is_some_and(|c| self.names.iter().any(|(n, _)| n == c))
            })
        };
        by_id || self.names.iter().any(|(n, _)| n == word) || self.pod.as_ref().is_some_and(by_pod)
    }
}

/// Without the quotes around it.
fn unquote(word: &str) -> &str {
    ['"', '\''].iter().find_map(|q| word.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(word)
}

/// With `\u{1b}` and the like put back to the characters that they stand for.
fn unescape(word: &str) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once("\\u{") {
        let found = after.split_once('}').and_then(|(digits, after)| {
            Some((u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?, after))
        });
        out.push_str(before);
        match found {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push_str("\\u{");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Process};

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot { viewer: Some(NsId::inode(1)), ..Snapshot::default() };
        let tree: [(u64, &str, Option<u64>); 5] = [
            (1, "host", None),
            (2, "ct1", Some(1)),
            (3, "ct2", Some(1)),
            (4, "web", Some(2)),
            (5, "web", Some(3)),
        ];
        for (ino, name, parent) in tree {
            let mut ns = Namespace::new(NsId::inode(ino));
            ns.parent = parent.map(NsId::inode);
            ns.names.push(Name { text: name.into(), source: NameSource::File });
            let pid = u32::try_from(ino).unwrap();
            ns.processes.push(Process { pid: pid * 10, inner_pid: 1, comm: "sh".into(), uid: 0 });
            snapshot.namespaces.insert(ns.id, ns);
        }
        snapshot
    }

    #[test]
    fn a_name_given_twice_becomes_a_path() {
        let s = snapshot();
        assert_eq!(s.name_of(NsId::inode(2)), "ct1");
        assert_eq!(s.name_of(NsId::inode(4)), "ct1/web");
        assert_eq!(s.resolve_ns("ct2/web"), Ok(NsId::inode(5)));
        let error = s.resolve_ns("web").unwrap_err().to_string();
        assert_eq!(error, "\"web\" could be any of ct1/web, ct2/web");
    }

    #[test]
    fn a_path_may_end_in_any_name() {
        let mut s = snapshot();
        let sidecar = Name { text: "sidecar".into(), source: NameSource::Process };
        s.namespaces.get_mut(&NsId::inode(5)).unwrap().names.push(sidecar);
        assert_eq!(s.resolve_ns("ct2/sidecar"), Ok(NsId::inode(5)));
        assert!(s.resolve_ns("ct1/sidecar").is_err());
    }

    #[test]
    fn a_lab_is_where_its_paths_begin() {
        let mut s = snapshot();
        let lab = Name { text: "ct1".into(), source: NameSource::Lab("shop".into()) };
        s.namespaces.get_mut(&NsId::inode(2)).unwrap().names[0] = lab;
        s.viewer = None;
        assert_eq!(s.path_of(NsId::inode(4)), "shop/ct1/web");
        assert_eq!(s.path_of(NsId::inode(5)), "host/ct2/web");
    }

    #[test]
    fn names_are_as_new_as_what_they_name() {
        let mut s = snapshot();
        assert_eq!(s.name_of(NsId::inode(4)), "ct1/web");
        s.namespaces.get_mut(&NsId::inode(5)).unwrap().names[0].text = "db".into();
        assert_eq!(s.name_of(NsId::inode(4)), "web");
        s.namespaces.get_mut(&NsId::inode(5)).unwrap().names[0].text = "web".into();
        assert_eq!(s.name_of(NsId::inode(4)), "ct1/web");
        s.viewer = None;
        assert_eq!(s.name_of(NsId::inode(4)), "host/ct1/web");
    }

    #[test]
    fn a_process_s_name_gives_way_to_a_given_one() {
        let mut s = snapshot();
        let other = s.namespaces.get_mut(&NsId::inode(5)).unwrap();
        other.names[0].source = NameSource::Process;
        assert_eq!(s.resolve_ns("web"), Ok(NsId::inode(4)));
    }

    #[test]
    fn containers_by_name_id_and_pod() {
        let mut s = snapshot();
        s.namespaces.get_mut(&NsId::inode(4)).unwrap().containers.push(Container {
            engine: crate::Engine::Containerd,
            id: "0123456789abcdef".repeat(4),
            names: vec![("shop".into(), crate::Teller::Files)],
            pod: Some(Pod { name: "shop-0".into(), namespace: Some("prod".into()) }),
            image: None,
            pid: None,
            networks: Vec::new(),
            publishes: Vec::new(),
            told_by: vec![crate::Teller::Files],
        });
        let long = "0123456789abcdef".repeat(4);
        for word in
            ["shop", "0123456789ab", "012345", &long, "shop-0", "shop-0/shop", "prod/shop-0/shop"]
        {
            assert_eq!(s.resolve_ns(word), Ok(NsId::inode(4)), "{word}");
        }
        for word in ["01234", "shop-0/", "shop-0/web", "prod"] {
            assert!(s.resolve_ns(word).is_err(), "{word}");
        }
    }

    #[test]
    fn names_as_they_are_printed() {
        let mut s = snapshot();
        let odd = "a b\n\u{202e}c";
        s.namespaces.get_mut(&NsId::inode(5)).unwrap().names[0].text = odd.into();
        for word in [odd, "a b\\u{a}\\u{202e}c", "\"a b\\u{a}\\u{202e}c\""] {
            assert_eq!(s.resolve_ns(word), Ok(NsId::inode(5)), "{word}");
        }
        assert_eq!(s.resolve_ns("'ct1'"), Ok(NsId::inode(2)));
        assert_eq!(unescape("\\u{zz}\\u{"), "\\u{zz}\\u{");
    }

    #[test]
    fn pids_inodes_and_unknown_words() {
        let s = snapshot();
        assert_eq!(s.resolve_ns("pid:30"), Ok(NsId::inode(3)));
        assert_eq!(s.resolve_ns("net:[4]"), Ok(NsId::inode(4)));
        assert!(s.resolve_ns("pid:x").is_err());
        assert!(matches!(s.resolve("ct1:eth0"), Err(NameError::NoLink { .. })));
        assert!(matches!(s.resolve("nobody"), Err(NameError::NoNamespace { .. })));
    }
}
