//! Network namespaces that are mounted on files, out of /proc/PID/mountinfo.

use super::process::Identity;

/// A namespace file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mounted {
    /// Which namespace.
    pub(super) net: Identity,
    /// Where, within its mount namespace.
    pub(super) path: Vec<u8>,
}

/// The network namespaces among the mounts of one mount namespace.
pub(super) fn mounted(mountinfo: &[u8]) -> Vec<Mounted> {
    mountinfo.split(|b| *b == b'\n').filter_map(line).collect()
}

/// `36 35 0:4 net:[4026532281] /run/netns/x rw,relatime shared:1 - nsfs nsfs rw`
fn line(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|b| *b == b' ').skip(2);
    let device = std::str::from_utf8(fields.next()?).ok()?;
    let root = std::str::from_utf8(fields.next()?).ok()?;
    let ino = root.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
    let path = unescape(fields.next()?);
    // A directory called so on another file system is not one.
    if fields.skip_while(|f| *f != b"-").nth(1)? != b"nsfs" {
        return None;
    }
    let (major, minor) = device.split_once(':')?;
    let dev = rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?);
    Some(Mounted { net: (dev, ino), path })
}

/// Blanks, tabs, line ends and backslashes come as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|d| *first == b'\\' && d.iter().all(u8::is_ascii_digit));
        let value = octal.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        out.push(value.unwrap_or(*first));
        rest = if value.is_some() { &tail[3..] } else { tail };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_files_among_other_mounts() {
        let text = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            36 22 0:4 net:[4026532281] /run/netns/a\\040b rw shared:1 master:2 - nsfs nsfs rw\n\
            37 22 0:4 mnt:[4026532282] /run/x rw - nsfs nsfs rw\n\
            38 22 8:1 net:[4026532283] /trap rw - ext4 /dev/sda1 rw\n";
        let all = mounted(text);
        assert_eq!(all, [Mounted { net: (4, 4_026_532_281), path: b"/run/netns/a b".to_vec() }]);
    }

    #[test]
    fn a_backslash_without_digits_stays() {
        assert_eq!(unescape(b"a\\134b\\9\\"), b"a\\b\\9\\");
    }
}
