//! Properties that hold for any data.
//!
//! Merging is commutative, associative and idempotent, in memory and through every format. Reading returns
//! what was written. Neither the order of inputs nor the number of threads changes the result.

use std::fs;
use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use pulpcov_core::formats::{json, read_bytes, sqlite};
use pulpcov_core::{Author, Authors, CoverageData, MAX_LINE, Measurement, Numbits};
use rusqlite::{Connection, params};

use crate::support::{Dir, pulpcov};

const PATHS: [&str; 7] = [
    "/srv/app/views.py",
    "/srv/app/page.tmpl",
    "/srv/app/größe.py",
    "/srv/app/\u{fffd}😀.py",
    "C:\\ci\\app\\views.py",
    "/srv/quote\"back\\slash\nline.py",
    "/",
];

const CONTEXTS: [&str; 5] = ["", "nightly", "test_a|run", "Prüfung 😀", "it's \"odd\"\n"];

/// The index of a path, the index of a context, and pairs of line numbers.
type Rows = Vec<(usize, usize, Vec<(i32, i32)>)>;

fn lines() -> impl Strategy<Value = i32> {
    prop_oneof![600 => 1..70, 60 => Just(0), 60 => 1000..5000, 1 => Just(MAX_LINE)]
}

fn rows() -> impl Strategy<Value = Rows> {
    vec((0..PATHS.len(), 0..CONTEXTS.len(), vec((lines(), lines()), 1..8)), 0..10)
}

/// Returns data of one kind. A file always has the same plugin, or merging would refuse it.
fn data(measurement: Measurement) -> impl Strategy<Value = CoverageData> {
    let meta =
        btree_map(select(vec!["version", "when", "sys_argv"]), select(vec!["1", "two"]), 0..3);
    let touched = vec((0..PATHS.len(), 0..CONTEXTS.len()), 0..3);
    let all = (rows(), touched, meta, any::<bool>(), authors());
    all.prop_map(move |(rows, touched, meta, measured, authors)| {
        let mut data = CoverageData::new();
        if measured || !rows.is_empty() {
            data.set_measurement(measurement).unwrap();
        }
        for (path, context, pairs) in rows {
            let (path, context) = (PATHS[path], CONTEXTS[context]);
            match measurement {
                Measurement::Lines => {
                    let lines = pairs.iter().map(|pair| pair.0).collect::<Numbits>();
                    data.add_lines(path, context, &lines).unwrap();
                }
                Measurement::Arcs => {
                    let arcs = pairs.iter().map(|&(from, to)| (from, -to));
                    data.add_arcs(path, context, arcs).unwrap();
                }
            }
        }
        for (path, context) in touched {
            data.touch_file(PATHS[path]).unwrap();
            data.touch_context(CONTEXTS[context]).unwrap();
        }
        for path in PATHS.into_iter().filter(|path| path.ends_with(".tmpl")) {
            if data.file(path).is_some() {
                data.set_file_tracer(path, "pages.Plugin").unwrap();
            }
        }
        meta.into_iter().for_each(|(key, value)| data.set_meta(key, value).unwrap());
        data.set_authors(authors);
        data
    })
}

/// Returns the authors of a data set: the users whose data files name its files.
fn authors() -> impl Strategy<Value = Authors> {
    select(vec![
        Authors::Caller,
        Author::User(0).into(),
        Author::User(4_294_967_295).into(),
        Author::Anybody.into(),
        Authors::Others([Author::User(33), Author::Anybody].into()),
    ])
}

fn any_data() -> impl Strategy<Value = CoverageData> {
    prop_oneof![data(Measurement::Lines), data(Measurement::Arcs)]
}

/// Returns several data sets that can be merged.
fn alike<const N: usize>() -> impl Strategy<Value = [CoverageData; N]> {
    let of = |measurement| vec(data(measurement), N).prop_map(|all| all.try_into().unwrap());
    prop_oneof![of(Measurement::Lines), of(Measurement::Arcs)]
}

fn merged(all: &[&CoverageData]) -> CoverageData {
    let mut result = all[0].clone();
    all[1..].iter().for_each(|&data| result.merge(data.clone()).unwrap());
    result
}

/// The formats of data files, which differ in what they can store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    /// JSON has no contexts, and of the metadata only `runs`. It lists only files with lines or arcs, if
    /// there are any.
    Json,
    /// SQLite, with the version of the schema. Version 1 has no contexts. Before version 6, there is no
    /// metadata but `has_arcs`.
    Sqlite(i64),
}

const FORMATS: [Format; 8] = [
    Format::Json,
    Format::Sqlite(1),
    Format::Sqlite(2),
    Format::Sqlite(3),
    Format::Sqlite(4),
    Format::Sqlite(5),
    Format::Sqlite(6),
    Format::Sqlite(7),
];

