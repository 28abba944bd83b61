//! Rows on disk during a combine, for a result that exceeds the memory limit.
//!
//! When a worker's merged rows take too much memory, they go into a [`SpillFile`]: a temporary file without a
//! name, beside the result. The file disappears when the process ends, however it ends. The names and plugins
//! of files stay in memory, and so do the names of contexts. The result is then written from all spill files
//! and from memory, one source file at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::unfinished::{PREFIX, TEMPORARY};
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::file_record::FileRecord;
use crate::data::merging::Merging;
use crate::data::{ArcSet, Authors, CoverageData, FilePath, LineArc, Measurement, Numbits};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::sqlite::RowSource;
use crate::links::folder_of;
use crate::output::{forbids_replacing, without_path};

/// The size of a read or a write, in bytes.
const BUFFER: usize = 1 << 20;

/// The rows that a data set held when they were moved to disk.
pub(super) struct SpillFile {
    file: Mutex<File>,
    extents: BTreeMap<FilePath, Extent>,
    /// The name of each context, by the context's id in the spill file.
    contexts: Vec<Arc<str>>,
    /// The context's id in the result, by its id in the spill file.
    ids: Vec<ContextId>,
    rows: u64,
}

struct Extent {
    at: u64,
    len: u64,
}

impl SpillFile {
    /// Moves the rows of `merging` from memory to a temporary file beside `data_file`. Returns `None` if
    /// there are no rows. The file numbers of `merging` are indices of `paths`.
    pub(super) fn take(
        merging: &mut Merging,
        paths: &[FilePath],
        data_file: &Path,
    ) -> Result<Option<Self>> {
        let rows = merging.take_rows(paths);
        if !rows.has_rows() {
            return Ok(None);
        }
        let folder = folder_of(data_file);
        // The result needs the folder too.
        let _ = std::fs::create_dir_all(&folder);
        let file = Self::write(&rows, &folder).map_err(|err| {
            let reason = without_path(err);
            let message = format!("rows that do not fit in memory cannot be written: {reason}");
            Error::new(ErrorKind::Io, message).with_path(data_file)
        })?;
        Ok(Some(file))
    }

    fn write(data: &CoverageData, folder: &Path) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, nameless_file(folder)?);
        let mut extents = BTreeMap::new();
        let mut at = 0;
        for (path, record) in data.records() {
            let len = encode(record, &mut out)?;
            extents.insert(path.clone(), Extent { at, len });
            at += len;
        }
        let file = Mutex::new(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        let contexts = data.context_table().shared_names();
        Ok(Self { file, extents, contexts, ids: Vec::new(), rows: data.row_count() })
    }

    /// Maps the contexts of the spill file to their ids in the result.
    pub(super) fn find_contexts(&mut self, result: &mut CoverageData) {
        self.ids = self.contexts.iter().map(|name| result.context_id(name)).collect();
    }

    fn read(&self, path: &FilePath) -> io::Result<Option<FileRecord>> {
        let Some(&Extent { mut at, len }) = self.extents.get(path) else { return Ok(None) };
        let end = at + len;
        let mut record = FileRecord::default();
        let mut bytes = Vec::new();
        while at < end {
            at += self.read_on(at, end, &mut bytes)?;
            let rest = decode(&bytes, &mut record).len();
            bytes.drain(..bytes.len() - rest);
        }
        if bytes.is_empty() { Ok(Some(record)) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Appends the next bytes before `end` to `bytes`, and returns their number.
    fn read_on(&self, at: u64, end: u64, bytes: &mut Vec<u8>) -> io::Result<u64> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        // At least as many bytes as there are already: decoding a large context starts over after each read,
        // and doubling keeps these restarts few.
        let more = (end - at).min(BUFFER.max(bytes.len()) as u64);
        let count = (&mut *file).take(more).read_to_end(bytes)?;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count as u64) }
    }
}

/// Creates a file in `folder` that disappears once it is closed.
///
/// The file has a name for a moment, because some file systems cannot create files without one. If this
/// combine is killed at that moment, the next one removes the file.
fn nameless_file(folder: &Path) -> io::Result<File> {
    let named = tempfile::Builder::new().prefix(PREFIX).suffix(TEMPORARY).tempfile_in(folder);
    let named = match named {
        // The folder accepts no new files, so the result will be written in place. Use the system's folder
        // for temporary files.
        Err(err) if forbids_replacing(err.kind()) => return tempfile::tempfile(),
        named => named?,
    };
    let (file, name) = named.into_parts();
    name.close()?;
    Ok(file)
}

