//! Why a stream cannot be read or written.

use std::io;

use super::attachments::AttachmentId;
use super::packet::MAX_PACKET;
use crate::error::{Error, ErrorKind};

#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("a packet can have at most {MAX_PACKET} bytes: split the file into several packets")]
    LongPacket,
    #[error("a packet cannot hold a text with a NUL: {0:?}")]
    Nul(String),
    #[error("a packet with a status needs a test, and one with a MIME type or an end needs a file")]
    Senseless,
    #[error("this is not a subunit stream: it has no packets")]
    NotAStream,
    #[error(
        "the files that are not complete take more than {limit} bytes when {id} goes on: \
         read the streams of fewer workers at a time"
    )]
    TooManyBytes { id: AttachmentId, limit: u64 },
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::LongPacket | Fault::TooManyBytes { .. } => Self::new(ErrorKind::TooLarge, fault),
            Fault::Nul(_) | Fault::Senseless => Self::new(ErrorKind::NotRepresentable, fault),
            Fault::NotAStream => Self::new(ErrorKind::NotADataFile, fault),
            Fault::Io(err) => Self::new(ErrorKind::Io, err),
        }
    }
}