impl Format {
    /// Returns the part of the data that the format can store.
    fn reduce(self, mut data: CoverageData) -> CoverageData {
        if matches!(self, Self::Json | Self::Sqlite(..=5)) {
            data.clear_meta();
        }
        if matches!(self, Self::Sqlite(..=6)) {
            data.set_authors(Authors::Caller);
        }
        if matches!(self, Self::Json | Self::Sqlite(1)) {
            data.drop_contexts();
            if !data.has_rows() {
                data = without_contexts(&data);
            }
        }
        if self == Self::Json && data.files().len() > 0 && data.measurement().is_none() {
            data.set_measurement(Measurement::Lines).unwrap();
        }
        data
    }

    fn write(self, data: &CoverageData) -> Vec<u8> {
        match self {
            Self::Json => {
                let mut bytes = Vec::new();
                json::write(data, &mut bytes).unwrap();
                bytes
            }
            Self::Sqlite(7) => {
                let dir = Dir::new();
                sqlite::write(data, dir.path("data")).unwrap();
                fs::read(dir.path("data")).unwrap()
            }
            Self::Sqlite(schema) => {
                let dir = Dir::new();
                write_old_schema(data, schema, &dir.path("data")).unwrap();
                fs::read(dir.path("data")).unwrap()
            }
        }
    }

    fn through(self, data: &CoverageData) -> CoverageData {
        let decoded = read_bytes(&self.write(data)).unwrap();
        assert_eq!(decoded.orphan_rows, 0);
        decoded.data
    }
}

/// Returns the files and plugins alone.
fn without_contexts(data: &CoverageData) -> CoverageData {
    let mut bare = CoverageData::new();
    data.measurement()
        .into_iter()
        .for_each(|measurement| bare.set_measurement(measurement).unwrap());
    for file in data.files() {
        bare.set_file_tracer(file.path().clone(), file.tracer()).unwrap();
    }
    bare
}

/// Writes data with a schema before 7. The tables follow the history of coverage.py's `sqldata.py`.
fn write_old_schema(data: &CoverageData, schema: i64, path: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch(
        "BEGIN;
        CREATE TABLE coverage_schema (version integer);
        CREATE TABLE file (id integer primary key, path text, unique (path));
        CREATE TABLE tracer (file_id integer primary key, tracer text);",
    )?;
    db.execute("INSERT INTO coverage_schema VALUES (?1)", [schema])?;
    write_old_meta(&db, data, schema)?;
    let (with_context, bits) = (schema > 1, if schema == 3 { "bitmap" } else { "numbits" });
    let context_column = if with_context { "context_id integer," } else { "" };
    db.execute_batch(&format!(
        "CREATE TABLE arc (file_id integer, {context_column} fromno integer, tono integer);
        {};",
        match schema {
            1 | 2 =>
                format!("CREATE TABLE line (file_id integer, {context_column} lineno integer)"),
            _ =>
                format!("CREATE TABLE line_map (file_id integer, context_id integer, {bits} blob)"),
        }
    ))?;
    if with_context {
        db.execute_batch("CREATE TABLE context (id integer primary key, context text)")?;
        for (id, context) in (1..).zip(data.contexts()) {
            db.execute("INSERT INTO context VALUES (?1, ?2)", params![id, context])?;
        }
    }
    let key = |file: i64, context: &str| match with_context {
        true => format!(
            "{file}, (SELECT id FROM context WHERE context = '{}')",
            context.replace('\'', "''")
        ),
        false => file.to_string(),
    };
    for (id, file) in (1i64..).zip(data.files()) {
        db.execute("INSERT INTO file VALUES (?1, ?2)", params![id, file.path().as_str()])?;
        if !file.tracer().is_empty() {
            db.execute("INSERT INTO tracer VALUES (?1, ?2)", params![id, file.tracer()])?;
        }
        for (context, lines) in file.lines_by_context() {
            let key = key(id, context);
            if schema > 2 {
                db.execute(
                    &format!("INSERT INTO line_map VALUES ({key}, ?1)"),
                    [lines.as_bytes()],
                )?;
                continue;
            }
            for line in lines.iter() {
                db.execute(&format!("INSERT INTO line VALUES ({key}, ?1)"), [line])?;
            }
        }
        for (context, arcs) in file.arcs_by_context() {
            let insert = format!("INSERT INTO arc VALUES ({}, ?1, ?2)", key(id, context));
            for (from, to) in arcs.iter() {
                db.execute(&insert, [from, to])?;
            }
        }
    }
    db.execute_batch("COMMIT")
}

