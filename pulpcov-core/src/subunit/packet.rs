//! A packet of subunit v2, read from its bytes and written to them.

use super::error::Fault;
use super::fields::Fields;
use crate::error::Result;

/// The byte that a packet begins with.
pub(super) const SIGNATURE: u8 = 0xb3;

/// The length of the checksum at the end of a packet, in bytes.
pub(super) const CHECKSUM: usize = 4;

/// The largest length of a packet, in bytes. The format has three octets for it, two bits of which say that they are three.
pub const MAX_PACKET: usize = (1 << 22) - 1;

/// The bits of a packet's flags.
pub(super) mod flag {
    pub(in crate::subunit) const VERSION: u16 = 0xf000;
    pub(in crate::subunit) const VERSION_2: u16 = 0x2000;
    pub(in crate::subunit) const TEST_ID: u16 = 0x0800;
    pub(in crate::subunit) const ROUTE: u16 = 0x0400;
    pub(in crate::subunit) const TIMESTAMP: u16 = 0x0200;
    pub(in crate::subunit) const RUNNABLE: u16 = 0x0100;
    pub(in crate::subunit) const TAGS: u16 = 0x0080;
    pub(in crate::subunit) const FILE: u16 = 0x0040;
    pub(in crate::subunit) const MIME_TYPE: u16 = 0x0020;
    pub(in crate::subunit) const EOF: u16 = 0x0010;
    pub(in crate::subunit) const UNUSED: u16 = 0x0008;
    pub(in crate::subunit) const STATUS: u16 = 0x0007;
}

/// Returns whether the flags of a packet make sense: they are those of version 2, a status is of a test, and a MIME type and an end are
/// of a file. The format does not ask for the last two, but no writer does otherwise, and text seldom looks so.
pub(super) fn makes_sense(flags: u16) -> bool {
    let has = |bits| flags & bits != 0;
    flags & flag::VERSION == flag::VERSION_2
        && !has(flag::UNUSED)
        && (has(flag::TEST_ID) || !has(flag::STATUS))
        && (has(flag::FILE) || !has(flag::MIME_TYPE | flag::EOF))
}

/// A packet of subunit v2: a status of a test, a part of a file, or both.
///
/// The fields are those of the section "Version 2" in the README of python-subunit. A status needs a test, and a MIME type and an end
/// need a file.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::{FilePart, Packet};
///
/// let file = FilePart { name: ".coverage.web-1", content: b"..." };
/// let packet = Packet { test_id: Some("test_add"), file: Some(file), is_eof: true, ..Packet::default() };
/// let bytes = packet.encode()?;
/// assert_eq!(Packet::decode(&bytes), Some(packet));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What happened to the test.
    pub status: Option<Status>,
    /// Whether the test can be run by its id.
    pub is_runnable: bool,
    /// When it happened.
    pub timestamp: Option<Timestamp>,
    /// The test that the packet is about.
    pub test_id: Option<&'a str>,
    /// The tags of the test.
    pub tags: Vec<&'a str>,
    /// The MIME type of the file.
    pub mime_type: Option<&'a str>,
    /// A part of a file.
    pub file: Option<FilePart<'a>>,
    /// Whether this is the last part of the file.
    pub is_eof: bool,
    /// The path of multiplexers that the packet came through, such as `0/3`.
    pub route: Option<&'a str>,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePart<'a> {
    /// The name of the file. It is a label and not a path.
    pub name: &'a str,
    /// The bytes after those of the last part.
    pub content: &'a [u8],
}

/// A time in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Seconds since the start of 1970.
    pub seconds: u32,
    /// Nanoseconds since the start of the second.
    pub nanoseconds: u32,
}

/// What happened to a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The test exists.
    Exists,
    /// The test has started.
    InProgress,
    /// The test has passed.
    Success,
    /// The test has passed, but should have failed.
    UnexpectedSuccess,
    /// The test was skipped.
    Skipped,
    /// The test has failed.
    Failed,
    /// The test has failed, as it should.
    ExpectedFailure,
}

impl Status {
    /// The statuses in the order of their numbers, which begin at 1.
    const ALL: [Self; 7] = [
        Self::Exists,
        Self::InProgress,
        Self::Success,
        Self::UnexpectedSuccess,
        Self::Skipped,
        Self::Failed,
        Self::ExpectedFailure,
    ];

    fn of(flags: u16) -> Option<Self> {
        let number = usize::from(flags & flag::STATUS);
        number.checked_sub(1).and_then(|at| Self::ALL.get(at).copied())
    }
}

