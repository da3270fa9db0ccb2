//! Reading a painted figure as a person does: names in bands, and lines between them.

use serde_json::Value;

/// A figure's characters, and where each namespace's band is.
pub(crate) struct Figure<'a> {
    text: &'a str,
    grid: Vec<Vec<char>>,
    bands: Vec<Band>,
}

/// The rows of one namespace.
struct Band {
    name: String,
    rows: std::ops::Range<usize>,
}

/// Where a link's name stands; brackets of a port included.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    row: usize,
    columns: std::ops::Range<usize>,
}

/// A step from one character to the next.
#[derive(Clone, Copy)]
enum Towards {
    Up,
    Right,
    Down,
    Left,
}

use Towards::{Down, Left, Right, Up};

impl<'a> Figure<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let grid: Vec<Vec<char>> = text.lines().map(|l| l.chars().collect()).collect();
        let border = |row: &Vec<char>| row.iter().filter(|c| matches!(c, '═' | '=')).count() > 20;
        let mut bands = Vec::new();
        let mut from = 0;
        for row in 0..=grid.len() {
            if row == grid.len() || border(&grid[row]) {
                let head: String = grid.get(from).into_iter().flatten().collect();
                let name = head.split(' ').next().unwrap_or_default().to_owned();
                bands.push(Band { name, rows: from..row });
                from = row + 1;
            }
        }
        Self { text, grid, bands }
    }

    fn fault(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.text)
    }

    pub(crate) fn no_wider_than(&self, width: usize) {
        if let Some(row) = self.grid.iter().find(|row| row.len() > width) {
            self.fault(&format!("wider than {width}: {}", row.iter().collect::<String>()));
        }
    }

    fn at(&self, column: usize, row: usize) -> char {
        self.grid.get(row).and_then(|r| r.get(column)).copied().unwrap_or(' ')
    }

    /// Every link stands just once in its namespace's band.
    pub(crate) fn draws_every_link_once(&self, map: &Value) {
        let links = map["links"].as_array().unwrap();
        assert!(!links.is_empty());
        for link in links {
            self.spot(link["id"].as_str().unwrap());
        }
    }

    /// The one place of `NAMESPACE:LINK`.
    fn spot(&self, id: &str) -> Spot {
        let (ns, link) = id.split_once(':').unwrap();
        let own = self.bands.iter().find(|band| band.name == ns);
        let spots: Vec<Spot> = match own {
            Some(band) => band.rows.clone().flat_map(|row| self.names(link, row)).collect(),
            // Beside a bridge of its parent, and its name behind it or below.
            None => (0..self.grid.len())
                .filter(|row| self.beside(*row, ns))
                .flat_map(|row| self.names(link, row))
                .collect(),
        };
        match <[Spot; 1]>::try_from(spots) {
            Ok([spot]) => spot,
            Err(spots) => self.fault(&format!("{id} is drawn {} times", spots.len())),
        }
    }

    /// A row, or the one below that goes on with it, ends with this name.
    fn beside(&self, row: usize, ns: &str) -> bool {
        let ends = |row: &Vec<char>| row.iter().collect::<String>().ends_with(&format!(" {ns}"));
        let goes_on = |row: &Vec<char>| {
            let line: String = row.iter().collect();
            line.contains(['║', '|']) && !line.contains("──") && !line.contains("--")
        };
        ends(&self.grid[row]) || self.grid.get(row + 1).is_some_and(|r| ends(r) && goes_on(r))
    }

    /// Where in a row this name stands as a word of its own.
    fn names(&self, name: &str, row: usize) -> Vec<Spot> {
        let name: Vec<char> = name.chars().collect();
        let line = &self.grid[row];
        let part =
            |c: Option<&char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || ".:_@/".contains(*c));
        (0..line.len().saturating_sub(name.len() - 1))
            .filter(|x| line[*x..*x + name.len()] == name)
            .map(|x| x..x + name.len())
            .filter(|s| !part(s.start.checked_sub(1).map(|x| &line[x])) && !part(line.get(s.end)))
            .map(|s| {
                let left = s.start.checked_sub(1).is_some_and(|x| self.at(x, row) == '┤');
                let right = self.at(s.end, row) == '├';
                Spot { row, columns: s.start - usize::from(left)..s.end + usize::from(right) }
            })
            .collect()
    }

    /// Every wire between two links can be followed from one to the other, past no text.
    pub(crate) fn joins_every_wire(&self, map: &Value) {
        for wire in map["wires"].as_array().unwrap() {
            let ends = wire["ends"].as_array().unwrap();
            let [a, b] = [0, 1].map(|n| ends[n].as_str().unwrap());
            let goal = self.spot(b);
            let reached = self.follow(a);
            let there = reached.1 == goal.row && goal.columns.contains(&reached.0);
            if !there {
                self.fault(&format!("the wire of {a} ends at {reached:?}, and {b} is at {goal:?}"));
            }
        }
    }

    /// Where the line that begins at a link ends: the first place that is no line.
    fn follow(&self, id: &str) -> (usize, usize) {
        let (start, mut towards) = self.begin(id);
        let (mut x, mut y) = start;
        for _ in 0..self.grid.len() * 200 {
            towards = match (self.at(x, y), towards) {
                ('│' | '┼' | '╫', Up | Down) | ('─' | '┼' | '╫', Left | Right) => {
                    towards
                }
                // The blank between a line and the name that it leads to.
                (' ', Left | Right) => towards,
                ('┌', Up) | ('└', Down) => Right,
                ('┐', Up) | ('┘', Down) => Left,
                ('┌', Left) | ('┐', Right) => Down,
                ('└', Left) | ('┘', Right) => Up,
                _ => return (x, y),
            };
            (x, y) = step((x, y), towards);
        }
        self.fault(&format!("the wire of {id} goes in a circle"))
    }

    /// The first character of a link's line, and whither it leads.
    fn begin(&self, id: &str) -> ((usize, usize), Towards) {
        let Spot { row, columns } = self.spot(id);
        let mut begins = Vec::new();
        let left = self.at(columns.start, row) == '┤';
        let right = self.at(columns.end - 1, row) == '├';
        // In the side of its bridge, a port has that side above and below, and its line beside it;
        // in the lower edge, that edge on both sides.
        for x in columns.clone().filter(|_| left == right) {
            if matches!(self.at(x, row + 1), '│' | '┼' | '└' | '┘') {
                begins.push(((x, row + 1), Down));
            }
            if row > 0 && matches!(self.at(x, row - 1), '│' | '┼' | '┌' | '┐') {
                begins.push(((x, row - 1), Up));
            }
        }
        if !left && self.at(columns.end, row) == '─' {
            begins.push(((columns.end, row), Right));
        }
        let before = columns.start.saturating_sub(if left { 1 } else { 2 });
        if !right && self.at(before, row) == '─' {
            begins.push(((before, row), Left));
        }
        match begins.as_slice() {
            [begin] => *begin,
            _ => self.fault(&format!("{id} has {} lines", begins.len())),
        }
    }
}

fn step((x, y): (usize, usize), towards: Towards) -> (usize, usize) {
    match towards {
        Up => (x, y - 1),
        Right => (x + 1, y),
        Down => (x, y + 1),
        Left => (x - 1, y),
    }
}
