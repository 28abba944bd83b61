//! The rows that a data file is written from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use crate::data::authors::META_KEY;
use crate::data::by_context::{ByContext, Union};
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::file_record::FileRecord;
use crate::data::measurement::HAS_ARCS;
use crate::data::{Authors, CoverageData, FilePath, Measurement};

/// A source of the rows for a data file. It is read once for each large table and once for the table's index.
pub(crate) trait RowSource: Sync {
    fn measurement(&self) -> Option<Measurement>;
    fn meta(&self) -> &BTreeMap<String, String>;
    /// Returns the files that only other users' data files name, each with these users.
    fn authors(&self) -> Vec<(&FilePath, &Authors)>;
    fn contexts(&self) -> &ContextTable;
    /// Returns an upper bound on the number of rows.
    fn count(&self) -> u64;
    /// Returns the paths and their plugins, in the order of the paths.
    fn files(&self) -> Vec<(&FilePath, &str)>;
    /// Returns the rows of one file.
    fn record(&self, path: &FilePath) -> io::Result<Cow<'_, FileRecord>>;
}

impl RowSource for CoverageData {
    fn measurement(&self) -> Option<Measurement> {
        self.measurement()
    }

    fn meta(&self) -> &BTreeMap<String, String> {
        self.meta()
    }

    fn authors(&self) -> Vec<(&FilePath, &Authors)> {
        let all = self.records().map(|(path, record)| (path, &record.authors));
        all.filter(|(_, authors)| **authors != Authors::Caller).collect()
    }

    fn contexts(&self) -> &ContextTable {
        self.context_table()
    }

    fn count(&self) -> u64 {
        self.row_count()
    }

    fn files(&self) -> Vec<(&FilePath, &str)> {
        self.records().map(|(path, record)| (path, &*record.tracer)).collect()
    }

    fn record(&self, path: &FilePath) -> io::Result<Cow<'_, FileRecord>> {
        let known = self.record_of(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Cow::Borrowed(known))
    }
}

/// Returns the rows of the table `meta`. Each key occurs once.
pub(super) fn meta_rows(rows: &dyn RowSource) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let meta = rows.meta().iter();
    let mut all: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        meta.map(|(key, value)| (key.into(), value.into())).collect();
    if let Some(measurement) = rows.measurement() {
        let has_arcs = if measurement == Measurement::Arcs { "1" } else { "0" };
        all.push((HAS_ARCS.into(), has_arcs.into()));
    }
    let row = |(path, authors): (&FilePath, &Authors)| {
        (format!("{META_KEY}{}", path.as_str()).into(), authors.to_string().into())
    };
    all.extend(rows.authors().into_iter().map(row));
    all
}

/// Returns the ids of the contexts in the database, by the index of the context. The ids are in the order of
/// the names.
pub(super) fn ranked_contexts(contexts: &ContextTable) -> Vec<i64> {
    let mut ranks = vec![0; contexts.len()];
    for (id, context) in (1..).zip(contexts.sorted_ids()) {
        if let Some(rank) = ranks.get_mut(context.index()) {
            *rank = id;
        }
    }
    ranks
}

/// Returns the sets with the ids of their contexts in the database, in the order of these ids.
pub(super) fn by_rank<'a, T: Union>(sets: &'a ByContext<T>, ranks: &[i64]) -> Vec<(i64, &'a T)> {
    let rank = |(id, set): (ContextId, &'a T)| Some((*ranks.get(id.index())?, set));
    let mut ranked: Vec<_> = sets.iter().filter_map(rank).collect();
    ranked.sort_unstable_by_key(|entry| entry.0);
    ranked
}
