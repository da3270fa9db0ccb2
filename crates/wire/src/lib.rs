//! Bytes ↔ model: netlink messages, nftables expressions, and the text of /proc and of commands.
//!
//! Nothing here does I/O: sockets are in `kernel`.

#![forbid(unsafe_code)]

pub mod request;
pub mod rtnl;
#[allow(missing_docs, reason = "shim")]
pub mod nft {
    use model::{Family, Table};
    pub struct Part {
        pub kind: u16,
        pub flags: u16,
        pub body: Vec<u8>,
        pub what: String,
    }
    pub struct Batch {
        pub messages: Vec<Part>,
    }
    pub fn replace_table(_e: bool, _t: &Table) -> Batch {
        Batch { messages: vec![] }
    }
    pub fn delete_table(_f: Family, _n: &str) -> Batch {
        Batch { messages: vec![] }
    }
}
