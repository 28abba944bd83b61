//! Random folders of data files, combined by both programs: rows, messages and exit code are the same.
//!
//! coverage.py itself writes the inputs. The programs work in the same folder, one after the other, because
//! paths depend on where they run. coverage.py does all its work in two processes. A failure prints the
//! scenario.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{Dir, Ran, Rows, pulpcov, reference};

/// How many folders are tried, unless the variable `PULPCOV_TEST_SCENARIOS` sets another number.
const SCENARIOS: usize = 300;

/// In a path, stands for the folder that the programs run in.
const HERE: &str = "{here}";

#[derive(Clone, Debug)]
struct Scenario {
    /// The data file, whose name is the base of the inputs' names.
    data_file: &'static str,
    named_by: NamedBy,
    inputs: Vec<Input>,
    /// What the data file contains before the combine.
    base: Option<Recording>,
    /// The result and the patterns of each set in `[paths]`.
    aliases: Vec<Vec<String>>,
    relative_files: bool,
    append: bool,
    keep: bool,
    places: Places,
}

/// Where the data file is named.
#[derive(Clone, Copy, Debug, PartialEq)]
enum NamedBy {
    Option,
    Variable,
    Setting,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Places {
    Default,
    Folder,
    Files,
}

#[derive(Clone, Debug)]
enum Input {
    Recorded(Recording),
    /// A file with the same bytes as the input of this number, if that is a recording.
    CopyOf(usize),
    Stranger,
}

#[derive(Clone, Debug, Default)]
struct Recording {
    arcs: bool,
    unused_contexts: Vec<&'static str>,
    touched: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    path: String,
    context: &'static str,
    pairs: Vec<(i32, i32)>,
}

const CONTEXTS: [&str; 5] = ["", "nightly", "test_a|run", "Prüfung", "it's \"odd\"\n"];

/// Returns paths of sources, as various machines recorded them.
fn path() -> impl Strategy<Value = String> {
    let root = select(vec![
        "/home/ci/build/",
        "/srv/",
        "/",
        "",
        "",
        HERE,
        HERE,
        "./",
        "../",
        "C:\\ci\\",
        "c:\\CI\\build\\",
        "d:/mixed\\",
        "\\\\host\\share\\",
        "//host/share/",
        "/HOME/ci/build/",
    ]);
    let folder = select(vec!["src/app/", "app/", "lib/python3.11/site-packages/app/", "a.b/", ""]);
    let name = select(vec!["views.py", "models.py", "page.tmpl", "größe.py", "two words.py"]);
    (root, folder, name, any::<bool>()).prop_map(|(root, folder, name, backslashes)| {
        let windows = root.contains('\\') || (backslashes && !root.contains('/') && root != HERE);
        let tail = format!("{folder}{name}");
        let tail = if windows { tail.replace('/', "\\") } else { tail };
        if root == HERE { format!("{HERE}/{tail}") } else { format!("{root}{tail}") }
    })
}

fn alias_set() -> impl Strategy<Value = Vec<String>> {
    let result = select(vec![
        "src",
        "src/",
        "app",
        "src/app",
        "/srv",
        "/srv/",
        ".",
        HERE,
        "{here}/src",
        "C:\\ci",
        "/new/place",
        "nowhere",
    ]);
    let pattern = select(vec![
        "/home/ci/build",
        "/home/*/build/src",
        "*/src",
        "*/app",
        "**/app",
        "/srv",
        "C:\\ci",
        "c:\\ci\\*\\src",
        "c:/ci/build/",
        "\\\\host\\share",
        "//host/share/",
        "app",
        "src/app",
        "/home/??/build/",
        "*/site-packages",
        "/h[oi]me/ci",
        "../",
        "./app",
        "/srv/*",
    ]);
    (result, vec(pattern, 1..4)).prop_map(|(result, patterns)| {
        [result].into_iter().chain(patterns).map(str::to_owned).collect()
    })
}

fn recording(arcs: BoxedStrategy<bool>) -> impl Strategy<Value = Recording> {
    let line = prop_oneof![8 => 1..40i32, 1 => 0..1i32, 1 => 300..3000i32];
    let end =
        (line, prop::bool::weighted(0.3)).prop_map(|(line, exit)| if exit { -line } else { line });
    let pairs = vec((end.clone(), end), 0..12);
    let row = (path(), select(&CONTEXTS[..]), pairs).prop_map(|(path, context, pairs)| Row {
        path,
        context,
        pairs,
    });
    (arcs, vec(select(&CONTEXTS[..]), 0..2), vec(path(), 0..2), vec(row, 0..6)).prop_map(
        |(arcs, unused_contexts, touched, rows)| Recording { arcs, unused_contexts, touched, rows },
    )
}

fn scenario() -> impl Strategy<Value = Scenario> {
    any::<bool>().prop_flat_map(|arcs| {
        // A few inputs have the other kind of data, and then both programs must refuse.
        let measured = prop::bool::weighted(0.005).prop_map(move |other| arcs != other).boxed();
        let input = prop_oneof![
            12 => recording(measured.clone()).prop_map(Input::Recorded),
            2 => (0..4usize).prop_map(Input::CopyOf),
            1 => Just(Input::Stranger),
        ];
        let names = (
            select(vec![".coverage", ".coverage", "data", "sub/cov.db"]),
            select(vec![NamedBy::Option, NamedBy::Variable, NamedBy::Setting]),
            select(vec![Places::Default, Places::Default, Places::Folder, Places::Files]),
        );
        let settings = (any::<bool>(), any::<bool>(), any::<bool>());
        let base = prop::option::weighted(0.5, recording(measured));
        (names, vec(input, 0..6), base, vec(alias_set(), 0..4), settings).prop_map(
            |(names, inputs, base, aliases, (relative_files, append, keep))| Scenario {
                data_file: names.0,
                named_by: names.1,
                places: names.2,
                inputs,
                base,
                aliases,
                relative_files,
                append,
                keep,
            },
        )
    })
}

impl Scenario {
    fn input_name(&self, number: usize) -> String {
        format!("{}.host-{}.pid{number}.Xabcdefx", self.data_file, number % 2)
    }

