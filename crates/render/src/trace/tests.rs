use std::time::Duration;

use insta::assert_snapshot;
use model::{
    Family, FdbEntry, Hook, IcmpLimit, LinkId, Mac, Neighbour, NeighbourState, Snapshot, Tuple,
};
use walk::{
    Action, ArpAnswer, Cause, ChainRef, Checked, Disposition, Hop, IcmpKind, KernelDrop, Leg, Loss,
    Mark, NatStep, Packet, Payload, Place, Question, Reason, RuleRef, Sighting, Stage, Step, Trace,
    Unknown, Way,
};

use super::trace;
use crate::Style;
use crate::fixtures::{SEED, id, ip, link, network};

const GATEWAY: &str = "94:83:c4:3a:8f:1a";

fn ping(src: std::net::IpAddr, dst: std::net::IpAddr, ttl: u8) -> Packet {
    Packet {
        src_mac: None,
        dst_mac: None,
        src,
        dst,
        ttl,
        tos: 0,
        df: false,
        len: 84,
        payload: Payload::Icmp { kind: IcmpKind::EchoRequest, id: 7 },
        mss: None,
    }
}

/// Builds a way hop by hop.
struct Maker<'a> {
    s: &'a Snapshot,
    packet: Packet,
    hops: Vec<Hop>,
}

impl<'a> Maker<'a> {
    fn new(s: &'a Snapshot, packet: &Packet) -> Self {
        Self { s, packet: packet.clone(), hops: Vec::new() }
    }

    fn hop(&mut self, ns: &str) -> &mut Self {
        self.hops.push(Hop { ns: id(self.s, ns), steps: Vec::new() });
        self
    }

    fn step(&mut self, stage: Stage, action: Action) -> &mut Self {
        let packet = self.packet.clone();
        let steps = &mut self.hops.last_mut().unwrap().steps;
        steps.push(Step { stage, action, packet, considered: Vec::new(), children: Vec::new() });
        self
    }

    fn route(&mut self, ns: &str, n: usize) -> &mut Self {
        let ns = &self.s.namespaces[&id(self.s, ns)];
        let route = ns.routes[n].clone();
        let hop = route.nexthops[0];
        let gateway = hop.gateway.map(|g| g.to_string().parse().unwrap());
        let out = LinkId { ns: ns.id, index: hop.link };
        self.step(
            Stage::Route,
            Action::Routed {
                rule: None,
                route: Box::new(route),
                gateway,
                out,
                local: false,
                source: None,
                learned: None,
            },
        )
    }

    fn neigh(&mut self, at: &str, whom: std::net::IpAddr, mac: &str) -> &mut Self {
        let link = link(self.s, at);
        let entry = Neighbour {
            link: link.index,
            ip: whom,
            mac: Some(mac.parse().unwrap()),
            state: NeighbourState::Reachable,
            proxy: false,
        };
        self.packet.dst_mac = entry.mac;
        self.step(Stage::Neighbour, Action::Neighbour { ip: whom, link, entry })
    }

    fn out(&mut self, at: &str) -> &mut Self {
        let link = link(self.s, at);
        self.step(Stage::Transmit, Action::Out { link })
    }

    fn enter(&mut self, at: &str, bridge: Option<&str>) -> &mut Self {
        let (l, bridge) = (link(self.s, at), bridge.map(|b| link(self.s, b)));
        self.step(Stage::Receive, Action::In { link: l, bridge })
    }

    fn fdb(&mut self, bridge: &str, port: &str) -> &mut Self {
        let (bridge, port) = (link(self.s, bridge), link(self.s, port));
        let entry = FdbEntry {
            link: port.index,
            master: Some(bridge.index),
            mac: GATEWAY.parse().unwrap(),
            vlan: None,
            local: false,
            is_static: false,
            own: false,
            locked: false,
            age: Some(3),
            remote: None,
        };
        self.step(Stage::Bridge, Action::BridgeForward { bridge, port, entry, learned_now: false })
    }

    fn way(&self, disposition: Disposition) -> Way {
        let packet = self.hops[0].steps[0].packet.clone();
        Way { cause: Cause::Asked, packet, hops: self.hops.clone(), disposition }
    }
}

