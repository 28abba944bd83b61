//! The files of a stream of any version, chunk by chunk.

use std::io::{BufReader, Chain, Cursor, Read};

use super::attachments::AttachmentId;
use super::decoder::Decoder;
use super::error::Fault;
use super::packet::Packet;
use super::v1::Details;
use super::version::{HEAD, Version};
use crate::error::Result;

/// A part of a file of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The path of multiplexers that the chunk came through, such as `0/3`. Streams of v1 have none.
    pub route: Option<&'a str>,
    /// The test that the file is attached to.
    pub test_id: Option<&'a str>,
    /// The name of the file. It is a label and not a path.
    pub name: &'a str,
    /// The bytes after those of the last chunk of the file.
    pub content: &'a [u8],
    /// Whether this is the last chunk of the file.
    pub is_last: bool,
}

impl<'a> Chunk<'a> {
    /// Returns the part of a file in a packet.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::subunit::{Chunk, FilePart, Packet};
    ///
    /// let file = FilePart { name: "log", content: b"..." };
    /// let packet = Packet { file: Some(file), is_eof: true, ..Packet::default() };
    /// let chunk = Chunk::of(&packet).unwrap();
    /// assert_eq!((chunk.name, chunk.is_last), ("log", true));
    /// assert_eq!(Chunk::of(&Packet::default()), None);
    /// ```
    pub fn of(packet: &Packet<'a>) -> Option<Self> {
        let file = packet.file?;
        let Packet { route, test_id, is_eof: is_last, .. } = *packet;
        Some(Self { route, test_id, name: file.name, content: file.content, is_last })
    }

    /// Returns which file of the stream it is a part of.
    pub fn id(&self) -> AttachmentId {
        AttachmentId {
            route: self.route.map(str::to_owned),
            test_id: self.test_id.map(str::to_owned),
            name: self.name.to_owned(),
        }
    }
}

/// Reads the files of a stream of any version, chunk by chunk. The beginning of the stream tells its version.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::Chunks;
///
/// let stream = b"test: test_add\nsuccessful: test_add [ multipart\nContent-Type: text/plain\nlog\n3\r\nabc0\r\n]\n";
/// let mut chunks = Chunks::new(&stream[..])?;
/// let (mut content, mut is_complete) = (Vec::new(), false);
/// while let Some(chunk) = chunks.next_chunk()? {
///     assert_eq!((chunk.test_id, chunk.name), (Some("test_add"), "log"));
///     content.extend_from_slice(chunk.content);
///     is_complete = chunk.is_last;
/// }
/// assert_eq!((content.as_slice(), is_complete), (&b"abc"[..], true));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Chunks<R>(Stream<Chain<Cursor<Vec<u8>>, R>>);

#[derive(Debug)]
enum Stream<R> {
    V1(Details<BufReader<R>>),
    V2(Decoder<R>),
}

impl<R: Read> Chunks<R> {
    /// Creates a reader of a stream, and reads its beginning.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the stream cannot be read.
    ///
    /// # Examples
    ///
    /// See [`Chunks`].
    pub fn new(mut input: R) -> Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(Fault::Io)?;
        let is_v1 = Version::of(&head) == Some(Version::V1);
        let stream = Cursor::new(head).chain(input);
        Ok(Self(if is_v1 {
            Stream::V1(Details::new(BufReader::new(stream)))
        } else {
            Stream::V2(Decoder::new(stream))
        }))
    }

    /// Returns how many packets with parts of files were [damaged](Decoder::damaged) so far.
    pub fn damaged(&self) -> u64 {
        match &self.0 {
            Stream::V1(_) => 0,
            Stream::V2(decoder) => decoder.damaged(),
        }
    }

    /// Returns the next chunk, or `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotADataFile`](crate::ErrorKind::NotADataFile) at the end of a stream that is none, because it has no packets;
    /// - [`ErrorKind::Io`](crate::ErrorKind::Io) if the stream cannot be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::subunit::Chunks;
    ///
    /// let mut chunks = Chunks::new(&b"some text"[..])?;
    /// assert_eq!(chunks.next_chunk().unwrap_err().kind(), ErrorKind::NotADataFile);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn next_chunk(&mut self) -> Result<Option<Chunk<'_>>> {
        match &mut self.0 {
            Stream::V1(details) => Ok(details.next_chunk().map_err(Fault::Io)?),
            Stream::V2(decoder) => {
                Ok(decoder.next_file_part()?.and_then(|packet| Chunk::of(&packet)))
            }
        }
    }
}
