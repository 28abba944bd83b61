//! Random configurations: coverage.py and pulpcov read the same settings from them.
//!
//! `PULPCOV_CASES` sets the number of cases. To repeat a case that failed, set `PULPCOV_FIRST_CASE` to its
//! number.

use std::fmt::Write;
use std::ops::RangeInclusive;

use pulpcov_core::config::Config;
use pulpcov_core::text::is_printable;
use serde_json::{Value, json};

use crate::support::{Dir, Ran, pulpcov, reference};
use crate::support::{cases, number_of_environment};

/// All options, by section, with the kind of their values.
const OPTIONS: [(&str, &[(&str, Kind)]); 6] = [
    (
        "run",
        &[
            ("branch", Kind::Boolean),
            ("command_line", Kind::Text),
            ("concurrency", Kind::Concurrency),
            ("context", Kind::Text),
            ("core", Kind::Text),
            ("cover_pylib", Kind::Boolean),
            ("data_file", Kind::Text),
            ("debug", Kind::List),
            ("debug_file", Kind::Text),
            ("disable_warnings", Kind::List),
            ("dynamic_context", Kind::Text),
            ("include", Kind::List),
            ("omit", Kind::List),
            ("parallel", Kind::Boolean),
            ("patch", Kind::List),
            ("plugins", Kind::Plugins),
            ("relative_files", Kind::Boolean),
            ("sigterm", Kind::Boolean),
            ("source", Kind::List),
            ("source_dirs", Kind::List),
            ("source_pkgs", Kind::List),
            ("timid", Kind::Boolean),
            ("_crash", Kind::Text),
        ],
    ),
    (
        "report",
        &[
            ("contexts", Kind::List),
            ("exclude_also", Kind::Patterns),
            ("exclude_lines", Kind::Patterns),
            ("fail_under", Kind::Float),
            ("format", Kind::Text),
            ("ignore_errors", Kind::Boolean),
            ("include", Kind::List),
            ("include_namespace_packages", Kind::Boolean),
            ("omit", Kind::List),
            ("partial_also", Kind::Patterns),
            ("partial_branches", Kind::Patterns),
            ("partial_branches_always", Kind::Patterns),
            ("precision", Kind::Integer),
            ("show_missing", Kind::Boolean),
            ("skip_covered", Kind::Boolean),
            ("skip_empty", Kind::Boolean),
            ("sort", Kind::Text),
        ],
    ),
    (
        "html",
        &[
            ("directory", Kind::Text),
            ("extra_css", Kind::Text),
            ("show_contexts", Kind::Boolean),
            ("skip_covered", Kind::Boolean),
            ("skip_empty", Kind::Boolean),
            ("title", Kind::Text),
        ],
    ),
    ("xml", &[("output", Kind::Text), ("package_depth", Kind::Integer)]),
    (
        "json",
        &[
            ("output", Kind::Text),
            ("pretty_print", Kind::Boolean),
            ("show_contexts", Kind::Boolean),
        ],
    ),
    ("lcov", &[("line_checksums", Kind::Boolean), ("output", Kind::Text)]),
];

/// Sections with options of any name, and sections that coverage.py does not read.
const OTHER_SECTIONS: [&str; 6] = ["paths", "plug", "plug.in", "annotate", "DEFAULT", "Run"];

#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Integer,
    Float,
    Text,
    List,
    Patterns,
    Concurrency,
    Plugins,
}

