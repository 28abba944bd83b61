//! Whose data files are in the folder, and who of them lives.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use nix::unistd::{SysconfVar, gethostname, sysconf};
use pulpcov_core::discover::{self, DataFileName};
use pulpcov_core::formats::DataFile;
use serde::Serialize;

use super::data_root::{BASE, user_name};
use crate::exit::Failure;

/// A process, as its data file tells.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) host: String,
    pub(super) user: String,
    /// Known while it lives.
    pub(super) command: Option<String>,
    pub(super) state: Life,
    /// When the data file was written.
    pub(super) last_flush: String,
    /// `None` if the data file cannot be read.
    pub(super) rows: Option<u64>,
    pub(super) file: PathBuf,
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

/// The processes whose data files are in the folder, in the order of the files' names.
pub(super) fn find(root: &Path) -> Result<Vec<Process>, Failure> {
    let here =
        gethostname().map(|name| name.to_string_lossy().replace('.', "_")).unwrap_or_default();
    let boot = boot_time();
    let files = discover::find(&[root.into()], BASE.as_ref())?;
    Ok(files.into_iter().filter_map(|file| Process::of(file, &here, boot)).collect())
}

impl Process {
    /// `None` if the file is not named after a process, or gone.
    fn of(file: PathBuf, here: &str, boot: Option<SystemTime>) -> Option<Self> {
        let name = DataFileName::parse(BASE, file.file_name()?.to_str()?)?;
        let (host, pid) = (name.host?, name.pid?);
        let metadata = file.symlink_metadata().ok()?;
        let written = metadata.modified().ok()?;
        let state = match started(pid, boot) {
            _ if host != here => Life::Elsewhere,
            // A process that is younger than the file only has the same number.
            Some(start) if start <= written + Duration::from_secs(1) => Life::Live,
            _ => Life::Ended,
        };
        Some(Self {
            pid,
            host,
            user: user_name(metadata.uid()),
            command: command(pid).filter(|_| state == Life::Live),
            state,
            last_flush: Timestamp::try_from(written)
                .ok()?
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            rows: DataFile::open(&file)
                .and_then(DataFile::read)
                .ok()
                .map(|read| read.data.row_count()),
            file,
        })
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
