//! The tests in coverage.py's `tests/test_config.py` that read files.

use std::fs;

use proptest::prelude::*;
use pulpcov_core::config::{Config, Loaded, Loader, Value};
use pulpcov_core::{Error, ErrorKind, Position};

const TOML_NAMES: [&str; 2] = ["pyproject.toml", ".coveragerc.toml"];

/// A folder with config files, and the settings for loading a config from it.
#[derive(Default)]
struct Case<'a> {
    files: Vec<(&'a str, String)>,
    env: Vec<(&'a str, &'a str)>,
    rcfile: Option<&'a str>,
}

impl<'a> Case<'a> {
    fn file(mut self, name: &'a str, text: impl Into<String>) -> Self {
        self.files.push((name, text.into()));
        self
    }

    fn env(mut self, name: &'a str, value: &'a str) -> Self {
        self.env.push((name, value));
        self
    }

    fn rcfile(mut self, name: &'a str) -> Self {
        self.rcfile = Some(name);
        self
    }

    fn try_load(self) -> Result<Loaded, Error> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &self.files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let env = |name: &str| {
            let found = self.env.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let loader = Loader::new(folder.path(), env);
        match self.rcfile {
            Some(name) => loader.rcfile(name).load(),
            None => loader.load(),
        }
    }

    fn load(self) -> Config {
        let loaded = self.try_load().unwrap();
        assert_eq!(loaded.warnings, [""; 0]);
        loaded.config
    }

    fn warnings(self) -> Vec<String> {
        self.try_load().unwrap().warnings
    }
}

fn folder<'a>() -> Case<'a> {
    Case::default()
}

#[test]
fn no_file_gives_the_defaults() {
    let config = folder().load();
    assert!(!config.run.timid && !config.run.branch);
    assert_eq!(config.run.data_file, ".coverage");
    assert_eq!(config.files.attempted.len(), 5);
    assert_eq!(config.files.read.len(), 0);
    assert_eq!(config.files.used, None);
}

#[test]
fn coveragerc() {
    let text = "# Not much.\n[run]\ntimid =         True\ndata_file =     .kitty.data\n";
    let config = folder().file(".coveragerc", text).load();
    assert!(config.run.timid && !config.run.branch);
    assert_eq!(config.run.data_file, ".kitty.data");
}

#[test]
fn named_file() {
    let text = "[run]\ntimid = True\n; a comment\ndata_file = delete.me\n";
    let config = folder().file("my_cov.ini", text).rcfile("my_cov.ini").load();
    assert!(config.run.timid);
    assert_eq!(config.run.data_file, "delete.me");
}

#[test]
fn toml() {
    let text = r#"
        [tool.somethingelse]
        authors = ["Joe D'Ávila <joe@example.com>"]
        [tool.coverage.run]
        concurrency = ["thread", "gevent"]
        timid = true
        plugins = ["plugins.a_plugin"]
        [tool.coverage.report]
        precision = 3
        fail_under = 90.5
        [tool.coverage.html]
        title = "tabblo & «ταБЬℓσ»"
        [tool.coverage.plugins.a_plugin]
        hello = "world"
    "#;
    for name in TOML_NAMES {
        let config = folder().file(name, text).load();
        assert!(config.run.timid && !config.run.branch);
        assert_eq!(config.run.concurrency, ["thread", "gevent"]);
        assert_eq!(config.report.precision, 3);
        assert_eq!(config.report.fail_under, 90.5);
        assert_eq!(config.html.title, "tabblo & «ταБЬℓσ»");
        let options = config.plugin_options.get("plugins.a_plugin").unwrap();
        let options: Vec<_> = options.iter().collect();
        assert_eq!(options, [(&"hello".to_owned(), &Value::Text("world".into()))]);
    }
}

#[test]
fn toml_integers_can_be_floats() {
    for name in TOML_NAMES {
        let config = folder().file(name, "[tool.coverage.report]\nfail_under = 90\n").load();
        assert_eq!(config.report.fail_under, 90.0);
    }
}

#[test]
fn an_empty_rcfile_reads_nothing() {
    let config = folder().file(".coveragerc", "[run]\ntimid = True\n").rcfile("").load();
    assert!(!config.run.timid);
    assert!(config.files.attempted.is_empty());
}

