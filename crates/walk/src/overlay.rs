use std::net::IpAddr;

use model::{Conntrack, ConntrackStatus, Gap, LinkId, Mac, Neighbour, NsId, Tuple, WireguardKey};

use crate::Unknown;
use crate::chain::Added;
use crate::choice::Choices;
use crate::fdb::Lessons;
use crate::hash::{Map, Set};
use crate::taught::Taught;
use crate::wireguard::Heard;

/// What packets teach on their way, laid over a Snapshot that stays as it was read: so that the
/// answer walks on from what the first packet left behind.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// The moment at which the next packet is sent.
    pub(crate) begins: u32,
    /// Bridge, VLAN (0: none) and address → what was learned of it.
    pub(crate) fdb: Taught<(LinkId, u16, Mac), Lessons>,
    /// Vxlan and address → the remote that it is behind.
    pub(crate) remotes: Map<(LinkId, Mac), IpAddr>,
    /// WireGuard link and peer → where that was heard from.
    pub(crate) endpoints: Map<(LinkId, WireguardKey), Heard>,
    /// Peers between which there has been a handshake.
    pub(crate) sessions: Set<(WireguardKey, WireguardKey)>,
    /// Link and address → what ARP told.
    pub(crate) neighbours: Taught<(LinkId, IpAddr), Neighbour>,
    /// Neighbours that were learned of a copy that may come too late to count
    /// ([`Skb::late`](crate::skb::Skb::late)).
    pub(crate) late: Set<(LinkId, IpAddr)>,
    /// Who was heard by such a copy, which may come when they are already asked for, and then be as good
    /// as an answer.
    pub(crate) overheard: Set<(LinkId, IpAddr)>,
    /// Who was asked for in vain.
    pub(crate) given_up: Set<(LinkId, IpAddr)>,
    /// When neighbours answered who were asked: whatever else is for them waits until then, too.
    pub(crate) answered: Map<(LinkId, IpAddr), u32>,
    /// Connections that packets met or began.
    pub(crate) connections: Vec<Connection>,
    /// Elements that rules added to sets, in their order.
    pub(crate) added: Vec<Added>,
    /// Connections that were read are not looked up.
    pub(crate) forgets: bool,
    /// What was chosen where it may go one way or the other.
    pub(crate) choices: Choices,
    /// What was assumed of parts that were not read.
    pub(crate) assumed: Vec<(NsId, Gap)>,
    /// A connection was translated to a port of which the kernel takes any.
    pub(crate) port_by_chance: bool,
    /// Nothing that comes after this can be told: something goes round without end, and teaches whoever
    /// it passes anew each time; or it hangs on which of two things comes first.
    pub(crate) unforeseeable: Option<Unknown>,
}

/// A tracked connection that a packet belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Where it is tracked.
    pub(crate) ns: NsId,
    /// Zones of its two directions.
    pub(crate) zones: (u16, u16),
    /// As the kernel would tell of it.
    pub(crate) entry: Conntrack,
    /// The nat chains were asked about its source; they are asked once.
    pub(crate) source_settled: bool,
    /// The same of its destination.
    pub(crate) destination_settled: bool,
    /// The link out that it may not leave.
    pub(crate) bound: Bound,
    /// Its first packet has passed all hooks: the kernel keeps it.
    pub(crate) confirmed: bool,
}

/// The link out that a masqueraded connection is bound to (`nf_conn_nat::masq_index`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It is not masqueraded.
    Free,
    /// By this link (ifindex) it was masqueraded.
    To(u32),
    /// It was read, and no message tells.
    Unread,
}

impl Connection {
    /// IPS_DYING: nothing belongs to it any more.
    const DYING: u32 = 1 << 9;

    /// `nf_conntrack_confirm`: from now on it is found.
    pub(crate) fn keep(&mut self) {
        self.entry.status |= ConntrackStatus::CONFIRMED;
        self.confirmed = !self.is_dying();
    }

    const fn is_dying(&self) -> bool {
        self.entry.status.bits() & Self::DYING != 0
    }

    /// `nf_ct_kill`.
    pub(crate) fn kill(&mut self) {
        self.entry.status |= ConntrackStatus::from_bits_retain(Self::DYING);
        self.confirmed = false;
    }

