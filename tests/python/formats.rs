//! Data files of every kind that coverage.py has ever written, and files of other kinds.
//!
//! `fixtures/data/make_fixtures.py` makes the files, and writes down what is expected of them.

use std::fs;
use std::path::{Path, PathBuf};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::DataFile;
use pulpcov_core::{CoverageData, ErrorKind};
use serde_json::{Value, json};

use crate::support::{Dir, Rows, reference, root};

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/data").join(name)
}

fn parsed(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

/// Returns a part of `manifest.json`, which must not be empty, or the tests would prove nothing.
fn manifest(part: &str) -> Vec<Value> {
    let entries = parsed("manifest.json")[part].as_array().unwrap().clone();
    assert!(!entries.is_empty());
    entries
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| panic!("no {key} in {entry}"))
}

/// Copies a fixture to `.coverage.1`, and its companions beside it.
fn put(dir: &Dir, entry: &Value, with_companions: bool) -> PathBuf {
    let file = text(entry, "file");
    let companions = entry["companions"].as_array().into_iter().flatten();
    for companion in companions.filter(|_| with_companions) {
        let companion = companion.as_str().unwrap();
        let suffix = companion.strip_prefix(file).unwrap();
        dir.write(format!(".coverage.1{suffix}"), fs::read(fixture(companion)).unwrap());
    }
    dir.write(".coverage.1", fs::read(fixture(file)).unwrap())
}

/// Returns the rows that are expected of a fixture. Old formats have no contexts, so all their rows are in
/// `""`.
fn expected_rows(expected: &Value) -> Rows {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let string = |value: Value| value.as_str().unwrap().to_owned();
    let mut rows = Rows { has_arcs: expected["has_arcs"].as_bool(), ..Rows::default() };
    rows.contexts.extend(list(&expected["contexts"]).into_iter().map(string));
    for (path, file) in expected["files"].as_object().unwrap() {
        rows.files.insert(path.clone(), text(file, "tracer").to_owned());
        let (all, by_context) = match rows.has_arcs {
            Some(true) => ("arcs", "arcs_by_context"),
            _ => ("lines", "lines_by_context"),
        };
        let everything = json!({"": file[all].clone()});
        let by_context = if file[by_context].is_null() { &everything } else { &file[by_context] };
        for (context, values) in by_context.as_object().unwrap() {
            for value in list(values) {
                rows.contexts.insert(context.clone());
                match value.as_u64() {
                    Some(line) => {
                        let row = rows.lines.entry((path.clone(), context.clone())).or_default();
                        row.insert(i32::try_from(line).unwrap());
                    }
                    None => {
                        let end = |n: usize| i32::try_from(value[n].as_i64().unwrap()).unwrap();
                        rows.arcs.insert((path.clone(), context.clone(), end(0), end(1)));
                    }
                }
            }
        }
    }
    rows
}

/// Checks all query functions against the answers of the version that wrote the file.
#[track_caller]
fn assert_answers(data: &CoverageData, expected: &Value, name: &str) {
    assert_eq!(Rows::of(data).without_empty_lines(), expected_rows(expected), "{name}");
    assert_eq!(json!(data.has_arcs()), expected["has_arcs"], "{name}");
    for (path, file) in expected["files"].as_object().unwrap() {
        let lines: Vec<i32> = data.lines(path).unwrap().iter().collect();
        assert_eq!(json!(lines), file["lines"], "{name}: {path}");
        if !file["arcs"].is_null() {
            assert_eq!(json!(data.arcs(path).unwrap().as_slice()), file["arcs"], "{name}: {path}");
        }
        if !file["contexts_by_lineno"].is_null() {
            let mut by_line = data.contexts_by_line(path);
            // An empty module runs line 0, but the expectations leave it out here.
            by_line.remove(&0);
            let by_line = json!(by_line);
            assert_eq!(by_line, file["contexts_by_lineno"], "{name}: {path}");
        }
        assert_selections_agree(data, path, name);
    }
}

/// Checks that selecting one context at a time finds the same rows of a file.
#[track_caller]
fn assert_selections_agree(data: &CoverageData, path: &str, name: &str) {
    let file = data.file(path).unwrap();
    for (context, lines) in file.lines_by_context() {
        let only = data.select_contexts(|name| name == context);
        assert_eq!(data.lines_in(path, &only).as_ref(), Some(lines), "{name}: {path}, {context}");
    }
    for (context, arcs) in file.arcs_by_context() {
        let only = data.select_contexts(|name| name == context);
        assert_eq!(data.arcs_in(path, &only).as_ref(), Some(arcs), "{name}: {path}, {context}");
    }
    let none = data.select_contexts(|_| false);
    assert!(data.lines_in(path, &none).unwrap().is_empty());
    assert!(data.contexts_by_line_in(path, &none).is_empty());
}

