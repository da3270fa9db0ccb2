//! Labels of IPv6 addresses: by them a host chooses which of its own it speaks from (RFC 6724 §2.1,
//! `net/ipv6/addrlabel.c`, ip-addrlabel(8)).

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

/// One entry of a namespace's table (RTM_NEWADDRLABEL).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressLabel {
    /// Which addresses have the label.
    pub net: Ipv6Net,
    /// ifindex of the one link on which they do; None: on all.
    pub link: Option<u32>,
    /// The label. An address is sooner chosen for a destination that has the same.
    pub label: u32,
}

/// The labels of a namespace, in the order in which they are asked: the longest prefix first, and of
/// one length those for a single link. The default is the table that every namespace starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressLabels(pub Vec<AddressLabel>);

/// `ip6addrlbl_init_table`.
const USUAL: [(Ipv6Addr, u8, u32); 10] = [
    (Ipv6Addr::LOCALHOST, 128, 0),
    (Ipv6Addr::UNSPECIFIED, 96, 3),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 4),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, 6),
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28, 7),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, 12),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 2),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, 11),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, 5),
    (Ipv6Addr::UNSPECIFIED, 0, 1),
];

impl Default for AddressLabels {
    fn default() -> Self {
        let entry = |(ip, length, label)| {
            let net = Ipv6Net::new(ip, length).ok()?;
            Some(AddressLabel { net, link: None, label })
        };
        Self(USUAL.into_iter().filter_map(entry).collect())
    }
}

impl AddressLabels {
    /// `ipv6_addr_label`: the label of an address on a link.
    #[must_use]
    pub fn of(&self, ip: Ipv6Addr, link: Option<u32>) -> Option<u32> {
        let fits = |entry: &&AddressLabel| {
            entry.net.contains(&ip) && (entry.link.is_none() || entry.link == link)
        };
        self.0.iter().find(fits).map(|entry| entry.label)
    }

    /// The label that addresses of a network have by an entry of their own.
    #[must_use]
    pub fn entry(&self, net: Ipv6Net, link: Option<u32>) -> Option<u32> {
        self.0.iter().find(|e| (e.net, e.link) == (net, link)).map(|e| e.label)
    }

    /// `__ip6addrlbl_add`: what was said of the same network and link goes.
    pub fn set(&mut self, new: AddressLabel) {
        if let Some(old) = self.0.iter_mut().find(|e| (e.net, e.link) == (new.net, new.link)) {
            *old = new;
            return;
        }
        let length = |e: &AddressLabel| e.net.prefix_len();
        let behind = |e: &AddressLabel| {
            length(e) < length(&new) || length(e) == length(&new) && e.link.is_none()
        };
        let place = self.0.iter().position(behind).unwrap_or(self.0.len());
        self.0.insert(place, new);
    }

    /// Takes back what was said of a network; of one that every namespace starts with, its first label
    /// comes back.
    pub fn unset(&mut self, net: Ipv6Net, link: Option<u32>) {
        match Self::usual(net, link) {
            Some(label) => self.set(AddressLabel { net, link, label }),
            None => self.0.retain(|e| (e.net, e.link) != (net, link)),
        }
    }

    /// The label that a namespace starts with for that network.
    #[must_use]
    pub fn usual(net: Ipv6Net, link: Option<u32>) -> Option<u32> {
        Self::default().entry(net, link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(net: &str, link: Option<u32>, label: u32) -> AddressLabel {
        AddressLabel { net: net.parse().unwrap(), link, label }
    }

    fn of(labels: &AddressLabels, ip: &str, link: Option<u32>) -> Option<u32> {
        labels.of(ip.parse().unwrap(), link)
    }

    #[test]
    fn the_longest_prefix_counts_and_of_one_length_that_of_the_link() {
        let mut labels = AddressLabels::default();
        assert_eq!(of(&labels, "2001:db8::1", None), Some(1));
        assert_eq!(of(&labels, "fd00::1", Some(2)), Some(5));
        labels.set(label("2001:db8::/32", None, 99));
        labels.set(label("2001:db8::/32", Some(3), 77));
        assert_eq!(of(&labels, "2001:db8::1", Some(2)), Some(99));
        assert_eq!(of(&labels, "2001:db8::1", Some(3)), Some(77));
        labels.set(label("2001:db8::/32", Some(3), 78));
        assert_eq!(of(&labels, "2001:db8::1", Some(3)), Some(78));
        assert_eq!(labels.0.len(), 12);
    }

    #[test]
    fn what_was_said_is_taken_back() {
        let mut labels = AddressLabels::default();
        labels.set(label("fc00::/7", None, 9));
        labels.set(label("2001:db8::/32", None, 99));
        assert_ne!(labels, AddressLabels::default());
        labels.unset("fc00::/7".parse().unwrap(), None);
        labels.unset("2001:db8::/32".parse().unwrap(), None);
        assert_eq!(labels, AddressLabels::default());
    }
}
