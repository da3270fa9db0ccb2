//! Users' home folders (passwd(5)): engines without root keep their files there.

/// The home folder of the user with that uid.
#[must_use]
pub fn home(passwd: &str, uid: u32) -> Option<&str> {
    let lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut homes = lines.filter(|f| f.get(2).is_some_and(|u| u.parse() == Ok(uid)));
    homes.find_map(|f| f.get(5).copied()).filter(|home| home.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::home;

    #[test]
    fn a_home() {
        let text = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\nbad\n";
        assert_eq!(home(text, 1000), Some("/home/ann"));
        assert_eq!(home(text, 1001), None);
    }
}
