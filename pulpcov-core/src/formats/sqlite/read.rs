//! From the tables of a data file to [`CoverageData`].

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};

use super::pages::{self, PageFile, Store, Unusual};
use super::rows::{ByFile, Contexts, Ids, Rows};
use super::snapshot::{InPlace, Snapshot};
use super::{SCHEMA_VERSION, sql};
use crate::data::by_context::ByContext;
use crate::data::contexts::ContextId;
use crate::data::coverage_data::FileRecord;
use crate::data::{ArcSet, CoverageData, FilePath, LineArc, Measurement, Numbits};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::data_file::Decoded;
use crate::formats::data_file::identity::FileIdentity;
use crate::formats::data_file::input::Input;

/// An open database that is a data file.
pub(crate) struct Reader {
    database: Database,
    /// In the order of the table `file`.
    paths: Vec<FilePath>,
    /// From SQLite's id to the index in `paths`.
    file_index: Ids<usize>,
}

enum Database {
    /// As coverage.py makes them; we read it.
    Plain(pages::Database),
    /// Any other; SQLite reads it.
    Any(sql::Database),
}

impl Reader {
    /// Take a snapshot of the database, and read which files it measured.
    pub(crate) fn open(input: &mut Input) -> Result<(Self, Option<[u8; 32]>)> {
        let snapshot = Snapshot::take(input)?;
        let digest =
            snapshot.companion.is_none().then(|| *blake3::hash(&snapshot.bytes).as_bytes());
        Ok((Self::new(snapshot)?, digest))
    }

    /// Open a database that is in memory already.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::new(Snapshot { bytes, companion: None })
    }

    /// Open a database, and read it where it is if that is possible.
    pub(crate) fn in_place(input: Input) -> Result<(Self, FileIdentity)> {
        match InPlace::lock(input)? {
            Ok(file) => {
                let identity = file.identity().clone();
                Ok((Self::of_store(Store::File(Box::new(file)))?, identity))
            }
            Err(mut input) => {
                let snapshot = Snapshot::take(&mut input)?;
                Ok((Self::new(snapshot)?, input.identity().clone()))
            }
        }
    }

    fn new(snapshot: Snapshot) -> Result<Self> {
        match snapshot.companion {
            None => Self::of_store(Store::Memory(snapshot.bytes)),
            Some(_) => Self::through_sql(snapshot),
        }
    }

    fn of_store(store: Store) -> Result<Self> {
        Self::of_pages(store).or_else(|store| Self::through_sql(store.into_snapshot()?))
    }

    /// Open a plain database, or give it back.
    fn of_pages(store: Store) -> std::result::Result<Self, Store> {
        let database = pages::Database::new(PageFile::new(store)?).map_err(PageFile::into_store)?;
        match database.files() {
            Ok((paths, file_index)) => {
                Ok(Self { database: Database::Plain(database), paths, file_index })
            }
            Err(Unusual) => Err(database.into_store()),
        }
    }

    /// Open any database.
    pub(super) fn through_sql(snapshot: Snapshot) -> Result<Self> {
        let database = sql::Database::open(snapshot)?;
        let (paths, file_index) = database.files()?;
        Ok(Self { database: Database::Any(database), paths, file_index })
    }

    pub(crate) fn schema_version(&self) -> i64 {
        match &self.database {
            Database::Plain(_) => SCHEMA_VERSION,
            Database::Any(database) => database.schema_version(),
        }
    }

    /// Is the database so plain that all of it is read here? Files have been, rows are not yet.
    #[cfg(test)]
    pub(super) fn needs_no_sql(self) -> bool {
        let count = self.paths.len();
        matches!(self.database, Database::Plain(database) if database.rows(&self.file_index, count, Contexts::Kept).is_ok())
    }

    pub(crate) fn paths(&self) -> &[FilePath] {
        &self.paths
    }

    /// Give the files new paths; those that get the same one become one.
    pub(crate) fn rename(&mut self, mut new_path: impl FnMut(&FilePath) -> FilePath) {
        self.paths.iter_mut().for_each(|path| *path = new_path(path));
    }

    /// Read all rows.
    pub(crate) fn read(self, contexts: Contexts) -> Result<Decoded> {
        let Self { database, paths, file_index } = self;
        let rows = rows(database, &file_index, paths.len(), contexts)?;
        let measurement =
            measurement(&rows.lines, &rows.arcs, rows.meta.get("has_arcs").map(String::as_str))?;
        let files = records(paths, rows.tracers, rows.lines, rows.arcs, rows.contexts.len())?;
        let mut data = CoverageData::from_records(measurement, rows.contexts, files);
        rows.meta
            .into_iter()
            .filter(|(key, _)| key != "has_arcs")
            .for_each(|(key, value)| data.set_meta(key, value));
        if contexts == Contexts::Merged {
            data.drop_contexts();
        }
        Ok(Decoded { data, orphan_rows: rows.orphans })
    }
}

/// The rows of `count` files. SQL is no faster if contexts are merged, and keeps them.
fn rows(database: Database, files: &Ids<usize>, count: usize, contexts: Contexts) -> Result<Rows> {
    let database = match database {
        Database::Plain(plain) => match plain.rows(files, count, contexts) {
            Ok(rows) if plain.store().is_unchanged()? => return Ok(rows),
            Ok(_) => {
                return Err(Error::new(ErrorKind::Busy, "the file changed while it was read"));
            }
            Err(Unusual) => sql::Database::open(plain.into_store().into_snapshot()?)?,
        },
        Database::Any(database) => database,
    };
    database.rows(files, count)
}

/// What was measured: the rows say it, and `meta` where there are none.
fn measurement(
    lines: &ByFile<Numbits>,
    arcs: &ByFile<Vec<LineArc>>,
    has_arcs: Option<&str>,
) -> Result<Option<Measurement>> {
    let any_lines = lines.iter().any(|file| !file.is_empty());
    let any_arcs = arcs.iter().any(|file| !file.is_empty());
    match (any_lines, any_arcs) {
        (true, true) => Err(Error::new(ErrorKind::Corrupt, "it holds both lines and arcs")),
        (true, false) => Ok(Some(Measurement::Lines)),
        (false, true) => Ok(Some(Measurement::Arcs)),
        (false, false) => {
            Ok(has_arcs
                .map(|flag| if flag == "0" { Measurement::Lines } else { Measurement::Arcs }))
        }
    }
}

/// The files by path. Where renaming made one of several, they are merged in order.
fn records(
    paths: Vec<FilePath>,
    mut tracers: HashMap<usize, Box<str>>,
    lines: ByFile<Numbits>,
    arcs: ByFile<Vec<LineArc>>,
    contexts: usize,
) -> Result<BTreeMap<FilePath, FileRecord>> {
    let same_ids = ContextId::first(contexts);
    let mut files = BTreeMap::<FilePath, FileRecord>::new();
    for (index, (path, (lines, arcs))) in
        paths.into_iter().zip(lines.into_iter().zip(arcs)).enumerate()
    {
        let tracer = tracers.remove(&index).unwrap_or_default();
        let arcs = arcs.into_iter().map(|(context, arcs)| (context, ArcSet::from(arcs))).collect();
        let (lines, arcs) = (ByContext::from_unsorted(lines), ByContext::from_unsorted(arcs));
        let record = FileRecord { tracer, lines, arcs };
        match files.entry(path) {
            Entry::Vacant(entry) => drop(entry.insert(record)),
            Entry::Occupied(mut entry) => {
                let path = entry.key().clone();
                entry.get_mut().become_one_with(record, &path, &same_ids)?;
            }
        }
    }
    Ok(files)
}
