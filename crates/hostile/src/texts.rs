//! Texts of /proc.

use wire::proc_net::{Texts, told};
use wire::{bonds, groups, hosts, resolv, sockets};

use crate::section::sections;

/// Files of /proc/PID/net by name, and what a container's /etc has.
pub(crate) fn proc(data: &[u8]) {
    let mut texts = Texts::default();
    for section in sections(data) {
        let text = String::from_utf8_lossy(section.body).into_owned();
        for protocol in [6, 17] {
            text.lines().for_each(|line| _ = sockets::listener(line, protocol));
        }
        let _ = (sockets::in_use(&text, "TCP"), sockets::in_use(&text, "UDP"));
        beside(section.head, &text);
        match section.head {
            "dev" => texts.dev = text,
            "dev_mcast" => texts.dev_mcast = text,
            "igmp" => texts.igmp = text,
            "if_inet6" => texts.if_inet6 = text,
            "fib_trie" => texts.fib_trie = text,
            "route" => texts.route = text,
            "arp" => texts.arp = text,
            _ => {}
        }
    }
    let _ = told(&texts);
}

/// What is read of such files where a namespace is entered.
fn beside(head: &str, text: &str) {
    match head {
        "igmp" => _ = groups::read(&groups::lines(text)),
        "igmp6" => _ = groups::read(&groups::lines6(text)),
        "groups" => _ = groups::read(text),
        "bonding" => _ = bonds::ports(text).count(),
        "resolv.conf" => _ = resolv::servers(text).count(),
        "hosts" => _ = hosts::addresses(text, "a").count(),
        _ => {}
    }
}
