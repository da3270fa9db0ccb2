//! Reading leaves nothing behind, and changes nothing: alone in its process, since it counts.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;

use kernel::read::{ReadOptions, read};
use space::{Space, privileged};

fn count(dir: &str) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

#[test]
fn reading_leaves_no_descriptor_thread_number_or_table() {
    privileged("reading_leaves_no_descriptor_thread_number_or_table", || {
        let (a, b) = (Space::new(&["--net"]), Space::new(&["--net"]));
        a.run_net(&format!("ip link add x type veth peer name y netns {}", b.pid));
        let state = || {
            let of = |s: &Space| {
                s.run_net(
                    "ip netns list-id; nft list ruleset; cat /proc/net/ip_tables_names || true",
                )
            };
            (
                count("/proc/self/fd"),
                count("/proc/self/task"),
                std::fs::read_link("/proc/thread-self/ns/net").unwrap(),
                std::fs::read_to_string("/proc/modules").ok(),
                std::fs::read_to_string("/proc/self/mountinfo").unwrap(),
                of(&a),
                of(&b),
            )
        };
        let before = state();
        read(&ReadOptions::default()).unwrap();
        assert_eq!(state(), before);
    });
}
