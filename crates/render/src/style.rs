/// How to draw: for whom, and how wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; at least 40 are used.
    pub width: usize,
    /// Only ASCII characters.
    pub ascii: bool,
    /// ANSI colours.
    pub colour: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 80, ascii: false, colour: false }
    }
}

/// What a piece of text is, for those who see colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary.
    #[default]
    Plain,
    /// A namespace's or a section's name.
    Title,
    /// As it should be.
    Good,
    /// Down, lost, refused.
    Bad,
    /// Unknown or doubtful.
    Doubt,
    /// Beside the point.
    Faint,
}

impl Tone {
    /// The ANSI sequence that starts it; empty for ordinary text.
    pub(crate) const fn start(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Title => "\x1b[1m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Doubt => "\x1b[33m",
            Self::Faint => "\x1b[2m",
        }
    }
}

/// The ANSI sequence that ends every tone.
pub(crate) const END: &str = "\x1b[0m";
