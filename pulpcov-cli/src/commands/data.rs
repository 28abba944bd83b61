//! The data of a report, and of the commands that ask questions of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pulpcov_core::combine::Event;
use pulpcov_core::config::Config;
use pulpcov_core::data::RanBy;
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::{DataFile, is_blank};
use pulpcov_core::paths::PathAliases;
use pulpcov_core::{CoverageData, ErrorKind, discover};

use crate::exit::Failure;
use crate::plan::DataPlan;
use crate::progress::Progress;
use crate::{settings, trust, ui};

/// The data of a report, and the parallel data files that were combined into it.
pub(super) struct Loaded {
    pub(super) data: CoverageData,
    pub(super) inputs: Vec<PathBuf>,
}

/// Combines parallel data files into the data file, and reads the result.
pub(super) fn load(
    plan: &DataPlan,
    config: &Config,
    quiet: bool,
    keep_contexts: bool,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Loaded, Failure> {
    let data_file = settings::data_file(plan.file.clone(), config);
    let inputs = combine_first(plan, config, &data_file, quiet)?;
    // Combined data is read from the file again. In memory, the order of contexts depends on how threads ran,
    // but two reports of the same data have to be the same.
    let data = map_paths(read(&data_file, keep_contexts, is_wanted)?, config)?;
    Ok(Loaded { data, inputs })
}

/// Does what [`load`] does, but reads which contexts ran each file whose path is wanted, and the rows only of files whose paths are
/// wanted whole.
pub(super) fn load_contexts(
    plan: &DataPlan,
    config: &Config,
    is_wanted: impl Fn(&str) -> bool,
    is_wanted_whole: impl Fn(&str) -> bool,
) -> Result<(CoverageData, RanBy), Failure> {
    let data_file = settings::data_file(plan.file.clone(), config);
    combine_first(plan, config, &data_file, true)?;
    let Some(file) = open(&data_file)? else { return Ok(Default::default()) };
    let path = file.path().to_owned();
    let (decoded, ran_by) = file.only_rows_of(is_wanted).read_with_contexts(is_wanted_whole)?;
    warn_of_orphans(&path, decoded.orphan_rows);
    let ran_by = match aliases_if_any(config)? {
        None => ran_by,
        Some(mut aliases) => ran_by.map_paths(|path| aliases.map_file(path))?,
    };
    Ok((map_paths(decoded.data, config)?, ran_by))
}

/// Returns the failure for a data file without data.
pub(super) fn missing(file: &Path) -> Failure {
    Failure::Refused(format!(
        "{}: no data; measure first, with `coverage run` for example, or name the data file with --data-file",
        ui::name(file)
    ))
}

/// Reads a data file that the user named, without contexts. It must have data.
pub(super) fn read_named(path: &Path, config: &Config) -> Result<CoverageData, Failure> {
    let data = read(path, false, |_| true)?;
    if data.files().len() == 0 {
        return Err(Failure::Refused(format!("{}: no data", ui::name(path))));
    }
    map_paths(data, config)
}

fn map_paths(data: CoverageData, config: &Config) -> Result<CoverageData, Failure> {
    match aliases_if_any(config)? {
        None => Ok(data),
        Some(mut aliases) => Ok(data.map_paths(|path| aliases.map_file(path))?),
    }
}

fn aliases_if_any(config: &Config) -> Result<Option<PathAliases>, Failure> {
    config.paths.iter().next().map(|_| settings::aliases(config)).transpose()
}

/// Reads a data file. A file that is missing or empty holds no data.
fn read(
    path: &Path,
    keep_contexts: bool,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<CoverageData, Failure> {
    let Some(file) = open(path)? else { return Ok(CoverageData::new()) };
    let path = file.path().to_owned();
    let decoded = file.drop_contexts(!keep_contexts).only_rows_of(is_wanted).read()?;
    warn_of_orphans(&path, decoded.orphan_rows);
    Ok(decoded.data)
}

/// Opens a data file, unless it is missing or empty.
fn open(path: &Path) -> Result<Option<DataFile>, Failure> {
    // A link stands for its target, unless another user planted the link. Such a link is refused on opening.
    let resolved = match trust::is_untrusted_link(path) {
        true => Ok(path.to_owned()),
        false => path.canonicalize(),
    };
    let path = resolved.ok().filter(|path| !is_blank(path));
    Ok(path.map(DataFile::open_in_place).transpose()?)
}

fn warn_of_orphans(path: &Path, rows: u64) {
    if rows > 0 {
        let name = ui::name(path);
        ui::warning(&format!("{name}: {rows} rows name a file or a context that it does not have"));
    }
}

/// Combines parallel data files into the data file, if there are any. Returns those that are in the result.
fn combine_first(
    plan: &DataPlan,
    config: &Config,
    data_file: &Path,
    quiet: bool,
) -> Result<Vec<PathBuf>, Failure> {
    if !has_parallel_files(data_file)? {
        return Ok(Vec::new());
    }
    let inputs = Mutex::new(Vec::new());
    let debug = |topic| wants_debug(plan, config, topic);
    let mut aliases = settings::aliases(config)?;
    if debug("pathmap") {
        aliases = aliases.on_event(|event| ui::message(&event.to_string()));
    }
    let names_inputs = debug("combine");
    let progress = Progress::new(quiet);
    let outcome = super::combine::combiner(data_file, aliases)
        .append(true)
        .keep(plan.keep_combined)
        .mixed_as_lines(plan.mixed_as_lines)
        .on_event(|event: Event<'_>| {
            progress.on_event(&event);
            if let Event::Read { path } | Event::Duplicate { path } = event {
                inputs.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
            }
            if let Some(line) = super::combine::message_for(&event, names_inputs) {
                progress.suspend(|| ui::message(&line));
            }
        })
        .run();
    drop(progress);
    match outcome {
        Ok(combined) => {
            super::combine::report(&combined, quiet);
            Ok(inputs.into_inner().unwrap_or_else(PoisonError::into_inner))
        }
        // A warning names each input that was left out. The data file may still have data to report.
        Err(err) if err.kind() == ErrorKind::NoData => {
            ui::warning(&err.to_string());
            Ok(Vec::new())
        }
        Err(err) => Err(err.into()),
    }
}

fn has_parallel_files(data_file: &Path) -> Result<bool, Failure> {
    let absolute = settings::absolute(data_file)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        return Ok(false);
    }
    let base = absolute.file_name().unwrap_or(OsStr::new(".coverage"));
    let found = discover::find(&[folder.into()], base)?;
    let is_other = |file: &Entry| file.path() != absolute;
    Ok(found.files.iter().any(is_other) || !found.left_out.is_empty())
}

/// Returns whether an option or the configuration asks for more output about a topic.
pub(super) fn wants_debug(plan: &DataPlan, config: &Config, topic: &str) -> bool {
    plan.debug.iter().chain(&config.run.debug).any(|wanted| wanted == topic)
}
