//! The processes that left data files and notes in the data root, and whether they still run.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use nix::unistd::{SysconfVar, gethostname, sysconf};
use pulpcov_core::discover::DataFileName;
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::DataFile;
use pulpcov_core::{CoverageData, FileData, FilePath};
use serde::Serialize;

use super::contents::{BASE, Contents, Note};
use super::user_name::user_name;

/// A process with a data file.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    #[serde(flatten)]
    pub(super) who: Who,
    /// When the data file was last written.
    pub(super) last_flush: String,
    /// `None` if the data file cannot be read.
    pub(super) measured: Option<Amount>,
    pub(super) file: PathBuf,
    /// The process's own note about what is wrong with its measurement.
    pub(super) note: Option<String>,
}

/// The amount of data in a data file.
#[derive(Debug, Serialize)]
pub(super) struct Amount {
    /// How many files have lines that ran.
    pub(super) files: usize,
    /// How many lines ran.
    pub(super) lines: usize,
    /// How many arcs ran. `None` for line data.
    pub(super) arcs: Option<usize>,
}

/// A process that has no data file, and a note that says why.
#[derive(Debug, Serialize)]
pub(super) struct Unmeasured {
    #[serde(flatten)]
    pub(super) who: Who,
    pub(super) note: String,
}

/// The identity of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Who {
    pub(super) pid: u32,
    pub(super) host: String,
    pub(super) user: String,
    /// The command line, which is known only while the process runs.
    pub(super) command: Option<String>,
    pub(super) state: ProcessState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProcessState {
    Live,
    /// The process has ended, and its data file waits to be combined.
    Ended,
    /// The process runs, or ran, on another host.
    Elsewhere,
}

/// Returns the processes of a data root: those with data files, in the order of the files' names, and those
/// with a note only.
pub(super) fn of(contents: &Contents) -> (Vec<Process>, Vec<Unmeasured>) {
    let this_host = ThisHost::new();
    let measured = contents.data_files.iter().filter_map(|file| Process::of(file, &this_host));
    let mut measured: Vec<Process> = measured.collect();
    let mut unmeasured = Vec::new();
    for (entry, note) in contents.notes.iter().filter_map(|note| Some((note, Note::read(note)?))) {
        let Some((who, _)) = this_host.process_of(entry, note.host, note.pid) else { continue };
        let is_same = |process: &&mut Process| {
            (&process.who.host, process.who.pid) == (&who.host, who.pid)
                && process.who.user == who.user
        };
        match measured.iter_mut().find(is_same) {
            Some(process) => process.note = Some(note.text),
            None => unmeasured.push(Unmeasured { who, note: note.text }),
        }
    }
    (measured, unmeasured)
}

/// Returns the processes of this host that have data files and still run.
pub(super) fn live(contents: &Contents) -> BTreeSet<u32> {
    let this_host = ThisHost::new();
    let of_files =
        contents.data_files.iter().filter_map(|file| this_host.process_of_data_file(file));
    of_files.filter(|(who, _)| who.state == ProcessState::Live).map(|(who, _)| who.pid).collect()
}

impl Amount {
    fn of(data: &CoverageData) -> Self {
        let ran: Vec<_> = data.files().filter(FileData::has_rows).map(|file| file.path()).collect();
        let lines = |path: &&FilePath| data.lines(path).map_or(0, |lines| lines.len());
        let arcs = |path: &&FilePath| data.arcs(path).map_or(0, |arcs| arcs.len());
        Self {
            files: ran.len(),
            lines: ran.iter().map(lines).sum(),
            arcs: data.has_arcs().then(|| ran.iter().map(arcs).sum()),
        }
    }
}

impl Process {
    /// Returns `None` if the file is not named after a process, or if it is gone.
    fn of(file: &Entry, this_host: &ThisHost) -> Option<Self> {
        let (who, written) = this_host.process_of_data_file(file)?;
        let read = DataFile::open_entry(file).and_then(DataFile::read).ok();
        Some(Self {
            who,
            last_flush: Timestamp::try_from(written)
                .ok()?
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            measured: read.map(|read| Amount::of(&read.data)),
            file: file.path().to_owned(),
            note: None,
        })
    }
}

/// This host, since its last boot.
struct ThisHost {
    name: String,
    boot: Option<SystemTime>,
}

impl ThisHost {
    fn new() -> Self {
        let name =
            gethostname().map(|name| name.to_string_lossy().replace('.', "_")).unwrap_or_default();
        Self { name, boot: boot_time() }
    }

    /// Returns the process that wrote a data file, and when. Returns `None` if the file is not named after a
    /// process, or if it is gone.
    fn process_of_data_file(&self, file: &Entry) -> Option<(Who, SystemTime)> {
        let name = DataFileName::parse(BASE, file.name().to_str()?)?;
        self.process_of(file, name.host?, name.pid?)
    }

    /// Returns the process that wrote a file, and when.
    fn process_of(&self, file: &Entry, host: String, pid: u32) -> Option<(Who, SystemTime)> {
        let status = file.status().ok()?;
        let written = status.modified?;
        let state = match started(pid, self.boot) {
            _ if host != self.name => ProcessState::Elsewhere,
            // A process that started after the file was written merely has the same number.
            Some(start) if start <= written + Duration::from_secs(1) => ProcessState::Live,
            _ => ProcessState::Ended,
        };
        let command = command(pid).filter(|_| state == ProcessState::Live);
        let user = user_name(status.owner.unwrap_or_default());
        Some((Who { pid, host, user, command, state }, written))
    }
}

fn command(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim_end_matches('\0').replace('\0', " ");
    Some(text).filter(|text| !text.is_empty())
}

/// Returns when a process started. Returns `None` if it has ended, even if its parent has not waited for it
/// yet.
fn started(pid: u32, boot: Option<SystemTime>) -> Option<SystemTime> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the command is in brackets, and may contain anything, even brackets and spaces.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    if fields.next()? == "Z" {
        return None;
    }
    let ticks: u64 = fields.nth(18)?.parse().ok()?;
    let per_second =
        u64::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok().filter(|rate| *rate > 0)?;
    Some(boot? + Duration::from_millis(ticks.saturating_mul(1000) / per_second))
}

fn boot_time() -> Option<SystemTime> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}
