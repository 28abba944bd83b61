//! Rows on disk while a combine is under way, for a result that is larger than the memory it may take.
//!
//! What a worker has merged goes into a [`Run`] when it takes too much memory: a temporary file without a
//! name, beside the result, which is gone when the process is, however that ends. Names and plugins of files stay in memory, and names of contexts. The result
//! is then written from all runs and what is in memory, one source file at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::unfinished::{PREFIX, TEMPORARY};
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::coverage_data::FileRecord;
use crate::data::{ArcSet, CoverageData, FilePath, LineArc, Measurement, Numbits};
use crate::formats::sqlite::RowSource;

/// How much is written at a time.
const BUFFER: usize = 1 << 20;

/// The rows that a data set had at some time.
pub(super) struct Run {
    file: Mutex<File>,
    places: BTreeMap<FilePath, Place>,
    /// At the index of a context's id is its name.
    contexts: Vec<Arc<str>>,
    /// At the index of a context's id is its id in the result.
    ids: Vec<ContextId>,
    rows: u64,
}

struct Place {
    at: u64,
    len: usize,
}

impl Run {
    /// Write the rows of `data` to a temporary file in `folder`.
    pub(super) fn write(data: &CoverageData, folder: &Path) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, nameless_file(folder)?);
        let mut places = BTreeMap::new();
        let mut bytes = Vec::new();
        let mut at = 0;
        for (path, record) in data.records() {
            bytes.clear();
            encode(record, &mut bytes);
            out.write_all(&bytes)?;
            places.insert(path.clone(), Place { at, len: bytes.len() });
            at += bytes.len() as u64;
        }
        let file = Mutex::new(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        let contexts = data.context_table().shared_names();
        Ok(Self { file, places, contexts, ids: Vec::new(), rows: data.row_count() })
    }

    /// Find the contexts in the result.
    pub(super) fn find_contexts(&mut self, result: &mut CoverageData) {
        self.ids = self.contexts.iter().map(|name| result.context_id(name)).collect();
    }

    fn read(&self, path: &FilePath) -> io::Result<Option<FileRecord>> {
        let Some(place) = self.places.get(path) else { return Ok(None) };
        let mut bytes = vec![0; place.len];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(place.at))?;
            io::Read::read_exact(&mut *file, &mut bytes)?;
        }
        decode(&mut bytes.as_slice()).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// A file in `folder` that is gone once it is closed.
///
/// It has a name for a moment, because not every file system makes files without one. The next combine
/// removes what is so named, should this one be killed at that moment.
fn nameless_file(folder: &Path) -> io::Result<File> {
    let named = tempfile::Builder::new().prefix(PREFIX).suffix(TEMPORARY).tempfile_in(folder)?;
    let (file, name) = named.into_parts();
    name.close()?;
    Ok(file)
}

/// All rows of a combine: those in memory, and those of the runs.
pub(super) struct Spilled<'a> {
    /// All files and contexts are here.
    pub(super) data: &'a CoverageData,
    /// Their contexts have been [found](Run::find_contexts).
    pub(super) runs: &'a [Run],
}

impl RowSource for Spilled<'_> {
    fn measurement(&self) -> Option<Measurement> {
        self.data.measurement()
    }

    fn meta(&self) -> &BTreeMap<String, String> {
        self.data.meta()
    }

    fn contexts(&self) -> &ContextTable {
        self.data.context_table()
    }

    fn count(&self) -> u64 {
        self.data.row_count() + self.runs.iter().map(|run| run.rows).sum::<u64>()
    }

    fn files(&self) -> Vec<(&FilePath, &str)> {
        RowSource::files(self.data)
    }

    fn record(&self, path: &FilePath) -> io::Result<Cow<'_, FileRecord>> {
        let mut all = RowSource::record(self.data, path)?.into_owned();
        for run in self.runs {
            if let Some(mut record) = run.read(path)? {
                if self.measurement() == Some(Measurement::Lines) {
                    record.arcs_to_lines();
                }
                all.absorb(record, &run.ids);
            }
        }
        Ok(Cow::Owned(all))
    }
}

