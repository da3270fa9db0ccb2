//! What asking for a neighbour came to, for all that ask the same of a network as it was read.
//!
//! A question that one packet asks is asked by the next one, too, where nothing that it taught is
//! kept. What comes of it hangs on who asks for what in whose name, and on what packets have taught
//! before: on those entries alone that it looked for and did not find. Where they are still not
//! there, it comes to the same, and teaches the same.

use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use model::{LinkId, Mac, Neighbour};

use crate::fdb::Lessons;
use crate::hash::{Map, Quick};
use crate::skb::{Arp, Skb, shifted};
use crate::taught::Noted;
use crate::walker::Walker;
use crate::{Overlay, Sink};

/// How many shelves there are, so that threads seldom wait for each other.
const SHELVES: usize = 32;
/// How many questions a shelf holds at most.
const MOST: usize = 1 << 13;

/// Questions, and what they came to.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    shelves: [RwLock<Map<Key, Kept>>; SHELVES],
    hash: Quick,
}

/// A question: by which link, for whom, in whose name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    out: LinkId,
    target: IpAddr,
    asker: IpAddr,
}

/// Of many questions each is asked just once: only the second time it is worth keeping.
#[derive(Debug)]
enum Kept {
    Once,
    Exchange(Box<Exchange>),
}

/// What came of a question that was answered.
#[derive(Debug)]
struct Exchange {
    /// The address that came back, and when; None: it is taken that somebody outside answers.
    came: Option<(Mac, u32)>,
    /// When it was asked.
    began: u32,
    /// How many moves its packets made.
    moves: usize,
    fdb: Noted<(LinkId, u16, Mac), Lessons>,
    neighbours: Noted<(LinkId, IpAddr), Neighbour>,
}

/// A question that is being asked, and is to be kept.
pub(crate) struct Watch {
    key: Key,
    began: u32,
    /// What was left of the budget, and how many choices had been asked for.
    before: (usize, usize),
}

impl Memory {
    fn shelf(&self, key: &Key) -> &RwLock<Map<Key, Kept>> {
        use std::hash::BuildHasher;
        let count = SHELVES as u64;
        // The map uses the highest bits and the lowest.
        let nth = (self.hash.hash_one(key) >> 32) % count;
        &self.shelves[usize::try_from(nth).unwrap_or(0)]
    }

    /// Notes that it was asked; true: not for the first time.
    fn is_asked_again(&self, key: Key) -> bool {
        let mut shelf = self.shelf(&key).write().unwrap_or_else(PoisonError::into_inner);
        if shelf.contains_key(&key) {
            return true;
        }
        if shelf.len() < MOST {
            shelf.insert(key, Kept::Once);
        }
        false
    }

    fn keep(&self, key: Key, exchange: Exchange) {
        let mut shelf = self.shelf(&key).write().unwrap_or_else(PoisonError::into_inner);
        shelf.insert(key, Kept::Exchange(Box::new(exchange)));
    }
}

impl Exchange {
    /// Nothing that it looked for in vain has been taught since.
    fn still_holds(&self, overlay: &Overlay) -> bool {
        self.fdb.still_holds(&overlay.fdb) && self.neighbours.still_holds(&overlay.neighbours)
    }

    /// Teaches what it taught, now that the same is asked `later` than then.
    fn teach(&self, overlay: &mut Overlay, later: i64) {
        self.fdb.teach(&mut overlay.fdb, |lessons| lessons.shifted(later));
        self.neighbours.teach(&mut overlay.neighbours, Neighbour::clone);
    }
}

impl<S: Sink> Walker<'_, '_, S> {
    /// Whether what comes of a question hangs on nothing but what [`Exchange`] holds: nobody is to
    /// be told of its packets, and they come of no other packet; no rule has changed a set, nothing
    /// is assumed, and no tunnel leads on, within which others would be asked.
    fn asks_plainly(&self) -> bool {
        !S::KEEPS
            && self.depth == 0
            && self.asking.is_empty()
            && self.assumed.is_empty()
            && self.overlay.assumed.is_empty()
            && self.overlay.late.is_empty()
            && self.overlay.overheard.is_empty()
            && self.overlay.added.is_empty()
            && !self.net.has_tunnels()
    }

    fn key(&self, request: &Skb, out: LinkId) -> Option<Key> {
        let plain = request.arp == Some(Arp::Request) && self.asks_plainly();
        plain.then_some(Key { out, target: request.packet.dst, asker: request.packet.src })
    }

    /// What came of the same question before; what it teaches is taught. The inner None: somebody
    /// outside answers.
    #[allow(clippy::option_option, reason = "not known, and known to be outside, are two things")]
    pub(crate) fn remembered(&mut self, request: &Skb, out: LinkId) -> Option<Option<(Mac, u32)>> {
        let key = self.key(request, out)?;
        let shelf = self.net.memory.shelf(&key).read().unwrap_or_else(PoisonError::into_inner);
        let Kept::Exchange(exchange) = shelf.get(&key)? else { return None };
        let left = self.budget.checked_sub(exchange.moves)?;
        if !exchange.still_holds(self.overlay) {
            return None;
        }
        let later = i64::from(request.moment) - i64::from(exchange.began);
        exchange.teach(self.overlay, later);
        self.budget = left;
        Some(exchange.came.map(|(mac, moment)| (mac, shifted(moment, later))))
    }

    /// Watches what a question hangs on from now on, if it is worth it.
    pub(crate) fn watch(&mut self, request: &Skb, out: LinkId) -> Option<Watch> {
        let key = self.key(request, out).filter(|key| self.net.memory.is_asked_again(*key))?;
        self.overlay.fdb.note();
        self.overlay.neighbours.note();
        Some(Watch {
            key,
            began: request.moment,
            before: (self.budget, self.overlay.choices.asked()),
        })
    }

    /// It has been answered: `answered` with that address, or (inner None) by somebody outside.
    #[allow(clippy::option_option, reason = "not answered, and answered outside, are two things")]
    pub(crate) fn keep(&mut self, watch: Watch, answered: Option<Option<(Mac, u32)>>) {
        let noted = (self.overlay.fdb.noted(), self.overlay.neighbours.noted());
        let ((Some(fdb), Some(neighbours)), Some(came)) = (noted, answered) else { return };
        let (budget, asked) = watch.before;
        // It made no choice, and assumed nothing.
        if self.asks_plainly() && self.overlay.choices.asked() == asked {
            let moves = budget - self.budget;
            let began = watch.began;
            self.net.memory.keep(watch.key, Exchange { came, began, moves, fdb, neighbours });
        }
    }
}
