/// Whose a namespace is, as far as the reader may know (ioctl_nsfs(2)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The uid that made the owning user namespace, as the reader's own user namespace sees it.
    pub uid: Option<u32>,
    /// The owning user namespace is not the initial one (or not the reader's).
    pub unprivileged: bool,
    /// The owning user namespace, then those around it, outwards. The last is the reader's own, or
    /// the outermost that it may know. Empty: not known.
    pub users: Vec<UserNs>,
}

impl Owner {
    /// How many user namespaces lie between it and the reader's: 0 is the reader's own. None: not
    /// known.
    #[must_use]
    pub fn depth(&self) -> Option<usize> {
        self.users.len().checked_sub(1)
    }
}

/// A user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserNs {
    /// What identifies it.
    pub file: NsInode,
    /// The uid that made it, as the reader's own user namespace sees it.
    pub uid: Option<u32>,
}

/// What identifies a namespace of any type: the file on nsfs that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NsInode {
    /// `st_dev` of nsfs.
    pub dev: u64,
    /// `st_ino`: the number in `user:[4026531837]`.
    pub ino: u64,
}