#[test]
fn environment() {
    let rc = "[run]\ndata_file = weirdo.file\ndebug = dataio, pids\n";
    let config = folder()
        .file(".coveragerc", rc)
        .env("COVERAGE_FILE", "fromenv.dat")
        .env("COVERAGE_DEBUG", "callers, fooey")
        .env("COVERAGE_CORE", "pytrace")
        .load();
    assert_eq!(config.run.data_file, "fromenv.dat");
    assert_eq!(config.run.debug, ["dataio", "pids", "callers", "fooey"]);
    assert_eq!(config.run.core.as_deref(), Some("pytrace"));

    let other = "[run]\ndata_file = overthere.dat\n";
    let config = folder().file("here.ini", other).env("COVERAGE_RCFILE", "here.ini").load();
    assert_eq!(config.run.data_file, "overthere.dat");

    let forced = folder().file(".coveragerc", rc).file("force.ini", "[run]\ndebug = callers\n");
    let config = forced.env("COVERAGE_FORCE_CONFIG", "force.ini").load();
    assert_eq!(config.run.debug, ["callers"]);
    assert_eq!(config.run.data_file, "weirdo.file");
}

#[test]
fn a_file_asked_for_must_be_readable() {
    let cases = [
        (folder().env("COVERAGE_RCFILE", "nowhere.ini"), "nowhere.ini"),
        (folder().rcfile("nosuchfile.txt"), "nosuchfile.txt"),
        (folder().rcfile("."), "."),
    ];
    for (case, name) in cases {
        let error = case.try_load().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.path().unwrap().to_str(), Some(name));
        assert_eq!(error.reason(), format!("Couldn't read '{name}' as a config file"));
    }
    assert_eq!(folder().rcfile(".coveragerc").load().run.data_file, ".coverage");
}

fn option(section: &str, option: &str) -> Position {
    Position::Option { section: section.to_owned(), option: option.to_owned(), line: Some(2) }
}

fn line(line: usize, column: Option<usize>) -> Position {
    Position::Line { line, column }
}

#[test]
fn ini_refusals() {
    let cases = [
        ("[run]\ntimid = maybe?\n", option("run", "timid"), "Not a boolean: maybe?"),
        ("timid = 1\n", line(1, None), "no section headers"),
        ("\n[run\n", line(2, None), "[run"),
        ("[run]\ntimid\n", line(2, None), "[line  2]: 'timid\\n'"),
        (
            "[report]\nexclude_lines = foo(\n",
            option("report", "exclude_lines"),
            "Invalid [report].exclude_lines value 'foo(': missing )",
        ),
        (
            "[coverage:report]\nexclude_also = foo(\n",
            option("coverage:report", "exclude_also"),
            "Invalid [report].exclude_also value 'foo(': missing )",
        ),
        (
            "[report]\npartial_branches = foo[\n",
            option("report", "partial_branches"),
            "Invalid [report].partial_branches value 'foo[': unterminated character set",
        ),
        (
            "[report]\npartial_branches_always = foo***\n",
            option("report", "partial_branches_always"),
            "Invalid [report].partial_branches_always value 'foo***': multiple repeat",
        ),
        (
            "[run]\nconcurrency = wat, thread\n",
            option("run", "concurrency"),
            "Unknown concurrency choices: wat",
        ),
    ];
    for (text, position, message) in cases {
        let error = folder().file(".coveragerc", text).try_load().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.path().unwrap().ends_with(".coveragerc"), "{error}");
        assert_eq!(error.position(), Some(&position), "{text:?}");
        assert!(error.reason().contains(message), "{text:?}: {error}");
    }
}

