//! Combined data records whose data files named each source. Later reports read this record; coverage.py
//! ignores it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::DataFile;
use pulpcov_core::{Author, Authors, CoverageData, Numbits};
use rusqlite::Connection;

use crate::support::enemy::set_mode;
use crate::support::{Dir, REFERENCE, Ran, Rows, neutral, pulpcov, venv};

/// An older release, whose reports and appends must keep the authors, too.
const EARLIER: &str = "7.17.3";

/// A folder with a public source and a private one. A data file of unknown origin names both.
struct Project {
    dir: Dir,
    data: CoverageData,
}

impl Project {
    fn new() -> Self {
        let dir = Dir::new();
        set_mode(&dir.path(""), 0o755);
        let mut data = CoverageData::new();
        for (name, mode) in [("public.py", 0o644), ("private.py", 0o600)] {
            let path = dir.write(name, "import sys\nif sys.argv:\n    x = 1\n");
            set_mode(&path, mode);
            data.add_lines(path.to_str().unwrap(), "", &Numbits::from_iter([1, 2, 3])).unwrap();
        }
        let project = Self { dir, data };
        // Everybody may write to this data file.
        project.input(".coverage.of-anybody", 0o666);
        project
    }

    fn input(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.dir.path(name);
        store(&self.data, &path, StoreFormat::Sqlite).unwrap();
        set_mode(&path, mode);
        path
    }

    fn combined(&self) -> PathBuf {
        self.dir.pulpcov(["combine", "--keep"]).status(0);
        self.dir.path(".coverage")
    }

    /// Prints a report. Checks that it ends with 3 if a source is withheld, and with 0 otherwise.
    #[track_caller]
    fn report(&self, data_file: &str) -> Ran {
        let args = ["report", "--keep-combined", "--no-cache", "--data-file", data_file];
        let ran = self.dir.pulpcov(args);
        let status = if ran.stderr.contains(" is withheld") { 3 } else { 0 };
        ran.status(status)
    }

    #[track_caller]
    fn assert_private_is_withheld(&self, data_file: &str) {
        let ran = self.report(data_file);
        assert!(ran.stdout.contains("public.py") && !ran.stdout.contains("private.py"), "{ran:?}");
        ran.stderr("private.py is withheld");
    }
}