/// All rows of a combine: those in memory and those in spill files.
pub(super) struct AllRows<'a> {
    /// The rows in memory, and all files and contexts.
    pub(super) data: &'a CoverageData,
    /// The spill files, after [`SpillFile::find_contexts`].
    pub(super) files: &'a [SpillFile],
}

impl RowSource for AllRows<'_> {
    fn measurement(&self) -> Option<Measurement> {
        self.data.measurement()
    }

    fn meta(&self) -> &BTreeMap<String, String> {
        self.data.meta()
    }

    fn authors(&self) -> Vec<(&FilePath, &Authors)> {
        RowSource::authors(self.data)
    }

    fn contexts(&self) -> &ContextTable {
        self.data.context_table()
    }

    fn count(&self) -> u64 {
        self.data.row_count() + self.files.iter().map(|file| file.rows).sum::<u64>()
    }

    fn files(&self) -> Vec<(&FilePath, &str)> {
        RowSource::files(self.data)
    }

    fn record(&self, path: &FilePath) -> io::Result<Cow<'_, FileRecord>> {
        let mut all = RowSource::record(self.data, path)?.into_owned();
        for file in self.files {
            if let Some(mut record) = file.read(path)? {
                if self.measurement() == Some(Measurement::Lines) {
                    record.arcs_to_lines();
                }
                all.absorb_rows(record, &file.ids);
            }
        }
        Ok(Cow::Owned(all))
    }
}

// The format of a record. First the lines: for each context that has any, twice the context's id, the length
// of the numbits, and the numbits. Then the arcs: for each context that has any, twice the context's id plus
// one, the number of arcs, and two differences for each arc: start minus the last start, and end minus start.

/// Writes a record, and returns its length in bytes.
fn encode(record: &FileRecord, out: &mut impl Write) -> io::Result<u64> {
    let mut len = 0;
    let mut bytes = Vec::new();
    let mut write = |bytes: &mut Vec<u8>| {
        len += bytes.len() as u64;
        out.write_all(bytes)?;
        bytes.clear();
        io::Result::Ok(())
    };
    for (context, lines) in record.lines.iter() {
        put(&mut bytes, 2 * context.index() as u64);
        put(&mut bytes, lines.as_bytes().len() as u64);
        bytes.extend_from_slice(lines.as_bytes());
        write(&mut bytes)?;
    }
    for (context, arcs) in record.arcs.iter() {
        put(&mut bytes, 2 * context.index() as u64 + 1);
        put(&mut bytes, arcs.len() as u64);
        let mut last = 0;
        for (start, end) in arcs.iter() {
            put_signed(&mut bytes, i64::from(start) - last);
            put_signed(&mut bytes, i64::from(end) - i64::from(start));
            last = start.into();
        }
        write(&mut bytes)?;
    }
    Ok(len)
}

/// Adds the complete contexts of `bytes` to a record. Returns the remaining bytes, which are the start of an
/// incomplete context.
fn decode<'a>(bytes: &'a [u8], record: &mut FileRecord) -> &'a [u8] {
    let mut rest = bytes;
    loop {
        let mut next = rest;
        match decode_context(&mut next, record) {
            Some(()) => rest = next,
            None => return rest,
        }
    }
}