    fn config(&self, here: &str) -> String {
        let mut text = format!("[run]\nrelative_files = {}\n", self.relative_files);
        if self.named_by == NamedBy::Setting {
            text += &format!("data_file = {}\n", self.data_file);
        }
        text += "[paths]\n";
        for (number, set) in self.aliases.iter().enumerate() {
            text += &format!("set{number} =\n");
            set.iter().for_each(|path| text += &format!("    {}\n", path.replace(HERE, here)));
        }
        text
    }

    fn args(&self) -> Vec<String> {
        let mut args = vec!["combine".to_owned()];
        args.extend(self.append.then(|| "--append".to_owned()));
        args.extend(self.keep.then(|| "--keep".to_owned()));
        if self.named_by == NamedBy::Option {
            args.push(format!("--data-file={}", self.data_file));
        }
        let folder = || Path::new(self.data_file).parent().unwrap().join(".");
        match self.places {
            Places::Default => {}
            Places::Folder => args.push(folder().to_str().unwrap().to_owned()),
            Places::Files => args.extend((0..self.inputs.len()).rev().map(|n| self.input_name(n))),
        }
        args
    }

    fn variables(&self) -> Vec<(&'static str, &'static str)> {
        match self.named_by {
            NamedBy::Variable => vec![("COVERAGE_FILE", self.data_file)],
            _ => vec![],
        }
    }

    /// Returns what coverage.py has to write into `pristine`.
    fn recordings(&self, pristine: &Path, here: &str) -> Vec<Value> {
        let inputs = self.inputs.iter().enumerate().filter_map(|(number, input)| match input {
            Input::Recorded(recording) => Some((self.input_name(number), recording)),
            _ => None,
        });
        let base = self.base.iter().map(|recording| (self.data_file.to_owned(), recording));
        inputs
            .chain(base)
            .map(|(name, recording)| recording.job(&pristine.join(name), here))
            .collect()
    }

    /// Adds the inputs that coverage.py does not write.
    fn complete(&self, dir: &Dir) {
        for (number, input) in self.inputs.iter().enumerate() {
            let name = format!("pristine/{}", self.input_name(number));
            match input {
                Input::Recorded(_) => {}
                Input::CopyOf(other) => {
                    if let Some(Input::Recorded(_)) = self.inputs.get(*other) {
                        let original = dir.path(format!("pristine/{}", self.input_name(*other)));
                        dir.write(name, fs::read(original).unwrap());
                    }
                }
                // All are different, because coverage.py deletes all but the first of equal inputs.
                Input::Stranger => {
                    drop(dir.write(name, format!("no data file, but note {number}")))
                }
            }
        }
    }
}

impl Recording {
    fn job(&self, file: &Path, here: &str) -> Value {
        let here = |path: &str| path.replace(HERE, here);
        let mut files = BTreeSet::new();
        files.extend(self.rows.iter().map(|row| here(&row.path)));
        files.extend(self.touched.iter().map(|path| here(path)));
        let tracer = |path: &str| if path.ends_with(".tmpl") { "pages.Plugin" } else { "" };
        let files: Vec<_> = files.iter().map(|path| json!([path, tracer(path)])).collect();
        let rows = |arcs: bool| -> Vec<Value> {
            let rows = self.rows.iter().filter(|_| self.arcs == arcs);
            rows.map(|row| json!([here(&row.path), row.context, row.values(arcs)])).collect()
        };
        let measure = if self.arcs { "arcs" } else { "lines" };
        json!({
            "do": "write", "file": file, "contexts": self.unused_contexts, "files": files,
            "measure": (!self.rows.is_empty()).then_some(measure), "lines": rows(false), "arcs": rows(true),
        })
    }
}

impl Row {
    fn values(&self, arcs: bool) -> Value {
        match arcs {
            true => json!(self.pairs),
            false => json!(self.pairs.iter().map(|pair| pair.0.abs()).collect::<Vec<_>>()),
        }
    }
}

/// A folder for one scenario. The inputs are in `pristine`, and the programs run in `here`.
struct Stage {
    scenario: Scenario,
    dir: Dir,
}

/// What a program has left.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Rows,
    /// The names of the files in the folder.
    names: Vec<String>,
}

