//! Groups that links are in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Of /proc/net/igmp: ifindex and group, a line each, without the links' names.
#[must_use]
pub fn lines(igmp: &str) -> String {
    let mut text = String::new();
    let mut at = None;
    for line in igmp.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if !line.starts_with('\t') {
            at = first.parse::<u32>().ok();
        } else if let (Some(link), Ok(group)) = (at, u32::from_str_radix(first, 16)) {
            // The kernel prints four bytes as the number that they are to it.
            text += &format!("{link} {}\n", Ipv4Addr::from(group.to_ne_bytes()));
        }
    }
    text
}

/// The same of /proc/net/igmp6: ifindex, name, and the group's 32 digits.
#[must_use]
pub fn lines6(igmp6: &str) -> String {
    let one = |line: &str| {
        let mut words = line.split_whitespace();
        let link: u32 = words.next()?.parse().ok()?;
        let group = u128::from_str_radix(words.nth(1)?, 16).ok()?;
        Some(format!("{link} {}\n", Ipv6Addr::from_bits(group)))
    };
    igmp6.lines().filter_map(one).collect()
}

/// What such lines tell.
#[must_use]
pub fn read(lines: &str) -> Vec<(u32, IpAddr)> {
    let one = |line: &str| {
        let (link, group) = line.split_once(' ')?;
        Some((link.parse().ok()?, group.parse().ok()?))
    };
    lines.lines().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cat /proc/net/igmp` with a bridge that listens to IGMP.
    const IGMP: &str = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
4\tbr0       :     2      V3
\t\t\t\t6A0000E0     1 0:00000000\t\t0
\t\t\t\t010000E0     1 0:00000000\t\t0
";

    #[test]
    fn of_a_loopback_and_a_bridge() {
        let lines = lines(IGMP);
        assert_eq!(lines, "1 224.0.0.1\n4 224.0.0.106\n4 224.0.0.1\n");
        assert_eq!(read(&lines).len(), 3);
    }

    /// `cat /proc/net/igmp6` with a link that has an address, in a namespace that forwards.
    const IGMP6: &str = "\
1    lo              ff020000000000000000000000000001     1 0000000C 0
1    lo              ff010000000000000000000000000001     1 00000008 0
2    e0              ff0200000000000000000001ff000002     1 00000004 0
2    e0              ff050000000000000000000000000002     1 00000004 0
";

    #[test]
    fn of_ipv6() {
        let lines = lines6(IGMP6);
        assert_eq!(lines, "1 ff02::1\n1 ff01::1\n2 ff02::1:ff00:2\n2 ff05::2\n");
        assert_eq!(read(&lines).len(), 4);
    }
}
