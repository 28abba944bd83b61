//! Tells cached facts of one state of the code from those of another.
//!
//! The version number does not change with every change of the code, so its sources are hashed.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::io;
use std::path::Path;

/// All of it: what finds facts is in few modules, but which ones those use changes.
const INPUTS: [&str; 2] = ["Cargo.toml", "src"];

fn main() -> io::Result<()> {
    INPUTS.iter().for_each(|input| println!("cargo:rerun-if-changed={input}"));
    println!("cargo:rustc-env=PULPCOV_SOURCES={}", sources(Path::new("."))?);
    Ok(())
}

/// A hash of the sources of the crate in that folder.
pub(crate) fn sources(folder: &Path) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    INPUTS.iter().try_for_each(|input| hash(folder, Path::new(input), &mut hasher))?;
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash(folder: &Path, name: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let path = folder.join(name);
    if path.is_dir() {
        let mut names: Vec<_> = path
            .read_dir()?
            .map(|entry| Ok(name.join(entry?.file_name())))
            .collect::<io::Result<_>>()?;
        names.sort();
        return names.iter().try_for_each(|name| hash(folder, name, hasher));
    }
    let bytes = std::fs::read(path)?;
    for part in [name.as_os_str().as_encoded_bytes(), &bytes] {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    Ok(())
}
