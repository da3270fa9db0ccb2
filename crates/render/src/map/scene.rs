//! What is to be drawn, before it is known where.

use std::collections::BTreeMap;

use model::{Link, LinkId, LinkKind, Member, Namespace, NsId, Relation, Snapshot};

use super::choice::{Choice, chosen};
use super::collapse::Collapsed;
use super::fold::Fold;
use super::joints::Joints;
use super::role;
use crate::clean::{clean, clean_ascii, width};
use crate::style::Style;
use crate::words;

/// Bands from top to bottom, and what is not worth one.
pub(crate) struct Scene {
    pub(crate) bands: Vec<Band>,
    /// Pairs of links, lower id first.
    pub(crate) wires: Vec<[LinkId; 2]>,
    /// Lines below the figure.
    pub(crate) rest: Vec<String>,
}

/// A namespace.
pub(crate) struct Band {
    pub(crate) ns: NsId,
    pub(crate) name: String,
    /// What is known of it, what matters most first.
    pub(crate) about: Vec<String>,
    /// Its table of nsids.
    pub(crate) nsids: Vec<String>,
    pub(crate) items: Vec<Item>,
}

/// Something in a band.
pub(crate) struct Item {
    pub(crate) link: LinkId,
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) trouble: bool,
    /// Links that stand on it, each after the one that it stands on.
    pub(crate) uppers: Vec<Upper>,
    pub(crate) what: What,
}

/// A link that is drawn below the one that it stands on.
pub(crate) struct Upper {
    pub(crate) link: LinkId,
    /// How many others are between the two.
    pub(crate) depth: usize,
    /// Name, what it is, addresses.
    pub(crate) text: String,
    pub(crate) trouble: bool,
    /// No other follows that stands on the same link.
    pub(crate) last: bool,
}

/// What it is.
pub(crate) enum What {
    /// A box with ports.
    Bridge { role: String, ports: Vec<Port> },
    /// A name, with an end where it leads somewhere.
    Plain(End),
}

impl Item {
    /// Whether bridges are drawn in line with its ports.
    pub(crate) fn passes(&self) -> bool {
        match &self.what {
            What::Bridge { ports, .. } => ports.iter().any(|p| p.pass.is_some()),
            What::Plain(_) => false,
        }
    }
}

/// A port of a bridge or bond, or a place where a wire of the box's own link begins.
pub(crate) struct Port {
    pub(crate) link: LinkId,
    /// It is the box's own link, which is named in its title.
    pub(crate) own: bool,
    pub(crate) name: String,
    pub(crate) trouble: bool,
    /// A bridge of no other use that it leads through first.
    pub(crate) pass: Option<Pass>,
    /// Where it leads (after the pass).
    pub(crate) end: End,
}

/// A bridge without an address and with just two ports, between a port of another bridge and
/// something else (as Proxmox puts one before each guest with a firewall).
pub(crate) struct Pass {
    /// From the port to the near port of the bridge.
    pub(crate) wire: usize,
    /// Near port, bridge, far port: link, name, and whether something is wrong with it.
    pub(crate) parts: [(LinkId, String, bool); 3],
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nowhere.
    None,
    /// By this wire.
    Wire(usize),
    /// To what is not drawn: said in words.
    Words(String),
    /// To the only link of a leaf namespace, drawn beside the port.
    Leaf { wire: usize, link: LinkId, name: String, trouble: bool, about: String },
}

/// What is not drawn as it could be, for lack of room.
pub(crate) struct Cuts {
    /// Bridges with more leaves and passes than this have them folded.
    pub(crate) fold: usize,
    /// Bridges with ports that are not to be folded for lack of room.
    pub(crate) unfolded: Vec<LinkId>,
    /// Wires that are not drawn; their ends are named.
    pub(crate) wires: Vec<[LinkId; 2]>,
}

