//! A bundle that was made with the first version of the format
//! (`nestwork collect` in a namespace with a bridge, a veth into another namespace and one nftables
//! table) tells the same as on the day when it was made; and damaged, it is refused or told of, and
//! never brings the reader down.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use bundle::{Bundle, Error, Files, MANIFEST};
use model::{NsId, Snapshot, Target};
use render::Style;
use wire::gathered::Reading;

const KEPT: &[u8] = include_bytes!("../../../fixtures/bundles/two-namespaces.tar.gz");
const TOLD: &str = include_str!("../../../fixtures/bundles/two-namespaces.txt");

fn kept() -> Bundle {
    Bundle::unpack(KEPT).unwrap()
}

/// All facts of it, as `show` prints them.
fn told(snapshot: &Snapshot) -> String {
    let style = Style { width: 100, ascii: false, colour: false };
    let show = |id: &NsId| render::show(snapshot, Target::Namespace(*id), &style);
    snapshot.namespaces.keys().map(show).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_kept_bundle_tells_the_same() {
    let bundle = kept();
    assert_eq!(bundle.origin.host, "fixture");
    assert_eq!(bundle::date(bundle.gathered.found.taken), "2026-11-24 00:00 UTC");
    let told = told(&bundle.gathered.snapshot());
    assert_eq!(told, TOLD, "\n{told}");
}

#[test]
fn packed_again_it_is_the_same() {
    let bundle = kept();
    assert_eq!(Bundle::unpack(&bundle.pack().unwrap()).unwrap(), bundle);
    assert_eq!(Bundle::from_files(bundle.files().unwrap()).unwrap(), bundle);
}

#[test]
fn cut_anywhere_it_is_refused() {
    for length in 0..KEPT.len() {
        // The last eight bytes are a checksum and a length.
        assert!(Bundle::unpack(&KEPT[..length]).is_err(), "cut to {length}");
    }
}

#[test]
fn a_flipped_byte_is_noticed_or_says_nothing() {
    let whole = kept();
    for place in 0..KEPT.len() {
        let mut bytes = KEPT.to_vec();
        bytes[place] ^= 0xff;
        if let Ok(bundle) = Bundle::unpack(&bytes) {
            assert_eq!(bundle, whole, "byte {place}");
        }
    }
}

#[test]
fn no_flipped_or_missing_byte_of_a_reply_brings_the_reader_down() {
    for answers in kept().gathered.answers.values() {
        for question in answers.by_question.keys() {
            let bytes = answers.bytes(*question);
            for place in 0..bytes.len() {
                for change in [0x01, 0xff] {
                    let mut changed = bytes.to_vec();
                    changed[place] ^= change;
                    read(*question, changed);
                }
                read(*question, bytes[..place].to_vec());
            }
        }
    }
}

/// Reads nothing but one reply, with a table for what is in tables.
fn read(question: wire::gathered::Question, bytes: Vec<u8>) {
    use wire::gathered::{Answer, Answers, Question};
    let mut answers = Answers::default();
    answers.put(Question::NftTables, Answer::whole(Vec::new()));
    answers.put(question, Answer::whole(bytes));
    let _ = Reading::of(&answers);
}

#[test]
fn no_flipped_byte_of_the_manifest_brings_the_reader_down() {
    let files = kept().files().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&files[MANIFEST]).unwrap();
    let text = value.to_string().into_bytes();
    let only: Files = [(MANIFEST.to_owned(), text.clone())].into();
    for place in 0..text.len() {
        let mut changed = only.clone();
        changed.get_mut(MANIFEST).unwrap()[place] ^= 0x01;
        // The answers are left out: it is read up to the first of them.
        let _ = Bundle::from_files(changed);
    }
}

/// Another manifest for the same files.
fn with(from: &str, to: &str) -> Result<Bundle, Error> {
    let mut files = kept().files().unwrap();
    let text = String::from_utf8(files[MANIFEST].clone()).unwrap();
    assert!(text.contains(from));
    files.insert(MANIFEST.to_owned(), text.replacen(from, to, 1).into_bytes());
    Bundle::from_files(files)
}

#[test]
fn what_cannot_be_read_is_told_in_one_sentence() {
    let cause = |from, to| with(from, to).unwrap_err().to_string();
    assert_eq!(
        cause("\"version\": 1", "\"version\": 9"),
        "it has format 9; this version of nestwork reads formats up to 1"
    );
    let big = cause("\"byte_order\": \"little\"", "\"byte_order\": \"big\"");
    assert_eq!(big, "it is from a 64-bit big-endian machine, and can be read on such a one only");
    assert_eq!(
        cause("nestwork-bundle", "other"),
        "its manifest cannot be read: it does not say that it is a nestwork-bundle"
    );
    assert!(cause("net:4:", "../../etc/").contains("names no namespace"));
    let far = cause("\"folder\": \"net-4-4026532562\"", "\"folder\": \"/etc\"");
    assert_eq!(far, "/etc/addresses-ipv4 is missing in it");
    assert_eq!(Bundle::from_files(Files::new()).unwrap_err(), Error::NoManifest);
    assert_eq!(Bundle::unpack(b"PK\x03\x04").unwrap_err(), Error::Foreign);
}

#[test]
fn an_answer_of_a_later_version_is_told_of() {
    let bundle = with("\"addresses-ipv4\"", "\"addresses-ipv9\"").unwrap();
    let texts: Vec<_> = bundle.gathered.found.warnings.iter().map(|w| w.text.as_str()).collect();
    assert_eq!(
        texts.last(),
        Some(&"this version does not understand the bundle's \"addresses-ipv9\"")
    );
}
