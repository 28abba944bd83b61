//! `pulpcov erase`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use pulpcov_core::discover;
use pulpcov_core::formats::companions;

use crate::args::EraseArgs;
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

pub(crate) fn run(args: EraseArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let data_file = settings::data_file(args.data_file, &config);
    let mut files = vec![data_file.clone()];
    if config.run.parallel {
        files.extend(parallel_files(&data_file)?);
    }
    let with_companions = files.iter().flat_map(|file| companions(file).chain([file.clone()]));
    let failed = with_companions.filter(|file| !remove(file)).count();
    Ok(if failed == 0 { Exit::Success } else { Exit::Error })
}

fn parallel_files(data_file: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = match data_file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let base = data_file.file_name().unwrap_or(OsStr::new(".coverage"));
    Ok(discover::find(&[folder.into()], base)?)
}

/// Remove a file that may not be there; say why if it cannot be removed.
fn remove(file: &Path) -> bool {
    match std::fs::remove_file(file) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
            ui::error(&format!("{}: {err}", ui::name(file)));
            false
        }
        _ => true,
    }
}
