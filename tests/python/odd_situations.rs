//! Odd situations in which pulpcov does what coverage.py does. The table `odd_situations.txt` lists them.
//!
//! A line of the table has a folder, a difference or `same`, and words that are quoted as in a shell. The words
//! are files to write (`name<=content`), then variables (`NAME=value`), then the arguments. DESIGN.md explains
//! each difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pulpcov_core::text::is_printable;
use serde_json::{Value, json};

use crate::support::sample::{masked, recorded};
use crate::support::{Dir, Ran, pulpcov, reference, root};

/// A line of the table.
struct Situation {
    line: String,
    folder: String,
    difference: String,
    files: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    args: Vec<String>,
}

impl Situation {
    fn parse(line: &str) -> Self {
        let mut words = words(line).into_iter().peekable();
        let (folder, difference) = (words.next().unwrap(), words.next().unwrap());
        let (mut files, mut variables) = (Vec::new(), Vec::new());
        while let Some(word) = words.next_if(|word| !word.starts_with('-') && word.contains('=')) {
            match word.split_once("<=") {
                Some((name, content)) => {
                    files.push((name.to_owned(), content.replace("\\n", "\n")))
                }
                None => {
                    let (name, value) = word.split_once('=').unwrap();
                    variables.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        let line = line.to_owned();
        Self { line, folder, difference, files, variables, args: words.collect() }
    }
}

/// Returns the words of a line, which may be quoted with `'`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn situations() -> Vec<Situation> {
    let text = fs::read_to_string(root().join("tests/odd_situations.txt")).unwrap();
    let is_situation = |line: &&str| !line.is_empty() && !line.starts_with('#');
    text.lines().filter(is_situation).map(Situation::parse).collect()
}

/// A folder. Each situation gets two copies of it.
struct Template(Dir);

impl Template {
    fn new(name: &str) -> Self {
        let dir = match name {
            "nothing" => Dir::new(),
            "lines" => recorded(&[]),
            "contexts" => recorded(&["--context=nightly"]),
            _ => recorded(&["--branch"]),
        };
        let data = dir.path(".coverage");
        match name {
            "shop" | "nothing" | "lines" | "contexts" => {}
            "parallel" => {
                for end in ["a.pid1.Xaaaaaax", "b.pid2.Xbbbbbbx"] {
                    fs::copy(&data, dir.path(format!(".coverage.{end}"))).unwrap();
                }
                fs::remove_file(data).unwrap();
            }
            "parallel-and-bad" => {
                fs::copy(&data, dir.path(".coverage.a.pid1.Xaaaaaax")).unwrap();
                fs::rename(data, dir.path(".coverage.b.pid2.Xbbbbbbx")).unwrap();
                dir.write(".coverage.c.pid3.Xccccccx", "no data file");
            }
            "only-bad" => {
                fs::remove_file(data).unwrap();
                dir.write(".coverage.c.pid3.Xccccccx", "no data file");
            }
            "gone" => {
                fs::remove_dir_all(dir.path("shop")).unwrap();
                fs::remove_file(dir.path("main.py")).unwrap();
            }
            "one-gone" => fs::remove_file(dir.path("shop/cart9.py")).unwrap(),
            "broken-source" => drop(dir.write("shop/cart9.py", "def f(:\n")),
            "empty-file" => drop(dir.write(".coverage", "")),
            "text-file" => drop(dir.write(".coverage", "These are my notes.\n")),
            "folder-file" => {
                fs::remove_file(data).unwrap();
                fs::create_dir(dir.path(".coverage")).unwrap();
            }
            "strange-database" => {
                fs::remove_file(&data).unwrap();
                sql(&data, "create table notes (id integer)");
            }
            "no-rows" => sql(
                &data,
                "delete from arc; delete from file; delete from context; delete from meta where key = 'has_arcs'",
            ),
            "newer-schema" => sql(&data, "update coverage_schema set version = 99"),
            name => panic!("there is no folder {name}"),
        }
        Self(dir)
    }

    /// Returns a copy of the folder. The data of the copy names the files of the copy.
    fn copied(&self) -> Dir {
        let dir = Dir::new();
        copy(&self.0.path(""), &dir.path(""));
        let moved = format!(
            "update file set path = replace(path, '{}', '{}')",
            self.0.path("").display(),
            dir.path("").display()
        );
        for name in dir.names().iter().filter(|name| name.starts_with(".coverage")) {
            if let Ok(database) = rusqlite::Connection::open(dir.path(name)) {
                // A file without this table is not a data file.
                let _ = database.execute_batch(&moved);
            }
        }
        dir
    }
}

fn sql(path: &Path, statements: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a program did, except what depends on place and time.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    status: i32,
    /// The output that was asked for.
    output: String,
    /// The error that stopped it, without labels and line breaks.
    refusal: String,
    warnings: BTreeSet<String>,
    /// The files that exist afterwards.
    files: Vec<String>,
}

impl Done {
    /// Converts coverage.py's answer. coverage.py prints the error that stopped it on standard output.
    fn theirs(dir: &Dir, answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        let status = answer["status"].as_i64().map_or(-1, |status| i32::try_from(status).unwrap());
        let place = dir.path("").display().to_string();
        let said = text("stdout").replace(&place, "$CWD");
        let (output, refusal) = if status == 1 { ("", &*said) } else { (&*said, "") };
        let noted: Vec<_> = text("stderr")
            .replace(&place, "$CWD")
            .lines()
            .filter_map(|line| line.split_once("CoverageWarning: "))
            .map(|(_, text)| sentence(text.split(" (").next().unwrap()))
            .collect();
        Self {
            status,
            output: plain(&masked(output)),
            refusal: sentence(refusal),
            warnings: noted.into_iter().collect(),
            files: files(dir),
        }
    }

    fn ours(dir: &Dir, ran: &Ran) -> Self {
        let place = dir.path("").display().to_string();
        let (out, err) = (ran.stdout.replace(&place, "$CWD"), ran.stderr.replace(&place, "$CWD"));
        // Reports print the error where coverage.py does. All other errors are on standard error.
        let error = err.split_once("error: ").map_or("", |(_, said)| said);
        let (output, refusal) = if ran.status == 1 {
            (String::new(), format!("{out}{error}"))
        } else {
            (out, String::new())
        };
        let noted = err.lines().filter_map(|line| line.strip_prefix("warning: "));
        Self {
            status: ran.status,
            output: plain(&masked(&output)),
            refusal: sentence(&refusal),
            warnings: noted.map(sentence).collect(),
            files: files(dir),
        }
    }

    fn part(&self, name: Option<&str>) -> String {
        match name {
            Some("output") => self.output.clone(),
            Some("warnings") => format!("{:?}", self.warnings),
            Some("files") => format!("{:?}", self.files),
            _ => format!("{} {} {}", self.status, self.refusal, self.output),
        }
    }

    /// Returns what differs from coverage.py, if anything.
    fn differs(&self, theirs: &Self) -> Option<&'static str> {
        let is_place = |rest: &str| rest.is_empty() || rest.starts_with(" (");
        let unheard =
            |warning: &String| !self.warnings.iter().any(|ours| ours.starts_with(warning));
        if self.status != theirs.status {
            Some("status")
        } else if self.output != theirs.output {
            Some("output")
        } else if !self.refusal.strip_prefix(&*theirs.refusal).is_some_and(is_place) {
            Some("words")
        } else if theirs.warnings.iter().any(unheard) {
            Some("warnings")
        } else if self.files != theirs.files {
            Some("files")
        } else {
            None
        }
    }
}

/// Returns the names of all files except those of our cache.
fn files(dir: &Dir) -> Vec<String> {
    let is_cache = |name: &String| name.contains(".pulpcov");
    dir.names().into_iter().filter(|name| !is_cache(name)).collect()
}

/// Replaces characters that cannot be printed by `?`, as pulpcov does.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || is_printable(c) { c } else { '?' }).collect()
}

