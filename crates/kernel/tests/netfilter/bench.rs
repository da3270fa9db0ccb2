//! A network to try rules in, and packets through it.
//!
//! ```text
//! a 10.0.0.2 ── pa ┐
//!                  br0 10.0.0.1  [r]  eth1 10.1.0.1 ── 10.1.0.2 b
//! c 10.0.0.3 ── pc ┘
//! ```

use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use kernel::drops::Tracepoint;
use kernel::probe::{self, Kind, Probe, Tag, Taps};
use kernel::read::{Parts, ReadOptions, read};
use model::{LinkId, NsId, Snapshot};
use walk::{
    Checked, Disposition, Indexed, Known, Leg, Place, Protocol, Question, Trace, Verdict, Way,
};

use crate::space::Space;

/// Where packets are sent from and to.
pub(crate) const A: &str = "10.0.0.2";
pub(crate) const B: &str = "10.1.0.2";
pub(crate) const C: &str = "10.0.0.3";

/// How long nothing more must come before a packet counts as lost.
const PATIENCE: Duration = Duration::from_millis(300);

/// The network. All of it ends with this.
pub(crate) struct Bench {
    pub(crate) a: Space,
    b: Space,
    c: Space,
    pub(crate) r: Space,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let space = || Space::new(&["--net", "--mount"]);
        let bench = Self { a: space(), b: space(), c: space(), r: space() };
        let Self { a, b, c, r } = &bench;
        r.run_net(&format!(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1
            sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
            ip link set lo up
            ip link add br0 address 02:00:00:00:00:01 type bridge nf_call_iptables 0
            sysctl -qw net.bridge.bridge-nf-call-iptables=0
            ip link add pa type veth peer name eth0 address 02:00:00:00:00:0a netns {}
            ip link add pc type veth peer name eth0 address 02:00:00:00:00:0c netns {}
            ip link add eth1 type veth peer name eth0 netns {}
            ip link set pa master br0; ip link set pc master br0
            ip addr add 10.0.0.1/24 dev br0; ip addr add 10.1.0.1/24 dev eth1
            for l in br0 pa pc eth1; do ip link set $l up; done",
            a.pid, c.pid, b.pid
        ));
        for (space, address, gateway) in
            [(a, A, "10.0.0.1"), (c, C, "10.0.0.1"), (b, B, "10.1.0.1")]
        {
            space.run_net(&format!(
                "sysctl -qw net.ipv6.conf.all.disable_ipv6=1
                ip link set lo up; ip addr add {address}/24 dev eth0; ip link set eth0 up
                ip route add default via {gateway}"
            ));
        }
        bench
    }

    /// Replaces all nftables rules of r.
    pub(crate) fn nft(&self, rules: &str) {
        // A block ends on a line of its own.
        let rules = rules.replace("; }", "\n}\n");
        self.r.run_net(&format!("nft flush ruleset; nft -f - <<'RULES'\n{rules}\nRULES"));
    }

    /// The rules in r, none of which is to be unknown.
    pub(crate) fn read(&self) -> Snapshot {
        let parts = Parts::all();
        let snapshot = read(&ReadOptions { parts, ..ReadOptions::default() }).unwrap();
        let ns = self.r.of(&snapshot);
        let unread: Vec<_> = ns.gaps.iter().filter(|g| g.part == "netfilter").collect();
        assert!(unread.is_empty(), "{unread:?}");
        snapshot
    }

    /// Sends a packet (`a tcp 10.1.0.2:80`, `b icmp 10.0.0.1`), and holds what becomes of it against
    /// what is foretold; true: it arrives, and its answer too.
    #[track_caller]
    pub(crate) fn send(&self, what: &str) -> bool {
        let snapshot = self.read();
        let (trace, tag) = self.foretell(&snapshot, what);
        let rules = self.rules(&snapshot);
        let told = |live| {
            let style = render::Style { width: 200, ..render::Style::default() };
            render::trace(&snapshot, &trace, live, true, &style) + &rules
        };
        assert!(!matches!(trace.verdict(), Verdict::Unknown(_)), "{what}\n{}", told(None));
        let foretold = !is_lost(&trace);
        let checked = self.live(&trace, tag);
        assert!(checked.agrees, "{what}: otherwise\n{}", told(Some(&checked)));
        assert_eq!(checked.arrived, foretold, "{what}\n{}", told(Some(&checked)));
        foretold
    }

    /// What is foretold of a packet with so much known of its connection; true: it arrives.
    pub(crate) fn foretold(&self, what: &str, connection: Known) -> bool {
        let snapshot = self.read();
        let question = self.foretell(&snapshot, what).0.question.connection(connection);
        !is_lost(&Indexed::new(&snapshot).trace(question))
    }

    /// The same, of a packet whose way cannot be foretold: by what.
    pub(crate) fn unknown(&self, what: &str) -> String {
        let snapshot = self.read();
        let (trace, _) = self.foretell(&snapshot, what);
        match trace.verdict() {
            Verdict::Unknown(walk::Unknown::Rule { what, .. }) => what.clone(),
            other => panic!("{what}: {other:?}\n{}", self.rules(&snapshot)),
        }
    }

    /// Sends a packet whose way cannot be foretold, and tells what was seen of it as `trace --live` does,
    /// with what the kernel says that it threw away.
    pub(crate) fn watched(&self, what: &str) -> String {
        let snapshot = self.read();
        let (trace, tag) = self.foretell(&snapshot, what);
        let kernel = Tracepoint::find().unwrap();
        let drops = kernel.watch(tag).unwrap();
        let mut checked = self.live(&trace, tag);
        let thrown = drops.collect(&probe_of(&trace, tag), &snapshot).unwrap();
        checked.heed(&trace, thrown, |name| kernel.has_reason(name));
        render::trace(&snapshot, &trace, Some(&checked), false, &render::Style::default())
    }

    /// The same, because of a link.
    pub(crate) fn stopped(&self, what: &str) -> String {
        let (trace, _) = self.foretell(&self.read(), what);
        match trace.verdict() {
            Verdict::Unknown(
                walk::Unknown::Link { what, .. } | walk::Unknown::Filter { what, .. },
            ) => what.clone(),
            other => panic!("{what}: {other:?}"),
        }
    }

    /// The same, by what of a whole namespace.
    pub(crate) fn opaque(&self, what: &str) -> String {
        let (trace, _) = self.foretell(&self.read(), what);
        match trace.verdict() {
            Verdict::Unknown(walk::Unknown::Opaque { what, .. }) => what.to_string(),
            other => panic!("{what}: {other:?}"),
        }
    }

    /// Runs a shell command in one of the namespaces.
    pub(crate) fn shell(&self, name: &str, command: &str) -> String {
        self.space(name).run_net(command)
    }

    fn foretell(&self, snapshot: &Snapshot, what: &str) -> (Trace, Tag) {
        let words: Vec<&str> = what.split(' ').collect();
        let [from, protocol, to] = words[..] else { panic!("FROM PROTOCOL TO: {what}") };
        let (ip, port) = to.split_once(':').unwrap_or((to, "0"));
        let port = port.parse().unwrap();
        let protocol = match protocol {
            "tcp" => Protocol::Tcp(port),
            "udp" => Protocol::Udp(port),
            _ => Protocol::Icmp,
        };
        let tag = Tag::random().unwrap();
        let place = Place::Namespace(self.id(from));
        let mut question =
            Question::new(place, ip.parse::<IpAddr>().unwrap(), protocol).sport(tag.port(snapshot));
        question.packet.mss = matches!(protocol, Protocol::Tcp(_)).then_some(probe::MSS);
        (Indexed::new(snapshot).trace(question), tag)
    }

    fn space(&self, name: &str) -> &Space {
        match name {
            "a" => &self.a,
            "b" => &self.b,
            "c" => &self.c,
            _ => &self.r,
        }
    }

    fn id(&self, name: &str) -> NsId {
        self.space(name).id()
    }

    /// Every link is watched.
    fn live(&self, trace: &Trace, tag: Tag) -> Checked {
        let Place::Namespace(source) = trace.question.from else { unreachable!("from here") };
        let snapshot = read(&ReadOptions::default()).unwrap();
        let nets: Vec<(NsId, OwnedFd)> = ["a", "b", "c", "r"]
            .map(|name| (self.id(name), open(self.space(name).pid)))
            .into_iter()
            .collect();
        let links = nets.iter().flat_map(|(ns, net)| {
            let links = snapshot.namespaces[ns].links.keys();
            links.map(|index| (LinkId { ns: *ns, index: *index }, net.as_fd()))
        });
        let taps = Taps::open(&links.collect::<Vec<_>>(), tag);
        let net = &nets.iter().find(|(ns, _)| *ns == source).unwrap().1;
        let probe = probe_of(trace, tag);
        let (seen, received) = match probe::send(net, &probe) {
            Ok(sent) => {
                let own: Vec<LinkId> =
                    taps.watched().into_iter().filter(|l| l.ns == source).collect();
                let seen =
                    taps.collect(&probe, sent.at, PATIENCE, |s| probe::answered(s, &own)).unwrap();
                let refused = seen.iter().any(|s| s.leg == Leg::Error);
                let received = (!refused).then(|| sent.is_answered());
                (seen, received)
            }
            // An OUTPUT rule that drops is told to the sender.
            Err(_) => (Vec::new(), Some(false)),
        };
        let _ = probe::reset(net, &probe);
        let check = |trace: &Trace| walk::check(trace, &taps.watched(), &seen, received);
        let mut ways = trace.leaves().into_iter().map(check);
        ways.find(|checked| checked.agrees).unwrap_or_else(|| check(trace))
    }

    /// The rules as they were read, for the eye.
    fn rules(&self, snapshot: &Snapshot) -> String {
        let tables = &self.r.of(snapshot).ruleset.tables;
        let chains = tables.iter().flat_map(|t| t.chains.iter().map(move |c| (t, c)));
        let rules = chains.flat_map(|(t, c)| c.rules.iter().map(move |r| (t, c, r)));
        let line = |(t, c, r): (&model::Table, &model::Chain, _)| {
            format!(
                "{} {} {}: {}\n",
                t.family.as_str(),
                t.name,
                c.name,
                render::rule_text::rule_in(t, r)
            )
        };
        rules.map(line).collect()
    }

    /// Expressions and extensions of r's rules that have no type.
    pub(crate) fn untyped(&self) -> Vec<String> {
        self.r.of(&self.read()).ruleset.unknown()
    }
}