fn write_old_meta(db: &Connection, data: &CoverageData, schema: i64) -> rusqlite::Result<()> {
    let measured = |wanted| data.measurement() == Some(wanted);
    if schema < 6 {
        db.execute_batch("CREATE TABLE meta (has_lines boolean, has_arcs boolean)")?;
        let flags = [measured(Measurement::Lines), measured(Measurement::Arcs)];
        return db.execute("INSERT INTO meta VALUES (?1, ?2)", flags).map(drop);
    }
    db.execute_batch("CREATE TABLE meta (key text, value text)")?;
    let insert =
        |key: &str, value: &str| db.execute("INSERT INTO meta VALUES (?1, ?2)", [key, value]);
    for (key, value) in data.meta() {
        insert(key, value)?;
    }
    if data.measurement().is_some() {
        insert("has_arcs", if measured(Measurement::Arcs) { "1" } else { "0" })?;
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn merging_commutes([a, b] in alike()) {
        prop_assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
    }

    #[test]
    fn merging_associates([a, b, c] in alike()) {
        prop_assert_eq!(merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
    }

    #[test]
    fn merging_is_idempotent([a, b] in alike()) {
        prop_assert_eq!(&merged(&[&a, &a]), &a);
        let both = merged(&[&a, &b]);
        prop_assert_eq!(&merged(&[&both, &b]), &both);
    }

    /// The result has all rows of both, and no other rows.
    #[test]
    fn merging_is_the_union([a, b] in alike()) {
        let both = merged(&[&a, &b]);
        for file in both.files() {
            let path = file.path();
            let mut lines = a.lines(path).unwrap_or_default();
            lines.union_with(&b.lines(path).unwrap_or_default());
            prop_assert_eq!(both.lines(path).unwrap(), lines);
            let mut arcs = a.arcs(path).unwrap_or_default();
            arcs.union_with(&b.arcs(path).unwrap_or_default());
            prop_assert_eq!(both.arcs(path).unwrap(), arcs);
        }
        for file in a.files().chain(b.files()) {
            prop_assert_eq!(both.file_tracer(file.path()), Some(file.tracer()));
        }
        for context in a.contexts().into_iter().chain(b.contexts()) {
            prop_assert!(both.contexts().contains(&context));
        }
    }

    #[test]
    fn lines_and_arcs_refuse_each_other(lines in data(Measurement::Lines), arcs in data(Measurement::Arcs)) {
        let before = lines.clone();
        let mut data = lines;
        let both_measured = data.measurement().is_some() && arcs.measurement().is_some();
        prop_assert_eq!(data.merge(arcs).is_err(), both_measured);
        if both_measured {
            prop_assert_eq!(data, before);
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn what_is_written_is_read_back(data in any_data()) {
        for format in FORMATS {
            let data = format.reduce(data.clone());
            prop_assert_eq!(format.through(&data), data, "{:?}", format);
        }
    }

    /// Data is the same whether it is merged before or after it was on disk, in any two formats.
    #[test]
    fn merging_does_not_depend_on_the_format([a, b] in alike(), first in select(&FORMATS[..]), second in select(&FORMATS[..])) {
        let (mut a, mut b) = (a, b);
        if let Some(measurement) = a.measurement().or(b.measurement()) {
            a.set_measurement(measurement).unwrap();
            b.set_measurement(measurement).unwrap();
        }
        let (a, b) = (first.reduce(a), second.reduce(b));
        let (read_a, read_b) = (first.through(&a), second.through(&b));
        let both = merged(&[&read_a, &read_b]);
        prop_assert_eq!(&both, &merged(&[&b, &a]), "{:?} {:?}", first, second);
        prop_assert_eq!(&merged(&[&both, &read_a]), &both);
        prop_assert_eq!(&Format::Sqlite(7).through(&both), &both);
    }

    /// Equal data has equal bytes, in whichever order it was merged.
    #[test]
    fn equal_data_is_equal_bytes([a, b, c] in alike()) {
        let one = merged(&[&a, &merged(&[&b, &c])]);
        let other = merged(&[&c, &a, &b, &a]);
        prop_assert_eq!(Format::Sqlite(7).write(&one), Format::Sqlite(7).write(&other));
        let (one, other) = (Format::Json.reduce(one), Format::Json.reduce(other));
        prop_assert_eq!(Format::Json.write(&one), Format::Json.write(&other));
    }
}

proptest! {
    #![proptest_config(config(8))]

    /// The same files get other names, are given in any order, and are read by any number of threads.
    #[test]
    fn neither_order_nor_threads_change_a_byte(
        inputs in prop_oneof![vec(data(Measurement::Lines), 1..9), vec(data(Measurement::Arcs), 1..9)],
        order in any::<prop::sample::Index>(),
    ) {
        let files: Vec<Vec<u8>> = inputs
            .iter()
            .zip(FORMATS.iter().cycle().skip(order.index(FORMATS.len())))
            .map(|(data, format)| format.write(&format.reduce(data.clone())))
            .collect();
        let mut results = Vec::new();
        for threads in ["1", "2", "8"] {
            let dir = Dir::new();
            for (number, file) in files.iter().enumerate() {
                let name = (number + order.index(files.len())) % files.len();
                dir.write(format!(".coverage.{name}"), file);
            }
            results.push(combined(&dir, threads, &[]));
            let mut names: Vec<String> = (0..files.len()).map(|name| format!(".coverage.{name}")).collect();
            names.reverse();
            for (number, file) in files.iter().enumerate() {
                dir.write(format!(".coverage.{number}"), file);
            }
            results.push(combined(&dir, threads, &names));
        }
        prop_assert!(results.iter().all(|result| *result == results[0]));
    }
}

fn combined(dir: &Dir, threads: &str, places: &[String]) -> Vec<u8> {
    let mut command = pulpcov();
    command.arg("combine").args(places).env("RAYON_NUM_THREADS", threads).current_dir(dir.path(""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(dir.path(".coverage")).unwrap()
}
