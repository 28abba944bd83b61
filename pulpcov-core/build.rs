//! Hashes the source code of the crate. The hash is part of the keys of cached facts, so facts that
//! other code has cached are not used.
//!
//! The version number would not be enough, because it does not change with every change of the
//! code.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::io;
use std::path::Path;

/// The files and folders to hash. Facts depend on only some modules, but a list of those modules
/// and their dependencies would go stale.
const INPUTS: [&str; 2] = ["Cargo.toml", "src"];

fn main() -> io::Result<()> {
    INPUTS.iter().for_each(|input| println!("cargo:rerun-if-changed={input}"));
    println!("cargo:rustc-env=PULPCOV_SOURCES={}", sources(Path::new("."))?);
    Ok(())
}

/// Returns a hash of the source code of the crate in `folder`.
pub(crate) fn sources(folder: &Path) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    INPUTS.iter().try_for_each(|input| hash(folder, Path::new(input), &mut hasher))?;
    Ok(format!("{:016x}", hasher.finish()))
}

/// Hashes a file, or all files in a folder, by name and content. `name` is relative to `folder`.
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
