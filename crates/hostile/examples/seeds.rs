//! Writes the inputs that each target begins with below `fuzz/corpus`.

use std::fs;
use std::io::Result;
use std::path::Path;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in &hostile::TARGETS {
        let folder = root.join("../../fuzz/corpus").join(target.name);
        fs::create_dir_all(&folder)?;
        for (nth, bytes) in hostile::seeds(target.name).iter().enumerate() {
            fs::write(folder.join(format!("seed-{nth}")), bytes)?;
        }
        for kind in ["seeds", "kept"] {
            let Ok(files) = fs::read_dir(root.join(kind).join(target.name)) else { continue };
            for file in files {
                let path = file?.path();
                fs::copy(&path, folder.join(path.file_name().unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}
