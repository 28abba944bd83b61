//! Whether bytes can be the beginning of a packet.

use super::fields::octets;
use super::packet::{CHECKSUM, SIGNATURE, flag, makes_sense};

/// How many tags are read at most to judge a packet.
const MOST_TAGS: usize = 16;

/// What bytes that begin with a signature may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Not a packet.
    False,
    /// A packet of this length, if the checksum is right. All its bytes are there.
    Whole(usize),
    /// A packet that is not there yet.
    Part,
}

impl Claim {
    /// Judges what bytes begin with. Only a few lengths are read, however long the packet is.
    ///
    /// The signature is also a part of characters in UTF-8, such as `³` and `ó`. To wait for the end of a packet that was never one
    /// would keep back text. So whatever of the packet is there must fit the length that it claims.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut lengths = Lengths { bytes, at: 0, end: usize::MAX };
        match lengths.read() {
            Err(Stop::Misfit) => Self::False,
            Err(Stop::NotThere) => Self::Part,
            Ok(length) if length <= bytes.len() => Self::Whole(length),
            Ok(_) => Self::Part,
        }
    }
}

/// Why the lengths cannot be read further.
enum Stop {
    /// They contradict each other.
    Misfit,
    /// The bytes are not there yet.
    NotThere,
}

/// The lengths of a packet, read from one to the next. What they are the lengths of need not be there.
struct Lengths<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the fields of the packet end.
    end: usize,
}

impl Lengths<'_> {
    /// Returns the length of the packet.
    fn read(&mut self) -> Result<usize, Stop> {
        self.expect(|octet| octet == SIGNATURE)?;
        let high = self.expect(|octet| u16::from(octet) << 8 & flag::VERSION == flag::VERSION_2)?;
        let low = self.expect(|octet| makes_sense(u16::from_be_bytes([high, octet])))?;
        let flags = u16::from_be_bytes([high, low]);
        let has = |bit| flags & bit != 0;
        if self.bytes.get(self.at).is_some_and(|&first| octets(first) > 3) {
            return Err(Stop::Misfit);
        }
        let length = self.number()?;
        self.end = length.checked_sub(CHECKSUM).ok_or(Stop::Misfit)?;
        self.skip(0)?;
        if has(flag::TIMESTAMP) {
            self.skip(4)?;
            self.number()?;
        }
        if has(flag::TEST_ID) {
            self.skip_content()?;
        }
        if has(flag::TAGS) {
            let count = self.number()?;
            for _ in 0..count.min(MOST_TAGS) {
                self.skip_content()?;
            }
            if count > MOST_TAGS {
                // The rest is read if the checksum is right.
                return Ok(length);
            }
        }
        if has(flag::MIME_TYPE) {
            self.skip_content()?;
        }
        if has(flag::FILE) {
            self.skip_content()?;
            self.skip_content()?;
        }
        if has(flag::ROUTE) {
            self.skip_content()?;
        }
        if self.at == self.end { Ok(length) } else { Err(Stop::Misfit) }
    }

    fn expect(&mut self, is_right: impl FnOnce(u8) -> bool) -> Result<u8, Stop> {
        let octet = self.bytes.get(self.at).copied().ok_or(Stop::NotThere)?;
        self.skip(1)?;
        if is_right(octet) { Ok(octet) } else { Err(Stop::Misfit) }
    }

    fn skip(&mut self, count: usize) -> Result<(), Stop> {
        self.at += count;
        if self.at <= self.end { Ok(()) } else { Err(Stop::Misfit) }
    }

    fn skip_content(&mut self) -> Result<(), Stop> {
        let length = self.number()?;
        self.skip(length)
    }

    fn number(&mut self) -> Result<usize, Stop> {
        let first = self.expect(|_| true)?;
        let mut number = usize::from(first & 0x3f);
        for _ in 1..octets(first) {
            number = number << 8 | usize::from(self.expect(|_| true)?);
        }
        Ok(number)
    }
}
