//! `pulpcov debug`: prints what coverage.py's command of this name prints.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pulpcov_core::config::format_info;
use pulpcov_core::discover::{self, Found};
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::DataFile;
use pulpcov_core::text::{human_cmp, plural, printable};
use pulpcov_core::{CoverageData, FileData};

use crate::args::{DebugCommand, DebugDataArgs};
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

pub(crate) fn run(command: &DebugCommand) -> Result<Exit, Failure> {
    let mut out = anstream::stdout().lock();
    match command {
        DebugCommand::Config(args) => {
            let config = settings::load(args)?;
            let text = format_info("config", &config.debug_info());
            out.write_all(ui::safe_lines(&text).as_bytes()).map_err(Failure::Output)?;
            // coverage.py has no such part, so it is printed only if it says something.
            let own = super::own::load(args)?;
            if own.file.is_some() {
                let text = format_info("pulpcov", &own.debug_info());
                out.write_all(ui::safe_lines(&text).as_bytes()).map_err(Failure::Output)?;
            }
            Ok(Exit::Success)
        }
        DebugCommand::Analyze(args) => super::analyze::run(args, &mut out),
        DebugCommand::Data(args) => debug_data(args, &mut out),
    }
}

fn debug_data(args: &DebugDataArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let default = [settings::data_file(None, &config)];
    let files = if args.files.is_empty() { &default[..] } else { &args.files };
    let mut all_readable = true;
    for file in files {
        out.write_all(format_info("data", &[]).as_bytes()).map_err(Failure::Output)?;
        let path = settings::absolute(file)?;
        all_readable &= describe(&path, Entry::at_path(&path), out).map_err(Failure::Output)?;
        let found = parallel_files(file)?;
        for parallel in found.files {
            writeln!(out, "-----").map_err(Failure::Output)?;
            all_readable &=
                describe(parallel.path(), Ok(parallel.clone()), out).map_err(Failure::Output)?;
        }
        for err in &found.left_out {
            out.flush().map_err(Failure::Output)?;
            ui::error(&err.to_string());
            all_readable = false;
        }
    }
    Ok(if all_readable { Exit::Success } else { Exit::Error })
}

fn parallel_files(file: &Path) -> Result<Found, Failure> {
    let absolute = absolute(file);
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        return Ok(Found::default());
    }
    Ok(discover::find(&[folder.into()], absolute.file_name().unwrap_or(OsStr::new(".coverage")))?)
}

fn absolute(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.into())
}

/// Prints the summary of a data file. Returns `false` if it cannot be read.
fn describe(path: &Path, entry: io::Result<Entry>, out: &mut impl Write) -> io::Result<bool> {
    writeln!(out, "path: {}", printable(&path.to_string_lossy()))?;
    let Some(entry) = entry.ok().filter(|entry| entry.status().is_ok()) else {
        writeln!(out, "No data collected: file doesn't exist")?;
        return Ok(true);
    };
    match DataFile::open_entry(&entry).and_then(DataFile::read) {
        Ok(decoded) => summarize(&decoded.data, out)?,
        Err(err) => {
            out.flush()?;
            ui::error(&err.to_string());
            return Ok(false);
        }
    }
    Ok(true)
}

fn summarize(data: &CoverageData, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "has_arcs: {}", if data.has_arcs() { "True" } else { "False" })?;
    let mut files: Vec<FileData<'_>> = data.files().collect();
    files.sort_by(|a, b| human_cmp(a.path().as_str(), b.path().as_str()));
    writeln!(out, "{}:", plural(files.len(), "file"))?;
    for file in &files {
        let lines = data.lines(file.path()).unwrap_or_default().len();
        let tracer = match file.tracer() {
            "" => String::new(),
            tracer => format!(" [{}]", printable(tracer)),
        };
        writeln!(out, "{}: {}{tracer}", file.path(), plural(lines, "line"))?;
    }
    Ok(())
}
