//! Bounds on what a data file may make us hold.

use std::fs::File;
use std::io::Read;

use crate::data::MAX_LINE;
use crate::error::{Error, ErrorKind, Result};

/// The longest numbits blob: the bitmap of [`MAX_LINE`].
#[cfg(feature = "sqlite")]
pub(crate) const MAX_NUMBITS: usize = (MAX_LINE / 8 + 1) as usize;

/// The largest data file that is read: it has to fit in memory.
pub(crate) const MAX_FILE: u64 = 4 << 30;

/// All of a file of `size` bytes, less if it has become shorter, in place of what is in `buffer`.
///
/// A file may claim any size without having it (sparse files), so memory is asked for politely.
pub(crate) fn read_file(file: &File, size: u64, buffer: Vec<u8>) -> Result<Vec<u8>> {
    let too_large =
        || Error::new(ErrorKind::TooLarge, format!("{size} bytes are too large to read"));
    let mut bytes = buffer;
    bytes.clear();
    let capacity = usize::try_from(size).ok().filter(|_| size <= MAX_FILE).ok_or_else(too_large)?;
    bytes.try_reserve_exact(capacity).map_err(|_| too_large())?;
    file.take(size).read_to_end(&mut bytes).map_err(|err| Error::new(ErrorKind::Io, err))?;
    Ok(bytes)
}

/// A line number out of a data file.
pub(crate) fn line(number: i64) -> Result<u32> {
    u32::try_from(number).ok().filter(|&line| line <= MAX_LINE).ok_or_else(|| too_large(number))
}

/// One end of an arc out of a data file.
pub(crate) fn arc_end(number: i64) -> Result<i32> {
    let bounds = -i64::from(MAX_LINE)..=i64::from(MAX_LINE);
    i32::try_from(number).ok().filter(|_| bounds.contains(&number)).ok_or_else(|| too_large(number))
}

fn too_large(number: i64) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("line number {number} is out of bounds: at most {MAX_LINE}"),
    )
}

/// How many bytes of bitmaps a data file may unfold to.
///
/// A few bytes that name one huge line cost a bitmap of that line's size. Files that are
/// meant to exhaust memory are refused, while real ones stay far below: their lines are dense.
pub(crate) struct BitmapBudget(usize);

impl BitmapBudget {
    /// The budget of a file of `size` bytes.
    pub(crate) fn for_size(size: u64) -> Self {
        Self(
            usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(64).saturating_add(64 << 20),
        )
    }

    /// Take the bitmap that holds `max_line`.
    pub(crate) fn take(&mut self, max_line: u32) -> Result<()> {
        let bytes = (max_line / 8 + 1) as usize;
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            Error::new(
                ErrorKind::TooLarge,
                "its line numbers are so sparse that they would not fit in memory",
            )
        })?;
        Ok(())
    }
}
