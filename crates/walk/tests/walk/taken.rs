//! Connections that are translated to what another one has already: the kernel cannot keep both.

use model::{Conntrack, ConntrackStatus, Snapshot, Tuple};
use walk::{Indexed, Overlay, Place, Protocol, Question, Quiet};

use crate::net::{id, ip, net};
use crate::scenarios::ROUTER;
use crate::{ask, question, tell};

/// IPS_SRC_NAT_DONE and IPS_DST_NAT_DONE: the chains of nat were asked.
const SETTLED: u32 = 1 << 7 | 1 << 8;

/// Another host's connection to `b` that `r` tracks, translated to 10.9.0.9:5000.
fn other(dport: u16) -> Conntrack {
    let tuple =
        |src: &str, sport| Tuple { src: ip(src), dst: ip("10.1.0.2"), protocol: 6, sport, dport };
    let settled = ConntrackStatus::from_bits_retain(SETTLED);
    Conntrack {
        original: tuple("10.0.0.3", 40_000),
        reply: tuple("10.9.0.9", 5000).reversed(),
        zone: 0,
        mark: 0,
        status: settled | ConntrackStatus::CONFIRMED | ConntrackStatus::SRC_NAT,
    }
}

/// The router, whose rule gives this source, and a connection that it tracks.
fn router(source: &str, tracked: Option<Conntrack>) -> Snapshot {
    let rule = format!("iptables r -t nat -A POSTROUTING -p tcp -j SNAT --to-source {source}");
    let mut snapshot = net(&format!("{ROUTER}\nroute b 10.9.0.0/24 via 10.1.0.1 dev eth0\n{rule}"));
    let r = id(&snapshot, "r");
    snapshot.namespaces.get_mut(&r).unwrap().conntrack.extend(tracked);
    snapshot
}

#[track_caller]
fn ends(snapshot: &Snapshot) -> String {
    tell::ends(snapshot, &ask(snapshot, "a", "10.1.0.2:80"))
}

const PASSES: &str = "there: delivered to b\nback: delivered to a";

#[test]
fn the_answers_of_a_tracked_connection() {
    let one = "10.9.0.9:5000";
    insta::assert_snapshot!(ends(&router(one, Some(other(80)))), @r"
    there: LOST at r: AnswersTaken { by: Tuple { src: 10.0.0.3, dst: 10.1.0.2, protocol: 6, sport: 40000, dport: 80 } }
    back: -
    ");
    assert_eq!(ends(&router(one, None)), PASSES);
    // Its answers come from another port, and go to another.
    assert_eq!(ends(&router(one, Some(other(81)))), PASSES);
    assert_eq!(ends(&router("10.9.0.9:5001", Some(other(80)))), PASSES);
    // Another zone's connections do not count.
    assert_eq!(ends(&router(one, Some(Conntrack { zone: 7, ..other(80) }))), PASSES);
}

/// Its own first packet, once more, is no new connection.
#[test]
fn one_s_own_answers() {
    let sport = question(&router("10.9.0.9", None), "a", "10.1.0.2:80").packet.tuple().sport;
    let original = Tuple { src: ip("10.0.0.2"), sport, ..other(80).original };
    let own = Conntrack { original, ..other(80) };
    assert_eq!(ends(&router("10.9.0.9:5000", Some(own))), PASSES);
}

/// What packets of ours began counts as much as what was read.
#[test]
fn the_answers_of_a_connection_before() {
    let snapshot = router("10.9.0.9:5000", None);
    let (net, mut overlay) = (Indexed::new(&snapshot), Overlay::new());
    let mut sent = |sport, dport| {
        let from = Place::Namespace(id(&snapshot, "a"));
        let packet = Question::new(from, ip("10.1.0.2"), Protocol::Tcp(dport)).sport(sport).packet;
        let end = walk::walk(&net, &mut overlay, from, packet, &mut Quiet);
        tell::end(&snapshot, &end)
    };
    let ends = [sent(4000, 80), sent(4001, 80), sent(4001, 81), sent(4000, 80)];
    insta::assert_snapshot!(ends.join("\n"), @r"
    delivered to b
    LOST at r: AnswersTaken { by: Tuple { src: 10.0.0.2, dst: 10.1.0.2, protocol: 6, sport: 4000, dport: 80 } }
    delivered to b
    delivered to b
    ");
}
