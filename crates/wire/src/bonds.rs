//! In which order bonds go through their ports.

/// Of /proc/net/bonding/NAME: its ports' names.
pub fn ports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("Slave Interface: "))
}

/// What lines of ifindexes tell, a bond's and behind it its ports'.
pub(crate) fn read(lines: &str) -> Vec<Vec<u32>> {
    let numbers = |line: &str| line.split(' ').filter_map(|number| number.parse().ok()).collect();
    lines.lines().map(numbers).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn in_their_order() {
        let text = "Ethernet Channel Bonding Driver: v6.1.192

Bonding Mode: load balancing (xor)
Transmit Hash Policy: layer2 (0)
MII Status: up

Slave Interface: p2
MII Status: up
Speed: 10000 Mbps

Slave Interface: p1
MII Status: up
";
        assert_eq!(super::ports(text).collect::<Vec<_>>(), ["p2", "p1"]);
    }
}