fn masquerade(s: &Snapshot) -> RuleRef {
    RuleRef {
        chain: ChainRef {
            ns: id(s, "docker01"),
            family: Family::Ip,
            table: "nat".into(),
            chain: "POSTROUTING".into(),
        },
        number: 1,
        handle: 7,
    }
}

/// The seed's eleven steps, as far as docker01's eth0.
fn half(s: &Snapshot) -> Maker<'_> {
    let mut m = Maker::new(s, &ping(ip(172, 17, 0, 2), ip(203, 0, 113, 10), 64));
    m.hop("alpine01").step(Stage::Socket, Action::Originate).route("alpine01", 0);
    m.step(
        Stage::Neighbour,
        Action::ArpAsked {
            ip: ip(172, 17, 0, 1),
            link: link(s, "alpine01:eth0"),
            answer: ArpAnswer::Link {
                link: link(s, "docker01:docker0"),
                mac: "02:42:35:df:6b:af".parse().unwrap(),
            },
        },
    );
    m.packet.dst_mac = Some("02:42:35:df:6b:af".parse().unwrap());
    m.out("alpine01:eth0").hop("docker01");
    m.enter("docker01:vethc52438e", Some("docker01:docker0"));
    let (bridge, port) = (link(s, "docker01:docker0"), link(s, "docker01:vethc52438e"));
    m.step(Stage::Bridge, Action::Learned { bridge, port, mac: Mac([2, 66, 172, 17, 0, 2]) });
    m.step(Stage::Bridge, Action::BridgeUp { bridge });
    m.route("docker01", 0);
    m.packet.ttl = 63;
    m.step(
        Stage::Forward,
        Action::Forwarded { from: bridge, to: link(s, "docker01:eth0"), ttl: 64 },
    );
    let before = m.packet.tuple();
    m.packet.src = ip(192, 168, 10, 103);
    let after = Tuple { ..m.packet.tuple() };
    let nat = NatStep { rule: Some(masquerade(s)), source: true, before, after };
    m.step(Stage::Hook(Hook::Postrouting), Action::Translated(nat));
    m.neigh("docker01:eth0", ip(192, 168, 10, 1), GATEWAY);
    m
}

fn there(s: &Snapshot) -> Way {
    let mut m = half(s);
    m.out("docker01:eth0").hop("pve1");
    m.enter("pve1:veth111i0", Some("pve1:fwbr111i0")).fdb("pve1:fwbr111i0", "pve1:fwln111i0");
    m.out("pve1:fwln111i0").enter("pve1:fwpr111p0", Some("pve1:vmbr0"));
    m.fdb("pve1:vmbr0", "pve1:enp1s0").out("pve1:enp1s0");
    let out = link(s, "pve1:enp1s0");
    m.step(Stage::Transmit, Action::Left { link: out });
    m.way(Disposition::Left(out))
}

fn asked(s: &Snapshot, there: Way) -> Trace {
    let question = Question {
        from: Place::Namespace(id(s, "alpine01")),
        packet: there.packet.clone(),
        mark: 0,
        bound: None,
        connection: walk::Known::AsRead,
    };
    Trace { question, there, back: None, others: Vec::new(), branches: Vec::new() }
}

fn seen(way: &Way, n: usize) -> Mark {
    let place = way.places()[n];
    let packet = way.hops[place.hop].steps[place.step].packet.clone();
    Mark::Seen(Sighting {
        link: place.link,
        outgoing: place.outgoing,
        after: Duration::from_micros(12 + 9 * n as u64),
        packet,
        leg: Leg::There,
    })
}

fn tell(s: &Snapshot, t: &Trace, live: Option<&Checked>) -> String {
    trace(s, t, live, false, &Style::default())
}

