//! Namespaces that are mounted on files, out of /proc/PID/mountinfo.

use super::process::Identity;

/// A namespace file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Which namespace.
    pub(crate) ns: Identity,
    /// Where, within its mount namespace.
    pub(crate) path: Vec<u8>,
}

/// A namespace that is mounted on a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mounted {
    /// A network namespace.
    Net(File),
    /// A mount namespace, in which others may be mounted.
    Mount(File),
}

/// The network and mount namespaces among the mounts of one mount namespace.
pub(crate) fn mounted(mountinfo: &[u8]) -> Vec<Mounted> {
    mountinfo.split(|b| *b == b'\n').filter_map(line).collect()
}

/// `36 35 0:4 net:[4026532281] /run/netns/x rw,relatime shared:1 - nsfs nsfs rw`
fn line(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|b| *b == b' ').skip(2);
    let device = std::str::from_utf8(fields.next()?).ok()?;
    let (kind, ino) = std::str::from_utf8(fields.next()?).ok()?.split_once(":[")?;
    let path = unescape(fields.next()?);
    // A directory called so on another file system is not one.
    if fields.skip_while(|f| *f != b"-").nth(1)? != b"nsfs" {
        return None;
    }
    let (major, minor) = device.split_once(':')?;
    let dev = rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?);
    let file = File { ns: (dev, ino.strip_suffix(']')?.parse().ok()?), path };
    match kind {
        "net" => Some(Mounted::Net(file)),
        "mnt" => Some(Mounted::Mount(file)),
        _ => None,
    }
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
            37 22 0:4 uts:[4026532284] /run/y rw - nsfs nsfs rw\n\
            38 22 8:1 net:[4026532283] /trap rw - ext4 /dev/sda1 rw\n";
        let all = mounted(text);
        let file = |ino, path: &[u8]| File { ns: (4, ino), path: path.to_vec() };
        let net = Mounted::Net(file(4_026_532_281, b"/run/netns/a b"));
        assert_eq!(all, [net, Mounted::Mount(file(4_026_532_282, b"/run/x"))]);
    }

    #[test]
    fn a_backslash_without_digits_stays() {
        assert_eq!(unescape(b"a\\134b\\9\\"), b"a\\b\\9\\");
    }
}
