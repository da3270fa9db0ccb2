use model::LinkId;

use crate::style::Tone;

/// A figure as data: what stands where, in columns and lines from the upper left.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Names, addresses, words.
    pub texts: Vec<Text>,
    /// Boxes of bridges.
    pub frames: Vec<Frame>,
    /// Lines on which a new band begins.
    pub rules: Vec<usize>,
    /// Boundaries between a band and leaf namespaces drawn inside of it.
    pub walls: Vec<Wall>,
    /// Pairs of links that are joined.
    pub wires: Vec<Wire>,
}

/// A piece of text on one line.
#[derive(Clone, Debug)]
pub struct Text {
    /// First column.
    pub x: usize,
    /// Line.
    pub y: usize,
    /// Cleaned text.
    pub text: String,
    /// The link that it is the drawing of.
    pub link: Option<LinkId>,
    /// Not the link's name but a further place where one of its wires begins.
    pub own: bool,
    pub(crate) tone: Tone,
}

/// A box.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Columns, edges included.
    pub width: usize,
    /// Lines, edges included.
    pub height: usize,
}

/// A boundary from one line to another.
#[derive(Clone, Copy, Debug)]
pub struct Wall {
    /// Column.
    pub x: usize,
    /// First line.
    pub y: usize,
    /// How many lines.
    pub height: usize,
}

/// Two joined links, and the line between them. It begins and ends in their texts.
#[derive(Clone, Debug)]
pub struct Wire {
    /// The links.
    pub ends: [LinkId; 2],
    /// Its parts, each with at least one point in common with another.
    pub segments: Vec<Segment>,
}

/// A straight part of a wire, both points included: either column or line are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Columns.
    pub x: [usize; 2],
    /// Lines.
    pub y: [usize; 2],
}

impl Segment {
    /// Between two columns of a line.
    pub(crate) fn across(y: usize, a: usize, b: usize) -> Self {
        Self { x: [a.min(b), a.max(b)], y: [y, y] }
    }

    /// Between two lines of a column.
    pub(crate) fn down(x: usize, a: usize, b: usize) -> Self {
        Self { x: [x, x], y: [a.min(b), a.max(b)] }
    }
}