fn open(pid: u32) -> OwnedFd {
    std::fs::File::open(format!("/proc/{pid}/ns/net")).unwrap().into()
}

fn is_lost(trace: &Trace) -> bool {
    let lost = |way: &Way| matches!(way.disposition, Disposition::Lost(_));
    lost(&trace.there) || trace.back.as_ref().is_some_and(lost)
}

fn probe_of(trace: &Trace, tag: Tag) -> Probe {
    let packet = &trace.question.packet;
    let kind = match packet.payload {
        walk::Payload::Icmp { id, .. } => Kind::Icmp(id),
        walk::Payload::Udp { sport, dport } => Kind::Udp(sport, dport),
        walk::Payload::Tcp { sport, dport, .. } => Kind::Tcp(sport, dport),
        walk::Payload::Other(_) => unreachable!("none is asked for"),
    };
    Probe {
        src: None,
        dst: packet.dst,
        kind,
        len: packet.len,
        df: packet.df,
        ttl: None,
        tos: 0,
        mark: 0,
        bound: None,
        flags: probe::SYN,
        to_many: false,
        tag,
    }
}

/// Rules in a chain `forward` of r, each tried with packets from a to b: `+tcp:80 -tcp:81 +icmp`,
/// where + is to arrive and - is not.
#[track_caller]
pub(crate) fn forward(cases: &[(&str, &str)]) {
    let bench = Bench::new();
    for (rule, packets) in cases {
        bench.nft(&format!(
            "table inet t {{
            chain forward {{ type filter hook forward priority 0; policy accept; {rule}; }}
            }}"
        ));
        assert_eq!(bench.untyped(), Vec::<String>::new(), "{rule}");
        bench.each(rule, packets);
    }
}

/// Whole tables, each tried with packets from a to b.
#[track_caller]
pub(crate) fn tables(cases: &[(&str, &str)]) {
    let bench = Bench::new();
    for (rules, packets) in cases {
        bench.nft(rules);
        assert_eq!(bench.untyped(), Vec::<String>::new(), "{rules}");
        bench.each(rules, packets);
    }
}

impl Bench {
    /// Packets: `+tcp:80`, `-icmp`, from a to b, or `+a>c/tcp:80`.
    #[track_caller]
    pub(crate) fn each(&self, rules: &str, packets: &str) {
        for packet in packets.split_whitespace() {
            let (sign, packet) = packet.split_at(1);
            let (ends, packet) = packet.split_once('/').unwrap_or(("a>b", packet));
            let (from, to) = ends.split_once('>').unwrap();
            let to = match to {
                "a" => A,
                "b" => B,
                "c" => C,
                "r" => "10.0.0.1",
                ip => ip,
            };
            let what = match packet.split_once(':') {
                Some((protocol, port)) => format!("{from} {protocol} {to}:{port}"),
                None => format!("{from} {packet} {to}"),
            };
            assert_eq!(self.send(&what), sign == "+", "{what}\n{rules}");
        }
    }
}