#[test]
fn toml_refusals() {
    let cases = [
        ("run]\ntimid = \"maybe?\"", "timid", "couldn't convert to a boolean: 'maybe?'"),
        ("report]\nexclude_lines = [\"foo(\"]", "exclude_lines", "value 'foo(': missing )"),
        ("report]\npartial_also = [\"foo[\"]", "partial_also", "unterminated character set"),
        ("run]\nconcurrency=\"foo\"", "concurrency", "is not a list: 'foo'"),
        ("report]\nprecision=1.23", "precision", "is not an integer: 1.23"),
        ("report]\nprecision=99999999999999999999", "precision", "is out of range"),
        ("report]\nfail_under=\"s\"", "fail_under", "couldn't convert to a float: 's'"),
        ("run]\nomit=[1, 2]", "omit", "is not a list of strings: 1"),
        ("run]\ndata_file=3", "data_file", "is not a string: 3"),
        ("html]\ndirectory=1979-05-27", "directory", "is not a string: datetime.date(1979, 5, 27)"),
        ("paths]\nsource=\"not-a-list\"", "source", "is not a list: 'not-a-list'"),
        ("paths]\nsource=[1, 2]", "source", "is not a list of strings: 1"),
    ];
    for name in TOML_NAMES {
        for (text, option_name, message) in cases {
            let text = format!("[tool.coverage.{text}\n");
            let section = text[1..].split(']').next().unwrap();
            let error = folder().file(name, text.as_str()).try_load().unwrap_err();
            assert_eq!(error.path().unwrap().to_str(), Some(name));
            assert_eq!(error.position(), Some(&option(section, option_name)), "{text:?}");
            assert!(error.reason().contains(message), "{text:?}: {error}");
        }
        let error = folder().file(name, "[tool.x]\n[tool.coverage.run\n").try_load().unwrap_err();
        assert!(matches!(error.position(), Some(Position::Line { line: 2, column: Some(_) })));
    }
}

/// The loader converts values to text as Python's `str` does.
#[test]
fn texts_may_be_of_any_toml_type() {
    for (value, text) in [
        ("2024", "2024"),
        ("1.50", "1.5"),
        ("true", "True"),
        ("1979-05-27", "1979-05-27"),
        ("07:32:00.5", "07:32:00.500000"),
        ("1979-05-27T00:32:00-07:30", "1979-05-27 00:32:00-07:30"),
        ("1979-05-27 00:32:10.123456789Z", "1979-05-27 00:32:10.123456+00:00"),
        ("[1, 'a']", "[1, 'a']"),
    ] {
        let config =
            folder().file("pyproject.toml", format!("[tool.coverage.html]\ntitle = {value}\n"));
        assert_eq!(config.try_load().unwrap().config.html.title, text);
    }
}

#[test]
fn bytes_that_are_no_text_name_their_line() {
    for name in ["a.ini", "a.toml"] {
        let error = Loader::new("/", |_| None).parse(name, b"# \n\xff\n").unwrap_err();
        assert_eq!(error.position(), Some(&line(2, None)));
        assert_eq!(
            error.reason(),
            format!("Couldn't read config file {name}: it is not UTF-8 (at line 2)")
        );
    }
}

#[test]
fn environment_variables_in_values() {
    let lines = ["the_$$one", "another${THING}", "x${THING}y", "x${NOTHING}y", "huh$${X}what"];
    let expected = ["the_$one", "anotherZZZ", "xZZZy", "xy", "huh${X}what"];
    let set = |case: Case<'static>| {
        case.env("DATA_FILE", "hello-world").env("THING", "ZZZ").env("OKAY", "yes")
    };
    let ini = format!(
        "[run]\ndata_file = $DATA_FILE.fooey\nbranch = $OKAY\n[report]\nexclude_lines =\n  {}\n",
        lines.join("\n  ")
    );
    let config = set(folder().file(".coveragerc", ini)).load();
    assert_eq!(config.run.data_file, "hello-world.fooey");
    assert!(config.run.branch);
    assert_eq!(config.report.exclude_lines, expected);

    let toml = format!(
        r#"
        [tool.coverage.run]
        data_file = "$DATA_FILE.fooey"
        branch = "$BRANCH"
        [tool.coverage.report]
        precision = "$DIGITS"
        fail_under = "$FAIL_UNDER"
        exclude_lines = {lines:?}
        [othersection]
        something = "if [ $OTHER ]; then printf '%s\\n' 'Hi'; fi"
        "#
    );
    for name in TOML_NAMES {
        let case = set(folder().file(name, toml.as_str()))
            .env("BRANCH", "true")
            .env("DIGITS", "3")
            .env("FAIL_UNDER", "90.5")
            .env("OTHER", "hi\\zebra");
        let config = case.load();
        assert!(config.run.branch);
        assert_eq!(config.report.precision, 3);
        assert_eq!(config.report.fail_under, 90.5);
        assert_eq!(config.report.exclude_lines, expected);
    }
}