impl<'a> Packet<'a> {
    /// Reads the packet that `bytes` are. Returns `None` if they are anything else than one whole packet.
    ///
    /// A packet with bytes between its last field and its checksum is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::subunit::{Packet, Status};
    ///
    /// // The example in the README of python-subunit.
    /// let bytes = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
    /// let packet = Packet::decode(bytes).unwrap();
    /// assert_eq!((packet.test_id, packet.status), (Some("foo"), Some(Status::Exists)));
    /// assert_eq!(Packet::decode(&bytes[1..]), None);
    /// ```
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
        (crc32fast::hash(content) == u32::from_be_bytes(*checksum)).then_some(())?;
        Self::decode_unchecked(bytes)
    }

    /// Reads a packet whose checksum is known to be right.
    pub(super) fn decode_unchecked(bytes: &'a [u8]) -> Option<Self> {
        let (content, _) = bytes.split_last_chunk::<CHECKSUM>()?;
        let mut fields = Fields::new(content.strip_prefix(&[SIGNATURE])?);
        let flags = u16::from_be_bytes(fields.array()?);
        (makes_sense(flags) && fields.number()? == bytes.len()).then_some(())?;
        let has = |bit| flags & bit != 0;
        let packet = Self {
            status: Status::of(flags),
            is_runnable: has(flag::RUNNABLE),
            is_eof: has(flag::EOF),
            timestamp: optional(has(flag::TIMESTAMP), || fields.timestamp())?,
            test_id: optional(has(flag::TEST_ID), || fields.text())?,
            tags: optional(has(flag::TAGS), || fields.texts())?.unwrap_or_default(),
            mime_type: optional(has(flag::MIME_TYPE), || fields.text())?,
            file: optional(has(flag::FILE), || fields.file())?,
            route: optional(has(flag::ROUTE), || fields.text())?,
        };
        fields.is_empty().then_some(packet)
    }

    /// Returns the bytes of the packet.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if they are more than [`MAX_PACKET`]: split the file;
    /// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if a text has a NUL, or if there is a status without a test, or
    ///   a MIME type or an end without a file.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::subunit::{Packet, Status};
    ///
    /// let packet = Packet {
    ///     status: Some(Status::Exists),
    ///     is_runnable: true,
    ///     test_id: Some("foo"),
    ///     ..Packet::default()
    /// };
    /// assert_eq!(packet.encode()?, b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn encode(&self) -> Result<Vec<u8>> {
        if !makes_sense(self.flags()) {
            return Err(Fault::Senseless.into());
        }
        let body = self.body()?;
        // The length counts its own octets, of which there are at most three.
        let fixed = 1 + 2 + body.len() + CHECKSUM;
        let length = [fixed + 1, fixed + 2, fixed + 3]
            .into_iter()
            .enumerate()
            .find_map(|(more, length)| (length < 1 << (6 + 8 * more)).then_some(length))
            .ok_or(Fault::LongPacket)?;
        let mut bytes = Vec::with_capacity(length);
        bytes.push(SIGNATURE);
        bytes.extend(self.flags().to_be_bytes());
        push_number(&mut bytes, length)?;
        bytes.extend(body);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        Ok(bytes)
    }

    fn flags(&self) -> u16 {
        let bits = [
            (self.test_id.is_some(), flag::TEST_ID),
            (self.route.is_some(), flag::ROUTE),
            (self.timestamp.is_some(), flag::TIMESTAMP),
            (self.is_runnable, flag::RUNNABLE),
            (!self.tags.is_empty(), flag::TAGS),
            (self.file.is_some(), flag::FILE),
            (self.mime_type.is_some(), flag::MIME_TYPE),
            (self.is_eof, flag::EOF),
        ];
        let set = bits.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit);
        let status = self.status.map_or(0, |status| status as u16 + 1);
        set.fold(flag::VERSION_2 | status, |flags, bit| flags | bit)
    }

    /// Returns what is between the length of the packet and its checksum.
    fn body(&self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        if let Some(time) = self.timestamp {
            body.extend(time.seconds.to_be_bytes());
            push_number(&mut body, time.nanoseconds as usize)?;
        }
        if let Some(test_id) = self.test_id {
            push_text(&mut body, test_id)?;
        }
        if !self.tags.is_empty() {
            push_number(&mut body, self.tags.len())?;
            self.tags.iter().try_for_each(|tag| push_text(&mut body, tag))?;
        }
        if let Some(mime_type) = self.mime_type {
            push_text(&mut body, mime_type)?;
        }
        if let Some(file) = self.file {
            push_text(&mut body, file.name)?;
            push_number(&mut body, file.content.len())?;
            body.extend(file.content);
        }
        if let Some(route) = self.route {
            push_text(&mut body, route)?;
        }
        Ok(body)
    }
}

/// Reads a field if the flags say that it is there. Returns `None` if it is there but cannot be read.
fn optional<T>(is_there: bool, read: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if is_there { read().map(Some) } else { Some(None) }
}

fn push_text(body: &mut Vec<u8>, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Fault::Nul(text.to_owned()).into());
    }
    push_number(body, text.len())?;
    body.extend(text.as_bytes());
    Ok(())
}

/// Adds a number in as few octets as possible. The two highest bits say how many follow the first.
fn push_number(body: &mut Vec<u8>, number: usize) -> Result<()> {
    let number = u32::try_from(number).map_err(|_| Fault::LongPacket)?;
    let [a, b, c, d] = number.to_be_bytes();
    match number {
        0..0x40 => body.push(d),
        0x40..0x4000 => body.extend([0x40 | c, d]),
        0x4000..0x40_0000 => body.extend([0x80 | b, c, d]),
        0x40_0000..0x4000_0000 => body.extend([0xc0 | a, b, c, d]),
        _ => return Err(Fault::LongPacket.into()),
    }
    Ok(())
}