fn assert_is_read(entry: &Value, with_companions: bool, expected: &str) {
    let name = text(entry, "file");
    let expected = parsed(text(entry, expected));
    for sealed in [false, true] {
        let dir = Dir::new();
        let path = put(&dir, entry, with_companions);
        let before = dir.state();
        dir.seal(sealed);
        let decoded = DataFile::open(&path).unwrap().read().unwrap();
        assert_eq!(decoded.orphan_rows, 0, "{name}");
        assert_answers(&decoded.data, &expected, name);
        assert_eq!(dir.state(), before, "{name}");
    }
    // A single input is read in place, if possible. Of two inputs, both are read into memory.
    for other in [false, true] {
        let dir = Dir::new();
        put(&dir, entry, with_companions);
        if other {
            store(&CoverageData::new(), dir.path(".coverage.2"), StoreFormat::Sqlite).unwrap();
        }
        dir.pulpcov(["combine", "--keep"]).status(0);
        let rows = Rows::by_sql(dir.path(".coverage")).without_empty_lines();
        assert_eq!(rows, as_combined(expected_rows(&expected)), "{name}, {other}");
    }
}

#[test]
fn every_format_is_read_as_its_writer_read_it() {
    for entry in manifest("written") {
        assert_is_read(&entry, true, "expected");
    }
}

#[test]
fn odd_databases_are_read_in_their_committed_state() {
    for entry in manifest("odd") {
        assert_is_read(&entry, true, "expected");
        if !entry["alone"].is_null() {
            assert_is_read(&entry, false, "alone");
        }
    }
}

#[test]
fn the_description_names_the_format() {
    for entry in manifest("written") {
        let dir = Dir::new();
        let words = DataFile::open(put(&dir, &entry, true)).unwrap().describe();
        let format = match text(&entry, "format") {
            "json" => "JSON of coverage.py 4.x".to_owned(),
            sqlite => sqlite.replace("sqlite schema", "SQLite, schema"),
        };
        assert_eq!(words, format, "{entry}");
    }
}

#[test]
fn run_information_of_4x_is_kept() {
    for entry in manifest("written") {
        let expected = parsed(text(&entry, "expected"));
        let Some(runs) = expected["runs"].as_array() else { continue };
        let dir = Dir::new();
        let data = DataFile::open(put(&dir, &entry, true)).unwrap().read().unwrap().data;
        let kept = data.meta().get("runs").map_or(json!([]), |text| text.parse().unwrap());
        assert_eq!(kept, json!(runs), "{entry}");
    }
}

/// Returns the kinds of error that a kind of stranger may cause, and words that the message must contain.
fn verdict(kind: &str) -> (&'static [ErrorKind], &'static str) {
    use ErrorKind::{Corrupt, NotADataFile, UnknownSchema};
    match kind {
        "pickle" => (&[NotADataFile], "coverage.py 3.x (a pickle)"),
        "sqlite-truncated" | "sqlite-corrupt" => (&[Corrupt], ""),
        "sqlite-not-coverage" => (&[NotADataFile], "SQLite database"),
        "sqlite-schema-unknown" => (&[UnknownSchema], "schema"),
        "sqlite-table-missing" => (&[Corrupt], "line_bits"),
        "json-truncated" => (&[Corrupt], "line 1, column"),
        "json-corrupt" => (&[Corrupt], "line 1, column"),
        "html" => (&[NotADataFile], "an HTML page"),
        "gzip" => (&[NotADataFile], "compressed with gzip: combine reads"),
        "empty" => (&[NotADataFile], "an empty file"),
        _ => (&[NotADataFile], "not in any format that coverage.py wrote"),
    }
}

#[test]
fn strangers_are_named_and_left_alone() {
    for entry in manifest("strangers") {
        let dir = Dir::new();
        let path = put(&dir, &entry, true);
        let before = dir.state();
        let err = DataFile::open(&path).and_then(DataFile::read).unwrap_err();
        let (kinds, words) = verdict(text(&entry, "kind"));
        assert!(kinds.contains(&err.kind()), "{entry}: {:?} {err}", err.kind());
        assert!(err.reason().contains(words) || err.to_string().contains(words), "{entry}: {err}");
        assert_eq!(err.path(), Some(path.as_path()), "{entry}");
        assert!(err.to_string().starts_with(&path.display().to_string()), "{entry}: {err}");
        assert_eq!(dir.state(), before, "{entry}");
    }
}

