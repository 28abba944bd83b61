//! What every test needs: a folder of its own, the command, the real coverage.py, and the rows of a data
//! file.
//!
//! Nothing here depends on the current folder or on the user's environment.

pub(crate) mod chromium;
pub(crate) mod enemy;
pub(crate) mod firefox;
mod git;
pub(crate) mod hooked;
pub(crate) mod random;
pub(crate) mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use pulpcov_core::formats::DataFile;
use pulpcov_core::{CoverageData, Measurement};
use serde_json::Value;

/// The release of coverage.py that pulpcov is compared with.
pub(crate) const REFERENCE: &str = pulpcov_core::REFERENCE_VERSION;

/// What takes longer than this waits for ever, or does what would never end. On a busy machine, everything else takes
/// long, too.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

/// Returns the folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of one test. It is removed when the test ends.
pub(crate) struct Dir(tempfile::TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("pulpcov-test-").tempdir().unwrap())
    }

    /// Returns the folder, or the path of `name` in it. Symbolic links in the folder's own path are resolved.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let folder = self.0.path().canonicalize().unwrap();
        if name.as_ref().as_os_str().is_empty() { folder } else { folder.join(name) }
    }

    /// Writes a file, and creates the folders above it.
    pub(crate) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Returns the names of all files, sorted. A file in a folder is `folder/name`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.state().into_keys().collect()
    }

    /// Returns the names of the files in one of its folders, sorted.
    pub(crate) fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns everything that could change about the files in the folder.
    pub(crate) fn state(&self) -> BTreeMap<String, FileState> {
        let mut state = BTreeMap::new();
        collect_state(&self.path(""), "", &mut state);
        state
    }

    /// With `true`, only root can write to the folder and its files from now on. With `false`, the user can
    /// again.
    pub(crate) fn seal(&self, sealed: bool) {
        let mode =
            |open: u32, closed: u32| Permissions::from_mode(if sealed { closed } else { open });
        for entry in fs::read_dir(self.path("")).unwrap() {
            fs::set_permissions(entry.unwrap().path(), mode(0o644, 0o444)).unwrap();
        }
        fs::set_permissions(self.path(""), mode(0o755, 0o555)).unwrap();
    }

    /// Runs another program in the folder.
    #[track_caller]
    pub(crate) fn run(&self, command: &mut Command) -> Ran {
        command.current_dir(self.path("")).env("LC_ALL", "C.UTF-8");
        match command.output() {
            Ok(output) => output.into(),
            Err(err) => panic!("{command:?}: {err}: `tests/run` installs what tests need"),
        }
    }

    /// Runs the command in this folder.
    pub(crate) fn pulpcov<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        Ran::from(pulpcov().args(args).current_dir(self.path("")).output().unwrap())
    }

    /// Runs coverage.py's command in this folder.
    pub(crate) fn coverage<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        Ran::from(coverage().args(args).current_dir(self.path("")).output().unwrap())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // An ordinary user could not remove a sealed folder.
        let _ = fs::set_permissions(self.0.path(), Permissions::from_mode(0o755));
    }
}

/// A file's bytes and time of change. A file that is not a regular file has no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    bytes: Option<Vec<u8>>,
    modified: SystemTime,
}

fn collect_state(folder: &Path, prefix: &str, state: &mut BTreeMap<String, FileState>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            collect_state(&path, &format!("{name}/"), state);
        } else {
            let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
            let modified = metadata.modified().unwrap();
            state.insert(name, FileState { bytes, modified });
        }
    }
}

