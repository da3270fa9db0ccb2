//! From what the file says to the facts that should be so, in the order in which to make them.

mod check;
mod docker;
mod ipset;
mod links;
mod order;
mod proxmox;
mod routes;
mod tables;
mod wireguard;

use std::collections::HashMap;

use model::{Fact, IdMap, LinkRef, NamespaceSpec};

use crate::error::{Errors, Problem, nearest};
use crate::file::{Kind, Lab, LinkEntry, Space};
use crate::node::{At, Said};

/// A fact, and the place in the file that it comes from.
pub(crate) type Told = Said<Fact>;

/// All facts of a lab. What cannot be is reported; then the facts are not to be used.
pub(crate) fn facts(lab: &Lab, errors: &mut Errors) -> Vec<Told> {
    let Some(spaces) = parents_first(lab, errors) else { return Vec::new() };
    let docker = docker::resolve(lab, &spaces, errors);
    let mut making = Making::new(lab, errors);
    for space in &spaces {
        making.namespace(space);
    }
    for space in &spaces {
        making.nsids(space);
    }
    // Before any link: what is said of all links must not undo what is said of one, which another
    // namespace's entry may make.
    for space in &spaces {
        making.settings(space);
    }
    for space in &spaces {
        making.parts(space, &docker);
    }
    for space in &spaces {
        making.port_states(space);
        making.labels(space);
        making.rules(space);
        making.filters(space);
    }
    let Making { mut facts, errors, .. } = making;
    routes::find_links(&mut facts, errors);
    check::facts(lab, &facts, errors);
    order::settle(facts, errors)
}

/// The namespaces in the order of the file, but each behind the one that it is inside of.
fn parents_first<'l>(lab: &'l Lab, errors: &mut Errors) -> Option<Vec<&'l Space>> {
    let mut order: Vec<&Space> = Vec::new();
    let mut good = true;
    for space in &lab.spaces {
        let mut way: Vec<&Space> = Vec::new();
        let mut at = Some(space);
        while let Some(space) = at {
            if order.iter().any(|s| s.name == space.name) {
                break;
            }
            if let Some(start) = way.iter().position(|s| s.name == space.name) {
                let mut path: Vec<String> = way[start..].iter().map(|s| s.name.clone()).collect();
                path.push(space.name.clone());
                let place = way[start].inside.as_ref().map_or(way[start].at, |i| i.at);
                errors.push(place, Problem::InsideCycle { path });
                return None;
            }
            way.push(space);
            at = match &space.inside {
                None => None,
                Some(inside) => {
                    let parent = lab.space(&inside.what);
                    if parent.is_none() {
                        good = false;
                        errors.push(inside.at, no_namespace(lab, &inside.what));
                    }
                    parent
                }
            };
        }
        order.extend(way.into_iter().rev());
    }
    good.then_some(order)
}

/// The error for an unknown namespace.
fn no_namespace(lab: &Lab, name: &str) -> Problem {
    let nearest = nearest(name, lab.spaces.iter().map(|s| s.name.as_str()));
    Problem::NoNamespace { name: name.to_owned(), nearest }
}

impl Lab {
    /// An address of some link is of IPv6.
    fn has_ipv6(&self) -> bool {
        let mut links = self.spaces.iter().flat_map(|s| &s.links);
        links.any(|l| l.addresses.iter().any(|a| a.what.net.addr().is_ipv6()))
    }

    pub(crate) fn space(&self, name: &str) -> Option<&Space> {
        self.spaces.iter().find(|s| s.name == name)
    }
}

/// The facts so far.
pub(crate) struct Making<'l> {
    lab: &'l Lab,
    errors: &'l mut Errors,
    facts: Vec<Told>,
    spaces: HashMap<&'l str, &'l Space>,
    entries: HashMap<(&'l str, &'l str), &'l LinkEntry>,
}

impl<'l> Making<'l> {
    fn new(lab: &'l Lab, errors: &'l mut Errors) -> Self {
        let spaces = lab.spaces.iter().map(|s| (s.name.as_str(), s)).collect();
        let entries = lab
            .spaces
            .iter()
            .flat_map(|s| s.links.iter().map(|l| ((s.name.as_str(), l.name.as_str()), l)))
            .collect();
        Self { lab, errors, facts: Vec::new(), spaces, entries }
    }

    fn tell(&mut self, at: At, fact: Fact) {
        self.facts.push(Said::new(at, fact));
    }