fn sentence(text: &str) -> String {
    plain(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn odd_situations_are_those_of_coverage() {
    let situations = situations();
    assert!(situations.len() >= 100, "{}", situations.len());
    let names: BTreeSet<&str> = situations.iter().map(|situation| &*situation.folder).collect();
    let templates: BTreeMap<&str, Template> =
        names.into_iter().map(|name| (name, Template::new(name))).collect();
    let folders: Vec<(Dir, Dir)> = situations
        .iter()
        .map(|situation| {
            let template = &templates[&*situation.folder];
            let (theirs, ours) = (template.copied(), template.copied());
            for dir in [&theirs, &ours] {
                situation.files.iter().for_each(|(name, content)| drop(dir.write(name, content)));
            }
            (theirs, ours)
        })
        .collect();
    let jobs: Vec<Value> =
        situations.iter().zip(&folders).map(|(situation, (dir, _))| job(situation, dir)).collect();
    let mut wrong = Vec::new();
    for ((situation, (there, here)), answer) in
        situations.iter().zip(&folders).zip(reference(&jobs))
    {
        let ran = run_ours(situation, here);
        let (theirs, ours) = (Done::theirs(there, &answer), Done::ours(here, &ran));
        let differs =
            if answer.get("crash").is_some() { Some("crash") } else { ours.differs(&theirs) };
        if differs.is_some() != (situation.difference != "same") {
            let parts = [("theirs", &theirs), ("ours", &ours)];
            let shown: String = parts
                .iter()
                .map(|(whose, done)| format!("  {whose}: {}\n", done.part(differs)))
                .collect();
            wrong.push(format!("{}: {}\n{shown}", differs.unwrap_or("nothing"), situation.line));
        }
        assert!(!ran.stderr.contains("panicked"), "{}\n{}", situation.line, ran.stderr);
    }
    println!("{} situations", situations.len());
    assert!(wrong.is_empty(), "{} are not as the table says:\n{}", wrong.len(), wrong.join("\n"));
}

fn job(situation: &Situation, dir: &Dir) -> Value {
    let env: BTreeMap<_, _> = situation.variables.iter().cloned().collect();
    json!({"do": "run", "argv": situation.args, "cwd": dir.path(""), "env": env, "crashes": true})
}

fn run_ours(situation: &Situation, dir: &Dir) -> Ran {
    let mut command = pulpcov();
    command.args(&situation.args).current_dir(dir.path(""));
    command.envs(situation.variables.iter().map(|(name, value)| (name, value)));
    Ran::from(command.output().unwrap())
}

/// The table in DESIGN.md and the table of situations have the same differences.
#[test]
fn differences_in_odd_situations_are_explained() {
    let design = fs::read_to_string(root().join("pulpcov-core/DESIGN.md")).unwrap();
    let (_, section) = design.split_once("## In odd situations\n").unwrap();
    let rows =
        section.split("\n#").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let explained: BTreeSet<String> =
        rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    let used: BTreeSet<String> = situations()
        .into_iter()
        .map(|situation| situation.difference)
        .filter(|difference| difference != "same")
        .collect();
    assert_eq!(used, explained);
}