/// How a program ended, and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The exit code, or -1 if a signal ended the program.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn status(self, expected: i32) -> Self {
        assert_eq!(self.status, expected, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Checks that `text` was printed on standard error.
    #[track_caller]
    pub(crate) fn stderr(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        self
    }

    /// Checks that `text` was printed on standard output.
    #[track_caller]
    pub(crate) fn stdout(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no {text:?} in:\n{}", self.stdout);
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Returns the command under test.
pub(crate) fn pulpcov() -> Command {
    neutral(Command::new(env!("CARGO_BIN_EXE_pulpcov")))
}

/// Copies the command under test, for users who have no access to the folder of the build.
///
/// Another process copies it. A file that this process writes cannot be run while a child of another test still has it open.
pub(crate) fn copy_pulpcov(to: &Path) {
    let copied = Command::new("cp").arg(pulpcov().get_program()).arg(to).status().unwrap();
    assert!(copied.success());
}

/// Returns the command of the real coverage.py.
pub(crate) fn coverage() -> Command {
    let mut command = python();
    command.args(["-m", "coverage"]);
    command
}

/// Returns the Python that has the real coverage.py.
pub(crate) fn python() -> Command {
    neutral(Command::new(reference_python()))
}

/// Removes the variables of the user's environment that either program reads.
pub(crate) fn neutral(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["COVERAGE", "PULP", "PYTHON", "RAYON_", "CLICOLOR"]
            .iter()
            .any(|own| text.starts_with(own))
        {
            command.env_remove(&name);
        }
    }
    command
        .env("NO_COLOR", "1")
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

fn reference_python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let packages = [format!("coverage=={REFERENCE}")];
    PYTHON.get_or_init(|| {
        venv(&format!("reference-coverage-{REFERENCE}"), &packages).join("bin/python")
    })
}

/// Returns a virtual environment with these packages. The first test that needs it creates it, for all
/// processes.
pub(crate) fn venv<S: AsRef<str>>(name: &str, packages: &[S]) -> PathBuf {
    venv_of("python3", name, packages)
}

/// Does what [`venv`] does, for a certain Python.
pub(crate) fn venv_of<S: AsRef<str>>(python: &str, name: &str, packages: &[S]) -> PathBuf {
    let wanted = packages.iter().map(S::as_ref).collect::<Vec<_>>().join("\n");
    made_once(name, &wanted, |folder| make_venv(python, folder, packages))
}

/// Returns a folder with a package of npm. The first test that needs it creates it.
pub(crate) fn npm_package(name: &str, version: &str) -> PathBuf {
    let wanted = format!("{name}@{version}");
    made_once(&wanted, &wanted, |folder| {
        fs::create_dir(folder).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(folder)
            .arg(&wanted);
        let output = npm.output().unwrap_or_else(|err| panic!("npm: {err}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    })
}

/// Returns the folder `name` of the target folder. If it does not hold what is wanted, `make` makes it, in one process.
fn made_once(name: &str, wanted: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join(name);
    let is_complete = || fs::read_to_string(folder.join("complete")).is_ok_and(|is| is == wanted);
    if !is_complete() {
        let lock = File::create(target.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        // Another process may have created it meanwhile.
        if !is_complete() {
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            make(&folder);
            fs::write(folder.join("complete"), wanted).unwrap();
        }
    }
    folder
}

fn make_venv<S: AsRef<str>>(python: &str, folder: &Path, packages: &[S]) {
    const ADVICE: &str = "These tests need real programs of Python's: install python3, 3.11 or later, \
        with venv and pip (Debian and Ubuntu: python3-venv), and have the network or pip's cache at hand.";
    let run = |command: &mut Command| {
        let shown = format!("{command:?}");
        let output = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|err| panic!("{shown}: {err}\n{ADVICE}"));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shown} failed:\n{text}\n{ADVICE}");
    };
    run(Command::new(python).args(["-m", "venv"]).arg(folder));
    run(Command::new(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages.iter().map(S::as_ref)));
}

/// Has coverage.py do many jobs in one process. `reference.py` says which jobs it understands.
///
/// Returns one answer per job, in order.
pub(crate) fn reference(jobs: &[Value]) -> Vec<Value> {
    let mut child = python()
        .arg(root().join("tests/reference.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_vec(jobs).unwrap();
    child.stdin.take().unwrap().write_all(&text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), jobs.len());
    answers
}

/// The rows of a data file without ids: equal data has equal rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Whether the data is branch data. `None` if nothing was measured.
    pub(crate) has_arcs: Option<bool>,
    pub(crate) contexts: BTreeSet<String>,
    /// Every measured file, with its plugin or `""`.
    pub(crate) files: BTreeMap<String, String>,
    /// The lines, by file and context.
    pub(crate) lines: BTreeMap<(String, String), BTreeSet<i32>>,
    /// The arcs: file, context, from, to.
    pub(crate) arcs: BTreeSet<(String, String, i32, i32)>,
}

impl Rows {
    /// Reads a SQLite data file of schema 7 with plain SQL.
    pub(crate) fn by_sql(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self::try_by_sql(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
    }

    fn try_by_sql(path: &Path) -> rusqlite::Result<Self> {
        const FILE: &str = "(select path from file where id = file_id)";
        const CONTEXT: &str = "(select context from context where id = context_id)";
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = rusqlite::Connection::open_with_flags(path, flags)?;
        let version: i64 =
            db.query_row("select version from coverage_schema", [], |row| row.get(0))?;
        assert_eq!(version, 7, "{}", path.display());
        let mut rows = Self::default();
        each(&db, "select value from meta where key = 'has_arcs'", |row| {
            rows.has_arcs = Some(row.get::<_, String>(0)? == "1");
            Ok(())
        })?;
        each(&db, "select context from context", |row| {
            rows.contexts.insert(row.get(0)?);
            Ok(())
        })?;
        let files =
            "select path, ifnull((select tracer from tracer where file_id = id), '') from file";
        each(&db, files, |row| {
            rows.files.insert(row.get(0)?, row.get(1)?);
            Ok(())
        })?;
        each(&db, &format!("select {FILE}, {CONTEXT}, numbits from line_bits"), |row| {
            let lines = rows.lines.entry((row.get(0)?, row.get(1)?)).or_default();
            lines.extend(numbers(&row.get::<_, Vec<u8>>(2)?));
            Ok(())
        })?;
        each(&db, &format!("select {FILE}, {CONTEXT}, fromno, tono from arc"), |row| {
            rows.arcs.insert((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Reads a data file of any format with `pulpcov-core`.
    pub(crate) fn by_pulpcov(path: impl AsRef<Path>) -> Self {
        Self::of(&DataFile::open(path).unwrap().read().unwrap().data)
    }

    /// Reads a data file through coverage.py's `CoverageData`.
    pub(crate) fn by_coverage(path: impl AsRef<Path>) -> Self {
        let job = serde_json::json!({"do": "read", "file": path.as_ref()});
        Self::from_json(&reference(&[job])[0])
    }

    /// Converts the answer of `reference` to a job `read`.
    pub(crate) fn from_json(answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let int = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
        let list = |name: &str| {
            answer[name].as_array().unwrap_or_else(|| panic!("no {name} in {answer}")).iter()
        };
        let mut rows = Self { has_arcs: answer["has_arcs"].as_bool(), ..Self::default() };
        rows.contexts.extend(list("contexts").map(text));
        rows.files.extend(list("files").map(|row| (text(&row[0]), text(&row[1]))));
        for row in list("lines") {
            let lines = row[2].as_array().unwrap().iter().map(int);
            rows.lines.insert((text(&row[0]), text(&row[1])), lines.collect());
        }
        rows.arcs.extend(
            list("arcs").map(|row| (text(&row[0]), text(&row[1]), int(&row[2]), int(&row[3]))),
        );
        rows
    }

    /// Removes bitmaps without lines.
    pub(crate) fn without_empty_lines(mut self) -> Self {
        self.lines.retain(|_, lines| !lines.is_empty());
        self
    }

    /// Returns the rows of both.
    pub(crate) fn union(mut self, other: Self) -> Self {
        self.has_arcs = self.has_arcs.or(other.has_arcs);
        self.contexts.extend(other.contexts);
        self.files.extend(other.files);
        for (key, lines) in other.lines {
            self.lines.entry(key).or_default().extend(lines);
        }
        self.arcs.extend(other.arcs);
        self
    }

    /// Returns the rows of data in memory.
    pub(crate) fn of(data: &CoverageData) -> Self {
        let mut rows = Self {
            has_arcs: data.measurement().map(|measured| measured == Measurement::Arcs),
            contexts: data.contexts().into_iter().map(str::to_owned).collect(),
            ..Self::default()
        };
        for file in data.files() {
            let path = file.path().as_str().to_owned();
            rows.files.insert(path.clone(), file.tracer().to_owned());
            for (context, lines) in file.lines_by_context() {
                rows.lines.insert((path.clone(), context.to_owned()), lines.iter().collect());
            }
            for (context, arcs) in file.arcs_by_context() {
                let row = |(from, to)| (path.clone(), context.to_owned(), from, to);
                rows.arcs.extend(arcs.iter().map(row));
            }
        }
        rows
    }
}

fn each(
    db: &rusqlite::Connection,
    query: &str,
    mut visit: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row)?;
    }
    Ok(())
}

/// Returns the numbers in a numbits blob, as coverage.py describes the format. This does not use our own
/// code.
fn numbers(blob: &[u8]) -> Vec<i32> {
    let bits = |(index, byte): (i32, &u8)| {
        let byte = *byte;
        (0..8).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| index * 8 + bit)
    };
    (0..).zip(blob).flat_map(bits).collect()
}

/// Returns the number of random cases that a test tries: `PULPCOV_CASES`, or `default`.
pub(crate) fn cases(default: usize) -> usize {
    number_of_environment("PULPCOV_CASES").unwrap_or(default)
}

/// Returns the number in an environment variable, if it is set.
pub(crate) fn number_of_environment(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Returns Debian's Python of another release. The first test that needs it fetches it.
pub(crate) fn debian_python(version: &str, release: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join(format!("debian-python{version}"));
    let lock = File::create(target.join(format!("debian-python{version}.lock"))).unwrap();
    lock.lock().unwrap();
    if !folder.join("complete").exists() {
        let script = root().join("tests/debian_python.sh");
        let output = Command::new(&script).args([version, release]).arg(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} needs Debian's apt: {said}", script.display());
        fs::write(folder.join("complete"), "").unwrap();
    }
    folder.join(format!("usr/bin/python{version}"))
}

/// Waits until a condition holds, at most for `limit`. `message` says what never came.
#[track_caller]
pub(crate) fn wait_until(
    limit: Duration,
    mut holds: impl FnMut() -> bool,
    message: impl FnOnce() -> String,
) {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > limit {
            panic!("{}", message());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
