//! The files of examples/ are good.

#[test]
fn every_example_is_good() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // What `check` is asked is no lab.
        if path.to_string_lossy().ends_with(".check.yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lab = lab::parse(&text, &path.to_string_lossy());
        let lab = lab.unwrap_or_else(|e| {
            panic!("{}", e.iter().map(|e| format!("{e}\n")).collect::<String>())
        });
        let wanted = lab::expand(&lab);
        for f in &wanted.facts {
            println!("{f:?}");
        }
    }
}
