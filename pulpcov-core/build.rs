//! Tells cached facts of one state of the analysis from those of another.
//!
//! The version number does not change with every change of the code, so the sources of all that
//! makes facts are hashed; the exact version of the parser is in the manifest.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::io;
use std::path::Path;

const INPUTS: [&str; 4] = ["Cargo.toml", "src/python", "src/pyre", "src/text.rs"];

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for input in INPUTS {
        println!("cargo:rerun-if-changed={input}");
        hash(Path::new(input), &mut hasher)?;
    }
    println!("cargo:rustc-env=PULPCOV_ANALYSIS={:016x}", hasher.finish());
    Ok(())
}

fn hash(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<_> =
            path.read_dir()?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash(entry, hasher));
    }
    hasher.write(path.to_string_lossy().as_bytes());
    hasher.write(&std::fs::read(path)?);
    Ok(())
}