impl Scene {
    /// The wires that span most bands, so many of them.
    pub(crate) fn longest_wires(&self, many: usize) -> Vec<[LinkId; 2]> {
        let band = |l: LinkId| self.bands.iter().position(|b| b.ns == l.ns);
        // The end of a folded wire has no band: it is beside the other end.
        let span = |w: &[LinkId; 2]| band(w[0]).zip(band(w[1])).map_or(0, |(a, b)| a.abs_diff(b));
        let mut wires = self.wires.clone();
        wires.sort_by_key(|w| std::cmp::Reverse((span(w), *w)));
        wires.truncate(many);
        wires
    }
}

/// Decides what is drawn.
pub(crate) fn scene(snapshot: &Snapshot, choice: &Choice, cuts: &Cuts, style: &Style) -> Scene {
    let chosen = chosen(snapshot, choice);
    let (mut drawn, dull): (Vec<NsId>, Vec<NsId>) =
        chosen.iter().partition(|id| is_drawn(snapshot, **id));
    let joints_of = |drawn: &[NsId]| Joints::of(snapshot, &drawn.iter().copied().collect(), cuts);
    let mut joints = joints_of(&drawn);
    let mut fold = Fold::of(snapshot, &drawn, &joints, cuts);
    let mut collapsed = Collapsed::default();
    if !choice.expand {
        collapsed = Collapsed::of(snapshot, &fold.leaves, &drawn);
        drawn.retain(|id| !collapsed.leaves.contains(id));
        fold.leaves.retain(|id| !collapsed.leaves.contains(id));
        joints = joints_of(&drawn);
    }
    let maker = Maker { snapshot, style, drawn, fold, joints, collapsed };
    let ids: Vec<NsId> =
        maker.drawn.iter().copied().filter(|id| !maker.fold.leaves.contains(id)).collect();
    let bands = ids.iter().map(|id| maker.band(&snapshot.namespaces[id])).collect();
    let rest = maker.rest(&dull);
    Scene { bands, wires: maker.joints.wires, rest }
}

/// Worth a band: it has a link beside `lo`, or holds one that has.
fn is_drawn(snapshot: &Snapshot, id: NsId) -> bool {
    let Some(ns) = snapshot.namespaces.get(&id) else { return false };
    real_links(ns).next().is_some()
}

pub(crate) fn real_links(ns: &Namespace) -> impl Iterator<Item = &Link> {
    ns.links.values().filter(|l| l.kind != LinkKind::Loopback)
}

struct Maker<'a> {
    snapshot: &'a Snapshot,
    style: &'a Style,
    drawn: Vec<NsId>,
    fold: Fold,
    joints: Joints,
    collapsed: Collapsed,
}

