//! Reading the tables of a data file into [`CoverageData`](crate::CoverageData).

use super::pages::{self, ByteSource, NeedsSqlite, PageFile};
use super::rows::{Contexts, FileIds, Wanted};
use super::snapshot::{InPlace, Snapshot};
use super::{SCHEMA_VERSION, sql};
use crate::data::measurement::HAS_ARCS;
use crate::data::merging::{Merging, PathTable};
use crate::data::path::PathList;
use crate::data::rows::{Rows, has_rows};
use crate::data::{Authors, Measurement};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::data_file::Decoded;
use crate::formats::data_file::identity::FileIdentity;
use crate::formats::data_file::input::Input;

/// An open SQLite data file.
pub(crate) struct Reader {
    pub(super) database: Database,
    /// The source paths, in the order of the table `file`.
    pub(super) paths: PathList,
    /// A map from SQLite's file ids to indexes into `paths`.
    pub(super) file_index: FileIds,
    /// Who may have written the data file.
    pub(super) authors: Authors,
    /// Whether a journal or write-ahead log is part of the data.
    pub(super) recovered: bool,
}

pub(super) enum Database {
    /// A database that is as plain as coverage.py makes it. It is read without SQLite.
    Plain(pages::Database),
    /// Any other database. SQLite reads it.
    Any(sql::Database),
}

impl Reader {
    /// Takes a snapshot of the database and reads its source paths. Returns the hash of the bytes, too, if
    /// `input` is hashed and there is no companion.
    pub(crate) fn open(input: &mut Input) -> Result<(Self, Option<[u8; 32]>)> {
        let snapshot = Snapshot::take(input)?;
        let digest = match snapshot.companion {
            None => input.digest(&snapshot.bytes),
            Some(_) => None,
        };
        Ok((Self::new(snapshot)?.of_authors(input.authors()), digest))
    }

