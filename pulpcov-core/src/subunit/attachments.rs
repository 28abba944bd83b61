//! The data files that are attached to a stream.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use super::chunks::{Chunk, Chunks};
use super::error::Fault;
use crate::error::Result;
use crate::formats::FileKind;
use crate::text::printable;

/// The memory that files may take that are not complete, in bytes, unless a caller says another number.
const DEFAULT_LIMIT: u64 = 4 << 30;

/// What a file in the memory takes besides its texts and its content, about.
const FIXED_SIZE: usize = 128;

/// Which file of a stream this is. Several files may have the same id, one after another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentId {
    /// The path of multiplexers that the file came through, such as `0/3`.
    pub route: Option<String>,
    /// The test that the file is attached to.
    pub test_id: Option<String>,
    /// The name of the file. It is a label and not a path.
    pub name: String,
}

impl AttachmentId {
    fn size(&self) -> u64 {
        let texts = [self.route.as_deref(), self.test_id.as_deref(), Some(&self.name)];
        let lengths = texts.into_iter().flatten().map(str::len);
        (lengths.sum::<usize>() + FIXED_SIZE) as u64
    }
}

/// The name with the test and the route, all printable: `.coverage of test_add, route 0/3`.
impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.name))?;
        if let Some(test_id) = &self.test_id {
            write!(f, " of {}", printable(test_id))?;
        }
        if let Some(route) = &self.route {
            write!(f, ", route {}", printable(route))?;
        }
        Ok(())
    }
}

/// A data file of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Which file of the stream it is.
    pub id: AttachmentId,
    /// The bytes of the data file.
    pub content: Vec<u8>,
}

/// A data file whose end is not in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// Which file of the stream it is.
    pub id: AttachmentId,
    /// The number of bytes that are in the stream.
    pub size: u64,
}

/// What a chunk is a part of.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Too few bytes of the file are known to tell.
    Unknown,
    /// A file that is not a data file.
    Other,
    /// A data file that goes on.
    Data,
    /// The end of a data file.
    Complete(Attachment),
}

/// Puts the chunks of data files together. What a file is, its first bytes tell.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::{Chunk, Collector, Part};
///
/// let chunk = |content, is_last| Chunk { route: None, test_id: None, name: "data", content, is_last };
/// let mut files = Collector::new();
/// assert_eq!(files.add(&chunk(b"SQLite", false))?, Part::Unknown);
/// assert_eq!(files.add(&chunk(b" format 3\0...", false))?, Part::Data);
/// assert_eq!(files.incomplete()[0].size, 19);
/// let Part::Complete(file) = files.add(&chunk(b".", true))? else { panic!() };
/// assert_eq!(file.content, b"SQLite format 3\0....");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Collector {
    open: BTreeMap<AttachmentId, Open>,
    /// The files that began again before they ended.
    given_up: Vec<Incomplete>,
    size: u64,
    limit: u64,
}

/// A file that goes on.
#[derive(Debug)]
enum Open {
    Unknown(Vec<u8>),
    Other,
    Data(Vec<u8>),
}

impl Default for Collector {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector {
    /// Creates a collector without files.
    pub fn new() -> Self {
        Self { open: BTreeMap::new(), given_up: Vec::new(), size: 0, limit: DEFAULT_LIMIT }
    }

    /// Limits the memory that files may take that are not complete, in bytes. The default is 4 GiB.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// Adds a chunk, and returns what it is a part of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if the files that are not complete would take more memory than the limit.
    ///
    /// # Examples
    ///
    /// See [`Collector`].
    pub fn add(&mut self, chunk: &Chunk<'_>) -> Result<Part> {
        let id = chunk.id();
        let before = self.take(&id);
        let open = self.continued(&id, before, chunk.content);
        if chunk.is_last {
            return Ok(match open {
                Open::Data(content) => Part::Complete(Attachment { id, content }),
                Open::Unknown(_) | Open::Other => Part::Other,
            });
        }
        let part = match open {
            Open::Unknown(_) => Part::Unknown,
            Open::Other => Part::Other,
            Open::Data(_) => Part::Data,
        };
        self.put(id, open)?;
        Ok(part)
    }

    /// Returns the data files whose end has not come.
    ///
    /// # Examples
    ///
    /// See [`Collector`].
    pub fn incomplete(&self) -> Vec<Incomplete> {
        let open = self.open.iter().filter_map(|(id, open)| match open {
            Open::Data(content) => Some(Incomplete { id: id.clone(), size: content.len() as u64 }),
            Open::Unknown(_) | Open::Other => None,
        });
        self.given_up.iter().cloned().chain(open).collect()
    }

