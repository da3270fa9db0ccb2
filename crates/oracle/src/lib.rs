//! Holds the walk against the real kernel.
//!
//! Random networks are built on the kernel through the project's own apply, read back, foretold by
//! the walk; then the real packet is sent, watched on every link, and compared. See docs/oracle.md.

#![forbid(unsafe_code)]

mod case;
mod feature;
mod file;
mod generate;
mod lacking;
mod network;
mod packet;
mod random;
mod rig;
mod run;
mod schedule;
mod shrink;

pub use case::{Judged, Lie, Outcome, run as judge};
pub use file::Kept;
pub use generate::{Draw, Kind, Kinds, PACKETS};
pub use lacking::lacking;
pub use packet::{Carries, Spec};
pub use rig::{Bench, Rig, Seen, Trouble};
pub use run::{Order, Tally, family, run};

use kernel::probe::Tag;

/// The number in its family of a network's n-th packet. A TCP answer acknowledges the next number:
/// that is nobody's.
#[must_use]
pub fn member(n: usize) -> u8 {
    u8::try_from(2 * n + 2).unwrap_or(254)
}

/// One case, by its number: its lab file, and the packets up to it.
#[must_use]
pub fn one(draw: Draw, number: usize) -> (String, Vec<Spec>, Tag) {
    let network = (number / PACKETS) as u64;
    let case = generate::generate(draw, network);
    let packets = case.packets[..=number % PACKETS].to_vec();
    (case.network.to_string(), packets, family(draw.seed, network))
}

/// The smallest network and the fewest packets that still show what is wrong with a case: the text
/// of a lab file.
#[must_use]
pub fn least(bench: &Bench, draw: Draw, number: usize, wrong: &[String]) -> String {
    let case = generate::generate(draw, (number / PACKETS) as u64);
    let least = shrink::shrink(bench, &case, number % PACKETS, wrong, None);
    let origin = format!("oracle {draw} --only {number}");
    file::text(&least.network.to_string(), &least.packets, wrong, &origin)
}
