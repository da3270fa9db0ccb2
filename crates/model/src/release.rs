/// Which Linux it is: its first two numbers. What changed in between, and nothing that can be read
/// tells, goes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// 6 of 6.18.
    pub major: u32,
    /// 18 of 6.18.
    pub minor: u32,
}

impl Release {
    /// What `uname -r` says: `6.1.0-57-amd64`. None: it begins otherwise.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (major, rest) = text.split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// It is that one or a later one.
    #[must_use]
    pub fn is_since(self, major: u32, minor: u32) -> bool {
        self >= Self { major, minor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, numbers: Option<(u32, u32)>) {
        assert_eq!(Release::parse(text).map(|r| (r.major, r.minor)), numbers, "{text}");
    }

    #[test]
    fn releases() {
        check("6.18.44", Some((6, 18)));
        check("6.1.0-57-amd64", Some((6, 1)));
        check("5.10-rc1", Some((5, 10)));
        check("6", None);
        check("Linux 6.1", None);
    }
}
