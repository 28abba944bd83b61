//! Finds the packets of a subunit v2 stream.

use std::io::{self, Read};
use std::ops::Range;

use super::checksums::Checksums;
use super::error::Fault;
use super::packet::{CHECKSUM, Packet, SIGNATURE};
use super::signature::Claim;
use crate::error::Result;

/// The number of bytes that are read at a time, at most.
const CHUNK: usize = 1 << 16;

/// Finds the packets of a subunit v2 stream, and the bytes between them.
///
/// Programs write text between packets, and packets are cut when a process is killed. Every packet that is whole is found, whatever is
/// before it. All bytes of the stream come out, in their order, so a filter can pass on those that it does not want. A piece comes out as
/// soon as it is read, unless it may be a part of a packet. The memory is bounded by twice the largest packet.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::{Decoder, Packet, Piece};
///
/// let packet = Packet { test_id: Some("test_add"), ..Packet::default() }.encode()?;
/// let stream = [b"1 m\xc2\xb3 of text\n", packet.as_slice(), b"more"].concat();
/// let mut decoder = Decoder::new(stream.as_slice());
/// let (mut text, mut tests) = (Vec::new(), Vec::new());
/// while let Some(piece) = decoder.next_piece()? {
///     match piece {
///         Piece::Packet { packet, .. } => tests.extend(packet.test_id.map(str::to_owned)),
///         Piece::Other(bytes) => text.extend_from_slice(bytes),
///     }
/// }
/// assert_eq!(text, b"1 m\xc2\xb3 of text\nmore");
/// assert_eq!(tests, ["test_add"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Decoder<R> {
    input: R,
    is_ended: bool,
    /// What is read at a time.
    chunk: Vec<u8>,
    buffer: Vec<u8>,
    /// The bytes of the buffer before this came out.
    start: usize,
    /// From `start` to here, no packet begins.
    searched: usize,
    checksums: Checksums,
    has_packets: bool,
    /// How many packets with parts of files are damaged.
    damaged: u64,
}

/// A piece of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A packet.
    Packet {
        /// All its bytes.
        bytes: &'a [u8],
        /// What is in it.
        packet: Packet<'a>,
    },
    /// Bytes that are no packet. The bytes between two packets may come out in several pieces.
    Other(&'a [u8]),
}

/// Says how many packets are damaged, as the beginning of a sentence.
#[doc(hidden)] // For the `pulpcov` command. It may change at any time.
pub fn damaged_packets(count: u64) -> String {
    match count {
        1 => "1 packet with a part of a file is".to_owned(),
        count => format!("{count} packets with parts of files are"),
    }
}

/// Where the next piece is.
enum Found {
    Packet(Range<usize>),
    Other(Range<usize>),
    End,
}

impl<R: Read> Decoder<R> {
    /// Creates a decoder of a stream.
    pub fn new(input: R) -> Self {
        Self {
            input,
            is_ended: false,
            chunk: vec![0; CHUNK],
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            checksums: Checksums::new(),
            has_packets: false,
            damaged: 0,
        }
    }

