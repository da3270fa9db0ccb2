//! A case as a lab file: its packets stand in comments before the lab.

use crate::packet::Spec;

/// What a comment begins with that holds a packet.
const PACKET: &str = "# packet: ";

/// A case that was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The lab file.
    pub text: String,
    /// The packets to be sent, in order.
    pub packets: Vec<Spec>,
}

impl Kept {
    /// Reads one.
    ///
    /// # Errors
    /// If a packet cannot be read, or there is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(PACKET));
        let packets: Vec<Spec> = lines.map(str::parse).collect::<Result<_, _>>()?;
        if packets.is_empty() {
            return Err(format!("no line begins with {PACKET:?}"));
        }
        Ok(Self { text: text.to_owned(), packets })
    }
}

/// The text of a case, with what was wrong.
pub(crate) fn text(network: &str, packets: &[Spec], wrong: &[String], origin: &str) -> String {
    let mut text = format!("# {origin}\n");
    for line in wrong.iter().take(6) {
        text += &format!("#   {line}\n");
    }
    for packet in packets {
        text += &format!("{PACKET}{packet}\n");
    }
    text + network
}
