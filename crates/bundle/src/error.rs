/// Why something is no bundle that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin as a compressed file does.
    #[error("it is no bundle: it does not begin as a .tar.gz file does")]
    Foreign,
    /// The archive ends early, or its checksum is wrong.
    #[error("it is cut short or damaged ({0})")]
    Damaged(String),
    /// More than [`MOST_BYTES`](crate::MOST_BYTES) or [`MOST_FILES`](crate::MOST_FILES).
    #[error("it is larger than any bundle may be")]
    TooLarge,
    /// It holds a link, a device or the like.
    #[error("it holds something that is no plain file")]
    NoFile,
    /// There is no manifest.
    #[error("it is no bundle: there is no manifest.json in it")]
    NoManifest,
    /// The manifest is not as it should be.
    #[error("its manifest cannot be read: {0}")]
    Manifest(String),
    /// A later version of nestwork made it.
    #[error("it has format {0}; this version of nestwork reads formats up to {1}")]
    Later(u32, u32),
    /// The replies are those of a machine with another order of bytes or size of words.
    #[error("it is from a {0}-bit {1}-endian machine, and can be read on such a one only")]
    Machine(u32, String),
    /// A file that the manifest names is not there.
    #[error("{0} is missing in it")]
    Missing(String),
}
