//! `pulpcov combine`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use pulpcov_core::combine::{Combined, Combiner, Event, Folded};
use pulpcov_core::config::Config;
use pulpcov_core::paths::PathAliases;
use pulpcov_core::subunit::RoutePattern;
use pulpcov_core::text::plural;
use pulpcov_core::{Error, ErrorKind, discover};

use super::standard_input;
use crate::args::{CombineArgs, ConfigArgs, Contexts, Mixed};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::{settings, ui};

/// How many inputs that are left out are named. An archive can have hundreds of thousands.
const LEFT_OUT_NAMED: usize = 1000;

/// How many bytes of rows are held in memory: three million lines in contexts, or twelve million arcs.
///
/// The rows of a larger result are stored on disk until they are written, which takes a fifth longer.
const ROWS_IN_MEMORY: usize = 128 << 20;

/// How many folders or archives a hint names.
const PATHS_NAMED: usize = 5;

pub(crate) fn run(args: CombineArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let debug =
        |topic: &str| args.debug.iter().chain(&config.run.debug).any(|wanted| wanted == topic);
    let mut aliases = settings::aliases(&config)?;
    if debug("pathmap") {
        aliases = aliases.on_event(|event| ui::message(&event.to_string()));
    }
    let progress = Progress::new(args.quiet);
    let names_inputs = debug("combine");
    let data_file = settings::data_file(args.data_file, &config);
    let (dashes, places): (Vec<PathBuf>, Vec<PathBuf>) =
        args.paths.into_iter().partition(|path| path.as_os_str() == standard_input::ARGUMENT);
    let mut combiner = combiner(&data_file, aliases);
    if !dashes.is_empty() {
        let (stream, authors) =
            standard_input::open("a data file, an archive or a subunit stream")?;
        combiner = combiner.stream(standard_input::NAME, authors, stream);
    }
    let result = combiner
        .routes(|| route_aliases(&args.config, &config, debug("pathmap")))
        .test_ids_as_contexts(args.contexts == Some(Contexts::TestId))
        .archives(!places.is_empty())
        .places(places.clone())
        .append(args.append)
        .keep(args.keep)
        .mixed_as_lines(args.mixed == Some(Mixed::Lines))
        .drop_contexts(args.drop_contexts)
        .on_event(|event| {
            progress.on_event(&event);
            if let Some(line) = message_for(&event, names_inputs) {
                progress.suspend(|| ui::message(&line));
            }
        })
        .run();
    drop(progress);
    let combined = result.inspect_err(|err| {
        if err.kind() == ErrorKind::NoData && (dashes.is_empty() || !places.is_empty()) {
            hint_at_other_data(&data_file, places);
        }
    })?;
    report(&combined, args.quiet);
    let exit = match combined.left_out.is_empty() || args.ignore_errors {
        true => Exit::Success,
        false => Exit::LeftOut,
    };
    // The process is about to end. Freeing the lines of each context would take a tenth of its time.
    std::mem::forget(combined);
    Ok(exit)
}

/// Returns the aliases for data that came by routes.
fn route_aliases(
    args: &ConfigArgs,
    config: &Config,
    explains: bool,
) -> Result<Vec<(RoutePattern, PathAliases)>, Error> {
    let routes = settings::route_aliases(args, config).map_err(|failure| match failure {
        Failure::Core(err) => err,
        other => Error::new(ErrorKind::Config, other.to_string()),
    })?;
    let explained = |(route, aliases): (RoutePattern, PathAliases)| {
        let said = format!("Route {}: ", route.as_str());
        (route, aliases.on_event(move |event| ui::message(&format!("{said}{event}"))))
    };
    Ok(if explains { routes.into_iter().map(explained).collect() } else { routes })
}

/// Returns the combiner of all commands, which holds a bounded number of rows in memory.
pub(super) fn combiner<'a>(data_file: &Path, aliases: PathAliases) -> Combiner<'a> {
    Combiner::new(data_file).aliases(aliases).memory(ROWS_IN_MEMORY)
}

/// Prints hints for a combine that has found no inputs.
///
/// The data files may be in folders below, or have other names, as Pulp's begin with `data`.
fn hint_at_other_data(data_file: &Path, mut places: Vec<PathBuf>) {
    let wanted = data_file.file_name().unwrap_or_default();
    if places.is_empty() {
        places.push(data_file.parent().unwrap_or(Path::new("")).join("."));
        hint_at_archives(&places, wanted);
    }
    let below = folders_with_data(&places, wanted);
    if !below.is_empty() {
        ui::message(&format!(
            "Folders below have data files: {}. Folders are looked into by name: name them",
            some_of(&below)
        ));
    }
    let bases = discover::base_names(&places);
    for (base, files) in bases.iter().filter(|(base, _)| wanted != base.as_str()) {
        let name = ui::name(Path::new(base));
        ui::message(&format!(
            "Files named like {name}.*: {files}. Combine them with --data-file={name}"
        ));
    }
}