#[test]
fn the_eleven_steps() {
    let s = network(SEED);
    let t = asked(&s, there(&s));
    assert_snapshot!(tell(&s, &t, None), @r"
    ICMP echo request from alpine01 to 203.0.113.10
    alpine01
      · send     ICMP echo request, 84 bytes
      · route    203.0.113.10 → default via 172.17.0.1 dev eth0
      · neigh    who has 172.17.0.1? docker01:docker0 answers: 02:42:35:df:6b:af
      · out      eth0  172.17.0.2 → 203.0.113.10  ttl 64
    docker01
      · in       vethc52438e, port of docker0
      · bridge   docker0: 02:42:35:df:6b:af is its own address: up
      · route    203.0.113.10 → default via 192.168.10.1 dev eth0
      · forward  docker0 → eth0 (ip_forward 1), ttl 64 → 63
      · nat      source 172.17.0.2 ↦ 192.168.10.103
                   ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
      · neigh    192.168.10.1 is 94:83:c4:3a:8f:1a (REACHABLE)
      · out      eth0  192.168.10.103 → 203.0.113.10  ttl 63
    pve1
      · in       veth111i0, port of fwbr111i0
      · bridge   fwbr111i0: 94:83:c4:3a:8f:1a is behind fwln111i0 (FDB, 3 s ago)
      · out      fwln111i0  192.168.10.103 → 203.0.113.10  ttl 63
      · in       fwpr111p0, port of vmbr0
      · bridge   vmbr0: 94:83:c4:3a:8f:1a is behind enp1s0 (FDB, 3 s ago)
      · out      enp1s0  192.168.10.103 → 203.0.113.10  ttl 63
      · left     out of this host by enp1s0
    leaves this host by pve1:enp1s0
    ");
}

/// A tun or tap leads to the process that has it open.
#[test]
fn given_to_a_process() {
    let mut s = network(SEED);
    let out = link(&s, "pve1:enp1s0");
    let holder = Some(model::Holder { pid: 4711, comm: "kvm".into() });
    let tap = model::Tap { layer3: false, persist: false, holder };
    let namespace = s.namespaces.get_mut(&out.ns).unwrap();
    namespace.links.get_mut(&out.index).unwrap().kind = model::LinkKind::Tap(tap);
    let t = asked(&s, there(&s));
    let told = tell(&s, &t, None);
    assert!(
        told.contains("left     out of this host by enp1s0, which kvm (PID 4711) holds"),
        "{told}"
    );
    let view = crate::json::trace(&s, &t, None);
    assert_eq!(view.there.end.process.unwrap().pid, 4711);
}

#[test]
fn seen_everywhere() {
    let s = network(SEED);
    let t = asked(&s, there(&s));
    let there = (0..t.there.places().len()).map(|n| seen(&t.there, n)).collect();
    let live = Checked {
        there,
        back: Vec::new(),
        astray: Vec::new(),
        drops: Vec::new(),
        rules: None,
        agrees: true,
        arrived: true,
        unanswered: false,
    };
    assert_snapshot!(tell(&s, &t, Some(&live)), @r"
    ICMP echo request from alpine01 to 203.0.113.10
    alpine01
      - send     ICMP echo request, 84 bytes
      - route    203.0.113.10 → default via 172.17.0.1 dev eth0
      - neigh    who has 172.17.0.1? docker01:docker0 answers: 02:42:35:df:6b:af
      ✓ out      eth0  172.17.0.2 → 203.0.113.10  ttl 64            seen after 12 µs
    docker01
      ✓ in       vethc52438e, port of docker0  172.17.0.2 → 203.0.113.10       21 µs
      - bridge   docker0: 02:42:35:df:6b:af is its own address: up
      - route    203.0.113.10 → default via 192.168.10.1 dev eth0
      - forward  docker0 → eth0 (ip_forward 1), ttl 64 → 63
      - nat      source 172.17.0.2 ↦ 192.168.10.103
                   ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
      - neigh    192.168.10.1 is 94:83:c4:3a:8f:1a (REACHABLE)
      ✓ out      eth0  192.168.10.103 → 203.0.113.10  ttl 63        seen after 30 µs
    pve1
      ✓ in       veth111i0, port of fwbr111i0  192.168.10.103 → 203.0.113.10   39 µs
      - bridge   fwbr111i0: 94:83:c4:3a:8f:1a is behind fwln111i0 (FDB, 3 s ago)
      ✓ out      fwln111i0  192.168.10.103 → 203.0.113.10  ttl 63   seen after 48 µs
      ✓ in       fwpr111p0, port of vmbr0  192.168.10.103 → 203.0.113.10       57 µs
      - bridge   vmbr0: 94:83:c4:3a:8f:1a is behind enp1s0 (FDB, 3 s ago)
      ✓ out      enp1s0  192.168.10.103 → 203.0.113.10  ttl 63      seen after 66 µs
      - left     out of this host by enp1s0
    foretold: leaves this host by pve1:enp1s0
    live: the packet arrived, as foretold
    ");
}

#[test]
fn lost_on_the_way_though_foretold_otherwise() {
    let s = network(SEED);
    let t = asked(&s, there(&s));
    let mut marks: Vec<Mark> = (0..3).map(|n| seen(&t.there, n)).collect();
    marks.resize(t.there.places().len(), Mark::Missing);
    let drop = KernelDrop {
        ns: t.there.hops.last().map(|hop| hop.ns),
        link: None,
        reason: "NETFILTER_DROP".into(),
        function: Some("nft_do_chain".into()),
        packet: t.there.packet.clone(),
        leg: Leg::There,
    };
    let live = Checked {
        there: marks,
        back: Vec::new(),
        astray: Vec::new(),
        drops: vec![drop],
        rules: None,
        agrees: false,
        arrived: false,
        unanswered: false,
    };
    let text = tell(&s, &t, Some(&live));
    let tail: Vec<&str> = text.lines().skip_while(|l| *l != "pve1").collect();
    assert_snapshot!(tail.join("\n"), @r"
    pve1
      ✗ in       veth111i0, port of fwbr111i0
                 not seen here; what was to bring it: out eth0 192.168.10.103 →
                 203.0.113.10 ttl 63
                 nor at the 3 places that were to follow
    foretold: leaves this host by pve1:enp1s0
    kernel: thrown away in pve1: NETFILTER_DROP, in nft_do_chain
    live: the packet did not arrive; prediction and packet disagree
    ");
}

#[test]
fn a_flood_and_its_copies() {
    let s = network(SEED);
    let mut m = half(&s);
    m.out("docker01:eth0").hop("pve1").enter("pve1:veth111i0", Some("pve1:fwbr111i0"));
    let (bridge, port) = (link(&s, "pve1:fwbr111i0"), link(&s, "pve1:fwln111i0"));
    let ports = vec![port, link(&s, "pve1:veth111i0")];
    m.step(Stage::Bridge, Action::BridgeFlood { bridge, ports, followed: Some(port) });
    let mut copy = Maker::new(&s, &m.packet);
    copy.hop("pve1").out("pve1:veth111i0");
    let mut copy = copy.way(Disposition::Ignored);
    copy.cause = Cause::Copy(link(&s, "pve1:veth111i0"));
    m.hops.last_mut().unwrap().steps.last_mut().unwrap().children.push(copy);
    m.out("pve1:fwln111i0");
    let t = asked(&s, m.way(Disposition::Ignored));
    let text = tell(&s, &t, None);
    let tail: Vec<&str> = text.lines().skip_while(|l| *l != "pve1").collect();
    assert_snapshot!(tail.join("\n"), @r"
    pve1
      · in       veth111i0, port of fwbr111i0
      · bridge   fwbr111i0: 94:83:c4:3a:8f:1a is unknown: flooded to fwln111i0,
                 veth111i0, here by fwln111i0
                 and 1 copy more: veth111i0 (ignored)
      · out      fwln111i0  192.168.10.103 → 203.0.113.10  ttl 63
    nobody here wants it
    ");
}

#[test]
fn everything_on_demand() {
    let s = network(SEED);
    let m = half(&s);
    let text = trace(&s, &asked(&s, m.way(Disposition::Ignored)), None, true, &Style::default());
    let learned: Vec<&str> = text.lines().filter(|l| l.contains("learn")).collect();
    assert_snapshot!(learned.join("\n"), @"  · learn    docker0:  02:42:ac:11:00:02 is behind vethc52438e");
}

#[test]
fn an_error_to_the_sender_is_told_in_a_line() {
    let s = network(SEED);
    let mut m = half(&s);
    let loss = Loss { ns: id(&s, "docker01"), link: None, reason: Reason::TtlExpired };
    m.step(Stage::Forward, Action::Dropped(loss.clone()));
    let mut error = ping(ip(172, 17, 0, 1), ip(172, 17, 0, 2), 64);
    error.payload = Payload::Icmp { kind: IcmpKind::TimeExceeded, id: 0 };
    let mut error = Maker::new(&s, &error);
    error.hop("docker01").out("docker01:vethc52438e");
    let mut error = error.way(Disposition::Delivered(id(&s, "alpine01")));
    error.cause = Cause::IcmpError;
    m.hops.last_mut().unwrap().steps.last_mut().unwrap().children.push(error);
    let lost = asked(&s, m.way(Disposition::Lost(loss)));
    let text = tell(&s, &lost, None);
    let mut limited = s.clone();
    let router = limited.namespaces.get_mut(&id(&s, "docker01")).unwrap();
    router.sysctls.icmp_limit = IcmpLimit { interval: 1000, types: IcmpLimit::types_of("11") };
    let few = tell(&limited, &lost, None);
    assert!(few.contains("to alpine01; no more than a few at once, and one a second\n"), "{few}");
    let as_data = |s: &Snapshot| {
        let view = crate::json::trace(s, &lost, None);
        view.there.hops.last().unwrap().steps.last().unwrap().children[0].one_in_ms
    };
    assert_eq!((as_data(&s), as_data(&limited)), (None, Some(1000)));
    let lines: Vec<&str> = text.lines().collect();
    assert_snapshot!(lines[lines.len() - 6..].join("\n"), @r"
      · lost     its time to live has run out
                 ICMP time exceeded to 172.17.0.2: delivered to alpine01
    lost at  docker01
    because  its time to live has run out
    kernel   IP_INHDR
    to try   send it with a larger time to live, if its way is no circle
    ");
}

#[test]
fn the_same_for_programs() {
    let s = network(SEED);
    let view = crate::json::trace(&s, &asked(&s, there(&s)), None);
    let value = serde_json::to_value(&view).unwrap();
    let nat = &value["there"]["hops"][1]["steps"][5];
    assert_eq!(nat["action"], "nat");
    assert_eq!(nat["rule"]["text"], "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE");
    assert_eq!(value["there"]["end"]["disposition"], "left");
    assert_eq!(value["there"]["end"]["place"], "pve1:enp1s0");
}

/// The three lines at the end of a packet that is lost for that reason in docker01, on `at`.
fn lost(at: &str, reason: Reason) -> String {
    let s = network(SEED);
    let mut m = half(&s);
    let at = link(&s, at);
    let loss = Loss { ns: at.ns, link: Some(at), reason };
    m.step(Stage::Forward, Action::Dropped(loss.clone()));
    let text = tell(&s, &asked(&s, m.way(Disposition::Lost(loss))), None);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|l| l.starts_with("lost at")).unwrap();
    lines[first..].join("\n")
}

#[test]
fn the_last_lines_for_each_loss() {
    let s = network(SEED);
    let eth0 = "docker01:eth0";
    let chain = ChainRef { chain: "FORWARD".into(), table: "nat".into(), ..masquerade(&s).chain };
    let owner = |l: &str| (link(&s, l), Mac([2, 0, 0, 0, 0, 1]));
    let nobody = |because| Reason::NoNeighbour { ip: ip(172, 17, 0, 1), entry: None, because };
    let veth = link(&s, "docker01:vethc52438e");
    let down = Loss { ns: veth.ns, link: Some(veth), reason: Reason::LinkDown };
    let cases = [
        (eth0, Reason::ForwardingOff),
        (eth0, Reason::NoRoute(ip(203, 0, 113, 10))),
        (eth0, Reason::ReversePath { rp_filter: 1, route: None }),
        (eth0, Reason::RuleDrop(masquerade(&s))),
        (eth0, Reason::PolicyDrop(chain)),
        (eth0, Reason::LinkDown),
        (eth0, Reason::PeerDown(link(&s, "pve1:veth111i0"))),
        ("alpine01:eth0", nobody(None)),
        ("alpine01:eth0", nobody(Some(Box::new(down)))),
        (eth0, Reason::TooBig { mtu: 1400, told: true }),
        ("pve1:fwbr111i0", Reason::NoPort),
        ("pve1:veth111i0", Reason::NotOurMac(GATEWAY.parse().unwrap())),
        (
            eth0,
            Reason::DuplicateAddress {
                ip: ip(172, 17, 0, 2),
                owners: vec![owner("docker01:eth0"), owner("alpine01:eth0")],
            },
        ),
    ];
    let text: Vec<String> = cases.into_iter().map(|(at, reason)| lost(at, reason)).collect();
    assert_snapshot!(text.join("\n\n"), @r"
    lost at  docker01, on eth0
    because  203.0.113.10 is not an address of this namespace, and it does not forward (ip_forward 0)
    kernel   IP_INADDRERRORS
    to try   nestwork exec docker01 sysctl -w net.ipv4.ip_forward=1

    lost at  docker01, on eth0
    because  no route leads to 203.0.113.10
    kernel   IP_INNOROUTES or IP_INADDRERRORS or IP_OUTNOROUTES
    to try   nestwork exec docker01 ip route add 203.0.113.10 via GATEWAY dev LINK

    lost at  docker01, on eth0
    because  it came in by eth0, but the way back to 192.168.10.103 does not exist (rp_filter 1)
    kernel   IP_RPFILTER
    to try   nestwork exec docker01 sysctl -w net.ipv4.conf.eth0.rp_filter=2

    lost at  docker01, on eth0
    because  a rule drops it: ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    kernel   NETFILTER_DROP
    to try   nestwork exec docker01 iptables -t nat -D POSTROUTING 1

    lost at  docker01, on eth0
    because  no rule of ip nat FORWARD accepts it, and the policy is drop
    kernel   NETFILTER_DROP
    to try   nestwork exec docker01 iptables -t nat -I FORWARD -s 192.168.10.103 -d 203.0.113.10 -j ACCEPT

    lost at  docker01, on eth0
    because  eth0 is down
    kernel   NO_TX_TARGET or DEV_READY or QDISC_DROP or BRIDGE_INGRESS_STP_STATE or NEIGH_FAILED
    to try   nestwork exec docker01 ip link set eth0 up

    lost at  docker01, on eth0
    because  its other end pve1:veth111i0 is down
    kernel   NO_TX_TARGET or DEV_READY or QDISC_DROP or BRIDGE_INGRESS_STP_STATE or NEIGH_FAILED
    to try   nestwork exec pve1 ip link set veth111i0 up

    lost at  alpine01, on eth0
    because  nobody on eth0 answers for 172.17.0.1
    kernel   NEIGH_FAILED
    to try   nestwork exec alpine01 ip route replace default via GATEWAY dev eth0

    lost at  docker01, on vethc52438e
    because  vethc52438e is down
    kernel   NO_TX_TARGET or DEV_READY or QDISC_DROP or BRIDGE_INGRESS_STP_STATE or NEIGH_FAILED
    to try   nestwork exec docker01 ip link set vethc52438e up

    lost at  docker01, on eth0
    because  84 bytes are too many for an MTU of 1400; the sender is told
    kernel   PKT_TOO_BIG
    to try   nestwork exec docker01 ip link set eth0 mtu 84

    lost at  pve1, on fwbr111i0
    because  fwbr111i0 has no other port that could take it
    kernel   NO_TX_TARGET
    to try   nestwork exec pve1 ip link set LINK master fwbr111i0

    lost at  pve1, on veth111i0
    because  the frame is for 94:83:c4:3a:8f:1a, which is not veth111i0's address
    kernel   OTHERHOST
    to try   nestwork exec pve1 ip link set veth111i0 master vmbr0

    lost at  docker01, on eth0
    because  172.17.0.2 is given twice: docker01:eth0 (02:00:00:00:00:01) and alpine01:eth0 (02:00:00:00:00:01)
    kernel   NEIGH_FAILED or NO_SOCKET
    to try   nestwork exec alpine01 ip addr del 172.17.0.2/16 dev eth0
    ");
}

#[test]
fn a_port_goes_back_to_the_bridge_that_lacks_it() {
    let mut s = network(SEED);
    let at = link(&s, "pve1:veth111i0");
    let port = s.namespaces.get_mut(&at.ns).unwrap().links.get_mut(&at.index).unwrap();
    (port.master, port.port) = (None, None);
    let from = Place::Namespace(id(&s, "docker01"));
    let question = Question::new(from, ip(203, 0, 113, 10), walk::Protocol::Icmp);
    let fix = super::fix(&s, &walk::trace(&s, question));
    assert_eq!(fix.steps, ["nestwork exec pve1 ip link set veth111i0 master fwbr111i0"]);
}

/// nft knows nothing of iptables-legacy's tables.
#[test]
fn a_rule_of_iptables_legacy_goes_by_its_own_tool() {
    let chain = |policy, rules: &[&str]| wire::iptables::ChainSpec {
        name: "OUTPUT".to_owned(),
        policy,
        rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
    };
    let fixed = |table: &str, chain| {
        let mut s = network(SEED);
        let from = id(&s, "docker01");
        let table = wire::iptables::legacy_table(false, table, &[chain]).unwrap();
        s.namespaces.get_mut(&from).unwrap().ruleset.tables.push(table);
        let to = ip(203, 0, 113, 10);
        let question = Question::new(Place::Namespace(from), to, walk::Protocol::Icmp);
        super::fix(&s, &walk::trace(&s, question)).steps.join("; ")
    };
    assert_eq!(
        fixed("raw", chain(None, &["-p udp -j DROP", "-p icmp -j DROP"])),
        "nestwork exec docker01 iptables-legacy -t raw -D OUTPUT 2"
    );
    assert_eq!(
        fixed("filter", chain(Some(model::Policy::Drop), &[])),
        "nestwork exec docker01 iptables-legacy -I OUTPUT -s 192.168.10.103 -d 203.0.113.10 -j ACCEPT"
    );
}

#[test]
fn a_name_cannot_put_words_into_a_command() {
    let mut s = network(SEED);
    let at = link(&s, "docker01:eth0");
    let ns = s.namespaces.get_mut(&at.ns).unwrap();
    ns.links.get_mut(&at.index).unwrap().name = "a;reboot'".to_owned();
    ns.links.get_mut(&at.index).unwrap().flags.remove(model::LinkFlags::UP);
    let from = Place::Namespace(at.ns);
    let question = Question::new(from, ip(203, 0, 113, 10), walk::Protocol::Icmp);
    let fix = super::fix(&s, &walk::trace(&s, question));
    assert_eq!(fix.steps, [r"nestwork exec docker01 ip link set 'a;reboot'\''' up"]);
}

#[test]
fn what_is_unknown_says_because_of_what() {
    let s = network(SEED);
    let mut m = half(&s);
    let u = Unknown::Rule { rule: masquerade(&s), what: "hashlimit".into() };
    m.step(Stage::Forward, Action::Unknown(u.clone()));
    let text = tell(&s, &asked(&s, m.way(Disposition::Unknown(u))), None);
    let lines: Vec<&str> = text.lines().collect();
    assert_snapshot!(lines[lines.len() - 2..].join("\n"), @r"
    unknown  docker01
    because  ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE (not modelled: hashlimit)
    ");
}

/// What goes to many is answered by many: the first in full, the others by how they end.
#[test]
fn other_answers() {
    let s = network(SEED);
    let mut t = asked(&s, there(&s));
    let mut other = there(&s);
    other.disposition = Disposition::Delivered(id(&s, "alpine01"));
    let mut lost = there(&s);
    lost.disposition = Disposition::Lost(Loss {
        ns: id(&s, "docker01"),
        link: None,
        reason: Reason::ForwardingOff,
    });
    t.others = vec![other, lost];
    let text = tell(&s, &t, None);
    assert_snapshot!(&text[text.find("other answers").unwrap()..], @r"
    other answers
      alpine01: 192.168.10.103 → 203.0.113.10: delivered to alpine01
      alpine01: 192.168.10.103 → 203.0.113.10: lost at docker01: 203.0.113.10 is not
      an address of this namespace, and it does not forward (ip_forward 0)
    ");
    let view = crate::json::text(&crate::json::trace(&s, &t, None));
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["others"].as_array().map(Vec::len), Some(2), "{view}");
}
