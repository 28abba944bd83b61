//! What can be wrong with an archive.

use std::io;

use crate::discover::base_of;
use crate::error::{Error, ErrorKind};
use crate::subunit::damaged_packets;
use crate::text::printable;

#[derive(Debug, thiserror::Error)]
pub(super) enum ContainerError {
    #[error(
        "more than {0} bytes, the most that is read of one file in an archive: unpack it first"
    )]
    FileTooLarge(u64),
    #[error("more than {0} bytes unpacked, the most that is read of one archive: unpack it first")]
    TotalTooLarge(u64),
    #[error("more than {0} files, the most that one archive may have: unpack it first")]
    TooManyFiles(u64),
    #[error("more than {0} archives are in each other: unpack the outer ones first")]
    TooDeep(usize),
    #[error(
        "its end is not in the stream, only the first {0} bytes are: the process that wrote it was stopped"
    )]
    CutOff(u64),
    #[error("{} damaged, so data files may be missing or damaged: get it again", damaged_packets(*.0))]
    DamagedPackets(u64),
    #[error(
        "there is more behind the end of the archive, such as a second archive, which is not read: unpack it first"
    )]
    MoreBehind,
    #[error("this is encrypted: unpack it first")]
    Encrypted,
    #[error("compressed with method {0} of zip, which cannot be read: unpack it first")]
    UnknownMethod(u16),
    #[error("this is one of several parts of an archive: put them together, or unpack them")]
    Split,
    #[error("the archive has no end, so a part of it is missing: get it again")]
    Truncated,
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
    #[error("the contents are damaged: their checksum or their size is wrong")]
    Checksum,
    #[error("cannot be read to its end: {0}")]
    Io(io::Error),
    #[error(
        "this holds changes of the data file beside it, which are missing from the result: unpack the archive first"
    )]
    HasChanges,
    #[error("{}", nothing_found(base, other.as_deref()))]
    NothingFound { base: String, other: Option<String> },
}

fn nothing_found(base: &str, other: Option<&str>) -> String {
    let base = printable(base);
    let nothing = format!("no file in it is a data file named {base} or {base}.*");
    match other {
        None => nothing,
        Some(other) => {
            let base = printable(base_of(other).unwrap_or(other));
            format!("{nothing}; {} would be combined with data_file = {base}", printable(other))
        }
    }
}

impl From<io::Error> for ContainerError {
    /// Takes out the error that a reader of this module has put in.
    fn from(err: io::Error) -> Self {
        err.downcast().unwrap_or_else(Self::Io)
    }
}

impl From<ContainerError> for io::Error {
    fn from(err: ContainerError) -> Self {
        Self::other(err)
    }
}

impl From<ContainerError> for Error {
    fn from(err: ContainerError) -> Self {
        use ContainerError as E;
        let kind = match err {
            E::FileTooLarge(_) | E::TotalTooLarge(_) | E::TooManyFiles(_) | E::TooDeep(_) => {
                ErrorKind::TooLarge
            }
            E::Encrypted | E::UnknownMethod(_) | E::Split => ErrorKind::NotADataFile,
            E::Truncated
            | E::CutOff(_)
            | E::Damaged(_)
            | E::DamagedPackets(_)
            | E::MoreBehind
            | E::Checksum
            | E::Io(_)
            | E::HasChanges => ErrorKind::Corrupt,
            E::NothingFound { .. } => ErrorKind::NoData,
        };
        Self::new(kind, err)
    }
}
