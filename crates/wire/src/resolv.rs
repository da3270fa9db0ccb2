//! The file of name servers that `/etc/resolv.conf` is.

use std::net::IpAddr;

/// The name servers, in their order. One that is good on one link only is left out.
pub fn servers(text: &str) -> impl Iterator<Item = IpAddr> + '_ {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_server = words.next()? == "nameserver";
        is_server.then(|| words.next()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_in_their_order() {
        let text = "# nameserver 10.0.0.1\nsearch example\nnameserver 127.0.0.53\n\
                    nameserver\tfd00::53 # second\nnameserver fe80::1%eth0\nnameserver\noptions edns0\n";
        let all: Vec<String> = servers(text).map(|ip| ip.to_string()).collect();
        assert_eq!(all, ["127.0.0.53", "fd00::53"]);
    }
}
