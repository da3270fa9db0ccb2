//! The netlink socket against the running kernel, in namespaces of its own.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;

use kernel::netlink::{Protocol, Request, Socket};
use rustix::io::Errno;
use rustix::thread::{UnshareFlags, unshare_unsafe};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_GETNSID: u16 = 90;

/// Runs the test of that name in a fresh network namespace, which dies with its thread.
fn in_fresh_namespace(name: &str, test: impl FnOnce() + Send) {
    space::privileged(name, || {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: no file descriptors are unshared.
                unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.unwrap();
                test();
            });
        });
    });
}

/// `struct ifinfomsg` with that index.
fn ifinfo(index: u32) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend([0; 8]);
    body
}

#[test]
fn a_dump_a_get_and_a_refusal_with_the_kernels_words() {
    in_fresh_namespace("a_dump_a_get_and_a_refusal_with_the_kernels_words", || {
        let mut socket = Socket::open(Protocol::Route).unwrap();
        let replies = socket.dump(Request::new(RTM_GETLINK, ifinfo(0))).unwrap();
        assert!(replies.consistent);
        assert!(replies.messages().all(|m| m.kind == RTM_NEWLINK));
        assert_ne!(replies.messages().count(), 0);
        let one = socket.get(Request::new(RTM_GETLINK, ifinfo(1))).unwrap();
        assert_eq!(wire::rtnl::messages(&one).count(), 1);

        let refused = socket.get(Request::new(RTM_GETLINK, ifinfo(99))).unwrap_err();
        assert_eq!(refused.errno, Errno::NODEV);
        // A strictly checked request says in words what is wrong with it.
        let mut body = ifinfo(0);
        body.extend([8, 0, 0xff, 0x0f, 0, 0, 0, 0]); // an attribute that nobody knows
        let refused = socket.dump(Request::new(RTM_GETLINK, body)).unwrap_err();
        assert_eq!(refused.to_string(), "Unknown attribute type (Invalid argument)");
    });
}

#[test]
fn requests_of_a_batch_are_refused_one_by_one() {
    in_fresh_namespace("requests_of_a_batch_are_refused_one_by_one", || {
        let mut socket = Socket::open(Protocol::Route).unwrap();
        let up = |index| {
            let mut body = vec![0; 4];
            body.extend(u32::to_ne_bytes(index));
            body.extend([1, 0, 0, 0, 1, 0, 0, 0]);
            Request::new(RTM_NEWLINK, body)
        };
        let refused = socket.batch(&[up(1), up(77), up(1), up(78)]).unwrap();
        let all: Vec<_> = refused.iter().map(|r| (r.index, r.error.errno)).collect();
        assert_eq!(all, [(1, Errno::NODEV), (3, Errno::NODEV)]);
        socket.ack(up(1)).unwrap();
        assert_eq!(socket.ack(up(79)).unwrap_err().errno, Errno::NODEV);
    });
}

#[test]
fn a_socket_in_another_namespace_leaves_the_thread_where_it_was() {
    in_fresh_namespace("a_socket_in_another_namespace_leaves_the_thread_where_it_was", || {
        let here = || std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let before = here();
        let main = std::fs::File::open(format!("/proc/{}/ns/net", std::process::id())).unwrap();
        let mut socket = Socket::open_in(&main, Protocol::Route).unwrap();
        assert_eq!(here(), before);
        // Asked from the main namespace, this thread's has no number yet: −1, and no error.
        let own = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
        let mut body = vec![0; 4];
        body.extend([8, 0, 3, 0]);
        body.extend(std::os::fd::AsRawFd::as_raw_fd(&own).to_ne_bytes());
        let reply = socket.get(Request::new(RTM_GETNSID, body)).unwrap();
        let message = wire::rtnl::messages(&reply).next().unwrap();
        assert_eq!(message.body[8..12], (-1i32).to_ne_bytes());
    });
}
