//! What changes without a word: the kernel tells nobody of the sets of ipset, nor of the peers of
//! WireGuard links. Where there are any, they are looked at now and then.

use std::ops::ControlFlow;
use std::time::Instant;

use model::{IpSet, Namespace, NsId, Snapshot};

use super::{Teller, Watch, WatchError, scan};
use crate::read::{self, Parts};

#[derive(Debug)]
pub(super) struct Untold {
    due: Instant,
}

impl Untold {
    pub(super) fn begin() -> Self {
        Self { due: Instant::now() }
    }
}

impl<R, E> Watch<R>
where
    R: FnMut(Parts) -> Result<Snapshot, E>,
    E: From<WatchError>,
{
    /// When it is time to look; None: there is nothing to look at.
    pub(super) fn untold_due(&self) -> Option<Instant> {
        self.with_untold().next().map(|_| self.untold.due)
    }

    /// Namespaces that have, or may get, something of which nobody is told.
    fn with_untold(&self) -> impl Iterator<Item = &Namespace> {
        let all = self.snapshot().namespaces.values();
        let heard = all.filter(|ns| self.post.hears(ns.id));
        heard.filter(|ns| self.present.ipset || read::has_tunnels(ns))
    }

    /// Looks, where it is time to, and tells what differs.
    pub(super) fn look_at_untold(&mut self, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let begun = Instant::now();
        if self.untold.due > begun {
            return ControlFlow::Continue(());
        }
        let ids: Vec<NsId> = self.with_untold().map(|ns| ns.id).collect();
        for id in ids {
            let Some(old) = self.snapshot().namespaces.get(&id) else { continue };
            let Some(new) = read::untold(old, &self.present).ok().and_then(|r| renewed(old, r))
            else {
                continue;
            };
            self.state.replace(new, tell)?;
        }
        self.untold.due = scan::next_after(begun);
        ControlFlow::Continue(())
    }
}

/// A namespace with what was read of it; None: it is as it was, or could not be read.
fn renewed(old: &Namespace, read: Namespace) -> Option<Namespace> {
    let sets = |ns: &Namespace| ns.ipsets.iter().map(IpSet::normalised).collect::<Vec<_>>();
    let others = sets(old) != sets(&read);
    if !read.gaps.is_empty() || !(others || read::has_tunnels(old)) {
        return None;
    }
    let mut new = old.clone();
    new.ipsets = read.ipsets;
    read::peers(&mut new, read.links);
    (others || new.links != old.links).then_some(new)
}
