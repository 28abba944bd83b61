//! Limits on the memory that a data file can make the reader use.

use std::fs::File;
use std::io::Read;

use crate::data::MAX_LINE;
use crate::error::{Error, ErrorKind, Result};

/// The maximum length of a numbits blob in bytes: the bitmap of [`MAX_LINE`].
pub(crate) const MAX_NUMBITS: usize = (MAX_LINE / 8 + 1) as usize;

/// The maximum size of a data file in bytes. A data file has to fit in memory.
pub(crate) const MAX_FILE: u64 = 4 << 30;

/// Reads `size` bytes of a file, or fewer if the file has become shorter. Replaces the content of `buffer`.
///
/// A sparse file can claim any size, so a failed allocation is an error here and does not abort the process.
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

/// Checks a line number from a data file.
pub(crate) fn line(number: i64) -> Result<i32> {
    i32::try_from(number)
        .ok()
        .filter(|line| (0..=MAX_LINE).contains(line))
        .ok_or_else(|| too_large(number))
}

/// Checks one end of an arc from a data file.
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

/// The number of bytes that the bitmaps of a data file may take in memory.
///
/// A few bytes that name one huge line cost a bitmap as long as that line number. The budget refuses files
/// that are made to exhaust memory. Real data files stay far below it, because their lines are dense.
pub(crate) struct BitmapBudget(usize);

impl BitmapBudget {
    /// Returns the budget of a file of `size` bytes.
    pub(crate) fn for_size(size: u64) -> Self {
        Self(
            usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(64).saturating_add(64 << 20),
        )
    }

    /// Takes the bitmap that holds `max_line` out of the budget.
    pub(crate) fn take(&mut self, max_line: i32) -> Result<()> {
        let bytes = usize::try_from(max_line).unwrap_or_default() / 8 + 1;
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            Error::new(
                ErrorKind::TooLarge,
                "its line numbers are so sparse that they would not fit in memory",
            )
        })?;
        Ok(())
    }
}