    /// What the file says of a link.
    fn entry(&self, link: &LinkRef) -> Option<&'l LinkEntry> {
        self.entries.get(&(link.ns.as_str(), link.name.as_str())).copied()
    }

    fn namespace(&mut self, space: &Space) {
        let user = space.unprivileged.then_some(match self.lab.rootless {
            false => IdMap { first: 100_000, count: 65_536 },
            true => IdMap { first: 0, count: 1 },
        });
        let inside = space.inside.as_ref().map(|i| i.what.clone());
        let spec = NamespaceSpec { name: space.name.clone(), inside, user };
        self.tell(space.at, Fact::Namespace(spec));
    }

    fn nsids(&mut self, space: &Space) {
        for (nsid, target) in &space.nsids {
            if self.known(target) {
                let (ns, target) = (space.name.clone(), target.what.clone());
                self.tell(nsid.at, Fact::Nsid { ns, nsid: nsid.what, target });
            }
        }
    }

    /// Whether there is a namespace of that name; reports it if not.
    fn known(&mut self, name: &Said<String>) -> bool {
        let known = self.spaces.contains_key(name.what.as_str());
        if !known {
            self.errors.push(name.at, no_namespace(self.lab, &name.what));
        }
        known
    }

    /// All that is in one namespace.
    fn parts(&mut self, space: &'l Space, docker: &docker::Hosts) {
        for (path, target) in &space.files {
            if self.known(target) {
                let (ns, target) = (space.name.clone(), target.what.clone());
                self.tell(path.at, Fact::NsFile { ns, path: path.what.clone(), target });
            }
        }
        // VRFs come first: what joins one loses its addresses.
        let is_vrf = |entry: &&LinkEntry| matches!(entry.kind, Some(Kind::Vrf(_)));
        let (vrfs, others): (Vec<_>, Vec<_>) = space.links.iter().partition(is_vrf);
        for entry in vrfs.into_iter().chain(others) {
            self.link(space, entry);
        }
        self.bonds(space);
        if let Some(proxmox) = &space.proxmox {
            self.proxmox(space, proxmox);
        }
        if let Some(guest) = &space.docker_guest {
            self.docker_guest(space, guest, docker);
        }
        self.routes(space);
        let host = docker.get(&space.name);
        if let Some(host) = host {
            self.docker_networks(space, host);
        }
        self.ipsets(space);
        self.tables(space, host, false);
        self.nft(space);
        self.tables(space, host, true);
        if let Some(services) = &space.services {
            let (ns, spec) = (space.name.clone(), services.what.clone());
            self.tell(services.at, Fact::Service { ns, spec });
        }
    }

    /// What holds for the whole namespace. ip_forward is always said: a new network namespace
    /// takes it from the machine, not from a default.
    fn settings(&mut self, space: &'l Space) {
        let lo = LinkRef::new(&space.name, "lo");
        self.tell(space.at, Fact::Up { link: lo.clone(), up: true });
        let forward = if space.docker_host.is_some() { "1" } else { "0" };
        self.setting(space.at, &space.name, "net/ipv4/ip_forward", forward);
        if space.docker_guest.is_some() {
            self.docker_settings(space);
        }
        if self.lab.has_ipv6() {
            // Nobody else can have an address of the lab's: it is good at once, also the one that
            // the kernel gives each link by itself.
            self.setting(space.at, &space.name, "net/ipv6/conf/default/accept_dad", "0");
        }
        for said in space.sysctls.iter().filter(|s| link_of(&s.what.0).is_none()) {
            let (ns, (key, value)) = (space.name.clone(), said.what.clone());
            self.tell(said.at, Fact::Sysctl { ns, key, value });
        }
        if let Some(entry) = self.entry(&lo) {
            self.addresses(entry, &lo);
        }
    }

    /// A setting that a ready-made part makes, unless the file says it otherwise.
    fn setting(&mut self, at: At, ns: &str, key: &str, value: &str) {
        let said = self.spaces[ns].sysctls.iter().any(|s| s.what.0 == key);
        if !said {
            let (ns, key, value) = (ns.to_owned(), key.to_owned(), value.to_owned());
            self.tell(at, Fact::Sysctl { ns, key, value });
        }
    }

    /// The file's own settings of a link, as soon as it is there.
    fn link_settings(&mut self, link: &LinkRef) {
        let Some(space) = self.spaces.get(link.ns.as_str()).copied() else { return };
        let of_link = |key: &str| link_of(key) == Some(&link.name);
        for said in space.sysctls.iter().filter(|s| of_link(&s.what.0)) {
            let (ns, (key, value)) = (space.name.clone(), said.what.clone());
            self.tell(said.at, Fact::Sysctl { ns, key, value });
        }
    }
}

/// The link that a sysctl is about: `net/ipv4/conf/LINK/…`, `net/ipv6/neigh/LINK/…`.
pub(crate) fn link_of(key: &str) -> Option<&str> {
    let mut parts = key.split('/').skip(1);
    let (family, group, link) = (parts.next()?, parts.next()?, parts.next()?);
    let per_link = matches!(family, "ipv4" | "ipv6" | "mpls") && matches!(group, "conf" | "neigh");
    (per_link && !matches!(link, "all" | "default" | "lo")).then_some(link)
}
