use model::diff::{Turn, What};
use model::{Difference, LinkId, Namespace, NsId, Process, Snapshot};

use super::{link, name, netfilter};
use crate::style::Tone;
use crate::{show, words};

/// A difference in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// What came of it.
    pub(crate) action: Action,
    /// Which kind of thing it is: `link`, `address`, `route`, ….
    pub(crate) kind: &'static str,
    /// What the sentence begins with.
    pub(crate) subject: Subject,
    /// The sentence behind the subject.
    pub(crate) text: String,
    /// The thing as it was.
    pub(crate) before: Option<String>,
    /// The thing as it is.
    pub(crate) after: Option<String>,
    /// Name of the namespace.
    pub(crate) ns: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Appeared,
    Vanished,
    Changed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The namespace: `web appeared`.
    Namespace,
    /// A link in it, by name: `web:eth0 vanished`.
    Link(String),
    /// Something in it that the sentence names: `web: route appeared`.
    Within,
}

impl Action {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Vanished => "vanished",
            Self::Changed => "changed",
        }
    }

    fn of<T>(turn: &Turn<T>) -> Self {
        match turn {
            Turn::Appeared(_) => Self::Appeared,
            Turn::Vanished(_) => Self::Vanished,
            Turn::Changed { .. } => Self::Changed,
        }
    }
}

impl Said {
    /// The sentence below the namespace's name.
    pub(crate) fn in_namespace(&self) -> String {
        match &self.subject {
            Subject::Link(name) => format!("{name} {}", self.text),
            Subject::Namespace | Subject::Within => self.text.clone(),
        }
    }

    /// The sentence by itself.
    pub(crate) fn whole(&self) -> String {
        match &self.subject {
            Subject::Namespace => format!("{} {}", self.ns, self.text),
            Subject::Link(name) => format!("{}:{name} {}", self.ns, self.text),
            Subject::Within => format!("{}: {}", self.ns, self.text),
        }
    }

    pub(crate) const fn sign(&self) -> (Tone, &'static str) {
        match self.action {
            Action::Appeared => (Tone::Good, "+"),
            Action::Vanished => (Tone::Bad, "-"),
            Action::Changed => (Tone::Doubt, "~"),
        }
    }
}

/// What differences are told with: both Snapshots, and the namespace in each.
pub(super) struct Sides<'a> {
    pub(super) before: &'a Snapshot,
    pub(super) after: &'a Snapshot,
    pub(super) was: Option<&'a Namespace>,
    pub(super) is: Option<&'a Namespace>,
    name: String,
}

/// A difference in words.
pub(crate) fn say(before: &Snapshot, after: &Snapshot, difference: &Difference) -> Said {
    let sides = Sides {
        before,
        after,
        was: difference.before.and_then(|id| before.namespaces.get(&id)),
        is: difference.after.and_then(|id| after.namespaces.get(&id)),
        name: name(before, after, difference),
    };
    sides.say(&difference.what)
}