    /// Returns the next piece, or `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the stream cannot be read.
    ///
    /// # Examples
    ///
    /// See [`Decoder`].
    pub fn next_piece(&mut self) -> Result<Option<Piece<'_>>> {
        let found = self.find().map_err(Fault::Io)?;
        let bytes = |range| self.buffer.get(range).unwrap_or_default();
        Ok(match found {
            Found::End => None,
            Found::Other(range) => Some(Piece::Other(bytes(range))),
            Found::Packet(range) => {
                let bytes = bytes(range);
                // The checksum of bytes that make no sense can be right.
                let packet = Packet::decode_unchecked(bytes);
                Some(packet.map_or(Piece::Other(bytes), |packet| Piece::Packet { bytes, packet }))
            }
        })
    }

    /// Returns how many packets with parts of files were damaged so far: all is there but for the right checksum. They came out as
    /// [other](Piece::Other) bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::subunit::{Decoder, FilePart, Packet};
    ///
    /// let file = Some(FilePart { name: "data", content: b"0123456789" });
    /// let mut stream = Packet { file, ..Packet::default() }.encode()?;
    /// let middle = stream.len() / 2;
    /// stream[middle] ^= 1;
    /// let mut decoder = Decoder::new(stream.as_slice());
    /// while decoder.next_piece()?.is_some() {}
    /// assert_eq!(decoder.damaged(), 1);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Returns the next packet with a part of a file, or `None` at the end of the stream. A stream without packets is none.
    pub(super) fn next_file_part(&mut self) -> Result<Option<Packet<'_>>> {
        let range = loop {
            match self.find().map_err(Fault::Io)? {
                Found::End if self.has_packets => return Ok(None),
                Found::End => return Err(Fault::NotAStream.into()),
                Found::Packet(range) if self.packet(&range).is_some_and(|it| it.file.is_some()) => {
                    break range;
                }
                Found::Packet(_) | Found::Other(_) => {}
            }
        };
        Ok(self.packet(&range))
    }

    fn packet(&self, range: &Range<usize>) -> Option<Packet<'_>> {
        self.buffer.get(range.clone()).and_then(Packet::decode_unchecked)
    }

    fn find(&mut self) -> io::Result<Found> {
        loop {
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            let signature = memchr::memchr(SIGNATURE, rest).map(|at| self.searched + at);
            self.searched = signature.unwrap_or(self.buffer.len());
            if self.searched > self.start {
                return Ok(Found::Other(self.take(self.searched)));
            }
            match signature.map(|at| self.judge(at)) {
                Some(Claim::Whole(length)) => {
                    self.has_packets = true;
                    return Ok(Found::Packet(self.take(self.start + length)));
                }
                Some(Claim::False) => self.searched += 1,
                Some(Claim::Part) if self.is_ended => self.searched += 1,
                None if self.is_ended => return Ok(Found::End),
                Some(Claim::Part) | None => self.read_more()?,
            }
        }
    }

    /// Judges what begins at a signature. A whole packet is one: its checksum is right.
    fn judge(&mut self, at: usize) -> Claim {
        let claim = Claim::of(self.buffer.get(at..).unwrap_or_default());
        match claim {
            Claim::Whole(length) if !self.is_checksum_right(at, at + length) => {
                // Text can look like the beginning of a packet, but hardly like one with a name and a part of a file.
                let is_part = self.packet(&(at..at + length)).is_some_and(|packet| {
                    packet
                        .file
                        .is_some_and(|file| !file.name.is_empty() && !file.content.is_empty())
                });
                self.damaged += u64::from(is_part);
                Claim::False
            }
            claim => claim,
        }
    }

    fn is_checksum_right(&mut self, start: usize, end: usize) -> bool {
        let stored = self.buffer.get(..end).and_then(<[u8]>::last_chunk);
        let stored = stored.map(|checksum| u32::from_be_bytes(*checksum));
        stored.is_some() && stored == self.checksums.of(&self.buffer, start, end - CHECKSUM)
    }

    /// Returns the bytes up to `end`, which then are out.
    fn take(&mut self, end: usize) -> Range<usize> {
        let start = std::mem::replace(&mut self.start, end);
        self.searched = self.searched.max(end);
        start..end
    }

    fn read_more(&mut self) -> io::Result<()> {
        // To move the rest at every read would take the square of the time.
        if self.start > self.buffer.len() / 2 {
            let gone = self.checksums.forget(self.start);
            self.buffer.drain(..gone);
            self.start -= gone;
            self.searched -= gone;
        }
        let read = loop {
            match self.input.read(&mut self.chunk) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.buffer.extend_from_slice(self.chunk.get(..read).unwrap_or_default());
        self.is_ended = read == 0;
        Ok(())
    }
}
