//! The thing that a fact speaks of, as it is.

mod link;
mod port;
mod route;

use model::Fact;

use crate::State;

impl State {
    /// The same thing as it is now, in the same words; None: it is not there.
    pub(crate) fn observe(&self, fact: &Fact) -> Option<Fact> {
        match fact {
            Fact::Namespace(spec) => self.space(&spec.name).map(|_| fact.clone()),
            Fact::Nsid { ns, nsid, .. } => self.nsid(ns, *nsid),
            Fact::NsFile { ns, path, .. } => self.file(ns, path),
            Fact::Link(spec) => self.observe_link(&spec.link).map(Fact::Link),
            Fact::Cable(cable) => self.cable(cable).map(Fact::Cable),
            Fact::Master { link, .. } => self.master(link),
            Fact::Backup { link, .. } => self.backup(link),
            Fact::PortState { link, .. } => {
                let state = self.link(link)?.port.as_ref()?.state;
                Some(Fact::PortState { link: link.clone(), state })
            }
            Fact::BondPort { bond, role, .. } => self.bond_port(bond, *role),
            Fact::Up { link, .. } => {
                Some(Fact::Up { link: link.clone(), up: self.link(link)?.is_up() })
            }
            Fact::Mtu { link, .. } => {
                Some(Fact::Mtu { link: link.clone(), mtu: self.link(link)?.mtu })
            }
            Fact::Address(spec) => self.address(spec).map(Fact::Address),
            Fact::Route(spec) => self.route(spec).map(Fact::Route),
            Fact::Rule { ns, rule } => self.rule(ns, rule),
            Fact::AddressLabel { ns, net, dev, .. } => self.address_label(ns, *net, dev.as_ref()),
            Fact::Neighbour { link, ip, .. } => self.neighbour(link, *ip),
            Fact::Proxy { link, ip } => self.proxy(link, *ip).then(|| fact.clone()),
            Fact::Fdb { link, mac } => self.fdb(link, *mac).then(|| fact.clone()),
            Fact::Vlan { link, id, .. } => self.vlan(link, *id),
            Fact::Mdb { link, group } => self.mdb(link, *group).then(|| fact.clone()),
            Fact::Tc { link, .. } => self.tc(link),
            Fact::Queue { link, .. } => self.queue(link),
            Fact::Sysctl { ns, key, .. } => self.sysctl(ns, key),
            Fact::IpSet { ns, set } => {
                let found = self.space(ns)?.ipsets.iter().find(|s| s.name == set.name)?;
                Some(Fact::IpSet { ns: ns.clone(), set: Box::new(found.clone()) })
            }
            Fact::Table { ns, table } => {
                let table = self.space(ns)?.ruleset.table(table.family, &table.name)?.clone();
                Some(Fact::Table { ns: ns.clone(), table })
            }
            Fact::Service { ns, .. } => {
                let spec = self.known.services.get(ns).filter(|_| self.space(ns).is_some())?;
                Some(Fact::Service { ns: ns.clone(), spec: spec.clone() })
            }
        }
    }

    fn nsid(&self, ns: &str, nsid: u32) -> Option<Fact> {
        let target = self.space(ns)?.nsids.get(&nsid)?;
        let target = self.name(*target).unwrap_or_default().to_owned();
        Some(Fact::Nsid { ns: ns.to_owned(), nsid, target })
    }

    fn sysctl(&self, ns: &str, key: &str) -> Option<Fact> {
        self.space(ns)?;
        let value = self.known.sysctls.get(&(ns.to_owned(), key.to_owned()))?.clone();
        Some(Fact::Sysctl { ns: ns.to_owned(), key: key.to_owned(), value })
    }

    fn file(&self, ns: &str, path: &str) -> Option<Fact> {
        let seen_in = Some(self.id(ns)?);
        let on_it = |f: &model::NsFile| f.path == path && f.seen_in == seen_in;
        let found = self.spaces.values().find(|n| n.files.iter().any(on_it))?;
        let target = self.name(found.id)?.to_owned();
        Some(Fact::NsFile { ns: ns.to_owned(), path: path.to_owned(), target })
    }
}
