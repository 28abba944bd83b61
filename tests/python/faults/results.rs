//! The results of combines, which coverage.py has to be able to use.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Measurement, Numbits};
use serde_json::{Value, json};

use super::has_rows;
use crate::support::{Dir, Rows, reference, root};

/// The number of results that one process of coverage.py uses.
const RESULTS_AT_ONCE: usize = 200;

/// Returns data with rows that no other data has.
pub(super) fn own_data(measurement: Measurement, name: &str) -> CoverageData {
    let mut data = CoverageData::new();
    let (path, context) = (format!("/intact/{name}.py"), format!("of {name}"));
    match measurement {
        Measurement::Lines => data.add_lines(path, &context, &Numbits::from_iter([1, 3, 70])),
        Measurement::Arcs => data.add_arcs(path, &context, [(-1, 2), (2, 3), (3, -1)]),
    }
    .unwrap();
    data
}

/// The different results. Each has the hash of its bytes, and one case that led to it.
pub(super) struct Results {
    dir: Dir,
    cases: Mutex<BTreeMap<String, String>>,
}

/// The configuration of reports, and data files to append.
struct Use {
    dir: Dir,
    rcfile: PathBuf,
}

impl Results {
    pub(super) fn new() -> Self {
        Self { dir: Dir::new(), cases: Mutex::default() }
    }

    pub(super) fn add(&self, case: String, bytes: Vec<u8>) {
        let hash = blake3::hash(&bytes).to_hex().to_string();
        if self.cases.lock().unwrap().insert(hash.clone(), case).is_none() {
            self.dir.write(hash, bytes);
        }
    }

    /// Returns the number of different results.
    pub(super) fn len(&self) -> usize {
        self.cases.lock().unwrap().len()
    }

    /// Checks that coverage.py can read all results, report on them and append to them.
    pub(super) fn assert_usable_by_coverage(&self) {
        let using = Use::new();
        let cases = self.cases.lock().unwrap();
        let all: Vec<(PathBuf, &str)> =
            cases.iter().map(|(hash, case)| (self.dir.path(hash), case.as_str())).collect();
        let (chunks, next) = (all.chunks(RESULTS_AT_ONCE), AtomicUsize::new(0));
        let work = || {
            while let Some(some) = chunks.clone().nth(next.fetch_add(1, Ordering::Relaxed)) {
                using.try_all(some);
            }
        };
        // If a thread panics, so does the scope.
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    }
}

impl Use {
    fn new() -> Self {
        let dir = Dir::new();
        let program = root().join("tests/fixtures/data/program").canonicalize().unwrap();
        let paths = format!("[paths]\nsource =\n    {}\n    /srv/app\n", program.display());
        let rcfile = dir.write("rc", format!("[run]\nplugins = tmpl_plugin\n{paths}"));
        for measurement in [Measurement::Lines, Measurement::Arcs] {
            let path = dir.path(format!("{measurement:?}"));
            store(&own_data(measurement, "more"), path, StoreFormat::Sqlite).unwrap();
        }
        Self { dir, rcfile }
    }

    fn try_all(&self, results: &[(PathBuf, &str)]) {
        let rows: Vec<Rows> = results.iter().map(|(path, _)| Rows::by_sql(path)).collect();
        let job = |((path, _), rows): (&(PathBuf, &str), &Rows)| {
            let more = self.dir.path(format!("{:?}", measured(rows)));
            json!({"do": "use", "file": path, "rcfile": self.rcfile, "more": more})
        };
        let answers = reference(&results.iter().zip(&rows).map(job).collect::<Vec<_>>());
        for (((_, case), rows), answer) in results.iter().zip(rows).zip(answers) {
            was_used(case, rows, &answer);
        }
    }
}

fn measured(rows: &Rows) -> Measurement {
    if rows.has_arcs == Some(true) { Measurement::Arcs } else { Measurement::Lines }
}

#[track_caller]
fn was_used(case: &str, rows: Rows, answer: &Value) {
    assert!(answer["error"].is_null(), "{case}: {}", answer["error"].as_str().unwrap_or_default());
    let rows = rows.without_empty_lines();
    assert_eq!(Rows::from_json(&answer["read"]), rows, "{case}");
    for report in answer["reports"].as_array().unwrap() {
        let is_made = report[0] == 0 || report[1] == "No data to report.\n";
        assert!(is_made, "{case}: {report}");
    }
    assert_eq!(answer["append"]["status"], 0, "{case}: {}", answer["append"]);
    let appended = Rows::from_json(&answer["appended"]);
    let more = Rows::of(&own_data(measured(&rows), "more"));
    assert!(has_rows(&appended, &rows.union(more)), "{case}: {answer}");
}