impl Kind {
    /// Returns valid and nearly valid values of this kind.
    fn values(self) -> &'static [&'static str] {
        match self {
            Self::Boolean => &[
                "true",
                "True",
                "TRUE",
                "tRuE",
                "yes",
                "on",
                "1",
                "false",
                "no",
                "Off",
                "0",
                "y",
                "2",
                "maybe",
                "",
                "$YES",
                "${NOPE-on}",
                "true # not a comment",
                "ﬀ",
                "oN ; x",
            ],
            Self::Integer => &[
                "0",
                "1",
                "3",
                " 7 ",
                "-1",
                "+2",
                "1_0",
                "_1",
                "0x2",
                "007",
                "2.0",
                "1e1",
                "",
                "x",
                "$TWO",
                "٣",
                "1 2",
                "${NOPE-4}",
                "-0",
                "12345678901",
            ],
            Self::Float => &[
                "80",
                "80.5",
                "1e1",
                ".5",
                "5.",
                "inf",
                "-Infinity",
                "nan",
                "80.0.1",
                "80%",
                "8_0.5",
                "",
                "$TWO",
                "x",
                "1e400",
                "100.0001",
                "-0.0",
                "٨٠",
                "1e-7",
                "123456789012345678",
            ],
            Self::Text => &[
                "words of text",
                "~/file",
                "~",
                "~root/x",
                "~nobody-of-this-name/x",
                "$THING/x",
                "${THING}x",
                "${NOPE}",
                "${NOPE-default}",
                "${NOPE-a-b}",
                "${NOPE?}",
                "${EMPTY?}",
                "${EMPTY-d}",
                "$$THING",
                "$$$THING",
                "${",
                "${}",
                "$",
                "$1",
                "${THING",
                "${NOPE-${THING}}",
                "50%",
                "%(x)s",
                "é",
                "名前",
                "'quoted'",
                "\"x\"",
                "a = b",
                "a: b",
                "a;b",
                "# x",
                "[x]",
                "../up/./x",
                "$DOLLAR",
                "$TWO_",
                "${LIST}",
                "x\u{a0}y",
                "\u{85}x",
                "a\u{b}b",
                "a\u{c}b",
                "x\u{1c}y",
                "\u{feff}x",
                "\u{2028}",
                "a\\nb",
                "\t tab",
            ],
            Self::List => &[
                "a",
                "a, b",
                "a,,b,",
                " a b ,c",
                "a,b # c",
                "$LIST",
                "${LIST},x",
                "*/x/*, ?y",
                ",",
                "subprocess",
                "subprocess, fork",
                "no-data-collected",
                "${NOPE?}",
                "$NOPE",
                "'a','b'",
                "a;b",
                "a\u{b}, b",
            ],
            Self::Patterns => &[
                "def f",
                "a,b",
                "(",
                "[",
                "*",
                "x{2,1}",
                "(?P<n>x)(?P=n)",
                "(?P<n>x)(?P<n>y)",
                "(?i)x",
                "x(?i)",
                "foo$",
                "foo$$",
                "^\\s*$THING",
                "\\",
                "\\q",
                "[[x]",
                "a++",
                "(?<=a+)b",
                "\\1",
                "x{1",
                "raise $NOPE",
                "pragma: no cover",
                "#x",
                "(?x) a # b",
                "\\d+\\.",
                "a||b",
                "[z-a]",
                "(?z)",
                "(?:",
                "a)",
            ],
            Self::Concurrency => &[
                "thread",
                "multiprocessing",
                "gevent",
                "greenlet, eventlet",
                "thread, gevent",
                "nope",
                "nope, other",
                "multiprocessing,thread",
                "Thread",
                "gevent,gevent",
                "eventlet, nope",
            ],
            Self::Plugins => &[
                "plug",
                "plug, plug.in",
                "plug.in",
                "run",
                "report",
                "paths",
                "annotate",
                "nope",
                "",
            ],
        }
    }

    /// Returns this kind, and now and then another one.
    fn or_other(self, rng: &mut Rng) -> Self {
        const ALL: [Kind; 8] = [
            Kind::Boolean,
            Kind::Integer,
            Kind::Float,
            Kind::Text,
            Kind::List,
            Kind::Patterns,
            Kind::Concurrency,
            Kind::Plugins,
        ];
        if rng.one_in(12) { rng.pick(&ALL) } else { self }
    }

    /// Returns a value. The first values of a kind are valid, and are picked more often.
    fn value(self, rng: &mut Rng) -> &'static str {
        let values = self.or_other(rng).values();
        if rng.one_in(2) { values[rng.below(values.len().min(3))] } else { rng.pick(values) }
    }
}

/// The environment variables of all cases.
const ENVIRONMENT: [(&str, &str); 8] = [
    ("HOME", "/home/me"),
    ("THING", "thing"),
    ("YES", "yes"),
    ("TWO", "2"),
    ("LIST", "p, q\nr"),
    ("EMPTY", ""),
    ("DOLLAR", "$THING"),
    ("wörd", "wörd"),
];

/// A xorshift generator, which makes the same cases on every machine.
struct Rng(u64);

