//! What is gathered tells the same as what is read, and as a bundle of it does.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;

use bundle::{Bundle, Origin};
use kernel::read::{ReadOptions, gather, read};
use model::{Namespace, Snapshot};
use space::{Space, privileged};

/// Without what differs from one second to the next.
fn still(space: &Space, snapshot: &Snapshot) -> Namespace {
    let mut namespace = space.of(snapshot).clone();
    namespace.fdb.iter_mut().for_each(|entry| entry.age = None);
    // The kernel reports its groups to its neighbours whenever it likes.
    namespace.neighbours.retain(|n| !n.ip.is_multicast());
    namespace.conntrack.retain(|c| !c.original.dst.is_multicast());
    namespace
}

#[test]
fn gathered_read_and_bundled_are_one() {
    privileged("gathered_read_and_bundled_are_one", || {
        let (a, b) = (Space::new(&["--net", "--mount"]), Space::new(&["--net"]));
        // IPv6 takes its time to make sure of an address.
        for space in [&a, &b] {
            space.run_net("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
        }
        a.run_net(&format!(
            "ip link add br0 type bridge; ip link set br0 up
             ip link add v0 type veth peer name eth0 netns {}
             ip link set v0 master br0 up
             ip link add vx0 type vxlan id 5 dstport 4789 remote 10.0.0.9
             ip addr add 10.0.0.1/24 dev br0; ip rule add fwmark 7 blackhole
             ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev br0
             nft add table ip t; nft add chain ip t c '{{ type nat hook postrouting priority 0; }}'
             nft add rule ip t c ip saddr 10.0.0.0/24 masquerade",
            b.pid
        ));
        b.run_net("ip link set eth0 up; ip addr add 10.0.0.2/24 dev eth0");
        while !a.run_net("ip link show dev br0").contains("state UP") {
            std::thread::yield_now();
        }
        let gathered = gather(&ReadOptions::default()).unwrap();
        let live = read(&ReadOptions::default()).unwrap();
        let kept = gathered.snapshot();
        for space in [&a, &b] {
            let (then, now) = (still(space, &kept), still(space, &live));
            assert!(then == now, "{then:?}\n{now:?}");
            assert_eq!(space.of(&kept).gaps, []);
        }
        assert!(!a.of(&kept).ruleset.tables.is_empty() && !a.of(&kept).sysctls.all.arp_filter);
        assert_eq!(kept.viewer, live.viewer);

        let bundle = Bundle { origin: here(), gathered };
        let again = Bundle::unpack(&bundle.pack().unwrap()).unwrap();
        assert_eq!(again, bundle);
        assert_eq!(again.gathered.snapshot(), kept);
    });
}

/// A bundle says of which kernel it is, as does what was read.
fn here() -> Origin {
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    Origin { kernel, ..Origin::default() }
}

#[test]
fn without_rights_too() {
    let gathered = gather(&ReadOptions::default()).unwrap();
    let bundle = Bundle { origin: here(), gathered };
    assert_eq!(Bundle::unpack(&bundle.pack().unwrap()).unwrap(), bundle);
}
