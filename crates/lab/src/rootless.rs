//! The same lab for a user without privileges, as far as it can be the same.

use model::LinkRef;

use crate::expand::link_of;
use crate::file::{Kind, Lab};

impl Lab {
    /// Makes this a lab that an ordinary user can build within a user namespace of their own:
    /// user namespaces with one id, veth pairs for cabled cards, no unplugged cards. Says what
    /// differs, a sentence each; nothing where all is the same.
    pub fn without_privileges(&mut self) -> Vec<String> {
        self.rootless = true;
        let mut differs = Vec::new();
        let unprivileged: Vec<&str> =
            self.spaces.iter().filter(|s| s.unprivileged).map(|s| s.name.as_str()).collect();
        if !unprivileged.is_empty() {
            differs.push(format!(
                "{}: one id is mapped, not 65536 from 100000, as an ordinary user may map only \
                 their own",
                unprivileged.join(", ")
            ));
        }
        for link in self.unplugged() {
            differs.push(format!(
                "{link} is left out: a card is a tap, and /dev/net/tun is closed to ordinary users"
            ));
            self.leave_out(&link);
        }
        for space in &mut self.spaces {
            for link in &mut space.links {
                let Some(Kind::Nic { cable: Some(far) }) = &link.kind else { continue };
                differs.push(format!(
                    "{}:{} and {} are a veth pair instead of two cards with a cable: `ip link` \
                     shows each with @ifN, and their namespaces know each other by an nsid",
                    space.name, link.name, far.what
                ));
                link.kind = Some(Kind::Veth { peer: far.clone(), peer_bridge: None });
            }
        }
        differs
    }

    fn unplugged(&self) -> Vec<LinkRef> {
        let unplugged = |kind: &Option<Kind>| matches!(kind, Some(Kind::Nic { cable: None }));
        let of = |space: &crate::file::Space| {
            let links = space.links.iter().filter(|l| unplugged(&l.kind));
            links.map(|l| LinkRef::new(&space.name, &l.name)).collect::<Vec<_>>()
        };
        self.spaces.iter().flat_map(of).collect()
    }

    /// A link, and all that speaks of it; a macvlan or vxlan on it goes too.
    fn leave_out(&mut self, gone: &LinkRef) {
        let mut above = Vec::new();
        for space in &mut self.spaces {
            let here = space.name == gone.ns;
            let is_gone = |name: &str| here && name == gone.name;
            space.links.retain(|l| !is_gone(&l.name));
            for link in &mut space.links {
                match &mut link.kind {
                    Some(Kind::Bridge { ports, .. }) => ports.retain(|p| !is_gone(&p.what)),
                    Some(
                        Kind::Macvlan { lower, .. }
                        | Kind::Ipvlan { lower, .. }
                        | Kind::Vlan { lower, .. },
                    ) if lower.what == *gone => {
                        above.push(LinkRef::new(&space.name, &link.name));
                    }
                    Some(Kind::Vxlan { lower: Some(lower), .. }) if is_gone(&lower.what) => {
                        above.push(LinkRef::new(&space.name, &link.name));
                    }
                    _ => {}
                }
            }
            let by = |dev: Option<&str>| dev.is_some_and(is_gone);
            space.routes.retain(|r| !by(r.what.dev.as_ref().map(|d| d.what.as_str())));
            space.labels.retain(|l| !by(l.what.dev.as_ref().map(|d| d.what.as_str())));
            space.neighbours.retain(|n| !is_gone(&n.what.dev.what));
            space.fdb.retain(|e| !is_gone(&e.what.0.what));
            space.mdb.retain(|e| !is_gone(&e.what.0.what));
            space.vlans.retain(|e| !is_gone(&e.what.0.what));
            space.sysctls.retain(|s| !by(link_of(&s.what.0)));
        }
        for link in above {
            self.leave_out(&link);
        }
    }
}

#[cfg(test)]
mod tests {
    /// What differs, and how many facts are left.
    fn check(text: &str) -> String {
        let mut lab = crate::parse(text, "test.yaml").unwrap_or_else(|e| panic!("{e:?}"));
        let mut said = lab.without_privileges();
        said.push(format!("{} facts", crate::expand(&lab).facts.len()));
        said.join("\n")
    }

    #[test]
    fn nothing_differs_where_nothing_needs_privileges() {
        insta::assert_snapshot!(check("name: x\nnamespaces: {a: {}}"), @"3 facts");
    }

    #[test]
    fn cards_and_ids_differ() {
        insta::assert_snapshot!(check("
            name: x
            namespaces:
              a:
                unprivileged: true
                links:
                  e0: {kind: nic, cable: 'b:e0', addresses: [10.0.0.1/24]}
                  w0: {kind: nic, addresses: [10.1.0.1/24]}
                  m0: {kind: macvlan, lower: w0, addresses: [10.2.0.1/24]}
                  br: {kind: bridge, ports: [w0]}
                routes: [{to: 10.9.0.0/16, dev: w0}, {to: 10.8.0.0/16, dev: m0}]
                sysctls: {net.ipv4.conf.w0.rp_filter: 1}
              b: {}
        "), @"
    a: one id is mapped, not 65536 from 100000, as an ordinary user may map only their own
    a:w0 is left out: a card is a tap, and /dev/net/tun is closed to ordinary users
    a:e0 and b:e0 are a veth pair instead of two cards with a cable: `ip link` shows each with @ifN, and their namespaces know each other by an nsid
    12 facts
    ");
    }
}