fn decode_context(bytes: &mut &[u8], record: &mut FileRecord) -> Option<()> {
    let number = take(bytes)?;
    let context = ContextId::at(number / 2)?;
    let len = take_len(bytes)?;
    if number.is_multiple_of(2) {
        let (lines, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        record.lines.add(context, Numbits::from_bytes(lines));
        return Some(());
    }
    let mut last = 0;
    let mut arc = || -> Option<LineArc> {
        last += take_signed(bytes)?;
        Some((last.try_into().ok()?, (last + take_signed(bytes)?).try_into().ok()?))
    };
    let arcs: Vec<LineArc> = (0..len).map(|_| arc()).collect::<Option<_>>()?;
    record.arcs.add(context, ArcSet::from(arcs));
    Some(())
}

/// Appends a number as seven bits per byte, lowest bits first. The high bit is clear in the last byte only.
fn put(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_len(bytes: &mut &[u8]) -> Option<usize> {
    take(bytes)?.try_into().ok()
}

/// Appends a number with its sign in the lowest bit, so that small numbers of either sign take one byte.
fn put_signed(to: &mut Vec<u8>, number: i64) {
    put(to, (number << 1 ^ number >> 63).cast_unsigned());
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes)?;
    Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::combine::{Combiner, store};

    fn number() -> impl Strategy<Value = i32> {
        prop_oneof![4 => -9i32..400, 1 => any::<i32>()]
    }

    proptest! {
        #[test]
        fn what_is_put_on_disk_comes_back(
            lines in prop::collection::vec((0u32..5, prop::collection::vec(0i32..3000, 0..20)), 0..6),
            arcs in prop::collection::vec((0u32..5, prop::collection::vec((number(), number()), 1..30)), 0..6),
        ) {
            let mut record = FileRecord::default();
            for (context, lines) in lines {
                record.lines.add(ContextId::at(context.into()).unwrap(), lines.into_iter().collect());
            }
            for (context, arcs) in arcs {
                record.arcs.add(ContextId::at(context.into()).unwrap(), arcs.into());
            }
            let mut bytes = Vec::new();
            prop_assert_eq!(encode(&record, &mut bytes).unwrap(), bytes.len() as u64);
            // Decoding must not depend on where the bytes are split.
            for at in 0..=bytes.len() {
                let mut again = FileRecord::default();
                let rest = decode(&bytes[..at], &mut again).len();
                prop_assert!(decode(&bytes[at - rest..], &mut again).is_empty());
                prop_assert!(again.lines.iter().eq(record.lines.iter()));
                prop_assert!(again.arcs.iter().eq(record.arcs.iter()));
            }
        }
    }

    /// The result has the same bytes for every memory limit.
    #[test]
    fn runs_make_the_same_result() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = folder.path().join("in");
        std::fs::create_dir(&inputs).unwrap();
        for number in 0..40i32 {
            let mut data = CoverageData::new();
            for file in 0..20 {
                for context in [format!("test {}", number % 7), format!("own {}", 99 - number)] {
                    let arcs = (0..50).map(|n| (n * file % 31 - number, n));
                    data.add_arcs(format!("{}.py", (file * 3) % 20), &context, arcs).unwrap();
                }
            }
            data.set_file_tracer("3.py", "a.plugin").unwrap();
            let name = format!(".coverage.host.pid{number}.Xabcdefx");
            store(&data, inputs.join(name), Default::default()).unwrap();
        }
        let inputs: Vec<_> =
            std::fs::read_dir(&inputs).unwrap().map(|entry| entry.unwrap().path()).collect();
        let target = folder.path().join("not yet there").join("target");
        let combine = |inputs: &[PathBuf], append: bool, memory: Option<usize>| {
            let combiner = Combiner::new(&target).places(inputs).append(append).keep(true);
            let combiner = match memory {
                Some(bytes) => combiner.memory(bytes),
                None => combiner,
            };
            let combined = combiner.run().unwrap();
            assert_eq!(combined.read, inputs.len());
            (std::fs::read(&target).unwrap(), combined.data.is_some())
        };
        let (all, in_memory) = combine(&inputs, false, None);
        assert!(in_memory && combine(&inputs, false, Some(100 << 20)) == (all.clone(), true));
        for memory in [0, 100_000, 400_000] {
            assert!(combine(&inputs, false, Some(memory)).0 == all, "{memory} bytes of memory");
        }
        assert!(!combine(&inputs, false, Some(0)).1);

        // Rows of the data file that is appended to obey the limit too. With an unknown index, the file
        // cannot be read page by page.
        let (before, later) = inputs.split_at(25);
        let (old, _) = combine(before, false, None);
        for change in ["", "CREATE INDEX of_somebody ON arc (tono)"] {
            for memory in [None, Some(0), Some(100_000), Some(400_000), Some(100 << 20)] {
                std::fs::write(&target, &old).unwrap();
                let connection = rusqlite::Connection::open(&target).unwrap();
                connection.execute_batch(change).unwrap();
                connection.close().unwrap();
                let (result, in_memory) = combine(later, true, memory);
                assert!(result == all, "{memory:?} bytes of memory, {change}");
                assert_eq!(in_memory, memory.is_none_or(|bytes| bytes > 1 << 20), "{memory:?}");
            }
        }
    }
}
