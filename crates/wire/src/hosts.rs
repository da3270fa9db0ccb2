//! The file of names that `/etc/hosts` is.

use std::net::IpAddr;

/// The addresses that a name has in it, in the order of its lines. Names are the same in capitals
/// and in small letters.
pub fn addresses<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = IpAddr> + 't {
    text.lines().filter_map(move |line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let ip = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(ip)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_addresses_of_its_lines() {
        let text = "127.0.0.1\tlocalhost\n10.0.0.3 db DB.example # the second, db3\nfd00::3 db\n\
                    # 10.0.0.4 db\nnonsense db\n10.0.0.5\n";
        let of = |name| addresses(text, name).map(|ip| ip.to_string()).collect::<Vec<_>>();
        assert_eq!(of("db"), ["10.0.0.3", "fd00::3"]);
        assert_eq!(of("db.EXAMPLE"), ["10.0.0.3"]);
        assert!(of("db3").is_empty());
        assert!(of("10.0.0.5").is_empty());
    }
}