    /// Opens a database that is in memory.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::new(Snapshot { bytes, companion: None })
    }

    /// Opens a database. Reads it in place if that is possible.
    pub(crate) fn in_place(input: Input) -> Result<(Self, FileIdentity)> {
        let authors = input.authors();
        match InPlace::lock(input)? {
            Ok(file) => {
                let identity = file.identity().clone();
                let reader = Self::of_source(ByteSource::File(Box::new(file)))?;
                Ok((reader.of_authors(authors), identity))
            }
            Err(mut input) => {
                let snapshot = Snapshot::take(&mut input)?;
                Ok((Self::new(snapshot)?.of_authors(authors), input.identity().clone()))
            }
        }
    }

    pub(crate) fn of_authors(self, authors: Authors) -> Self {
        Self { authors, ..self }
    }

    fn new(snapshot: Snapshot) -> Result<Self> {
        match snapshot.companion {
            None => Self::of_source(ByteSource::Memory(snapshot.bytes)),
            Some(_) => Self::through_sql(snapshot),
        }
    }

    fn of_source(source: ByteSource) -> Result<Self> {
        Self::of_pages(source).or_else(|source| Self::through_sql(source.into_snapshot()?))
    }

    /// Opens a plain database. Returns the store of any other database.
    fn of_pages(source: ByteSource) -> std::result::Result<Self, ByteSource> {
        let database =
            pages::Database::new(PageFile::new(source)?).map_err(PageFile::into_source)?;
        match database.files() {
            Ok((paths, file_index)) => {
                let database = Database::Plain(database);
                let (authors, recovered) = (Authors::Caller, false);
                Ok(Self { database, paths, file_index, authors, recovered })
            }
            Err(NeedsSqlite) => Err(database.into_source()),
        }
    }

    /// Opens any database with SQLite.
    pub(super) fn through_sql(snapshot: Snapshot) -> Result<Self> {
        let recovered = snapshot.companion.is_some();
        let database = sql::Database::open(snapshot)?;
        let (paths, file_index) = database.files()?;
        let (database, authors) = (Database::Any(database), Authors::Caller);
        Ok(Self { database, paths, file_index, authors, recovered })
    }

    pub(crate) fn schema_version(&self) -> i64 {
        match &self.database {
            Database::Plain(_) => SCHEMA_VERSION,
            Database::Any(database) => database.schema_version(),
        }
    }

    /// Returns whether the database is so plain that all of its rows can be read without SQLite. The source
    /// paths have been read that way already.
    #[cfg(test)]
    pub(super) fn needs_no_sql(self) -> bool {
        let count = self.paths.iter().len();
        matches!(self.database, Database::Plain(database) if database.rows(&self.file_index, count, Contexts::Kept).is_ok())
    }

    /// Returns whether a journal or write-ahead log is part of the data. Its rows are not in the file itself.
    pub(crate) fn is_recovered(&self) -> bool {
        self.recovered
    }

    pub(crate) fn paths(&self) -> &PathList {
        &self.paths
    }

    /// Limits what is wanted of the rows of each file.
    pub(crate) fn limit_rows(&mut self, wanted: impl Fn(&str) -> Wanted) {
        self.file_index.limit(self.paths.iter().map(|path| wanted(path.as_str())));
    }

    /// Reads all rows into a data set.
    pub(crate) fn read(self, contexts: Contexts) -> Result<Decoded> {
        Ok(self.read_filtered(contexts, |_, _| ())?.0)
    }

    /// Reads all rows into a data set, after `filter` has seen them and the source paths.
    pub(crate) fn read_filtered<T>(
        self,
        contexts: Contexts,
        filter: impl FnOnce(&mut Rows, &PathList) -> T,
    ) -> Result<(Decoded, T)> {
        let mut paths = PathTable::default();
        let all = self.paths.clone();
        let numbers: Vec<usize> = all.iter().map(|path| paths.number(path.into())).collect();
        let mut rows = self.into_rows(contexts, &mut Vec::new())?;
        let found = filter(&mut rows, &all);
        let (measurement, orphan_rows) = (rows.measurement, rows.orphans);
        let meta = std::mem::take(&mut rows.meta);
        let mut merging = Merging::default();
        merging.add(rows, &numbers, paths.all())?;
        let mut data = merging.into_data(measurement, paths.all());
        data.replace_meta(meta);
        Ok((Decoded { data, orphan_rows }, found))
    }

    /// Reads all rows, with files as indexes into [`paths`](Self::paths). Leaves the memory that the file was
    /// read into in `buffer` if it can be used again.
    pub(crate) fn into_rows(self, contexts: Contexts, buffer: &mut Vec<u8>) -> Result<Rows> {
        let count = self.paths.iter().len();
        let mut rows = rows(self.database, &self.file_index, count, contexts, buffer)?;
        rows.authors = self.authors;
        rows.take_listed_authors(&self.paths);
        let (any_lines, any_arcs) = (has_rows(&rows.lines), has_rows(&rows.arcs));
        rows.measurement = measurement(any_lines, any_arcs, rows.meta.remove(HAS_ARCS))?;
        if contexts == Contexts::Merged {
            rows.drop_contexts();
        }
        Ok(rows)
    }
}

/// Reads the rows of `count` files. The SQL path keeps contexts apart, because merging them there would save
/// no time.
fn rows(
    database: Database,
    files: &FileIds,
    count: usize,
    contexts: Contexts,
    buffer: &mut Vec<u8>,
) -> Result<Rows> {
    let database = match database {
        Database::Plain(plain) => match plain.rows(files, count, contexts) {
            Ok(rows) if plain.source().is_unchanged()? => {
                *buffer = plain.into_source().into_memory();
                return Ok(rows);
            }
            Ok(_) => {
                return Err(Error::new(ErrorKind::Busy, "the file changed while it was read"));
            }
            Err(NeedsSqlite) => sql::Database::open(plain.into_source().into_snapshot()?)?,
        },
        Database::Any(database) => database,
    };
    database.rows(files)
}

/// Returns what was measured. The rows decide; if there are none, the `has_arcs` of the table `meta` decides.
pub(super) fn measurement(
    any_lines: bool,
    any_arcs: bool,
    has_arcs: Option<String>,
) -> Result<Option<Measurement>> {
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