#[test]
#[cfg(unix)]
fn tildes_in_paths_only() {
    let ini = "[run]\ndata_file = ~/data.file\n[html]\ndirectory = ~root/html\n\
        [json]\noutput = ~/j.json\n[lcov]\noutput = ~/~foo.lcov\n[xml]\noutput = ~/x.out\n\
        [report]\nexclude_lines =\n  ~/data.file\n[paths]\nmapping =\n  ~/src\n  ~root/source\n";
    let toml = "[run]\ndata_file = '~/data.file'\n[html]\ndirectory = '~root/html'\n\
        [json]\noutput = '~/j.json'\n[lcov]\noutput = '~/~foo.lcov'\n[xml]\noutput = '~/x.out'\n\
        [report]\nexclude_lines = ['~/data.file']\n[paths]\nmapping = ['~/src', '~root/source']\n";
    for (name, text) in [(".coveragerc", ini), (".coveragerc.toml", toml)] {
        let config = folder().file(name, text).env("HOME", "/Users/me").load();
        assert_eq!(config.run.data_file, "/Users/me/data.file");
        assert_eq!(config.json.output, "/Users/me/j.json");
        assert_eq!(config.lcov.output, "/Users/me/~foo.lcov");
        assert_eq!(config.xml.output, "/Users/me/x.out");
        assert_eq!(config.report.exclude_lines, ["~/data.file"]);
        assert!(!config.html.directory.starts_with('~'));
        let mapping = config.paths.get("mapping").unwrap();
        assert_eq!(mapping[0], "/Users/me/src");
        assert!(mapping[1].ends_with("/source") && !mapping[1].starts_with('~'));
    }
}

#[test]
fn also_options_add_to_the_others() {
    let default = Config::default().report;
    let text = "[tool.coverage.report]\nexclude_also = ['foobar']\npartial_also = ['a', 'b']\n";
    for name in TOML_NAMES {
        let report = folder().file(name, text).load().report;
        assert_eq!(
            report.exclude_lines,
            [default.exclude_lines.as_slice(), &["foobar".into()]].concat()
        );
        let also = ["a".to_owned(), "b".to_owned()];
        assert_eq!(report.partial_branches, [default.partial_branches.as_slice(), &also].concat());
        assert_eq!(report.partial_branches_always, default.partial_branches_always);
    }
}

#[test]
fn patching_subprocesses_needs_parallel_data() {
    let config = folder().file(".coveragerc", "[run]\npatch = _exit, subprocess\n").load();
    assert!(config.run.parallel);
    // The loader does not check the names of patches. Only measuring needs them.
    assert!(!folder().file(".coveragerc", "[run]\npatch = xyzzy\n").load().run.parallel);
}

#[test]
fn unknown_options_are_warned_about_in_order() {
    let cases = [
        (".coveragerc", "[run]\nzed = 1\nxyzzy = 17\n", vec!["[run] xyzzy=", "[run] zed="]),
        (".coveragerc", "[report]\nbranch = True\n", vec!["[report] branch="]),
        ("setup.cfg", "[coverage:run]\nhuh = what?\nbranch = 1\n", vec!["[coverage:run] huh="]),
        ("pyproject.toml", "[tool.coverage.run]\nxyzzy = 17\n", vec!["[tool.coverage.run] xyzzy="]),
        (".coveragerc.toml", "[run]\nxyzzy = 17\n", vec!["[run] xyzzy="]),
        (".coveragerc", "[DEFAULT]\nd = 1\n[run]\n[xml]\n", vec!["[run] d=", "[xml] d="]),
    ];
    for (name, text, options) in cases {
        let expected: Vec<_> = options
            .iter()
            .map(|option| format!("Unrecognized option '{option}' in config file {name}"))
            .collect();
        assert_eq!(folder().file(name, text).warnings(), expected);
    }
}

/// Nearly all settings, in many forms. `{}` stands for the prefix of the sections.
const SETTINGS: &str = r"
# A comment
[{}run]
timid = yes
data_file = other.dat
branch = 1
cover_pylib = TRUE
parallel = on
concurrency = thread
; another
omit = twenty
source = myapp
source_pkgs = ned
source_dirs = cooldir
plugins =
    plugins.a_plugin
    plugins.another
debug = callers, pids  ,     dataio
disable_warnings =     abcd  ,  efgh

[{}report]
exclude_lines =
    if 0:

    pragma:?\s+no cover
        another_tab

ignore_errors = TRUE
omit =
    one, another, some_more,
        yet_more
include = thirty
precision = 3
partial_branches =
    pragma:?\s+no branch
partial_branches_always =
    if 0:
    while True:
show_missing= TruE
skip_covered = TruE
skip_empty  =TruE
include_namespace_packages = TRUE

[{}html]

directory    =     c:\tricky\dir.somewhere
extra_css=something/extra.css
title = Title & nums # nums!
[{}xml]
output=mycov.xml
package_depth          =                                17

[{}paths]
source =
    .
    /home/ned/src/

other = other, /home/ned/other, c:\Ned\etc

[{}plugins.a_plugin]
hello = world
; comments still work.
names = Jane/John/Jenny

[{}json]
pretty_print = True
show_contexts = True
";

/// Sections of other tools.
const OTHERS: &str = "[bdist_rpm]\nrelease = 1\ndoc_files = CHANGES.txt\n            README.txt\n\
    [testenv]\ncommands =\n    # Create it\n    python tools/igor.py\n";

fn assert_settings(case: Case<'_>) {
    let config = case.load();
    let Config { run, report, html, xml, json, paths, plugin_options, .. } = &config;
    assert!(run.timid && run.branch && run.cover_pylib && run.parallel);
    assert_eq!(run.data_file, "other.dat");
    assert_eq!(run.debug, ["callers", "pids", "dataio"]);
    assert_eq!(run.concurrency, ["thread"]);
    assert_eq!(run.source.as_deref(), Some(&["myapp".to_owned()][..]));
    assert_eq!(run.source_pkgs, ["ned"]);
    assert_eq!(run.source_dirs, ["cooldir"]);
    assert_eq!(run.disable_warnings, ["abcd", "efgh"]);
    assert_eq!(run.omit, ["twenty"]);
    assert_eq!(run.plugins, ["plugins.a_plugin", "plugins.another"]);

    assert_eq!(report.exclude_lines, ["if 0:", r"pragma:?\s+no cover", "another_tab"]);
    assert!(report.ignore_errors && report.show_missing && report.skip_covered);
    assert!(report.skip_empty && report.include_namespace_packages);
    assert_eq!(report.omit.as_ref().unwrap(), &["one", "another", "some_more", "yet_more"]);
    assert_eq!(report.include.as_ref().unwrap(), &["thirty"]);
    assert_eq!(report.precision, 3);
    assert_eq!(report.partial_branches, [r"pragma:?\s+no branch"]);
    assert_eq!(report.partial_branches_always, ["if 0:", "while True:"]);

    assert_eq!(html.directory, r"c:\tricky\dir.somewhere");
    assert_eq!(html.extra_css.as_deref(), Some("something/extra.css"));
    assert_eq!(html.title, "Title & nums # nums!");
    assert_eq!(xml.output, "mycov.xml");
    assert_eq!(xml.package_depth, 17);
    assert!(json.pretty_print && json.show_contexts);

    let paths: Vec<_> =
        paths.iter().map(|(name, paths)| (name.as_str(), paths.join("|"))).collect();
    let other = r"other|/home/ned/other|c:\Ned\etc".to_owned();
    assert_eq!(paths, [("source", ".|/home/ned/src/".to_owned()), ("other", other)]);

    let options = plugin_options.get("plugins.a_plugin").unwrap().iter();
    let options: Vec<_> = options.map(|(name, value)| (name.as_str(), value)).collect();
    let (world, names) = (Value::Text("world".into()), Value::Text("Jane/John/Jenny".into()));
    assert_eq!(options, [("hello", &world), ("names", &names)]);
    assert!(plugin_options.get("plugins.another").is_none());
}

#[test]
fn all_settings_in_any_file() {
    let own = SETTINGS.replace("{}", "");
    let prefixed = SETTINGS.replace("{}", "coverage:");
    let mixed = format!("{prefixed}\n{OTHERS}");
    assert_settings(folder().file(".coveragerc", own));
    for name in ["setup.cfg", "tox.ini"] {
        assert_settings(folder().file(name, mixed.as_str()));
        assert_settings(folder().file(name, mixed.as_str()).rcfile(".coveragerc"));
    }
    assert_settings(folder().file("tox.ini", format!("{OTHERS}\n{prefixed}")).rcfile("tox.ini"));
    assert_settings(folder().file("setup.cfg", OTHERS).file("tox.ini", mixed));
}

