//! A check file and a Snapshot put together: every pair that is to be judged.

use std::collections::HashSet;
use std::ops::Range;

use model::Snapshot;
use walk::Indexed;
use yaml::At;

use crate::error::{CheckError, Errors};
use crate::file::{File, Service, Want};
use crate::judge::Row;
use crate::ports::{self, representatives};
use crate::report::{self, Report};
use crate::who::{End, Finder, Source, Target};

/// All that is to be judged, rule by rule.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) rules: Vec<Planned>,
    /// The ports that speak for all, where a rule denies anything.
    pub(crate) ports: Vec<u16>,
    /// Rule and source of every row.
    rows: Vec<(usize, usize)>,
}

/// A rule, and whom it means.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) at: At,
    pub(crate) text: String,
    pub(crate) wants: Vec<Want>,
    pub(crate) from: Vec<Source>,
    pub(crate) to: Vec<Target>,
    senders: HashSet<End>,
    receivers: HashSet<End>,
}

impl Planned {
    pub(crate) fn speaks_of_sender(&self, who: End) -> bool {
        self.senders.contains(&who)
    }

    /// It has said already what must become of that, to that one.
    pub(crate) fn settles(&self, to: End, service: Service) -> bool {
        self.receivers.contains(&to) && self.wants.iter().any(|w| w.service.covers(service))
    }
}

impl File {
    /// Finds who is meant.
    ///
    /// # Errors
    /// Where a word fits nobody.
    pub fn plan<'a>(&'a self, snapshot: &'a Snapshot) -> Result<Plan<'a>, Vec<CheckError>> {
        let errors = Errors::new(&self.name);
        let mut finder = Finder { snapshot, file: self, errors };
        let mut rules = Vec::new();
        for rule in &self.rules {
            let (from, to) = (finder.sources(&rule.from), finder.targets(&rule.to));
            let senders = from.iter().map(|s| s.who).collect();
            let receivers = to.iter().map(|t| t.who).collect();
            let (at, text, wants) = (rule.at, rule.text.clone(), rule.wants.clone());
            rules.push(Planned { at, text, wants, from, to, senders, receivers });
        }
        let all = rules.iter().flat_map(|r| &r.wants).any(|w| w.service == Service::Any);
        let ports = if all { representatives(snapshot) } else { Vec::new() };
        let rows = rules.iter().enumerate();
        let rows = rows.flat_map(|(n, r)| (0..r.from.len()).map(move |from| (n, from))).collect();
        finder.errors.or(Plan { snapshot, rules, ports, rows })
    }
}

impl Plan<'_> {
    /// How many rows there are: the pairs of one rule that begin at one sender.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// All rows, in blocks that are best judged at once, for so many threads.
    #[must_use]
    pub fn blocks(&self, threads: usize) -> Vec<Range<usize>> {
        const MOST: usize = 32;
        let size = self.rows().div_ceil(4 * threads.max(1)).clamp(1, MOST);
        let begin = (0..self.rows()).step_by(size);
        begin.map(|first| first..(first + size).min(self.rows())).collect()
    }

    pub(crate) fn row(&self, row: usize) -> (usize, &Planned, &Source) {
        let (rule, from) = self.rows[row];
        (rule, &self.rules[rule], &self.rules[rule].from[from])
    }

    /// Everything that has to be sent to know of this.
    pub(crate) fn classes(&self, service: Service) -> Option<Vec<Service>> {
        if service != Service::Any {
            return Some(vec![service]);
        }
        let ports = || self.ports.iter().copied();
        (self.ports.len() <= ports::MOST).then(|| {
            let of_ports = ports().map(Service::Tcp).chain(ports().map(Service::Udp));
            std::iter::once(Service::Icmp).chain(of_ports).collect()
        })
    }

    /// The senders of whom nothing was found amiss, in their order: what the rules say is so for them.
    #[must_use]
    pub fn senders_without(&self, report: &Report) -> Vec<End> {
        let found = report.rules.iter().flat_map(|r| &r.cases).flat_map(|c| &c.pairs);
        let found: HashSet<End> = found.map(|(from, _)| *from).collect();
        let asked = |rule: &Planned, who: End| rule.to.iter().any(|to| to.who != who);
        let all = self.rules.iter().flat_map(|r| r.from.iter().map(move |s| (r, s.who)));
        let all = all.filter(|(rule, who)| asked(rule, *who) && !found.contains(who));
        all.map(|(_, who)| who).collect()
    }

    /// All rows together, given in any order, with a trace for each kind of thing that was found.
    #[must_use]
    pub fn report(&self, net: &Indexed<'_>, rows: Vec<Row>) -> Report {
        report::report(self, net, rows)
    }
}
