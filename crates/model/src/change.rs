use crate::Fact;

/// One step of a plan. All that `plan` prints and all that is ever applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Make what is not so.
    Make(Fact),
    /// The same thing is there with other values.
    Alter {
        /// As it is.
        from: Box<Fact>,
        /// As it should be.
        to: Box<Fact>,
    },
    /// It is there and no longer wanted.
    Remove(Fact),
}