    /// What came behind its end, and would have belonged to it, began another like it.
    pub(crate) fn revive(&mut self) {
        if self.is_dying() {
            let over = ConntrackStatus::from_bits_retain(Self::DYING) | ConntrackStatus::SEEN_REPLY;
            self.entry.status.remove(over);
            self.confirmed = true;
        }
    }
}

/// Which connection a packet belongs to, and in which direction it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Index into [`Overlay::connections`].
    pub(crate) connection: usize,
    /// It goes from the answering side to the asking one.
    pub(crate) reply: bool,
    /// It is an error about the connection, not part of it.
    pub(crate) related: bool,
}

impl Membership {
    /// That of what is sent because of such a packet (`nf_ct_attach`), even before its connection is
    /// kept.
    pub(crate) const fn of_consequence(self) -> Self {
        Self { related: true, reply: !self.reply, ..self }
    }
}

impl Overlay {
    /// Nothing taught yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all that was taught, and keeps its room: for the next of many walks.
    pub fn clear(&mut self) {
        let Self {
            fdb,
            remotes,
            endpoints,
            sessions,
            neighbours,
            answered,
            connections,
            added,
            forgets,
            choices,
            assumed,
            late,
            overheard,
            given_up,
            port_by_chance,
            unforeseeable,
            begins,
        } = self;
        fdb.clear();
        remotes.clear();
        endpoints.clear();
        sessions.clear();
        neighbours.clear();
        answered.clear();
        connections.clear();
        added.clear();
        assumed.clear();
        (*forgets, *choices, *port_by_chance) = (false, Choices::default(), false);
        (*begins, *unforeseeable) = (0, None);
        late.clear();
        overheard.clear();
        given_up.clear();
    }

    /// All that the packets so far set off is over before the next one is sent.
    pub(crate) const fn settle(&mut self) {
        const FAR_OFF: u32 = 1 << 20;
        self.begins = self.begins.saturating_add(FAR_OFF);
    }

    /// A connection was translated to a port of which the kernel takes any: the one that is told is
    /// one of them.
    #[must_use]
    pub const fn has_port_by_chance(&self) -> bool {
        self.port_by_chance
    }

    /// Why nothing that came later can be told, if there is such a thing.
    #[must_use]
    pub const fn unforeseeable(&self) -> Option<&Unknown> {
        self.unforeseeable.as_ref()
    }

    /// The connections that packets met or began, and where. Those of which the first packet did
    /// not come through are not among them: the kernel does not keep them.
    pub fn connections(&self) -> impl Iterator<Item = (NsId, &Conntrack)> {
        self.connections.iter().filter(|c| c.confirmed).map(|c| (c.ns, &c.entry))
    }

    /// What the walks so far assumed of parts that were not read: where, and what.
    #[must_use]
    pub fn assumptions(&self) -> &[(NsId, Gap)] {
        &self.assumed
    }

    /// A connection that was read has ended since.
    pub(crate) fn has_ended(&self, ns: NsId, original: &Tuple) -> bool {
        let mut all = self.connections.iter();
        all.any(|c| c.ns == ns && c.entry.original == *original && c.is_dying())
    }

    /// The first connection in `ns` with that tuple in one of its directions (in that one, if it is
    /// known: true is the answer's), in the zone that a packet in that direction has; `but`: another
    /// than this one. One whose first packet is still on its way through the hooks is not found yet.
    #[inline(always)]
    pub(crate) fn connection_with(
        &self,
        ns: NsId,
        tuple: &Tuple,
        zones: (u16, u16),
        direction: Option<bool>,
        but: Option<usize>,
    ) -> Option<Membership> {
        for (connection, c) in self.connections.iter().enumerate() {
            if !c.confirmed || Some(connection) == but || c.ns != ns {
                continue;
            }
            let original = (c.zones.0, &c.entry.original) == (zones.0, tuple);
            let reply = (c.zones.1, &c.entry.reply) == (zones.1, tuple);
            if original && direction != Some(true) || reply && direction != Some(false) {
                let reply = !(original && direction != Some(true));
                return Some(Membership { connection, reply, related: false });
            }
        }
        None
    }
}