impl Maker<'_> {
    fn clean(&self, text: &str) -> String {
        let text = if self.style.ascii { clean_ascii(text) } else { clean(text) };
        shorten(&text, self.style.width.max(super::MIN_WIDTH) / 2)
    }

    fn band(&self, ns: &Namespace) -> Band {
        let is_item = |l: &&Link| {
            let id = LinkId { ns: ns.id, index: l.index };
            !self.fold.bridges.contains(&id) && !self.joints.is_part(id)
        };
        let mut items: Vec<Item> =
            real_links(ns).filter(is_item).map(|l| self.item(ns, l)).collect();
        // Loose ends last: they need no place near anything.
        items.sort_by_key(|i| matches!(&i.what, What::Plain(e) if !matches!(e, End::Wire(_))));
        self.order_ports(&mut items);
        Band {
            ns: ns.id,
            name: self.clean(&self.snapshot.name_of(ns.id)),
            about: words::about(self.snapshot, ns).iter().map(|t| self.clean(t)).collect(),
            nsids: words::nsid_list(self.snapshot, ns).iter().map(|t| self.clean(t)).collect(),
            items,
        }
    }

    fn item(&self, ns: &Namespace, l: &Link) -> Item {
        let link = LinkId { ns: ns.id, index: l.index };
        let is_box = self.joints.is_box(link, l);
        let what = if is_box {
            let ports = self.joints.ports(link).iter();
            let held = ports
                .filter(|index| !self.collapsed.has(link, **index))
                .filter_map(|index| ns.links.get(index));
            let ports = held
                .map(|p| self.port(ns, p))
                .chain(self.counted(link))
                .chain(self.own_ports(ns, l))
                .collect();
            What::Bridge { role: self.clean_long(&self.role(ns, l)), ports }
        } else {
            What::Plain(self.end(ns, l))
        };
        let mut uppers = Vec::new();
        self.uppers(ns, link, 0, &mut uppers);
        Item {
            link,
            name: self.clean(&self.label(ns, l, is_box)),
            addresses: addresses(ns, l),
            trouble: words::trouble(l).is_some(),
            uppers,
            what,
        }
    }

    /// What a box is for.
    fn role(&self, ns: &Namespace, l: &Link) -> String {
        if let LinkKind::Bridge(_) = l.kind {
            let networks = ns.networks.iter().filter(|n| n.link.as_ref() == Some(&l.name));
            let named = networks.map(|n| format!("{} network {}; ", n.engine, n.name));
            return named.collect::<String>() + &role(ns, l);
        }
        let id = LinkId { ns: ns.id, index: l.index };
        let mut words: Vec<String> = match &l.kind {
            LinkKind::Bond(b) => vec![format!("bond, mode {}", b.mode().as_str())],
            _ => words::kind_note(l).into_iter().collect(),
        };
        if let End::Words(text) = self.end(ns, l)
            && text != OUTSIDE
        {
            words = vec![format!("{} {text}", words.concat())];
        }
        match self.joints.loads(id).len() {
            0 => {}
            1 => words.push("carries another link".to_owned()),
            n => words.push(format!("carries {n} other links")),
        }
        words.join(", ").trim_start().to_owned()
    }

    /// The ports that are not drawn one by one.
    fn counted(&self, bridge: LinkId) -> impl Iterator<Item = Port> {
        self.collapsed.counts(self.snapshot, bridge).into_iter().map(move |count| Port {
            link: bridge,
            own: true,
            name: count.many,
            trouble: count.trouble,
            pass: None,
            end: End::Words(self.clean_long(&count.which)),
        })
    }

    /// Where the wires of a box's own link begin, and where it leads outside.
    fn own_ports(&self, ns: &Namespace, l: &Link) -> Vec<Port> {
        let link = LinkId { ns: ns.id, index: l.index };
        let port = |kind: &str, end| Port {
            link,
            own: true,
            name: self.clean(kind),
            trouble: false,
            pass: None,
            end,
        };
        let mut ports = Vec::new();
        if !matches!(l.kind, LinkKind::Bridge(_) | LinkKind::Bond(_)) {
            match self.end(ns, l) {
                End::Words(text) if text == OUTSIDE => ports.push(port("card", End::Words(text))),
                End::None | End::Words(_) => {}
                end if self.joints.foot(link).is_some() => ports.push(port("lower", end)),
                end => ports.push(port(l.kind.as_str(), end)),
            }
        }
        for wire in self.joints.loads(link) {
            let upper = self.joints.across(*wire, link);
            let kind = self.snapshot.link(upper).map_or("", |u| u.kind.as_str());
            ports.push(port(kind, self.by_wire(*wire, upper)));
        }
        ports
    }

    /// What stands on a link and is drawn with it.
    fn uppers(&self, ns: &Namespace, lower: LinkId, depth: usize, into: &mut Vec<Upper>) {
        let all = self.joints.uppers(lower);
        for (n, upper) in all.iter().enumerate() {
            let Some(l) = ns.links.get(&upper.index) else { continue };
            let mut text = vec![self.clean(&self.label(ns, l, false))];
            text.extend(addresses(ns, l));
            into.push(Upper {
                link: *upper,
                depth,
                text: text.join("  "),
                trouble: words::trouble(l).is_some(),
                last: n + 1 == all.len(),
            });
            self.uppers(ns, *upper, depth + 1, into);
        }
    }

    /// Role texts are wrapped, not shortened.
    fn clean_long(&self, text: &str) -> String {
        if self.style.ascii { clean_ascii(text) } else { clean(text) }
    }

    fn port(&self, ns: &Namespace, l: &Link) -> Port {
        let link = LinkId { ns: ns.id, index: l.index };
        let pass = self.pass(ns, link);
        let far = pass.as_ref().and_then(|p| self.snapshot.link(p.parts[2].0));
        Port {
            link,
            own: false,
            name: self.clean(&self.label(ns, l, false)),
            trouble: words::trouble(l).is_some(),
            end: self.end(ns, far.unwrap_or(l)),
            pass,
        }
    }

    fn pass(&self, ns: &Namespace, port: LinkId) -> Option<Pass> {
        let parts = self.fold.passes.get(&port)?;
        let wire = self.joints.cable(port)?;
        let part = |index: &u32| {
            let l = &ns.links[index];
            let name = self.clean(&self.label(ns, l, matches!(l.kind, LinkKind::Bridge(_))));
            (LinkId { ns: ns.id, index: *index }, name, words::trouble(l).is_some())
        };
        Some(Pass { wire, parts: [part(&parts[0]), part(&parts[1]), part(&parts[2])] })
    }

    /// The name, with what is not as usual about the link.
    fn label(&self, ns: &Namespace, l: &Link, is_box: bool) -> String {
        let mut notes: Vec<String> =
            if is_box { Vec::new() } else { words::kind_note(l).into_iter().collect() };
        let id = LinkId { ns: ns.id, index: l.index };
        match (self.joints.holder(ns, l), &l.member) {
            (Some(_), Some(Member::Bond(port))) => {
                notes.extend(port.backup.then(|| "backup".to_owned()));
            }
            (Some(_), _) => {}
            (None, _) => notes.extend(words::membership(ns, l)),
        }
        // A box without running ports has no carrier: only one that is down is a fault.
        let gathers = is_box && self.joints.loads(id).is_empty();
        notes.extend(words::trouble(l).filter(|t| !gathers || *t == "down").map(str::to_owned));
        if notes.is_empty() { l.name.clone() } else { format!("{} ({})", l.name, notes.join(", ")) }
    }

    /// By a wire, to the link at its far end.
    fn by_wire(&self, wire: usize, there: LinkId) -> End {
        if self.fold.leaves.contains(&there.ns) { self.leaf(wire, there) } else { End::Wire(wire) }
    }

    fn end(&self, ns: &Namespace, l: &Link) -> End {
        let here = LinkId { ns: ns.id, index: l.index };
        if let Some(wire) = self.joints.cable(here).or_else(|| self.joints.foot(here)) {
            return self.by_wire(wire, self.joints.across(wire, here));
        }
        if let Some(h) = l.holder() {
            return End::Words(self.clean(&format!("held by {} ({})", h.pid, h.comm)));
        }
        match l.relation {
            Relation::Peer(p) if self.snapshot.link(p).is_none() => {
                End::Words(self.clean("⇄ not visible"))
            }
            Relation::Peer(p) | Relation::Lower(p) => {
                let on = if matches!(l.relation, Relation::Lower(_)) { "on " } else { "⇄ " };
                let name = if p.ns == ns.id {
                    words::link(self.snapshot, p)
                } else {
                    self.snapshot.link_name(p)
                };
                End::Words(self.clean(&format!("{on}{name}")))
            }
            Relation::Underlay(over) => {
                End::Words(self.clean(&format!("over {}", self.snapshot.name_of(over))))
            }
            Relation::Unresolved(_) => End::Words(self.clean("⇄ not visible")),
            Relation::None if l.wireguard().is_some() => self.tunnels(ns, here),
            Relation::None if l.is_border() && l.is_running() => End::Words(OUTSIDE.to_owned()),
            Relation::None => End::None,
        }
    }

    /// Whom a WireGuard link speaks with, as far as they are known.
    fn tunnels(&self, ns: &Namespace, link: LinkId) -> End {
        /// Links that there is room for.
        const MOST: usize = 3;
        let name = |there: LinkId| match there.ns == ns.id {
            true => words::link(self.snapshot, there),
            false => self.snapshot.link_name(there),
        };
        let names: Vec<String> = self.snapshot.tunnelled_to(link).map(name).collect();
        if names.is_empty() {
            return End::None;
        }
        End::Words(self.clean(&format!("⇄ {}", words::some(MOST, names.into_iter()))))
    }

    fn leaf(&self, wire: usize, link: LinkId) -> End {
        let ns = &self.snapshot.namespaces[&link.ns];
        let l = &ns.links[&link.index];
        let mut about =
            format!("{}  {}", addresses(ns, l).join(" "), self.snapshot.name_of(link.ns));
        about.extend(words::published(ns).map(|ports| format!(", {ports}")));
        End::Leaf {
            wire,
            link,
            name: self.clean(&self.label(ns, l, false)),
            trouble: words::trouble(l).is_some(),
            about: self.clean(about.trim_start()),
        }
    }

    /// Ports in the order that lets their wires cross least: towards the box they lead to.
    fn order_ports(&self, items: &mut [Item]) {
        let mut places: BTreeMap<LinkId, usize> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            places.extend(links_of(item).into_iter().map(|link| (link, at)));
        }
        for (at, item) in items.iter_mut().enumerate() {
            if let What::Bridge { ports, .. } = &mut item.what {
                ports.sort_by_key(|p| match &p.end {
                    End::Wire(w) => match places.get(&self.joints.across(*w, p.link)) {
                        Some(o) if *o < at => 0,
                        Some(_) => 4,
                        None => 2,
                    },
                    End::None | End::Words(_) | End::Leaf { .. } => 1,
                });
            }
        }
    }

    /// What has no band, in words.
    fn rest(&self, dull: &[NsId]) -> Vec<String> {
        let spaces = || dull.iter().filter_map(|id| self.snapshot.namespaces.get(id));
        let unread: Vec<String> = spaces()
            .filter_map(|ns| Some((ns, ns.gap("links")?)))
            .map(|(ns, gap)| format!("{} ({})", self.snapshot.name_of(ns.id), gap.cause))
            .collect();
        let empty: Vec<String> = spaces()
            .filter(|ns| ns.gap("links").is_none() && !ns.links.is_empty())
            .map(|ns| self.snapshot.name_of(ns.id))
            .collect();
        let unseen: Vec<String> = spaces()
            .filter(|ns| ns.gap("links").is_none() && ns.links.is_empty())
            .map(|ns| self.snapshot.name_of(ns.id))
            .collect();
        let counted = self.collapsed.many();
        let more =
            format!("{counted} like those beside them are only counted (--expand draws all)");
        [
            ("not drawn, with no link but lo", empty),
            ("not drawn, their links could not be read", unread),
            ("not drawn, known only from others", unseen),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", words::some(12, names.into_iter())))
        .chain((counted > 0).then_some(more))
        .map(|text| self.clean_long(&text))
        .collect()
    }
}

fn links_of(item: &Item) -> Vec<LinkId> {
    let mut links = vec![item.link];
    if let What::Bridge { ports, .. } = &item.what {
        links.extend(ports.iter().map(|p| p.link));
    }
    links
}

/// What beyond a card is called.
pub(crate) const OUTSIDE: &str = "outside";

/// The addresses that a figure shows of a link.
fn addresses(ns: &Namespace, l: &Link) -> Vec<String> {
    ns.addresses_of(l.index).filter(|a| is_global(a)).map(|a| a.net.to_string()).collect()
}

/// IPv6 link-local addresses say nothing in a figure.
fn is_global(a: &model::Address) -> bool {
    match a.ip() {
        std::net::IpAddr::V4(_) => true,
        std::net::IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    }
}

/// At most that many columns, the end cut off visibly.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        let mut next = out.clone();
        next.push(c);
        if width(&next) + 2 > columns {
            break;
        }
        out = next;
    }
    out.push_str("..");
    out
}
