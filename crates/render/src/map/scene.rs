//! What is to be drawn, before it is known where.

use std::collections::BTreeSet;

use model::{Link, LinkId, LinkKind, Namespace, NsId, Relation, Snapshot};

use super::fold::Fold;
use super::role;
use crate::clean::{clean, clean_ascii, width};
use crate::style::Style;
use crate::{ls, words};

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
    pub(crate) what: What,
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

/// A port of a bridge.
pub(crate) struct Port {
    pub(crate) link: LinkId,
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
pub(crate) fn scene(snapshot: &Snapshot, focus: Option<NsId>, cuts: &Cuts, style: &Style) -> Scene {
    let chosen = chosen(snapshot, focus);
    let (drawn, dull): (Vec<NsId>, Vec<NsId>) =
        chosen.iter().partition(|id| is_drawn(snapshot, **id));
    let fold = Fold::of(snapshot, &drawn, cuts);
    let mut maker = Maker { snapshot, style, drawn, fold, cuts, wires: Vec::new() };
    maker.find_wires();
    let ids: Vec<NsId> =
        maker.drawn.iter().copied().filter(|id| !maker.fold.leaves.contains(id)).collect();
    let bands = ids.iter().map(|id| maker.band(&snapshot.namespaces[id])).collect();
    let rest = maker.rest(&dull);
    Scene { bands, wires: maker.wires, rest }
}

/// The namespaces in question, parents before children.
pub(crate) fn chosen(snapshot: &Snapshot, focus: Option<NsId>) -> Vec<NsId> {
    let all: Vec<NsId> = ls::rows(snapshot, None).iter().map(|(_, ns)| ns.id).collect();
    // What is in no tree (a cycle of parents in what was read) is drawn all the same.
    let lost: Vec<NsId> =
        snapshot.namespaces.keys().copied().filter(|id| !all.contains(id)).collect();
    let all = all.into_iter().chain(lost);
    let Some(focus) = focus else { return all.collect() };
    let mut near: BTreeSet<NsId> = ls::rows(snapshot, Some(focus)).iter().map(|r| r.1.id).collect();
    near.insert(focus);
    for l in snapshot.namespaces.get(&focus).into_iter().flat_map(|ns| ns.links.values()) {
        near.extend(l.peer().map(|p| p.ns));
    }
    all.filter(|id| near.contains(id)).collect()
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
    cuts: &'a Cuts,
    wires: Vec<[LinkId; 2]>,
}

impl Maker<'_> {
    fn clean(&self, text: &str) -> String {
        let text = if self.style.ascii { clean_ascii(text) } else { clean(text) };
        shorten(&text, self.style.width.max(super::MIN_WIDTH) / 2)
    }

    /// Pairs of drawn links that name each other as peers.
    fn find_wires(&mut self) {
        for id in &self.drawn {
            for l in real_links(&self.snapshot.namespaces[id]) {
                let here = LinkId { ns: *id, index: l.index };
                let Some(there) = l.peer().filter(|p| here < *p && self.drawn.contains(&p.ns))
                else {
                    continue;
                };
                let mutual = self.snapshot.link(there).and_then(Link::peer) == Some(here);
                if mutual && !self.cuts.wires.contains(&[here, there]) {
                    self.wires.push([here, there]);
                }
            }
        }
    }

