//! A watch for tests, and what it tells.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use kernel::read::{Parts, ReadOptions, read};
use kernel::watch::{Options, Told, Watch};
use model::{Name, NameSource, NsId, Snapshot};
use render::Style;

use crate::space::Space;

pub(crate) type Names = Rc<RefCell<BTreeMap<NsId, String>>>;
pub(crate) type Error = Box<dyn std::error::Error>;
pub(crate) type Look = Box<dyn FnMut(Parts) -> Result<Snapshot, Error>>;

/// A watch that tells of the namespaces that the test has named, and of nobody else's.
pub(crate) struct Bench {
    pub(crate) watch: Watch<Look>,
    pub(crate) names: Names,
}

impl Bench {
    pub(crate) fn new(spaces: &[(&Space, &str)], options: &Options) -> Self {
        let names = Names::default();
        names.borrow_mut().extend(spaces.iter().map(|(s, name)| (s.id(), (*name).to_owned())));
        let known = names.clone();
        let look = move |parts| {
            let mut snapshot = read(&ReadOptions { parts, ..ReadOptions::default() })?;
            for (id, name) in known.borrow().iter() {
                if let Some(ns) = snapshot.namespaces.get_mut(id) {
                    ns.names = vec![Name { text: name.clone(), source: NameSource::File }];
                    ns.parent = None;
                }
            }
            Ok(snapshot)
        };
        Self { watch: Watch::open(Box::new(look) as Look, options).unwrap(), names }
    }

    /// What is told until a line holds these words.
    #[track_caller]
    pub(crate) fn until(&mut self, words: &str) -> Vec<String> {
        let names: Vec<String> = self.names.borrow().values().cloned().collect();
        let mut lines = Vec::new();
        let mut found = false;
        let mut tell = |told: Told<'_>| {
            let line = match told {
                Told::Note(text) => text,
                Told::Difference { difference, .. } if difference.noise => {
                    return ControlFlow::Continue(());
                }
                Told::Difference { before, after, difference } => {
                    let line = render::event("", before, after, difference, &Style::default());
                    line.trim().to_owned()
                }
            };
            let ours = |n: &String| {
                line.get(2..).is_some_and(|l| {
                    l.strip_prefix(n.as_str()).is_some_and(|l| l.starts_with([':', ' ']))
                })
            };
            if names.iter().any(ours) || line.contains("some were lost") {
                found = line.contains(words);
                lines.push(line);
            }
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.watch.run(Some(Instant::now() + Duration::from_secs(20)), &mut tell).unwrap();
        assert!(found, "{words:?} was not told, but\n{}", lines.join("\n"));
        lines
    }

    #[track_caller]
    pub(crate) fn tells(&mut self, lines: &[&str]) {
        assert_eq!(self.until(lines.last().unwrap()), lines);
    }
}

pub(crate) fn pair() -> (Space, Space) {
    let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
    for space in [&a, &b] {
        space.run_net("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up");
    }
    (a, b)
}

pub(crate) fn wire(a: &Space, b: &Space) {
    a.run_net(&format!(
        "ip link add v0 type veth peer name eth0 netns {}; ip addr add 10.0.0.1/24 dev v0",
        b.pid
    ));
    b.run_net("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up");
    a.run_net("ip link set v0 up");
}
