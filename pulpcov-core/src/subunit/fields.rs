//! The fields of a packet, read one after another.

use super::packet::{FilePart, Timestamp};

/// The fields that are not read yet. Each method returns `None` if there is no such field.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Reads a number of one to four octets, as many as [`octets`] says.
    pub(super) fn number(&mut self) -> Option<usize> {
        let [first] = self.array()?;
        let rest = self.bytes(octets(first) - 1)?;
        Some(
            rest.iter()
                .fold(usize::from(first & 0x3f), |number, &octet| number << 8 | usize::from(octet)),
        )
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let text = self.content()?;
        str::from_utf8(text).ok().filter(|text| !text.contains('\0'))
    }

    pub(super) fn texts(&mut self) -> Option<Vec<&'a str>> {
        let count = self.number()?;
        (0..count).map(|_| self.text()).collect()
    }

    pub(super) fn timestamp(&mut self) -> Option<Timestamp> {
        let seconds = u32::from_be_bytes(self.array()?);
        let nanoseconds = u32::try_from(self.number()?).ok()?;
        Some(Timestamp { seconds, nanoseconds })
    }

    pub(super) fn file(&mut self) -> Option<FilePart<'a>> {
        Some(FilePart { name: self.text()?, content: self.content()? })
    }

    /// Reads bytes with their number before them.
    fn content(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(length)
    }
}

/// Returns the number of octets of a number, which the two highest bits of the first tell.
pub(super) fn octets(first: u8) -> usize {
    usize::from(first >> 6) + 1
}