/// One good data file among strangers. A warning names each stranger, and only the good file is deleted.
#[test]
fn a_folder_of_strangers_does_not_stop_a_combine() {
    let dir = Dir::new();
    let mut names = Vec::new();
    for entry in manifest("strangers") {
        let name = format!(".coverage.{}", text(&entry, "file").replace('/', "."));
        dir.write(&name, fs::read(fixture(text(&entry, "file"))).unwrap());
        names.push(name);
    }
    let before = dir.state();
    dir.write(".coverage.good", fs::read(fixture("written/v7.17.3-lines.sqlite")).unwrap());
    let ran = dir.pulpcov(["combine"]).status(3);
    for name in &names {
        let warned = |line: &str| line.starts_with("warning: left out: ") && line.contains(name);
        assert!(ran.stderr.lines().any(warned), "{name}:\n{}", ran.stderr);
    }
    assert!(ran.stderr.ends_with(&format!("\nCombined 1 file, {} files errored\n", names.len())));
    let mut after = dir.state();
    assert!(after.remove(".coverage").is_some());
    assert_eq!(after, before);
    let expected = parsed("written/v7.17.3-lines.sqlite.expected.json");
    assert_eq!(Rows::by_sql(dir.path(".coverage")), expected_rows(&expected));
}

/// coverage.py reads what we combine from the data of every version.
#[test]
fn coverage_reads_reports_and_appends_what_we_combine() {
    let entries = manifest("written");
    let dirs: Vec<Dir> = entries.iter().map(combine_twice).collect();
    let answers = reference(&dirs.iter().flat_map(coverage_jobs).collect::<Vec<_>>());
    let jobs = coverage_jobs(&dirs[0]).len();
    for (entry, answers) in entries.iter().zip(answers.chunks(jobs)) {
        let [read, reports @ .., append, read_again] = answers else { panic!("{answers:?}") };
        let expected = as_combined(expected_rows(&parsed(text(entry, "expected"))));
        assert_eq!(Rows::from_json(read), expected, "{entry}");
        for report in reports {
            if expected.files.is_empty() {
                assert_eq!(report["stdout"], "No data to report.\n", "{entry}: {report}");
            } else {
                assert_eq!(report["status"], 0, "{entry}: {report}");
                let text = text(report, "stdout");
                assert!(text.contains("main.py") && text.contains("TOTAL"), "{entry}: {text}");
            }
        }
        assert_eq!(append["status"], 0, "{entry}: {append}");
        let more = expected_rows(&parsed(&more(&expected, true)));
        let all = as_combined(expected.union(more));
        assert_eq!(Rows::from_json(read_again), all, "{entry}");
    }
}

/// Creates a folder with the source, `.coverage` as it was recorded, and `here/.coverage`, whose paths lead
/// to the source.
fn combine_twice(entry: &Value) -> Dir {
    let dir = Dir::new();
    put(&dir, entry, true);
    dir.pulpcov(["combine", "--keep"]).status(0).stderr("Combined 1 file\n");
    copy_folder(&fixture("program"), &dir, "src");
    dir.write(
        ".coveragerc",
        format!(
            "[run]\nplugins = tmpl_plugin\n[paths]\nsource =\n    {}\n    /srv/app\n",
            dir.path("src").display()
        ),
    );
    dir.write("here/x", "");
    dir.pulpcov(["combine", "--data-file=here/.coverage", ".coverage.1"]).status(0);
    let rows = Rows::by_sql(dir.path(".coverage"));
    dir.write("more", fs::read(fixture(&more(&rows, false))).unwrap());
    dir
}

/// Returns the name of another data file with the same kind of data.
fn more(rows: &Rows, expected: bool) -> String {
    let name = if rows.has_arcs == Some(true) { "branch" } else { "lines" };
    let suffix = if expected { ".expected.json" } else { "" };
    format!("written/v7.17.3-{name}.sqlite{suffix}")
}

fn coverage_jobs(dir: &Dir) -> Vec<Value> {
    let run = |argv: &[&str]| json!({"do": "run", "argv": argv, "cwd": dir.path("")});
    let file = dir.path(".coverage");
    vec![
        json!({"do": "read", "file": file}),
        run(&["report", "-i", "--data-file=here/.coverage", "--omit=*.tmpl"]),
        run(&["combine", "--append", "--keep", "--rcfile=", "more"]),
        json!({"do": "read", "file": file}),
    ]
}

/// Without rows, a result of a combine does not say whether it has line data or branch data.
fn as_combined(mut rows: Rows) -> Rows {
    if rows.lines.is_empty() && rows.arcs.is_empty() {
        rows.has_arcs = None;
    }
    rows
}

fn copy_folder(from: &Path, dir: &Dir, into: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{into}/{}", path.file_name().unwrap().to_str().unwrap());
        match path.is_dir() {
            true => copy_folder(&path, dir, &name),
            false => drop(dir.write(name, fs::read(&path).unwrap())),
        }
    }
}
