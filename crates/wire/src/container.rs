//! Containers as the kernel's texts and the files of engines tell of them: a file per teller.
//!
//! Any of these texts can come from inside a container. What has another shape than its engine
//! gives it is passed over, and never an error.

pub mod cgroup;
pub mod docker;
mod json;
pub mod lxc;
pub mod machine;
pub mod monitor;
pub mod mounts;
pub mod oci;
pub mod passwd;
pub mod podman;

/// A whole id as Docker, Podman and CRI engines make them: 64 hexadecimal digits.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether an id can be the name of a file: so that no id leads to another folder.
#[must_use]
pub fn is_file_name(id: &str) -> bool {
    !matches!(id, "" | "." | "..") && id.len() <= 255 && !id.contains(['/', '\0'])
}