impl Stage {
    fn new(scenario: Scenario) -> Self {
        let dir = Dir::new();
        fs::create_dir_all(dir.path("pristine/sub")).unwrap();
        Self { scenario, dir }
    }

    fn here(&self) -> String {
        self.dir.path("here").to_str().unwrap().to_owned()
    }

    /// Creates `here` again.
    fn set_up(&self) {
        let _ = fs::remove_dir_all(self.dir.path("here"));
        // Some of the results of aliases exist.
        for name in ["src/app/views.py", "app/models.py", "src/views.py"] {
            self.dir.write(format!("here/{name}"), "");
        }
        fs::create_dir_all(self.dir.path("here/sub")).unwrap();
        self.dir.write("here/.coveragerc", self.scenario.config(&self.here()));
        for name in self.dir.state().into_keys() {
            if let Some(name) = name.strip_prefix("pristine/") {
                fs::copy(self.dir.path("pristine").join(name), self.dir.path("here").join(name))
                    .unwrap();
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let file = self.dir.path("here").join(self.scenario.data_file);
        let rows = if file.exists() { Rows::by_sql(file) } else { Rows::default() };
        let names = self.dir.names().into_iter().filter(|name| name.starts_with("here/")).collect();
        Outcome { rows, names }
    }

    fn run_pulpcov(&self) -> Ran {
        let mut command = pulpcov();
        command.args(self.scenario.args()).current_dir(self.here()).envs(self.scenario.variables());
        Ran::from(command.output().unwrap())
    }

    fn coverage_job(&self) -> Value {
        let variables: serde_json::Map<_, _> = self
            .scenario
            .variables()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        json!({"do": "run", "argv": self.scenario.args(), "cwd": self.here(), "env": variables})
    }
}

/// Returns the line `Combined 3 files, skipped 1`, or the error that stopped the program.
fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn random_folders_combine_as_in_coverage() {
    let wanted = std::env::var("PULPCOV_TEST_SCENARIOS").map(|number| number.parse().unwrap());
    let wanted = wanted.unwrap_or(SCENARIOS);
    let mut runner = TestRunner::deterministic();
    let stages: Vec<Stage> =
        std::iter::repeat_with(|| scenario().new_tree(&mut runner).unwrap().current())
            .take(wanted)
            .map(Stage::new)
            .collect();
    let recordings =
        |stage: &Stage| stage.scenario.recordings(&stage.dir.path("pristine"), &stage.here());
    reference(&stages.iter().flat_map(recordings).collect::<Vec<_>>());

    let ours: Vec<(Ran, Outcome)> = stages
        .iter()
        .map(|stage| {
            stage.scenario.complete(&stage.dir);
            stage.set_up();
            let ran = stage.run_pulpcov();
            let outcome = stage.outcome();
            stage.set_up();
            (ran, outcome)
        })
        .collect();
    let theirs = reference(&stages.iter().map(Stage::coverage_job).collect::<Vec<_>>());

    let mut succeeded = 0;
    for ((stage, (ran, ours)), theirs) in stages.iter().zip(ours).zip(theirs) {
        let told = format!("{:?}\n{ran:?}\n{theirs}", stage.scenario);
        let their_output = theirs["stderr"].as_str().unwrap();
        if theirs["status"] != 0 {
            assert_eq!(ran.status, 1, "{told}");
            continue;
        }
        succeeded += 1;
        // Our exit code says that a file was left out.
        let left_out = their_output.contains("errored");
        assert_eq!(ran.status, if left_out { 3 } else { 0 }, "{told}");
        assert_eq!(last_line(&ran.stderr), last_line(their_output), "{told}");
        assert_eq!(ours, stage.outcome(), "{told}");
    }
    println!("{succeeded} of {wanted} combined");
    assert!(succeeded > wanted / 2, "only {succeeded} combined at all");
}
