//! What once brought a decoder down does so no more, and the seeds say what they should.

use std::fs;
use std::path::{Path, PathBuf};

use hostile::{TARGETS, seeds};

/// The inputs in a folder of a target's.
fn inputs(folder: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

#[test]
fn what_was_found_stays_repaired() {
    for target in &TARGETS {
        for (path, bytes) in inputs("kept", target.name) {
            println!("{}", path.display());
            (target.try_on)(&bytes);
        }
    }
}

#[test]
fn every_target_has_seeds_and_stands_them() {
    for target in &TARGETS {
        let mut all = seeds(target.name);
        all.extend(inputs("seeds", target.name).into_iter().map(|(_, bytes)| bytes));
        assert!(!all.is_empty(), "{}", target.name);
        all.iter().for_each(|bytes| (target.try_on)(bytes));
    }
}

/// A folder that no target reads would be a test that never runs.
#[test]
fn every_folder_is_a_target_s() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["kept", "seeds"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let known = hostile::target(&name).is_some();
            assert!(known || path.is_file(), "{}", path.display());
        }
    }
}

/// The targets of `fuzz/` are these.
#[test]
fn fuzz_has_each_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("fuzz/Cargo.toml");
    for target in &TARGETS {
        let line = format!("name = \"{}\"", target.name);
        assert!(manifest.contains(&line), "{}", target.name);
    }
}
