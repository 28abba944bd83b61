//! The checksum of any part of a buffer, without reading the part again.
//!
//! Any byte may look like the beginning of a packet, and the packets that it would begin may overlap. To read each of them for its
//! checksum could take the square of the time. CRC-32 is linear: the checksum of a part follows from those of what ends before it
//! and with it.

use crc32fast::Hasher;

/// The number of bytes between two places whose checksums are kept.
const STEP: usize = 1 << 10;

/// The checksums of what comes before each place of a buffer that is a multiple of [`STEP`].
#[derive(Debug)]
pub(super) struct Checksums(Vec<u32>);

impl Checksums {
    pub(super) fn new() -> Self {
        // Of nothing.
        Self(vec![0])
    }

    /// Returns the checksum of `buffer[start..end]`, or `None` if this is not a part of the buffer.
    pub(super) fn of(&mut self, buffer: &[u8], start: usize, end: usize) -> Option<u32> {
        let part = buffer.get(start..end)?;
        if part.len() <= STEP {
            return Some(crc32fast::hash(part));
        }
        self.extend(buffer, end)?;
        // The checksum of all before the part, moved to the end as if zeros followed.
        let mut moved = Hasher::new_with_initial(self.before(buffer, start)?);
        moved.combine(&Hasher::new_with_initial_len(0, part.len() as u64));
        Some(moved.finalize() ^ self.before(buffer, end)?)
    }

    /// Returns how many of the first `count` bytes of the buffer can be removed, and expects that they are.
    pub(super) fn forget(&mut self, count: usize) -> usize {
        let steps = count / STEP;
        if steps < self.0.len() {
            self.0.drain(..steps);
        } else {
            // Only differences matter, so the checksums may begin anywhere.
            self.0 = vec![0];
        }
        steps * STEP
    }

    /// Computes the checksums up to a place.
    fn extend(&mut self, buffer: &[u8], end: usize) -> Option<()> {
        for at in self.0.len()..=end / STEP {
            let mut hasher = Hasher::new_with_initial(*self.0.last()?);
            hasher.update(buffer.get((at - 1) * STEP..at * STEP)?);
            self.0.push(hasher.finalize());
        }
        Some(())
    }

    fn before(&self, buffer: &[u8], place: usize) -> Option<u32> {
        let mut hasher = Hasher::new_with_initial(*self.0.get(place / STEP)?);
        hasher.update(buffer.get(place / STEP * STEP..place)?);
        Some(hasher.finalize())
    }
}