// A record: how many contexts have lines, and for each its id, the length of its numbits and these; then
// how many have arcs, and for each its id, how many there are, and for each arc two differences.

fn encode(record: &FileRecord, to: &mut Vec<u8>) {
    put(to, record.lines.iter().count() as u64);
    for (context, lines) in record.lines.iter() {
        put(to, context.index() as u64);
        put(to, lines.as_bytes().len() as u64);
        to.extend_from_slice(lines.as_bytes());
    }
    put(to, record.arcs.iter().count() as u64);
    for (context, arcs) in record.arcs.iter() {
        put(to, context.index() as u64);
        put(to, arcs.len() as u64);
        let mut last = 0;
        for (start, end) in arcs.iter() {
            put_signed(to, i64::from(start) - last);
            put_signed(to, i64::from(end) - i64::from(start));
            last = start.into();
        }
    }
}

fn decode(bytes: &mut &[u8]) -> Option<FileRecord> {
    let mut record = FileRecord::default();
    for _ in 0..take(bytes)? {
        let context = ContextId::at(take(bytes)?)?;
        let len = take_len(bytes)?;
        let (lines, rest) = bytes.split_at_checked(len)?;
        record.lines.add(context, Numbits::from_bytes(lines));
        *bytes = rest;
    }
    for _ in 0..take(bytes)? {
        let context = ContextId::at(take(bytes)?)?;
        let count = take_len(bytes)?;
        let mut last = 0;
        let mut arc = || -> Option<LineArc> {
            last += take_signed(bytes)?;
            Some((last.try_into().ok()?, (last + take_signed(bytes)?).try_into().ok()?))
        };
        let arcs: Vec<LineArc> = (0..count).map(|_| arc()).collect::<Option<_>>()?;
        record.arcs.add(context, ArcSet::from(arcs));
    }
    Some(record)
}

/// Seven bits a byte, the lowest first; the last byte has its highest bit clear.
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

/// The sign goes into the lowest bit, so that small numbers of either sign take one byte.
fn put_signed(to: &mut Vec<u8>, number: i64) {
    put(to, (number << 1 ^ number >> 63).cast_unsigned());
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes)?;
    Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = i32> {
        prop_oneof![4 => -9i32..400, 1 => any::<i32>()]
    }

    proptest! {
        #[test]
        fn what_is_put_on_disk_comes_back(
            lines in prop::collection::vec((0u32..5, prop::collection::vec(0u32..3000, 0..20)), 0..6),
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
            encode(&record, &mut bytes);
            let mut rest = bytes.as_slice();
            let again = decode(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            prop_assert!(again.lines.iter().eq(record.lines.iter()));
            prop_assert!(again.arcs.iter().eq(record.arcs.iter()));
            prop_assert!((0..bytes.len()).all(|len| decode(&mut bytes.get(..len).unwrap()).is_none()));
        }
    }

    /// The same bytes, however little memory there is.
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
            crate::combine::store(&data, inputs.join(name), Default::default()).unwrap();
        }
        let combine = |name: &str, memory: Option<usize>| {
            let target = folder.path().join("not yet there").join(name);
            let combiner =
                crate::combine::Combiner::new(target.clone()).places([&inputs]).keep(true);
            let combiner = match memory {
                Some(bytes) => combiner.memory(bytes),
                None => combiner,
            };
            // The base name is another one, so the inputs are named.
            let names = std::fs::read_dir(&inputs).unwrap().map(|entry| entry.unwrap().path());
            let combined = combiner.places(names).run().unwrap();
            assert_eq!(combined.read, 40);
            (std::fs::read(target).unwrap(), combined.data.has_rows())
        };
        let (all, in_memory) = combine("all", None);
        assert!(in_memory && combine("enough", Some(100 << 20)) == (all.clone(), true));
        for memory in [0, 100_000, 400_000] {
            assert!(combine("few", Some(memory)).0 == all, "{memory} bytes of memory");
        }
        assert!(!combine("none", Some(0)).1);
    }
}