    /// Returns a file with the bytes that follow.
    fn continued(&mut self, id: &AttachmentId, before: Option<Open>, content: &[u8]) -> Open {
        match before {
            None => Open::of(content.to_vec()),
            // Another worker may go on under the name of one that was killed.
            Some(Open::Data(old)) if FileKind::of(content).is_data() => {
                self.size += id.size();
                self.given_up.push(Incomplete { id: id.clone(), size: old.len() as u64 });
                Open::Data(content.to_vec())
            }
            Some(Open::Data(mut known)) => {
                known.extend_from_slice(content);
                Open::Data(known)
            }
            Some(Open::Unknown(mut known)) => {
                known.extend_from_slice(content);
                Open::of(known)
            }
            Some(Open::Other) => Open::Other,
        }
    }

    fn take(&mut self, id: &AttachmentId) -> Option<Open> {
        let open = self.open.remove(id)?;
        self.size -= id.size() + open.size();
        Some(open)
    }

    fn put(&mut self, id: AttachmentId, open: Open) -> Result<()> {
        self.size += id.size() + open.size();
        if self.size > self.limit {
            return Err(Fault::TooManyBytes { id, limit: self.limit }.into());
        }
        self.open.insert(id, open);
        Ok(())
    }
}

impl Open {
    fn of(content: Vec<u8>) -> Self {
        if FileKind::of(&content).is_data() {
            Self::Data(content)
        } else if FileKind::may_be_data(&content) {
            Self::Unknown(content)
        } else {
            Self::Other
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Unknown(content) | Self::Data(content) => content.len() as u64,
            Self::Other => 0,
        }
    }
}

/// Reads the data files of a stream of any version.
///
/// A data file comes out when its end is read. Its content tells what it is; its name and MIME type do not matter. The memory for
/// files that are not complete is limited.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::{Attachments, FilePart, Packet};
///
/// let packet = |name, content, is_eof| {
///     let file = Some(FilePart { name, content });
///     Packet { test_id: Some("test_add"), route: Some("0"), file, is_eof, ..Packet::default() }.encode()
/// };
/// let stream = [
///     packet("log", b"text", true)?,
///     packet("data", b"SQLite format 3\0", false)?,
///     packet("cut", b"SQLite format 3\0", false)?,
///     packet("data", b"...", true)?,
/// ]
/// .concat();
/// let mut files = Attachments::new(stream.as_slice())?;
/// let file = files.next().unwrap()?;
/// assert_eq!(file.id.to_string(), "data of test_add, route 0");
/// assert_eq!(file.content, b"SQLite format 3\0...");
/// assert!(files.next().is_none());
/// assert_eq!(files.incomplete()[0].id.name, "cut");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Attachments<R> {
    chunks: Chunks<R>,
    files: Collector,
    is_ended: bool,
}

impl<R: Read> Attachments<R> {
    /// Creates a reader of a stream, and reads its beginning.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the stream cannot be read.
    ///
    /// # Examples
    ///
    /// See [`Attachments`].
    pub fn new(input: R) -> Result<Self> {
        Ok(Self { chunks: Chunks::new(input)?, files: Collector::new(), is_ended: false })
    }

    /// Limits the memory that files may take that are not complete, in bytes. The default is 4 GiB.
    #[must_use]
    pub fn limit(self, limit: u64) -> Self {
        Self { files: self.files.limit(limit), ..self }
    }

    /// Returns the data files whose end has not come. At the end of the stream, they are cut.
    ///
    /// # Examples
    ///
    /// See [`Attachments`].
    pub fn incomplete(&self) -> Vec<Incomplete> {
        self.files.incomplete()
    }

    /// Returns how many packets with parts of files were [damaged](super::Decoder::damaged) so far. Data files may lack these parts.
    pub fn damaged(&self) -> u64 {
        self.chunks.damaged()
    }

    fn next_file(&mut self) -> Result<Option<Attachment>> {
        while let Some(chunk) = self.chunks.next_chunk()? {
            if let Part::Complete(file) = self.files.add(&chunk)? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}

/// Yields the data files that are complete. After an error, nothing follows. The errors are:
///
/// - [`ErrorKind::NotADataFile`](crate::ErrorKind::NotADataFile) at the end of a stream without packets;
/// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if the files that are not complete would take more memory than the limit;
/// - [`ErrorKind::Io`](crate::ErrorKind::Io) if the stream cannot be read.
impl<R: Read> Iterator for Attachments<R> {
    type Item = Result<Attachment>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_ended {
            return None;
        }
        let next = self.next_file().transpose();
        self.is_ended = !matches!(next, Some(Ok(_)));
        next
    }
}
