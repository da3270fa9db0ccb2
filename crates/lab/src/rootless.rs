//! The same lab for a user without privileges, as far as it can be the same.

use crate::file::{Kind, Lab};

impl Lab {
    /// Makes this a lab that an ordinary user can build within a user namespace of their own:
    /// user namespaces with one id, veth pairs for cabled cards, no unplugged cards. Says what
    /// differs, a sentence each.
    pub fn without_privileges(&mut self) -> Vec<String> {
        let mut differs = Vec::new();
        self.rootless = true;
        let unprivileged: Vec<&str> =
            self.spaces.iter().filter(|s| s.unprivileged).map(|s| s.name.as_str()).collect();
        if !unprivileged.is_empty() {
            differs.push(format!(
                "{}: the user namespace maps one id, not 65536 from uid 100000, as an ordinary user may map only their own",
                unprivileged.join(", ")
            ));
        }
        for space in &mut self.spaces {
            let ns = space.name.clone();
            space.links.retain(|link| {
                let unplugged = matches!(link.kind, Some(Kind::Nic { cable: None }));
                if unplugged {
                    differs.push(format!(
                        "{ns}:{} is left out: a card with no cable is a tap, and /dev/net/tun is closed to ordinary users",
                        link.name
                    ));
                }
                !unplugged
            });
            for link in &mut space.links {
                if let Some(Kind::Nic { cable: Some(far) }) = &link.kind {
                    differs.push(format!(
                        "{ns}:{} and {} are a veth pair instead of two cards and a cable: `ip link` shows them with @ifN, and each namespace has one nsid more",
                        link.name, far.what
                    ));
                    link.kind = Some(Kind::Veth { peer: far.clone(), peer_bridge: None });
                }
            }
        }
        differs
    }
}