#[test]
fn which_file_wins() {
    let branch = "[coverage:run]\nomit = bar\nbranch = true\n";
    for name in ["setup.cfg", "tox.ini"] {
        let config =
            folder().file(".coveragerc", "[run]\ninclude = foo\n").file(name, branch).load();
        assert_eq!(config.run.include, ["foo"]);
        assert!(config.run.omit.is_empty() && !config.run.branch);

        let config = folder().file(name, "[run]\nomit = bar\nbranch = true\n").load();
        assert!(config.run.omit.is_empty() && !config.run.branch);
    }
    // coverage.py's own config file is used even if it is empty.
    for name in [".coveragerc", ".coveragerc.toml"] {
        assert!(!folder().file(name, "").file("setup.cfg", branch).load().run.branch);
    }

    let ours = "[tool.coverage.run]\ndata_file = 'ours'\n";
    let pyproject = "[tool.coverage.run]\ndata_file = 'theirs'\nbranch = true\n";
    let config = folder().file(".coveragerc.toml", ours).file("pyproject.toml", pyproject).load();
    assert_eq!(config.run.data_file, "ours");
    assert!(!config.run.branch);

    let plain = "[run]\ntimid = true\ndata_file = 'plain'\n[report]\nprecision = 2\n";
    let config = folder().file(".coveragerc.toml", plain).load();
    assert!(config.run.timid && config.run.data_file == "plain" && config.report.precision == 2);

    let config = folder().file("pyproject.toml", format!("{plain}{pyproject}")).load();
    assert!(!config.run.timid && config.run.data_file == "theirs" && config.report.precision == 0);
}

#[test]
fn text_beyond_ascii() {
    let text = "[report]\nexclude_lines =\n  first\n  ✘${TOX_ENVNAME}\n  third\n\
        [html]\ntitle = tabblo & «ταБЬℓσ» # numbers\n";
    let config = folder().file(".coveragerc", text).env("TOX_ENVNAME", "weirdo").load();
    assert_eq!(config.report.exclude_lines, ["first", "✘weirdo", "third"]);
    assert_eq!(config.html.title, "tabblo & «ταБЬℓσ» # numbers");
}

/// Generates text of random bytes and of pieces that mean something to a parser.
fn config_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "[run]\n",
            "[report]\n",
            "[paths]\n",
            "[DEFAULT]\n",
            "[tool.coverage.run]\n",
            "\n ",
            "=",
            "exclude_lines",
            "exclude_lines = [\"",
            "(?",
            "(?P<n>",
            "(?<=",
            "[^",
            "]",
            ")",
            "*",
            "{2,",
            "\\",
            "${X",
            "-}",
            "\"",
            "'",
            "branch = ",
            "precision = ",
            "fail_under = 1_0",
            "\r",
            "~",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
        ".{0,3}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_content_panics(content in config_text()) {
        for name in ["a.ini", "a.toml"] {
            let _ = Loader::new("/", |_| Some("x".to_owned())).parse(name, &content);
        }
    }
}

#[test]
fn hostile_content_takes_little_time() {
    // What takes the square of such a length, or more, takes much longer, even on a busy machine.
    const HANGS: std::time::Duration = std::time::Duration::from_secs(60);
    let cases = [
        ("a.ini", "[run]\ncontext = ".to_owned() + &"${a-".repeat(200_000)),
        ("a.ini", "[run]\n".to_owned() + &"a\n".repeat(300_000)),
        ("a.ini", (0..100_000).map(|n| format!("[{n}]\na=1\n")).collect()),
        (
            "a.ini",
            "[paths]\n".to_owned() + &(0..100_000).map(|n| format!("a{n}=1\n")).collect::<String>(),
        ),
        ("a.ini", "[report]\nexclude_lines = ".to_owned() + &"(".repeat(300_000)),
        ("a.ini", "[report]\nexclude_lines = ".to_owned() + &"(a)*".repeat(100_000)),
        ("a.ini", "[report]\nexclude_lines = ".to_owned() + &"(?(1)".repeat(100_000)),
        ("a.ini", "[report]\nexclude_lines = ".to_owned() + &"{1".repeat(300_000)),
        ("a.toml", "a = ".to_owned() + &"[".repeat(300_000)),
        ("a.toml", "a".to_owned() + &".a".repeat(300_000) + " = 1"),
    ];
    for (name, text) in cases {
        let start = std::time::Instant::now();
        let _ = Loader::new("/", |_| None).parse(name, text.as_bytes());
        let shown = &text[..40];
        assert!(start.elapsed() < HANGS, "{shown:?} took {:?}", start.elapsed());
    }
}
