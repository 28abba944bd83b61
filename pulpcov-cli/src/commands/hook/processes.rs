//! Whose data files and notes are in the data root, and who of them lives.

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

use super::contents::{Contents, Note};
use super::data_root::{BASE, user_name};

/// A process, as its data file tells.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    #[serde(flatten)]
    pub(super) who: Who,
    /// When the data file was written.
    pub(super) last_flush: String,
    /// `None` if the data file cannot be read.
    pub(super) measured: Option<Amount>,
    pub(super) file: PathBuf,
    /// What is wrong with its measuring, as it says itself.
    pub(super) note: Option<String>,
}

/// How much a data file has.
#[derive(Debug, Serialize)]
pub(super) struct Amount {
    /// Files of which anything ran.
    pub(super) files: usize,
    /// Lines that ran.
    pub(super) lines: usize,
    /// With branches, the jumps from a line to a line.
    pub(super) arcs: Option<usize>,
}

/// A process without a data file that says why it has none.
#[derive(Debug, Serialize)]
pub(super) struct Unmeasured {
    #[serde(flatten)]
    pub(super) who: Who,
    pub(super) note: String,
}

/// Which process it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Who {
    pub(super) pid: u32,
    pub(super) host: String,
    pub(super) user: String,
    /// Known while it lives.
    pub(super) command: Option<String>,
    pub(super) state: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Life {
    Live,
    /// Its data file waits to be combined.
    Ended,
    /// It runs, or ran, on another host.
    Elsewhere,
}

/// The processes of a data root: those with data files, in the order of these files' names, and those without.
pub(super) fn of(contents: &Contents) -> (Vec<Process>, Vec<Unmeasured>) {
    let here = Here::new();
    let measured = contents.data_files.iter().filter_map(|file| Process::of(file, &here));
    let mut measured: Vec<Process> = measured.collect();
    let mut unmeasured = Vec::new();
    for (entry, note) in contents.notes.iter().filter_map(|note| Some((note, Note::read(note)?))) {
        let Some((who, _)) = here.look(entry, note.host, note.pid) else { continue };
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

/// The processes of this host that have data files and still run.
pub(super) fn live(contents: &Contents) -> BTreeSet<u32> {
    let here = Here::new();
    let of_files = contents.data_files.iter().filter_map(|file| here.look_at_data_file(file));
    of_files.filter(|(who, _)| who.state == Life::Live).map(|(who, _)| who.pid).collect()
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
    /// `None` if the file is not named after a process, or gone.
    fn of(file: &Entry, here: &Here) -> Option<Self> {
        let (who, written) = here.look_at_data_file(file)?;
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

/// This host, since it was started.
struct Here {
    name: String,
    boot: Option<SystemTime>,
}

impl Here {
    fn new() -> Self {
        let name =
            gethostname().map(|name| name.to_string_lossy().replace('.', "_")).unwrap_or_default();
        Self { name, boot: boot_time() }
    }

    /// `None` if the file is not named after a process, or gone.
    fn look_at_data_file(&self, file: &Entry) -> Option<(Who, SystemTime)> {
        let name = DataFileName::parse(BASE, file.name().to_str()?)?;
        self.look(file, name.host?, name.pid?)
    }

    /// Whose file it is, and when it was written.
    fn look(&self, file: &Entry, host: String, pid: u32) -> Option<(Who, SystemTime)> {
        let status = file.status().ok()?;
        let written = status.modified?;
        let state = match started(pid, self.boot) {
            _ if host != self.name => Life::Elsewhere,
            // A process that is younger than the file only has the same number.
            Some(start) if start <= written + Duration::from_secs(1) => Life::Live,
            _ => Life::Ended,
        };
        let command = command(pid).filter(|_| state == Life::Live);
        let user = user_name(status.owner.unwrap_or_default());
        Some((Who { pid, host, user, command, state }, written))
    }
}

fn command(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim_end_matches('\0').replace('\0', " ");
    Some(text).filter(|text| !text.is_empty())
}

/// When the process started; `None` if it has ended, waited for or not.
fn started(pid: u32, boot: Option<SystemTime>) -> Option<SystemTime> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the command, in brackets, may have anything in it.
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
