//! The bytes of a file in an archive, and how they are packed.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};

use super::error::ContainerError;
use super::meter::Meter;
use super::shared_bytes::SharedBytes;
use super::zstd::ZstdReader;

/// One way in which bytes are packed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layer {
    Deflate,
    Gzip,
    Zstd,
    /// Not packed. The size and the checksum are known.
    Checked {
        size: u64,
        crc: u32,
        /// Whether no other layer counts the bytes.
        is_alone: bool,
    },
}

impl Layer {
    /// Returns a reader of what is in this layer.
    pub(super) fn unpack<'r, R: Read + 'r>(
        self,
        reader: R,
        meter: &Arc<Meter>,
    ) -> Box<dyn Read + 'r> {
        match self {
            Self::Deflate => Box::new(meter.count(DeflateDecoder::new(BufReader::new(reader)))),
            Self::Gzip => Box::new(meter.count(MultiGzDecoder::new(BufReader::new(reader)))),
            Self::Zstd => Box::new(meter.count(ZstdReader::new(BufReader::new(reader)))),
            Self::Checked { size, crc, is_alone } => {
                let checked = Checked { reader, left: size, sum: Crc::new(), crc };
                match is_alone {
                    // Entries can be of the same bytes, so a small archive can have any number of large files.
                    true => Box::new(meter.count(checked)),
                    false => Box::new(checked),
                }
            }
        }
    }
}

/// A file in an archive. It can be read more than once, and by any thread.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    bytes: SharedBytes,
    /// The outermost layer is the first.
    layers: Vec<Layer>,
    meter: Arc<Meter>,
}

impl Packed {
    pub(super) fn new(bytes: SharedBytes, layers: Vec<Layer>, meter: &Arc<Meter>) -> Self {
        Self { bytes, layers, meter: Arc::clone(meter) }
    }

    /// Returns what is in one more layer.
    pub(super) fn inside(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Returns the bytes, if they are not packed.
    pub(super) fn plain(&self) -> Option<&SharedBytes> {
        self.layers.is_empty().then_some(&self.bytes)
    }

    pub(super) fn reader(&self) -> Box<dyn Read> {
        let packed: Box<dyn Read> = Box::new(self.bytes.clone());
        self.layers.iter().fold(packed, |reader, layer| layer.unpack(reader, &self.meter))
    }
}

/// A reader that checks the size and the checksum once all is read.
struct Checked<R> {
    reader: R,
    left: u64,
    sum: Crc,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let is_end = read == 0 && !buffer.is_empty();
        self.sum.update(buffer.get(..read).unwrap_or_default());
        match self.left.checked_sub(read as u64) {
            Some(left) if !is_end || left == 0 && self.sum.sum() == self.crc => self.left = left,
            _ => return Err(ContainerError::Checksum.into()),
        }
        Ok(read)
    }
}
