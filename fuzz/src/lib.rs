//! Helpers of the fuzz targets: arbitrary data sets, and data sets that are written to a file and
//! read back.

use arbitrary::{Arbitrary, Result, Unstructured};
use pulpcov_core::formats::{json, read_bytes, sqlite};
use pulpcov_core::{CoverageData, LineArc, Measurement, Numbits};
use tempfile::TempDir;

/// Returns the bytes of SQLite data files from the test fixtures.
#[macro_export]
macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        [$(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/data/", $name, ".sqlite"
        ))),*]
    };
}

/// A data set, as a list of things to add to an empty data set.
#[derive(Debug, Clone, Arbitrary)]
pub struct DataSet {
    rows: Vec<Row>,
    touched_files: Vec<Path>,
    touched_contexts: Vec<Context>,
    tracers: Vec<(Path, Tracer)>,
    meta: Vec<(MetaKey, Text)>,
}

#[derive(Debug, Clone, Arbitrary)]
struct Row {
    path: Path,
    context: Context,
    ends: Vec<End>,
}

/// A path. Most paths are among a few fixed ones, so data sets have files in common.
#[derive(Debug, Clone)]
struct Path(String);

impl<'a> Arbitrary<'a> for Path {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let few = ["a.py", "src/b.py", "C:\\c.py", "größe.py", "\u{fffd}.py", ""];
        match u.int_in_range(0..=6usize)? {
            6 => String::arbitrary(u).map(Self),
            few_of => Ok(Self(few[few_of].to_owned())),
        }
    }
}

#[derive(Debug, Clone)]
struct Context(String);

impl<'a> Arbitrary<'a> for Context {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        match u.int_in_range(0..=4u8)? {
            0 | 1 => Ok(Self(String::new())),
            2 => Ok(Self("test_one".to_owned())),
            3 => Ok(Self("test_two|run".to_owned())),
            _ => String::arbitrary(u).map(Self),
        }
    }
}

#[derive(Debug, Clone, Arbitrary)]
enum Tracer {
    Django,
    Mako,
    Other(String),
}

#[derive(Debug, Clone, Arbitrary)]
enum MetaKey {
    Version,
    When,
    Other(String),
}

#[derive(Debug, Clone, Arbitrary)]
enum Text {
    Usual,
    Other(String),
}

/// A line number, usually a small one.
#[derive(Debug, Clone, Copy)]
struct End(i32);

impl<'a> Arbitrary<'a> for End {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let size = match u.int_in_range(0..=31u8)? {
            0 => i32::from(u16::arbitrary(u)?),
            _ => i32::from(u8::arbitrary(u)?) % 100,
        };
        Ok(Self(if bool::arbitrary(u)? { size } else { -size }))
    }
}

impl DataSet {
    /// Builds the data set with lines or arcs. Returns `None` if its tracers contradict each other,
    /// or if a name has a NUL.
    pub fn build(&self, measurement: Measurement) -> Option<CoverageData> {
        let mut data = CoverageData::new();
        for Row { path, context, ends } in &self.rows {
            match measurement {
                Measurement::Lines => {
                    data.add_lines(path.0.as_str(), &context.0, &lines(ends)).ok()?
                }
                Measurement::Arcs => data.add_arcs(path.0.as_str(), &context.0, arcs(ends)).ok()?,
            }
        }
        self.touched_files.iter().try_for_each(|path| data.touch_file(path.0.as_str())).ok()?;
        let contexts = self.touched_contexts.iter();
        contexts.map(|context| data.touch_context(&context.0)).collect::<Result<(), _>>().ok()?;
        for (path, tracer) in &self.tracers {
            let name = match tracer {
                Tracer::Django => "django_coverage_plugin.DjangoTemplatePlugin",
                Tracer::Mako => "mako",
                Tracer::Other(name) => name,
            };
            data.set_file_tracer(path.0.as_str(), name).ok()?;
        }
        for (key, text) in &self.meta {
            let key = match key {
                MetaKey::Version => "version",
                MetaKey::When => "when",
                MetaKey::Other(key) => key,
            };
            let text = match text {
                Text::Usual => pulpcov_core::REFERENCE_VERSION,
                Text::Other(text) => text,
            };
            // The data set itself writes some keys.
            let _ = data.set_meta(key, text);
        }
        Some(data)
    }
}

