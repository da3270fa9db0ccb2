//! Archives that want more than they should get.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use bundle::{Bundle, Error, MOST_BYTES};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

type Archive = Builder<GzEncoder<Vec<u8>>>;

fn archive(fill: impl FnOnce(&mut Archive)) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    fill(&mut builder);
    builder.into_inner().unwrap().finish().unwrap()
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o600);
    header
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let bytes = archive(|a| {
        let zeros = std::io::Read::take(std::io::repeat(0), MOST_BYTES + 512);
        a.append_data(&mut header(EntryType::Regular, MOST_BYTES + 512), "x", zeros).unwrap();
    });
    assert!(bytes.len() < 2 << 20);
    assert_eq!(Bundle::unpack(&bytes).unwrap_err(), Error::TooLarge);
}

#[test]
fn links_and_devices_are_refused() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
        let bytes = archive(|a| {
            let mut header = header(kind, 0);
            a.append_link(&mut header, "manifest.json", "/etc/shadow").unwrap();
        });
        assert_eq!(Bundle::unpack(&bytes).unwrap_err(), Error::NoFile, "{kind:?}");
    }
    let bytes = archive(|a| {
        a.append_data(&mut header(EntryType::GNUSparse, 0), "x", std::io::empty()).unwrap();
    });
    assert!(Bundle::unpack(&bytes).is_err());
}

#[test]
fn a_size_that_is_not_there_is_noticed() {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut lie = header(EntryType::Regular, 1 << 40);
    lie.set_path("manifest.json").unwrap();
    lie.set_cksum();
    std::io::Write::write_all(builder.get_mut(), lie.as_bytes()).unwrap();
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    assert!(Bundle::unpack(&bytes).is_err());
}

#[test]
fn a_deep_manifest_is_refused() {
    let text = format!("{{\"format\": {}", "[".repeat(100_000));
    let bytes = archive(|a| {
        let mut header = header(EntryType::Regular, text.len() as u64);
        a.append_data(&mut header, "manifest.json", text.as_bytes()).unwrap();
    });
    assert!(matches!(Bundle::unpack(&bytes).unwrap_err(), Error::Manifest(_)));
}