impl Sides<'_> {
    fn say(&self, what: &What) -> Said {
        match what {
            What::Namespace(turn) => self.namespace(turn),
            What::Name { before, after } => {
                self.own("name", Some(before.clone()), Some(after.clone()), |_, _| {
                    format!("is called so now; before, {before}")
                })
            }
            What::Parent { before, after } => self.parent(*before, *after),
            What::Process { before, after } => self.process(before.as_ref(), after.as_ref()),
            What::Link(turn) => link::turn(self, turn),
            What::Moved { from, link } => link::moved(self, *from, *link),
            What::LinkFact { link, fact } => link::fact(self, *link, fact),
            What::Address(turn) => link::address(self, turn),
            What::Nsid { number, before, after } => self.nsid(*number, *before, *after),
            What::Setting { name, before, after } => self.setting(name, before, after),
            What::Unread { part, cause } => Said {
                subject: Subject::Within,
                text: format!("{part} cannot be compared: {cause}"),
                ..self.blank("unread", Action::Changed)
            },
            What::Table(_)
            | What::Chain { .. }
            | What::NftRule { .. }
            | What::Set { .. }
            | What::IpSet(_)
            | What::Flowtable { .. } => netfilter::say(self, what),
            listed => self.listed(listed),
        }
    }

    /// Things of which a namespace has a list, and which are told by their own text.
    fn listed(&self, what: &What) -> Said {
        let (was, is) = (self.was, self.is);
        match what {
            What::File(turn) => self.thing("file", turn, |_, f| f.path.clone()),
            What::Container(turn) => self.thing("container", turn, |_, c| words::container(c)),
            What::Network(turn) => self.thing("network", turn, |_, n| words::network(n)),
            What::Route(turn) => self.thing("route", turn, |late, r| {
                let ns = if late { is } else { was };
                let text = ns.map_or_else(String::new, |ns| words::route(ns, r));
                match r.table {
                    model::TABLE_MAIN => text,
                    n => format!("{text}, table {}", words::table(n)),
                }
            }),
            What::Rule(turn) => self.thing("routing rule", turn, |_, r| words::ip_rule_of(r)),
            What::Neighbour(turn) => self.thing("neighbour", turn, |late, n| {
                let dev = self.dev(late, n.link);
                let proxy = if n.proxy { ", this host answers for it" } else { "" };
                format!("{} on {dev}{proxy}", words::neighbour(n))
            }),
            What::Fdb(turn) => self.thing("FDB entry", turn, |late, e| {
                let ns = if late { is } else { was };
                ns.map_or_else(String::new, |ns| show::fdb_line(ns, e))
            }),
            What::Vlan(turn) => self.thing("VLAN", turn, |late, v| {
                format!("{}: {}", self.dev(late, v.link), words::vlan(v))
            }),
            What::Mdb(turn) => self.thing("MDB entry", turn, |late, e| {
                let ns = if late { is } else { was };
                ns.map_or_else(String::new, |ns| words::mdb(ns, e))
            }),
            What::Opaque(turn) => self.thing("not modelled", turn, |_, o| o.to_string()),
            _ => self.blank("other", Action::Changed),
        }
    }

    pub(super) fn blank(&self, kind: &'static str, action: Action) -> Said {
        Said {
            action,
            kind,
            subject: Subject::Within,
            text: String::new(),
            before: None,
            after: None,
            ns: self.name.clone(),
        }
    }

    /// `route appeared: …`. `text` is told whether the value is of the later Snapshot.
    pub(super) fn thing<T>(
        &self,
        kind: &'static str,
        turn: &Turn<T>,
        text: impl Fn(bool, &T) -> String,
    ) -> Said {
        let mut said = self.blank(kind, Action::of(turn));
        said.text = match turn {
            Turn::Appeared(t) => format!("{kind} appeared: {}", text(true, t)),
            Turn::Vanished(t) => format!("{kind} vanished: {}", text(false, t)),
            Turn::Changed { before, after } => {
                format!("{kind} changed: {} → {}", text(false, before), text(true, after))
            }
        };
        (said.before, said.after) = match turn {
            Turn::Appeared(t) => (None, Some(text(true, t))),
            Turn::Vanished(t) => (Some(text(false, t)), None),
            Turn::Changed { before, after } => (Some(text(false, before)), Some(text(true, after))),
        };
        said
    }

    /// Something about the namespace itself.
    fn own(
        &self,
        kind: &'static str,
        before: Option<String>,
        after: Option<String>,
        text: impl Fn(&Option<String>, &Option<String>) -> String,
    ) -> Said {
        let text = text(&before, &after);
        let subject = Subject::Namespace;
        Said { subject, text, before, after, ..self.blank(kind, Action::Changed) }
    }

    /// The name of a link of the earlier or later namespace.
    pub(super) fn dev(&self, late: bool, index: u32) -> String {
        let ns = if late { self.is } else { self.was };
        ns.map_or_else(|| format!("if{index}"), |ns| words::dev(ns, index))
    }

    pub(super) fn snapshot(&self, late: bool) -> &Snapshot {
        if late { self.after } else { self.before }
    }

    /// The full name of a link.
    pub(super) fn link_name(&self, late: bool, id: LinkId) -> String {
        self.snapshot(late).link_name(id)
    }

    fn namespace(&self, turn: &Turn<NsId>) -> Said {
        let mut said = self.blank("namespace", Action::of(turn));
        said.subject = Subject::Namespace;
        said.text = match turn {
            Turn::Appeared(id) => {
                said.after = Some(id.to_string());
                let about = self.is.map(|ns| words::about(self.after, ns)).unwrap_or_default();
                let about = about.join(", ");
                if about.is_empty() { "appeared".into() } else { format!("appeared ({about})") }
            }
            Turn::Vanished(id) => {
                said.before = Some(id.to_string());
                let links = self.was.map(link::all_of).unwrap_or_default();
                if links.is_empty() { "is gone".into() } else { format!("is gone, with {links}") }
            }
            Turn::Changed { before, after } => {
                (said.before, said.after) = (Some(before.to_string()), Some(after.to_string()));
                "is another namespace of that name now".to_owned()
            }
        };
        said
    }

    fn parent(&self, before: Option<NsId>, after: Option<NsId>) -> Said {
        let was = before.map(|id| self.before.name_of(id));
        let is = after.map(|id| self.after.name_of(id));
        self.own("parent", was, is, |was, is| match (was, is) {
            (None, Some(is)) => format!("is inside {is} now"),
            (Some(was), Some(is)) => format!("is inside {is} now, was inside {was}"),
            (was, None) => format!("is inside no other now, was inside {}", some(was)),
        })
    }

    fn process(&self, before: Option<&Process>, after: Option<&Process>) -> Said {
        let text = |p: &Process| format!("{} {}", p.pid, p.comm);
        self.own("process", before.map(text), after.map(text), |was, is| match (was, is) {
            (Some(_), None) => "has no process any more".to_owned(),
            (None, _) => format!("has a process: {}", some(is)),
            (Some(was), Some(is)) => format!("has another first process: {is}, before {was}"),
        })
    }

    fn nsid(&self, number: u32, before: Option<NsId>, after: Option<NsId>) -> Said {
        let was = before.map(|id| self.before.name_of(id));
        let is = after.map(|id| self.after.name_of(id));
        let turn = match (was, is) {
            (Some(before), Some(after)) => Turn::Changed { before, after },
            (Some(before), None) => Turn::Vanished(before),
            (None, after) => Turn::Appeared(after.unwrap_or_default()),
        };
        self.thing("nsid", &turn, |_, name| format!("{number} = {name}"))
    }

    fn setting(&self, name: &str, before: &Option<String>, after: &Option<String>) -> Said {
        let text = match (before, after) {
            (Some(was), Some(is)) => format!("{name} is {is}, was {was}"),
            (None, Some(is)) => format!("{name} is there: {is}"),
            (was, None) => format!("{name} is not there any more, was {}", some(was)),
        };
        let (before, after) = (before.clone(), after.clone());
        Said { text, before, after, ..self.blank("setting", Action::Changed) }
    }
}

fn some(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("nothing")
}