fn lines(ends: &[End]) -> Numbits {
    ends.iter().map(|end| end.0.saturating_abs()).collect()
}

fn arcs(ends: &[End]) -> Vec<LineArc> {
    ends.chunks_exact(2).map(|pair| (pair[0].0, pair[1].0)).collect()
}

/// Writes data sets to files and reads them back.
pub struct RoundTrip(TempDir);

/// Creates a folder for temporary files, in memory if the system has a place for that.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.expect("a folder for temporary files")
}

impl RoundTrip {
    /// Creates a round trip with a folder of its own.
    pub fn new() -> Self {
        Self(folder())
    }

    /// Returns the bytes of a SQLite data file with `data`.
    pub fn sqlite_bytes(&self, data: &CoverageData) -> Vec<u8> {
        let file = self.0.path().join("data");
        let _ = std::fs::remove_file(&file);
        sqlite::write(data, &file).expect("data in memory can be written");
        std::fs::read(&file).expect("what was written can be read")
    }

    /// Writes `data` to a SQLite file and reads it back.
    pub fn sqlite(&self, data: &CoverageData) -> CoverageData {
        let decoded = read_bytes(&self.sqlite_bytes(data)).expect("what we write, we read");
        assert_eq!(decoded.orphan_rows, 0);
        decoded.data
    }
}

impl Default for RoundTrip {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes `data` to a JSON file of coverage.py 4.x and reads it back.
pub fn json_round_trip(data: &CoverageData) -> CoverageData {
    let mut bytes = Vec::new();
    json::write(data, &mut bytes).expect("data without contexts can be written");
    read_bytes(&bytes).expect("what we write, we read").data
}

/// A change to the bytes of a SQLite file.
#[derive(Debug, Arbitrary)]
pub enum Change {
    /// Sets one byte anywhere.
    Byte(u16, u8),
    /// Sets one byte near the start of a page, where SQLite describes the page.
    PageHead { page: u8, at: u8, byte: u8 },
    /// Sets a two-byte number, such as the start of a cell.
    Number(u16, u16),
    /// Copies a page over another.
    Copy { from: u8, to: u8 },
    /// Removes the end of the file.
    Cut(u16),
    /// Adds bytes after the end of the file.
    Longer(u8),
}

impl Change {
    /// Applies the change.
    pub fn apply(&self, file: &mut Vec<u8>) {
        let page_size = usize::from(u16::from_be_bytes([
            file.get(16).copied().unwrap_or(4),
            file.get(17).copied().unwrap_or(0),
        ]))
        .max(512);
        let len = file.len().max(1);
        match *self {
            Self::Byte(at, byte) => set(file, usize::from(at) % len, byte),
            Self::PageHead { page, at, byte } => {
                let start = usize::from(page) * page_size % len;
                // The first page starts with the file header, so its page header is at offset 100.
                let start = if start == 0 && at % 2 == 0 { 100 } else { start };
                set(file, start + usize::from(at) % 64, byte);
            }
            Self::Number(at, number) => {
                let [high, low] = number.to_be_bytes();
                set(file, usize::from(at) % len, high);
                set(file, usize::from(at) % len + 1, low);
            }
            Self::Copy { from, to } => {
                let (from, to) = (usize::from(from) * page_size, usize::from(to) * page_size);
                if let Some(page) = file.get(from..from + page_size).map(<[u8]>::to_vec)
                    && let Some(place) = file.get_mut(to..to + page_size)
                {
                    place.copy_from_slice(&page);
                }
            }
            Self::Cut(at) => file.truncate(usize::from(at).max(20)),
            Self::Longer(by) => file.resize(file.len() + usize::from(by) * 16, by),
        }
    }
}

fn set(file: &mut [u8], at: usize, byte: u8) {
    if let Some(place) = file.get_mut(at) {
        *place = byte;
    }
}