/// Returns the authors that the data file records, by source.
fn listed(file: &PathBuf) -> Vec<(String, String)> {
    let database = Connection::open(file).unwrap();
    let query = "select key, value from meta where key like 'pulpcov_authors:%' order by key";
    let mut statement = database.prepare(query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_combined_file_knows_who_named_its_sources() {
    let project = Project::new();
    let combined = project.combined();
    let key = |name: &str| format!("pulpcov_authors:{}", project.dir.path(name).display());
    let anybody = || "anybody".to_owned();
    assert_eq!(listed(&combined), [(key("private.py"), anybody()), (key("public.py"), anybody())]);
    project.assert_private_is_withheld(".coverage");
    // The record survives being appended to, and being combined again.
    project.dir.pulpcov(["combine", "--keep", "--append"]).status(0);
    project.assert_private_is_withheld(".coverage");
    project.dir.pulpcov(["combine", "--keep", "--data-file", "again", ".coverage"]).status(0);
    project.assert_private_is_withheld("again");
    // The rows are still there.
    assert_eq!(Rows::by_sql(project.dir.path("again")), Rows::of(&project.data));
    // A source that the caller's own data names too belongs to the caller.
    project.input(".coverage.own", 0o644);
    project.dir.pulpcov(["combine", "--keep", "--append"]).status(0);
    assert_eq!(listed(&combined), []);
    let ran = project.report(".coverage");
    assert!(ran.stdout.contains("private.py") && !ran.stderr.contains("withheld"), "{ran:?}");
}

#[test]
fn without_others_data_nothing_is_added() {
    let project = Project::new();
    fs::remove_file(project.dir.path(".coverage.of-anybody")).unwrap();
    project.input(".coverage.own", 0o664);
    let combined = project.combined();
    assert_eq!(listed(&combined), []);
    let plain = project.dir.path("plain");
    let mut data = project.data.clone();
    data.set_meta("version", REFERENCE).unwrap();
    store(&data, &plain, StoreFormat::Sqlite).unwrap();
    assert_eq!(fs::read(combined).unwrap(), fs::read(plain).unwrap());
}

#[test]
fn every_format_and_every_way_to_read_keeps_authors() {
    let project = Project::new();
    let file = project.dir.path(".coverage.of-anybody");
    let private = project.dir.path("private.py");
    let authors =
        |data: &CoverageData| data.file(private.to_str().unwrap()).unwrap().authors().clone();
    let anybody = Authors::from(Author::Anybody);
    for opened in [DataFile::open(&file), DataFile::open_in_place(&file)] {
        let opened = opened.unwrap();
        assert_eq!(*opened.authors(), anybody);
        assert_eq!(authors(&opened.read().unwrap().data), anybody);
    }
    // A database that only SQLite can read.
    Connection::open(&file).unwrap().execute_batch("create index more on arc (tono)").unwrap();
    assert_eq!(authors(&DataFile::open(&file).unwrap().read().unwrap().data), anybody);
    // The record survives conversion to the old format and back.
    project.dir.pulpcov(["convert", "--to=json", ".coverage.of-anybody", "old"]).status(0);
    project.dir.pulpcov(["convert", "--to=sqlite", "old", "new"]).status(0);
    for name in ["old", "new"] {
        set_mode(&project.dir.path(name), 0o600);
        assert_eq!(
            authors(&DataFile::open(project.dir.path(name)).unwrap().read().unwrap().data),
            anybody
        );
        project.assert_private_is_withheld(name);
    }
    // With little memory, rows are stored on disk, and file names are not.
    let target = project.dir.path("little/.coverage");
    let combiner = pulpcov_core::combine::Combiner::new(&target).places([&file]).keep(true);
    combiner.memory(0).run().unwrap();
    assert_eq!(authors(&DataFile::open(&target).unwrap().read().unwrap().data), anybody);
}

#[test]
fn a_stranger_cannot_speak_for_others() {
    let project = Project::new();
    let file = project.dir.path(".coverage.of-anybody");
    let key = format!("pulpcov_authors:{}", project.dir.path("private.py").display());
    for claim in ["0", "1000", "0 anybody", "root", ""] {
        let database = Connection::open(&file).unwrap();
        database
            .execute("insert or replace into meta values (?1, ?2)", [key.as_str(), claim])
            .unwrap();
        database.close().unwrap();
        let _ = fs::remove_file(project.dir.path(".coverage"));
        project.combined();
        project.assert_private_is_withheld(".coverage");
    }
}

#[test]
fn aliases_take_authors_with_them() {
    let project = Project::new();
    let mut data = CoverageData::new();
    data.add_lines("/build/private.py", "", &Numbits::from_iter([1])).unwrap();
    let path = project.dir.path(".coverage.of-anybody");
    store(&data, &path, StoreFormat::Sqlite).unwrap();
    set_mode(&path, 0o666);
    project.dir.write(
        ".coveragerc",
        format!("[paths]\nsource =\n    {}\n    /build\n", project.dir.path("").display()),
    );
    let ran = project.dir.pulpcov(["report", "--keep-combined"]);
    ran.stderr("private.py is withheld");
    // The same holds if the data file was first combined without aliases.
    fs::remove_file(project.dir.path(".coverage")).unwrap();
    project.dir.pulpcov(["combine", "--keep", "--rcfile="]).status(0);
    fs::remove_file(project.dir.path(".coverage.of-anybody")).unwrap();
    project.dir.pulpcov(["report"]).stderr("private.py is withheld");
}

#[test]
fn nobody_stops_a_report_by_naming_what_is_not_there() {
    let dir = Dir::new();
    set_mode(&dir.path(""), 0o755);
    let write = |name: &str, text: &str| {
        let path = dir.write(name, text);
        set_mode(&path, 0o644);
        path
    };
    let (app, broken) = (write("app.py", "x = 1\n"), write("broken.py", "def f(:\n"));
    let input = |name: &str, sources: &[&Path], mode: u32| {
        let mut data = CoverageData::new();
        for path in sources {
            data.add_lines(path.to_str().unwrap(), "", &Numbits::from_iter([1])).unwrap();
        }
        store(&data, dir.path(name), StoreFormat::Sqlite).unwrap();
        set_mode(&dir.path(name), mode);
    };
    let missing = Path::new("/nowhere/m.py");
    input(".coverage.own", &[&app], 0o600);
    input(".coverage.of-anybody", &[missing, &broken], 0o666);
    let commands = [["report"].as_slice(), &["xml", "-o", "-"], &["json", "-o", "-"]];
    for command in commands {
        let ran = dir.pulpcov([command, &["--keep-combined"]].concat()).status(3);
        ran.stdout("app.py")
            .stderr("2 files are left out")
            .stderr("/nowhere/m.py")
            .stderr("broken.py");
    }
    dir.pulpcov(["report", "-i"]).status(0).stdout("app.py").stderr("No source for code");
    // A missing source that the caller's own data names stops the report, as it stops coverage.py.
    input(".coverage.own", &[missing], 0o600);
    dir.pulpcov(["report"]).status(1).stdout("No source for code: '/nowhere/m.py'");
}

/// Returns a function that runs coverage.py of this release.
fn coverage(release: &str) -> impl Fn(&Dir, &[&str]) -> Ran {
    let name = if release == REFERENCE { "reference-coverage" } else { "coverage" };
    let python =
        venv(&format!("{name}-{release}"), &[format!("coverage=={release}")]).join("bin/python");
    move |dir: &Dir, args: &[&str]| {
        let mut command = neutral(Command::new(&python));
        command.args(["-m", "coverage"]).args(args).current_dir(dir.path(""));
        Ran::from(command.output().unwrap())
    }
}

#[test]
fn coverage_py_reads_reports_appends_and_combines_such_files() {
    for release in [EARLIER, REFERENCE] {
        let coverage = coverage(release);
        let project = Project::new();
        let combined = project.combined();
        let dir = &project.dir;
        assert_eq!(listed(&combined).len(), 2);
        // coverage.py's reports would combine and delete this file.
        fs::rename(dir.path(".coverage.of-anybody"), dir.path("of-anybody")).unwrap();
        if release == REFERENCE {
            assert_eq!(Rows::by_coverage(&combined), Rows::of(&project.data));
        }
        let report = coverage(dir, &["report"]).status(0);
        assert!(report.stdout.contains("private.py"), "{report:?}");
        coverage(dir, &["json", "-o", "coverage.json"]).status(0);
        coverage(dir, &["html", "-d", "html"]).status(0);
        // coverage.py appends to the data file, and the recorded authors stay.
        dir.write("more.py", "y = 1\n");
        coverage(dir, &["run", "--append", "more.py"]).status(0);
        assert_eq!(listed(&combined).len(), 2);
        assert_eq!(Rows::by_sql(&combined).files.len(), 3);
        let ran = project.report(".coverage");
        assert!(ran.stdout.contains("more.py") && ran.stdout.contains("public.py"), "{ran:?}");
        project.assert_private_is_withheld(".coverage");
        coverage(dir, &["combine", "--append", "--keep", "of-anybody"]).status(0);
        project.assert_private_is_withheld(".coverage");
        // coverage.py combines the data file into a new one, which does not record authors.
        coverage(dir, &["combine", "--keep", "--data-file", "again", ".coverage"]).status(0);
        let rows = Rows::by_sql(dir.path("again"));
        assert_eq!(rows.files.len(), 3);
        assert_eq!(listed(&dir.path("again")), []);
    }
}

/// Returns the permissions of a file.
fn mode(dir: &Dir, name: &str) -> u32 {
    fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_result_is_no_more_public_than_its_inputs() {
    for (inputs, result) in [
        (&[0o644, 0o644][..], 0o644),
        (&[0o644, 0o600], 0o600),
        (&[0o600, 0o600], 0o600),
        (&[0o640, 0o644], 0o640),
    ] {
        let project = Project::new();
        fs::remove_file(project.dir.path(".coverage.of-anybody")).unwrap();
        for (number, mode) in inputs.iter().enumerate() {
            let path = project.input(&format!(".coverage.{number}"), *mode);
            // The bytes have to differ, or the files count as duplicates.
            let database = Connection::open(path).unwrap();
            database
                .execute("insert into meta values ('number', ?1)", [number.to_string()])
                .unwrap();
        }
        project.combined();
        assert_eq!(mode(&project.dir, ".coverage"), result, "{inputs:?}");
        // Replacing or appending does not make a result more public. A result that its owner has closed stays
        // closed.
        for (old, append) in [(0o666, false), (0o666, true), (0o600, false)] {
            set_mode(&project.dir.path(".coverage"), old);
            let args = if append {
                &["combine", "--keep", "--append"][..]
            } else {
                &["combine", "--keep"]
            };
            project.dir.pulpcov(args).status(0);
            let open = if old == 0o600 { 0o600 } else { result | (result & 0o044) >> 1 };
            assert_eq!(mode(&project.dir, ".coverage"), open, "{inputs:?} {old:o}");
        }
    }
}

#[test]
fn data_of_a_closed_folder_is_not_opened_to_all() {
    let dir = Dir::new();
    let mut data = CoverageData::new();
    data.add_lines("a.py", "", &Numbits::from_iter([1])).unwrap();
    let file = dir.write("uid-0/.coverage.1", "");
    fs::remove_file(&file).unwrap();
    store(&data, &file, StoreFormat::Sqlite).unwrap();
    set_mode(&file, 0o644);
    for (folder, result) in [(0o700, 0o600), (0o755, 0o644), (0o750, 0o640)] {
        set_mode(&dir.path("uid-0"), folder);
        dir.pulpcov(["combine", "--keep"]).status(0);
        assert_eq!(mode(&dir, ".coverage"), result, "{folder:o}");
        fs::remove_file(dir.path(".coverage")).unwrap();
    }
}

#[test]
fn the_umask_says_who_may_read_reports() {
    let project = Project::new();
    fs::remove_file(project.dir.path(".coverage.of-anybody")).unwrap();
    fs::create_dir(project.dir.path("data")).unwrap();
    project.input("data/.coverage.own", 0o644);
    let program = pulpcov().get_program().to_string_lossy().into_owned();
    for umask in ["077", "027", "022"] {
        let script = format!(
            "umask {umask} && set -- --rcfile= --no-cache && {program} hook report {umask}/hook --data-root data --rcfile= \
             && {program} html \"$@\" --data-file {umask}/hook/.coverage --directory {umask}/html \
             && {program} html \"$@\" --data-file {umask}/hook/.coverage --single-file {umask}/single.html \
             && {program} xml \"$@\" --data-file {umask}/hook/.coverage -o {umask}/out.xml \
             && {program} json \"$@\" --data-file {umask}/hook/.coverage -o {umask}/out.json \
             && {program} lcov \"$@\" --data-file {umask}/hook/.coverage -o {umask}/out.lcov \
             && {program} annotate \"$@\" --data-file {umask}/hook/.coverage --directory {umask}/annotated"
        );
        let mut command = neutral(Command::new("sh"));
        let ran = command.args(["-c", &script]).current_dir(project.dir.path("")).output().unwrap();
        Ran::from(ran).status(0);
        let closed = u32::from_str_radix(umask, 8).unwrap();
        let mut folders = vec![project.dir.path(umask)];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let (path, metadata) =
                    entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
                let mode = metadata.permissions().mode() & 0o777;
                assert_eq!(mode & closed, 0, "{} has mode {mode:o}", path.display());
                if metadata.is_dir() {
                    folders.push(path);
                } else {
                    files += 1;
                }
            }
        }
        assert!(files > 15, "{files}");
    }
}

#[test]
fn what_nobody_else_can_reach_is_the_owners_whatever_its_mode() {
    let project = Project::new();
    let shown = || project.report(".coverage.of-anybody").stdout.contains("private.py");
    assert!(!shown());
    // Now as in a container with `umask 000`: everybody may write to the file, but its folder is closed to
    // others.
    set_mode(&project.dir.path(""), 0o700);
    assert!(shown());
}
