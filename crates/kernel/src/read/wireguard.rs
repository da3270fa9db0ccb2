//! WireGuard links of the calling thread's namespace, and the sockets that may be theirs.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::LazyLock;

use wire::gathered::{Answer, Answers, Question};
use wire::wireguard;

use super::Parts;
use super::inside::whole;
use super::modules::Present;
use crate::netlink::{NetlinkError, Protocol, Replies, Request, Socket};

/// Asks for what WireGuard links have of their own, if there are any. A link's socket may be in a
/// namespace that has no such link.
pub(super) fn read(parts: Parts, present: &Present, answers: &mut Answers) {
    if !parts.contains(Parts::TUNNELS) {
        return;
    }
    let links = answers.wireguard_links();
    if !links.is_empty() {
        let answer = match devices(&links) {
            Ok(Replies { bytes, consistent }) => Answer::Reply { bytes, consistent },
            Err(error) => Answer::Refused(error.to_string()),
        };
        answers.put(Question::Wireguard, answer);
    }
    if present.wireguard {
        answers.put(Question::UdpPorts, whole(ports().map(String::into_bytes)));
    }
}

/// The devices with those ifindexes, without what nobody is to know. (There is the family where
/// there is such a link: asking for it loads no module.)
fn devices(links: &[u32]) -> Result<Replies, NetlinkError> {
    let mut socket = Socket::open(Protocol::Generic)?;
    let reply = socket.get(Request::new(wireguard::CONTROL, wireguard::get_family()))?;
    let family =
        wireguard::family(&reply).ok_or_else(|| NetlinkError::new(rustix::io::Errno::NOENT))?;
    let mut all = Replies { bytes: Vec::new(), consistent: true };
    for index in links {
        let told = socket.dump(Request::new(family, wireguard::get_device(*index)));
        socket.forget();
        let mut told = match told {
            Ok(told) => told,
            // Gone since its links were asked for.
            Err(error) if error.errno == rustix::io::Errno::NODEV => continue,
            Err(error) => return Err(error),
        };
        all.bytes
            .extend(wireguard::with_stand_ins(&told.bytes, |key| Some(STAND_INS.hash_one(key))));
        all.consistent &= told.consistent;
        wipe(&mut told.bytes);
    }
    Ok(all)
}

/// Makes of a preshared key a number that stands for it in this process alone: by a secret of the
/// process's own, so that nobody can try keys until one gives that number.
static STAND_INS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What leaves this process has no such numbers.
pub(super) fn forget_stand_ins(answers: &mut Answers) {
    if let Some(Answer::Reply { bytes, .. }) = answers.by_question.get_mut(&Question::Wireguard) {
        *bytes = wireguard::without_secrets(bytes);
    }
}

/// Overwrites what held secrets.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // The compiler is not to leave it out because nobody reads it.
    std::hint::black_box(bytes);
}

/// Ports of UDP sockets that are bound to no address, a line each.
fn ports() -> io::Result<String> {
    let counts = std::fs::read_to_string("/proc/thread-self/net/sockstat").unwrap_or_default();
    if wire::sockets::in_use(&counts, "udp") == Some(0) {
        return Ok(String::new());
    }
    let text = std::fs::read_to_string("/proc/thread-self/net/udp")?;
    let sockets = text.lines().filter_map(|line| wire::sockets::listener(line, 17));
    let open = sockets.filter(|socket| socket.ip.is_unspecified());
    Ok(open.map(|socket| format!("{}\n", socket.port)).collect())
}
