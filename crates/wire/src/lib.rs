//! Bytes from and for the kernel, and the model. Both directions, no I/O.

#![forbid(unsafe_code)]

pub mod request;
