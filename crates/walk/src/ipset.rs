//! Sets of ipset: which part of a packet each type looks for (the `kadt` functions of
//! `net/netfilter/ipset`), and whether that is in the set.

mod index;
mod mask;
mod sought;

use model::{IpSet, IpSetEntry, IpSetPart, IpSetType, XtSet, XtSetRef, XtSetTarget};

pub(crate) use index::IpSets;
use index::{Index, Says};

use crate::chain::{Added, Chains, Changes};
use crate::rule::{Effect, pass};
use crate::{IpSetFound, Looked};

/// IPSET_FLAG_PHYSDEV among what a rule says.
const PHYSDEV: u32 = 2;
/// IPSET_FLAG_WITH_COUNTERS and _SKBINFO of a set.
const COUNTERS: u32 = 8;
const SKBINFO: u32 = 64;
/// What stands for a table where a rule has changed a set: no table has that position.
const NO_TABLE: usize = usize::MAX;

/// Why nothing is looked for.
enum Not {
    /// The packet has no such part: the kernel answers that it is not in the set.
    There,
    /// It is not known.
    Known(String),
}

/// What a rule asks.
struct Asked<'s> {
    named: &'s XtSetRef,
    flags: u32,
    /// What entries have counted matters.
    counted: bool,
}

impl<'a> Chains<'a, '_> {
    /// `set_match_v1` to `_v4`.
    pub(crate) fn ip_set_match(&self, info: &XtSet, revision: u32, changes: &Changes) -> Effect {
        let mut flags = if revision < 3 { 0 } else { info.flags };
        if revision < 3 && info.set.flags & 128 != 0 {
            flags |= XtSet::RETURN_NOMATCH;
        }
        let counted = info.packets.op != 0 || info.bytes.op != 0;
        let asked = Asked { named: &info.set, flags, counted };
        let index = match self.place.ipsets.get(&info.set) {
            Ok(index) => index,
            Err(cause) => return Effect::Doubts(cause),
        };
        match self.is_in(index, &asked, changes) {
            Ok(found) => pass(found.is_some() != info.set.is_inverted()),
            Err(cause) => Effect::Doubts(cause),
        }
    }

    /// `set_target_v1` to `_v3`: what is added or taken out counts for later packets.
    pub(crate) fn ip_set_target(&self, info: &XtSetTarget, changes: &mut Changes) -> Effect {
        for set in [&info.add, &info.del].into_iter().filter(|set| set.is_some()) {
            match self.place.ipsets.get(set) {
                Ok(index) => self.touch(index, changes),
                Err(cause) => return Effect::NotKnown(cause),
            }
        }
        if !info.map.is_some() || info.flags & XtSetTarget::MAP_MARK == 0 {
            return Effect::Goes;
        }
        let asked = Asked { named: &info.map, flags: info.flags, counted: false };
        let found = self.place.ipsets.get(&info.map);
        match found.and_then(|index| self.is_in(index, &asked, changes)) {
            Ok(Some(entry)) => {
                if let Some((mark, mask)) = entry.skb_mark {
                    changes.mark = (changes.mark & !mask) ^ mark;
                }
                Effect::Goes
            }
            Ok(None) => Effect::Goes,
            Err(cause) => Effect::NotKnown(cause),
        }
    }

    fn touch(&self, index: &Index<'_>, changes: &mut Changes) {
        let set = index.set.name.clone();
        let ns = self.place.ns.id;
        changes.added.push(Added { ns, table: NO_TABLE, set, key: Vec::new(), present: None });
    }

    /// `ip_set_test`: the entry that makes the packet one of the set's.
    fn is_in(
        &self,
        index: &Index<'a>,
        asked: &Asked<'_>,
        changes: &Changes,
    ) -> Result<Option<&'a IpSetEntry>, String> {
        let set = index.set;
        let Some(kind) = index.kind else {
            return Err(format!("ipset {} of type {}", set.name, set.kind));
        };
        let family = self.skb.packet.family();
        if usize::from(asked.named.dim) < kind.dimension()
            || set.family.is_some_and(|of| of != family)
        {
            return Ok(None);
        }
        if self.is_touched(set, changes) {
            return Err(format!("ipset {}, which a rule on the way has changed", set.name));
        }
        let parts = match kind {
            IpSetType::Parts(parts) => parts,
            IpSetType::List => return self.is_in_list(index, asked, changes),
        };
        let says = match self.sought(parts, index, asked, changes) {
            Ok(sought) => index.find(&sought),
            Err(not) => Err(not),
        };
        let nomatch = asked.flags & XtSet::RETURN_NOMATCH != 0;
        if let Ok(says) = &says {
            self.note_look(|| told(set, *says));
        }
        let found = match says {
            Ok(Says::In(_)) if nomatch && excepts(parts) => None,
            Ok(Says::In(entry)) => Some(entry),
            Ok(Says::Excepted(entry)) if nomatch => Some(entry),
            Ok(Says::Excepted(_) | Says::Nothing) | Err(Not::There) => None,
            Err(Not::Known(cause)) => return Err(cause),
        };
        self.by_count(set, asked, found)
    }

    /// An entry that counts may have to have counted so much, which is told but for this packet.
    fn by_count(
        &self,
        set: &IpSet,
        asked: &Asked<'_>,
        found: Option<&'a IpSetEntry>,
    ) -> Result<Option<&'a IpSetEntry>, String> {
        match asked.counted && set.options.flags & COUNTERS != 0 && found.is_some() {
            true => Err(format!("ipset {}: what an entry has counted", set.name)),
            false => Ok(found),
        }
    }

    /// `list_set_ktest`: the sets in their order. None of them is a list.
    fn is_in_list(
        &self,
        index: &Index<'a>,
        asked: &Asked<'_>,
        changes: &Changes,
    ) -> Result<Option<&'a IpSetEntry>, String> {
        let inner = Asked { counted: false, ..*asked };
        for entry in &index.set.entries {
            let name = entry.set.as_deref().unwrap_or_default();
            let member = self.place.ipsets.named(name);
            let Some(member) = member.filter(|of| of.kind != Some(IpSetType::List)) else {
                return Err(format!("ipset {name} in {}, which was not read", index.set.name));
            };
            if let Some(found) = self.is_in(member, &inner, changes)? {
                self.note_look(|| told(index.set, Says::In(entry)));
                // What the list's own entry says counts behind what the set's says.
                let own = if index.set.options.flags & SKBINFO != 0 { entry } else { found };
                return self.by_count(index.set, asked, Some(own));
            }
        }
        self.note_look(|| told(index.set, Says::Nothing));
        Ok(None)
    }

    fn is_touched(&self, set: &IpSet, changes: &Changes) -> bool {
        let here = |a: &Added| a.ns == self.place.ns.id && a.table == NO_TABLE && a.set == set.name;
        changes.added.iter().chain(self.added).any(here)
    }
}

/// What is told of a look-up to those who want it explained.
fn told(set: &IpSet, says: Says<'_>) -> Looked {
    let found = match says {
        Says::Nothing => IpSetFound::Nothing,
        Says::In(entry) => IpSetFound::Entry(Box::new(entry.clone())),
        Says::Excepted(entry) => IpSetFound::Excepted(Box::new(entry.clone())),
    };
    Looked::IpSet { set: set.name.clone(), found }
}

/// IPSET_TYPE_NOMATCH: the type has entries that are exceptions.
fn excepts(parts: &[IpSetPart]) -> bool {
    parts.contains(&IpSetPart::Net)
}