impl Rng {
    fn of_case(case: usize) -> Self {
        let mut rng = Self((case as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap() % limit
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn from(&mut self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The files of a folder, and how the command is called there.
struct Case {
    files: Vec<(&'static str, Vec<u8>)>,
    args: Vec<&'static str>,
    variables: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn random(number: usize) -> Self {
        const NAMES: [&str; 7] = [
            ".coveragerc",
            "setup.cfg",
            "tox.ini",
            "pyproject.toml",
            ".coveragerc.toml",
            "my.rc",
            "my.toml",
        ];
        let rng = &mut Rng::of_case(number);
        let mut case =
            Self { files: Vec::new(), args: vec!["debug", "config"], variables: Vec::new() };
        for _ in 0..if rng.one_in(8) { 2 } else { 1 } {
            let name = rng.pick(&NAMES);
            if case.files.iter().all(|(other, _)| *other != name) {
                case.files.push((name, content(rng, name)));
            }
        }
        match case.files[0].0 {
            "my.rc" if rng.one_in(2) => case.args.insert(1, "--rcfile=my.rc"),
            "my.rc" => case.variables.push(("COVERAGE_RCFILE", "my.rc")),
            "my.toml" if rng.one_in(2) => case.args.insert(1, "--rcfile=my.toml"),
            "my.toml" => case.variables.push(("COVERAGE_FORCE_CONFIG", "my.toml")),
            _ => {}
        }
        if rng.one_in(20) {
            const MORE: [(&str, &str); 5] = [
                ("COVERAGE_FILE", "~/data"),
                ("COVERAGE_DEBUG", "sys, ,config"),
                ("COVERAGE_CORE", "nope"),
                ("COVERAGE_FILE", ""),
                ("COVERAGE_RCFILE", "tox.ini"),
            ];
            case.variables.push(rng.pick(&MORE));
        }
        case
    }
}

fn content(rng: &mut Rng, name: &str) -> Vec<u8> {
    let text = if name.ends_with(".toml") { toml(rng, name) } else { ini(rng, name) };
    let text = if rng.one_in(6) { changed(rng, &text) } else { text };
    let text = match rng.below(20) {
        0 => text.replace('\n', "\r\n"),
        1 => text.replace('\n', "\r"),
        2 => format!("\u{feff}{text}"),
        _ => text,
    };
    let mut bytes = text.into_bytes();
    if rng.one_in(100) {
        bytes.push(0xe9);
    }
    bytes
}

/// Changes a random place of a text, like a typing error.
fn changed(rng: &mut Rng, text: &str) -> String {
    const PIECES: [&str; 26] = [
        " ",
        "\n",
        "\n ",
        "\n\t",
        "\t",
        "#",
        ";",
        "=",
        ":",
        "[",
        "]",
        "[run]\n",
        "[DEFAULT]\n",
        ",",
        "$",
        "${",
        "}",
        "(",
        "\\",
        "'",
        "\"",
        "\u{0}",
        "\u{c}",
        "{",
        "é",
        "\n[run]\n",
    ];
    let chars: Vec<char> = text.chars().collect();
    let at = rng.below(chars.len() + 1);
    let dropped = rng.below(4);
    let mut out: String = chars[..at].iter().collect();
    out.push_str(rng.pick(&PIECES));
    out.extend(chars.iter().skip(at + dropped));
    out
}

/// Returns the name of a section, and options to write into it.
fn section(rng: &mut Rng) -> (String, Vec<(String, &'static str)>) {
    let count = rng.from(0..=4);
    if rng.one_in(4) {
        let name = rng.pick(&OTHER_SECTIONS);
        let options = (0..count).map(|_| {
            let option =
                rng.pick(&["source", "a b", "x", "Other", "branch", "omit", "é", "x.y", "0"]);
            (option.to_owned(), Kind::List.value(rng))
        });
        return (name.to_owned(), options.collect());
    }
    let (name, known) = if rng.one_in(2) { OPTIONS[0] } else { rng.pick(&OPTIONS) };
    let options = (0..count).map(|_| {
        let (option, kind) = rng.pick(known);
        let option = match rng.below(25) {
            0 => "nope".to_owned(),
            1 => option.to_uppercase(),
            2 => format!("{option}s"),
            _ => option.to_owned(),
        };
        (option, kind.value(rng))
    });
    (name.to_owned(), options.collect())
}

fn ini(rng: &mut Rng, name: &str) -> String {
    let prefix = if matches!(name, "setup.cfg" | "tox.ini") { 15 } else { 2 };
    let mut out = String::new();
    if rng.one_in(10) {
        out.push_str(rng.pick(&[
            "# first\n",
            "; first\n\n",
            "\n",
            " \t\n",
            "x = 1\n",
            "  # x\n",
            "[tox]\nenvlist = %(x)s\n",
        ]));
    }
    for _ in 0..rng.from(1..=4) {
        let (section, options) = section(rng);
        let section = if rng.below(16) < prefix { format!("coverage:{section}") } else { section };
        // The section [DEFAULT] has no prefix.
        let section = section.replace("coverage:DEFAULT", "DEFAULT");
        let header = match rng.below(30) {
            0 => format!("[ {section} ]"),
            1 => format!("[{section}] # x"),
            2 => format!("  [{section}]"),
            3 => format!("[{section}"),
            4 => format!("[{section}]]"),
            5 => format!("\t[{section}]x = 1"),
            _ => format!("[{section}]"),
        };
        out.push_str(&header);
        out.push('\n');
        for (option, value) in options {
            ini_option(rng, &mut out, &option, value);
        }
        if rng.one_in(3) {
            out.push('\n');
        }
    }
    if rng.one_in(4) {
        out.truncate(out.trim_end_matches('\n').len());
    }
    out
}

fn ini_option(rng: &mut Rng, out: &mut String, option: &str, value: &str) {
    let between = match rng.below(24) {
        0..=3 => "=",
        4 | 5 => ": ",
        6 => " : ",
        7 => "  =\t",
        8 => "",
        9 => " ",
        10 => " == ",
        11 => ":=",
        _ => " = ",
    };
    let indent = if rng.one_in(15) { rng.pick(&[" ", "\t", "    ", "\u{a0}"]) } else { "" };
    if rng.one_in(12) {
        out.push_str(rng.pick(&["# comment\n", ";comment = 1\n", "\n", "  # indented\n", " \n"]));
    }
    out.push_str(indent);
    out.push_str(option);
    out.push_str(between);
    if !rng.one_in(4) {
        out.push_str(value);
        out.push('\n');
        if rng.one_in(12) {
            writeln!(out, "  {value}").unwrap();
        }
        return;
    }
    out.push_str(rng.pick(&["", "  ", "first", "first, # x"]));
    out.push('\n');
    for _ in 0..rng.from(1..=3) {
        out.push_str(rng.pick(&[
            "",
            "",
            "",
            "\n",
            "  # between\n",
            "# between\n",
            " ; between\n",
            "   \n",
        ]));
        out.push_str(rng.pick(&["  ", "    ", "\t", " ", "\u{a0}", "\u{3000}"]));
        out.push_str(value);
        out.push_str(rng.pick(&["", "", "", " ", ",", " # tail"]));
        out.push('\n');
    }
}

fn toml(rng: &mut Rng, name: &str) -> String {
    let prefix = if name == "pyproject.toml" { 15 } else { 4 };
    let mut out = String::new();
    if rng.one_in(10) {
        out.push_str(rng.pick(&[
            "# first\n",
            "x = 1\n",
            "[tool.other]\nx = [1, 2]\n",
            "tool = 5\n",
            "run = 5\n",
            "[tool]\ncoverage = []\n",
        ]));
    }
    for _ in 0..rng.from(1..=3) {
        let (section, options) = section(rng);
        let section =
            if section.contains('.') && rng.one_in(2) { format!("\"{section}\"") } else { section };
        let section =
            if rng.below(16) < prefix { format!("tool.coverage.{section}") } else { section };
        let header = match rng.below(25) {
            0 => format!("[ {section} ]"),
            1 => format!("[{section}] # x"),
            2 => format!("[[{section}]]"),
            3 => format!("[{section}"),
            _ => format!("[{section}]"),
        };
        out.push_str(&header);
        out.push('\n');
        // A repeated option is an error, which most cases should not have.
        let mut seen = Vec::new();
        for (option, value) in options {
            if seen.contains(&option) && !rng.one_in(8) {
                continue;
            }
            let is_bare = option.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let key =
                if is_bare || rng.one_in(10) { option.clone() } else { format!("\"{option}\"") };
            writeln!(out, "{key} = {}", toml_value(rng, value, 2)).unwrap();
            seen.push(option);
        }
    }
    out
}

/// Writes a value in one of TOML's types. A number or boolean mostly has its own type.
fn toml_value(rng: &mut Rng, value: &str, depth: usize) -> String {
    match rng.below(24) {
        0..=6
            if value == "true"
                || value == "false"
                || value
                    .parse::<f64>()
                    .is_ok_and(|_| value.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            value.to_owned()
        }
        7..=14 if depth > 0 => {
            let items: Vec<_> = (0..rng.from(0..=3)).map(|_| toml_string(rng, value)).collect();
            format!("[{}]", items.join(rng.pick(&[", ", ",", ",\n  ", ", # x\n"])))
        }
        15 => rng
            .pick(&[
                "true",
                "false",
                "1",
                "0",
                "-1",
                "2.5",
                "0x10",
                "1_000",
                "+5",
                "1e2",
                "inf",
                "-nan",
                "1979-05-27",
                "07:32:00",
                "1979-05-27T00:32:00-07:30",
                "1979-05-27 00:32:00.5Z",
                "{}",
                "{a = 1}",
                "[]",
                "[1]",
                "[[]]",
                "True",
                "yes",
                "",
                "99999999999999999999",
                "'''\na\nb'''",
                "[true]",
                "[1.50, \"x\"]",
                "{a = {b = 'c'}}",
                "\"\"",
                "1e400",
                "0.1e1",
                "-0",
                "-0.0",
                "1e16",
                "1e-5",
                "0o17",
                "0b11",
            ])
            .to_owned(),
        16 if depth > 0 => {
            let (one, two) = (toml_value(rng, value, 0), toml_string(rng, value));
            format!("[{one}, {two}]")
        }
        17 => value.to_owned(),
        _ => toml_string(rng, value),
    }
}

fn toml_string(rng: &mut Rng, value: &str) -> String {
    match rng.below(5) {
        0 if !value.contains('\'') => format!("'{value}'"),
        1 => format!("\"\"\"{}\"\"\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        2 => format!("\" {},x\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        3 => format!("\"{}\\n{0}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// What coverage.py answered to a case.
struct Theirs {
    ran: Ran,
    crash: Option<String>,
}

impl Theirs {
    fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let status = answer["status"].as_i64().map_or(-1, |status| i32::try_from(status).unwrap());
        let ran = Ran { status, stdout: text("stdout"), stderr: text("stderr") };
        Self { ran, crash: answer["crash"].as_str().map(str::to_owned) }
    }
}

/// The kind of an outcome. The test counts them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Settings,
    Refused,
    RefusedInOtherWords,
    Traceback,
}

/// Compares our answer to coverage.py's. Returns what differs, if anything.
fn compare(theirs: &Theirs, ours: &Ran) -> Result<Outcome, String> {
    let differs = |what: &str| Err(what.to_owned());
    if theirs.crash.is_some() {
        let is_clear =
            ours.status == 1 && names_a_file(&ours.stderr) && !ours.stderr.contains("panicked");
        return if is_clear { Ok(Outcome::Traceback) } else { differs("coverage.py crashes") };
    }
    if ours.status != theirs.ran.status {
        return differs("status");
    }
    if ours.status == 0 {
        return if plain(&ours.stdout) != plain(&theirs.ran.stdout) {
            differs("settings")
        } else if warnings(&ours.stderr, "warning: ")
            != warnings(&theirs.ran.stderr, "CoverageWarning: ")
        {
            differs("warnings")
        } else {
            Ok(Outcome::Settings)
        };
    }
    let ours = ours
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("error: "))
        .collect::<Vec<_>>()
        .join("\n");
    let (said, wanted) = (words(&ours), format!("error: {}", words(&theirs.ran.stdout)));
    if !names_a_file(&ours) {
        return differs("no file is named");
    }
    // Our message adds the place to coverage.py's.
    if said == wanted || said.strip_prefix(&wanted).is_some_and(|place| place.starts_with(" (")) {
        return Ok(Outcome::Refused);
    }
    // Python reads line by line, and may find another error before the bytes that are not UTF-8.
    if said.contains("it is not UTF-8 (at line ") {
        return Ok(Outcome::RefusedInOtherWords);
    }
    // The messages of Python's TOML parser differ from those of ours.
    let is_toml = |text: &str| {
        text.contains(".toml: ")
            && (text.contains("(at line ") || text.contains("(at end of document)"))
    };
    if is_toml(&said) && is_toml(&wanted) {
        Ok(Outcome::RefusedInOtherWords)
    } else {
        differs("message")
    }
}

/// Returns whether a message names a configuration file. Every error about a configuration does.
fn names_a_file(message: &str) -> bool {
    ["coveragerc", "setup.cfg", "tox.ini", "pyproject.toml", "my.rc", "my.toml"]
        .iter()
        .any(|name| message.contains(name))
}

/// Replaces characters that cannot be printed by `?`, as pulpcov does.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || is_printable(c) { c } else { '?' }).collect()
}

/// Returns the words of a message, without the line breaks and tabs of Python's parsers.
fn words(text: &str) -> String {
    plain(text.trim_end())
        .split(|c: char| c == '?' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn warnings(stderr: &str, mark: &str) -> Vec<String> {
    let mut found: Vec<String> = stderr
        .split('\n')
        .filter_map(|line| line.split_once(mark))
        .map(|(_, text)| words(text))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn run_ours(dir: &Dir, case: &Case) -> Ran {
    let mut command = pulpcov();
    command.args(&case.args).current_dir(dir.path(""));
    command.envs(ENVIRONMENT).envs(case.variables.iter().copied());
    Ran::from(command.output().unwrap())
}

#[test]
fn all_options_are_tried() {
    let tried: Vec<String> = OPTIONS
        .iter()
        .flat_map(|(section, options)| {
            options.iter().map(move |(name, _)| format!("{section}:{name}"))
        })
        .collect();
    let untried: Vec<String> =
        Config::option_names().filter(|name| !tried.contains(name)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn configurations_are_read_as_coverage_reads_them() {
    const AT_ONCE: usize = 500;
    let first = number_of_environment("PULPCOV_FIRST_CASE").unwrap_or(0);
    let last = first + cases(1000);
    let mut wrong = Vec::new();
    let mut counts = std::collections::BTreeMap::new();
    for start in (first..last).step_by(AT_ONCE) {
        let cases: Vec<(usize, Dir, Case)> = (start..last.min(start + AT_ONCE))
            .map(|number| (number, Dir::new(), Case::random(number)))
            .collect();
        let jobs: Vec<Value> = cases.iter().map(|(_, dir, case)| job(dir, case)).collect();
        for ((number, dir, case), answer) in cases.iter().zip(reference(&jobs)) {
            let (theirs, ours) = (Theirs::of(&answer), run_ours(dir, case));
            match compare(&theirs, &ours) {
                Ok(outcome) => *counts.entry(outcome).or_insert(0) += 1,
                Err(what) => wrong.push(described(*number, &what, case, &theirs, &ours)),
            }
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Writes the files of a case, and returns what coverage.py has to do.
fn job(dir: &Dir, case: &Case) -> Value {
    for (name, content) in &case.files {
        dir.write(name, content);
    }
    let env: serde_json::Map<String, Value> = ENVIRONMENT
        .iter()
        .chain(&case.variables)
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    json!({"do": "run", "argv": case.args, "cwd": dir.path(""), "env": env, "crashes": true})
}

fn described(number: usize, what: &str, case: &Case, theirs: &Theirs, ours: &Ran) -> String {
    let files: Vec<_> = case
        .files
        .iter()
        .map(|(name, bytes)| format!("{name}: {:?}", String::from_utf8_lossy(bytes)))
        .collect();
    let lines =
        |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let only = |one: &Ran, other: &Ran| -> Vec<String> {
        let all = format!("{}{}", other.stdout, other.stderr);
        lines(&format!("{}{}", one.stdout, one.stderr)).difference(&lines(&all)).cloned().collect()
    };
    format!(
        "case {number}: {what}\n  {}\n  {:?} {:?}\n  theirs: {} {:?} {:?}\n  ours: {} {:?}",
        files.join("\n  "),
        case.args,
        case.variables,
        theirs.ran.status,
        theirs.crash,
        only(&theirs.ran, ours),
        ours.status,
        only(ours, &theirs.ran),
    )
}
