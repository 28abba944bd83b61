//! `pulpcov erase`

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use pulpcov_core::discover::{self, Found};
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::companions_of;

use crate::args::EraseArgs;
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

pub(crate) fn run(args: EraseArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let data_file = settings::data_file(args.data_file, &config);
    let mut failed = false;
    let mut files = Vec::new();
    match Entry::at_path(&data_file) {
        Ok(file) => files.push(file),
        Err(err) => failed |= !is_gone(&data_file, &err),
    }
    if config.run.parallel {
        let found = parallel_files(&data_file)?;
        files.extend(found.files);
        for err in &found.left_out {
            ui::error(&err.to_string());
            failed = true;
        }
    }
    let with_companions = files.iter().flat_map(|file| companions_of(file).chain([file.clone()]));
    failed |= with_companions.filter(|file| !remove(file)).count() > 0;
    Ok(if failed { Exit::Error } else { Exit::Success })
}

fn parallel_files(data_file: &Path) -> Result<Found, Failure> {
    let folder = match data_file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let base = data_file.file_name().unwrap_or(OsStr::new(".coverage"));
    Ok(discover::find(&[folder.into()], base)?)
}

/// Removes a file that may not exist. Returns `false`, and prints why, if it cannot be removed.
fn remove(file: &Entry) -> bool {
    file.remove().map_or_else(|err| is_gone(file.path(), &err), |()| true)
}

/// Returns whether the error says that the file does not exist. Prints any other error.
fn is_gone(file: &Path, err: &io::Error) -> bool {
    let is_gone = err.kind() == io::ErrorKind::NotFound;
    if !is_gone {
        ui::error(&format!("{}: {err}", ui::name(file)));
    }
    is_gone
}