    fn band(&self, ns: &Namespace) -> Band {
        let is_item = |l: &&Link| {
            let passed = self.fold.bridges.contains(&LinkId { ns: ns.id, index: l.index });
            !passed && (l.port.is_none() || !self.is_bridge(ns, l.master))
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

    fn is_bridge(&self, ns: &Namespace, index: Option<u32>) -> bool {
        let link = index.and_then(|i| ns.links.get(&i));
        link.is_some_and(|l| matches!(l.kind, LinkKind::Bridge(_)))
    }

    fn item(&self, ns: &Namespace, l: &Link) -> Item {
        let link = LinkId { ns: ns.id, index: l.index };
        let is_bridge = matches!(l.kind, LinkKind::Bridge(_));
        let what = if is_bridge {
            let ports = ns.ports(l.index).map(|p| self.port(ns, p)).collect();
            What::Bridge { role: self.clean_long(&role(ns, l)), ports }
        } else {
            What::Plain(self.end(ns, l))
        };
        let addresses = ns.addresses_of(l.index).filter(|a| is_global(a));
        Item {
            link,
            name: self.clean(&self.label(ns, l, is_bridge)),
            addresses: addresses.map(|a| a.net.to_string()).collect(),
            trouble: words::trouble(l).is_some(),
            what,
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
            name: self.clean(&self.label(ns, l, false)),
            trouble: words::trouble(l).is_some(),
            end: self.end(ns, far.unwrap_or(l)),
            pass,
        }
    }

    fn pass(&self, ns: &Namespace, port: LinkId) -> Option<Pass> {
        let parts = self.fold.passes.get(&port)?;
        let wire = self.wires.iter().position(|w| w.contains(&port))?;
        let part = |index: &u32| {
            let l = &ns.links[index];
            let name = self.clean(&self.label(ns, l, matches!(l.kind, LinkKind::Bridge(_))));
            (LinkId { ns: ns.id, index: *index }, name, words::trouble(l).is_some())
        };
        Some(Pass { wire, parts: [part(&parts[0]), part(&parts[1]), part(&parts[2])] })
    }

    /// The name, with what is not as usual about the link.
    fn label(&self, ns: &Namespace, l: &Link, is_bridge: bool) -> String {
        let mut notes = Vec::new();
        match &l.kind {
            LinkKind::Macvlan(_) | LinkKind::Vxlan(_) | LinkKind::Other(_) => {
                notes.push(l.kind.as_str().to_owned());
            }
            LinkKind::Loopback
            | LinkKind::Physical
            | LinkKind::Veth
            | LinkKind::Bridge(_)
            | LinkKind::Tap(_) => {}
        }
        if let (Some(master), None) = (l.master, &l.port) {
            notes.push(format!("below {}", words::dev(ns, master)));
        }
        // A bridge without running ports has no carrier: only a bridge that is down is a fault.
        notes.extend(words::trouble(l).filter(|t| !is_bridge || *t == "down").map(str::to_owned));
        if notes.is_empty() { l.name.clone() } else { format!("{} ({})", l.name, notes.join(", ")) }
    }

    fn end(&self, ns: &Namespace, l: &Link) -> End {
        let here = LinkId { ns: ns.id, index: l.index };
        if let Some(wire) = self.wires.iter().position(|w| w.contains(&here)) {
            let there =
                if self.wires[wire][0] == here { self.wires[wire][1] } else { self.wires[wire][0] };
            return if self.fold.leaves.contains(&there.ns) {
                self.leaf(wire, there)
            } else {
                End::Wire(wire)
            };
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
            Relation::None if l.is_border() && l.is_running() => End::Words("outside".to_owned()),
            Relation::None => End::None,
        }
    }

    fn leaf(&self, wire: usize, link: LinkId) -> End {
        let ns = &self.snapshot.namespaces[&link.ns];
        let l = &ns.links[&link.index];
        let shown = ns.addresses_of(l.index).filter(|a| is_global(a));
        let addresses: Vec<String> = shown.map(|a| a.net.to_string()).collect();
        let about = format!("{}  {}", addresses.join(" "), self.snapshot.name_of(link.ns));
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
        let ns_of: Vec<Vec<LinkId>> = items.iter().map(links_of).collect();
        for (at, item) in items.iter_mut().enumerate() {
            if let What::Bridge { ports, .. } = &mut item.what {
                ports.sort_by_key(|p| match &p.end {
                    End::Wire(w) => {
                        let [a, b] = self.wires[*w];
                        let there = if a == p.link { b } else { a };
                        match ns_of.iter().position(|links| links.contains(&there)) {
                            Some(o) if o < at => 0,
                            Some(_) => 4,
                            None => 2,
                        }
                    }
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
        [
            ("not drawn, with no link but lo", empty),
            ("not drawn, their links could not be read", unread),
            ("not drawn, known only from others", unseen),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", words::some(12, names.into_iter())))
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
