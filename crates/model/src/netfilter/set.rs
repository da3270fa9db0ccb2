//! Sets and maps.

use super::{Data, Expr};

/// A set or map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: String,
    /// NFT_SET_* (8: map, 2: constant, 4: interval, 1: anonymous).
    pub flags: u32,
    /// Type of the key, nft's number.
    pub key_type: u32,
    /// Length of the key in bytes.
    pub key_len: u32,
    /// Type of a map's value; `0xffff_ff00` is verdict.
    pub data_type: Option<u32>,
    /// Length of a map's value in bytes.
    pub data_len: Option<u32>,
    /// Lengths of the parts of a concatenated key, in bytes; empty where the kernel does not need
    /// them (it does for ranges).
    pub fields: Vec<u32>,
    /// Type of the objects that a map names (NFT_OBJECT_*).
    pub object: Option<u32>,
    /// How long elements stay unless they say otherwise, in milliseconds; 0: for ever.
    pub timeout: u64,
    /// How often the kernel looks for those that are over, in milliseconds; 0: as it likes.
    pub gc_interval: u32,
    /// How many elements it takes; 0: as many as come.
    pub size: u32,
    /// NFT_SET_POL_* (0: performance, 1: memory).
    pub policy: u32,
    /// What is done for each element when it is found, and begins with each new one.
    pub exprs: Vec<Expr>,
    /// NFTA_SET_USERDATA, raw (for `nft`: byte order of the key, a comment).
    pub userdata: Vec<u8>,
    /// Elements in the kernel's order.
    pub elements: Vec<SetElement>,
}

/// An element of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetElement {
    /// Key; None: the catch-all.
    pub key: Option<Vec<u8>>,
    /// Last key of an element of a concatenated interval set.
    pub key_end: Option<Vec<u8>>,
    /// NFT_SET_ELEM_* (1: ends an interval).
    pub flags: u32,
    /// A map's value.
    pub data: Option<Data>,
    /// Name of the object that a map has for it.
    pub object: Option<String>,
    /// How long it stays, in milliseconds.
    pub timeout: Option<u64>,
    /// How long it has left, in milliseconds.
    pub expires: Option<u64>,
    /// What is done when it is found: counters, limits.
    pub exprs: Vec<Expr>,
    /// NFTA_SET_ELEM_USERDATA, raw (a comment, for `nft`).
    pub userdata: Vec<u8>,
}