/// Prints a hint if there are archives. Without a name, nobody may mean them: a project has archives of other things, too.
fn hint_at_archives(places: &[PathBuf], base: &OsStr) {
    let found = discover::find(places, base).map(|found| found.archives).unwrap_or_default();
    let archives: Vec<PathBuf> = found
        .iter()
        .map(|archive| archive.path())
        .map(|path| path.strip_prefix(".").unwrap_or(path).to_owned())
        .collect();
    if !archives.is_empty() {
        ui::message(&format!(
            "There are archives: {}. Archives are looked into by name: name them",
            some_of(&archives)
        ));
    }
}

/// Names the first few of the paths, and says how many more there are.
fn some_of(paths: &[PathBuf]) -> String {
    let named: Vec<String> = paths.iter().take(PATHS_NAMED).map(|path| ui::name(path)).collect();
    let rest = match paths.len().saturating_sub(PATHS_NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    named.join(", ") + &rest
}

/// Returns the folders in these places, one level down, that have data files of this name.
fn folders_with_data(places: &[PathBuf], base: &OsStr) -> Vec<PathBuf> {
    let entries = places.iter().filter_map(|place| place.read_dir().ok()).flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<PathBuf> = folders
        .map(|entry| entry.path())
        .filter(|folder| {
            let found = discover::find(std::slice::from_ref(folder), base);
            found.is_ok_and(|found| !found.files.is_empty())
        })
        .map(|folder| folder.strip_prefix(".").map(Path::to_owned).unwrap_or(folder))
        .collect();
    folders.sort();
    folders
}

/// Returns the message for an event, if it is worth one. Inputs are named as coverage.py names them.
pub(super) fn message_for(event: &Event<'_>, names_inputs: bool) -> Option<String> {
    let line = |what: &str, path: &Path| {
        format!("{what} {}", ui::name(path.strip_prefix(".").unwrap_or(path)))
    };
    match event {
        Event::Waiting { folder } => {
            Some(line("Another combine is at work; waiting for folder", folder))
        }
        Event::Resuming { data_file } => Some(line(
            "An earlier combine was stopped while it deleted its inputs; adding to",
            data_file,
        )),
        Event::Archive { path } if names_inputs => Some(line("Looking into archive", path)),
        Event::Read { path } if names_inputs => Some(line("Combined data file", path)),
        Event::Duplicate { path } if names_inputs => Some(line("Skipping duplicate data", path)),
        _ => None,
    }
}

pub(super) fn report(combined: &Combined, quiet: bool) {
    for err in combined.left_out.iter().take(LEFT_OUT_NAMED) {
        ui::warning(&format!("left out: {err}"));
    }
    let more = combined.left_out.len().saturating_sub(LEFT_OUT_NAMED);
    if more > 0 {
        ui::warning(&format!("{} left out, too", plural(more, "more input")));
    }
    if let Some(folded) = combined.folded.first() {
        ui::warning(&about_folded(folded, combined.folded.len()));
    }
    for err in &combined.not_deleted {
        ui::warning(&err.to_string());
    }
    if quiet {
        return;
    }
    for err in &combined.without_data {
        ui::message(&err.to_string());
    }
    if !combined.passed_over.is_empty() {
        ui::message(&format!(
            "Archives that were not looked into, because their folder has data files: {}. To combine them too, name them",
            some_of(&combined.passed_over)
        ));
    }
    ui::message(&combined.summary());
}

/// Names two files that were merged into one, and the setting that keeps them apart.
///
/// `count` is the number of all such pairs.
fn about_folded(folded: &Folded, count: usize) -> String {
    let Folded { first, second, into, .. } = folded;
    // The path that an alias changed.
    let moved = if first == into { second } else { first };
    let folder = moved.as_str().split(['/', '\\']).next().unwrap_or_default();
    let others = match count - 1 {
        0 => String::new(),
        1 => " The same has happened to 1 more file.".to_owned(),
        more => format!(" The same has happened to {more} more files."),
    };
    format!(
        "{moved} is counted as {into}, which is another file of the same data file: relative_files takes paths that end alike \
         for one file.{others} To keep them apart, add a rule to [paths]: {folder} = {folder}/, {folder}/"
    )
}
