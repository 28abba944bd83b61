//! A Python with the hook, and the data files of its processes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::support::{Dir, REFERENCE, Ran, Rows, neutral, pulpcov, root, venv, venv_of};

/// How long a test waits at most.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The ways of `drive.py` that run the same parts of `shop`, each with its exit status.
pub(crate) const WAYS: [(&str, i32); 21] = [
    ("fork_return", 0),
    ("fork_exception", 0),
    ("fork_os_exit", 0),
    ("fork_sigterm", 0),
    ("fork_sigterm_reset", 0),
    ("fork_execv", 0),
    ("fork_execle", 0),
    ("fork_twice", 0),
    ("fork_with_threads", 0),
    ("multiprocessing_fork", 0),
    ("multiprocessing_spawn", 0),
    ("multiprocessing_forkserver", 0),
    ("multiprocessing_terminate", 0),
    ("multiprocessing_pool", 0),
    ("pool_fork", 0),
    ("pool_spawn", 0),
    ("subprocess", 0),
    ("threads", 0),
    ("daemon_thread", 0),
    ("exit", 3),
    ("exception", 1),
];

/// A virtual environment of one test, and its data root. The packages are those of another environment.
pub(crate) struct Hooked {
    pub(crate) dir: Dir,
    /// The environment that has the packages.
    base: PathBuf,
    packages: PathBuf,
}

impl Hooked {
    /// Creates an environment with the reference coverage.py.
    pub(crate) fn new() -> Self {
        let packages = [format!("coverage=={REFERENCE}")];
        Self::of(&venv(&format!("reference-coverage-{REFERENCE}"), &packages))
    }

    /// Does what [`new`](Self::new) does with Debian's Python, which servers embed, and which every user can
    /// run.
    pub(crate) fn of_debian() -> Self {
        let (name, packages) =
            (format!("debian-coverage-{REFERENCE}"), [format!("coverage=={REFERENCE}")]);
        Self::of(&venv_of("/usr/bin/python3", &name, &packages))
    }

    /// Copies coverage.py into the environment, and package `shop` into the test's folder, so that every user
    /// can read them.
    pub(crate) fn published(self) -> Self {
        let copy = |from: &Path, to: &Path| {
            assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
        };
        copy(&self.packages.join("coverage"), &self.site());
        fs::remove_file(self.pth()).unwrap();
        copy(&shop().join("shop"), &self.dir.path("shop"));
        fs::set_permissions(self.dir.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Creates an environment that uses the packages of another virtual environment.
    pub(crate) fn of(base: &Path) -> Self {
        let dir = Dir::new();
        let python = base.join("bin/python");
        let made = Command::new(&python)
            .args(["-m", "venv", "--without-pip"])
            .arg(dir.path("venv"))
            .status()
            .unwrap();
        assert!(made.success());
        let site = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let output = Command::new(&python).args(["-c", site]).output().unwrap();
        let packages = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        let hooked = Self { dir, base: base.into(), packages };
        fs::write(hooked.pth(), hooked.packages.as_os_str().as_encoded_bytes()).unwrap();
        hooked
    }

    /// Returns the path of the Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.dir.path("venv/bin/python")
    }

    /// Returns the Python's own site-packages.
    pub(crate) fn site(&self) -> PathBuf {
        let library = self.dir.path("venv/lib");
        let version = fs::read_dir(library).unwrap().next().unwrap().unwrap();
        version.path().join("site-packages")
    }

    /// Returns the `.pth` file through which the Python finds the packages of the other environment.
    pub(crate) fn pth(&self) -> PathBuf {
        self.site().join("packages.pth")
    }

    /// Returns the data root.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path("data")
    }

    /// Runs `pulpcov hook` with these arguments, for this Python.
    pub(crate) fn hook(&self, command: &str, args: &[&str]) -> Ran {
        let mut run = pulpcov();
        run.args(["hook", command, "--python"]).arg(self.python()).args(args);
        Ran::from(run.current_dir(self.dir.path("")).output().unwrap())
    }

    /// Installs the hook with these arguments, for package `shop` and this data root.
    pub(crate) fn installed(self, args: &[&str]) -> Self {
        let root = self.root();
        let common = ["--source", "shop", "--data-root", root.to_str().unwrap()];
        self.hook("install", &[&common, args].concat()).status(0);
        self
    }

    /// Returns a command that runs the Python in the folder with package `shop`.
    pub(crate) fn command(&self) -> Command {
        let mut command = neutral(Command::new(self.python()));
        command.current_dir(shop());
        command
    }

    /// Returns a command that runs `drive.py` in this way.
    pub(crate) fn drive(&self, way: &str) -> Command {
        let mut command = self.command();
        command.args(["drive.py", way]);
        command
    }

    /// Returns the data files in the folders of all users, sorted by name.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        data_files(&self.root())
    }

    /// Returns the rows of all data files.
    pub(crate) fn rows(&self) -> Rows {
        self.files().iter().map(Rows::by_sql).fold(Rows::default(), Rows::union)
    }

    /// Returns the rows that the ways of `drive.py` record in one process under `coverage run`.
    pub(crate) fn rows_of_one_process(&self, args: &[&str]) -> Rows {
        self.stock(args, &["drive.py", "all", "single"])
    }

    /// Returns the rows that a piece of code records in one process under `coverage run`.
    pub(crate) fn single_of(&self, args: &[&str], code: &str) -> Rows {
        let dir = Dir::new();
        let program = dir.write("program.py", code);
        self.stock(args, &[program.to_str().unwrap()])
    }

    fn stock(&self, args: &[&str], program: &[&str]) -> Rows {
        let dir = Dir::new();
        let data = dir.path("data");
        let mut command = neutral(Command::new(self.base.join("bin/python")));
        command.args(["-m", "coverage", "run", "--source=shop", "--data-file"]).arg(&data);
        command.args(args).args(program).env("PYTHONPATH", shop()).current_dir(shop());
        assert!(command.status().unwrap().success());
        Rows::by_sql(data)
    }

    /// Runs `drive.py` in this way. Checks that all its processes together record the rows of a single
    /// process.
    #[track_caller]
    pub(crate) fn assert_same_rows(&self, way: &str, single: &Rows) {
        let (_, status) = WAYS.iter().find(|(known, _)| *known == way).unwrap();
        let output = self.drive(way).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*status), "{way}: {stderr}");
        assert_eq!(stderr, "", "{way}");
        assert_equal(&self.rows(), single, way);
    }

    /// Returns the lines of one of `shop`'s modules, in all data files.
    pub(crate) fn lines(&self, module: &str) -> Vec<i32> {
        lines(&self.rows(), module)
    }

    /// Waits until these steps are in the data files.
    #[track_caller]
    pub(crate) fn wait_for_steps(&self, steps: impl IntoIterator<Item = i32>) {
        let mut lines: BTreeSet<i32> = steps.into_iter().map(line_of_step).collect();
        self.wait_for("steps", |hooked| {
            let ran = hooked.lines("steps");
            lines.retain(|line| !ran.contains(line));
            lines.is_empty()
        });
    }

    /// Waits until a condition holds.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(
                start.elapsed() < TIMEOUT,
                "no {what} after {TIMEOUT:?}: {:?}",
                self.rows().lines
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Returns the data files in the folders that users have in a data root, sorted by name.
pub(crate) fn data_files(root: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.collect::<Vec<_>>()
    };
    let is_folder = |path: &PathBuf| path.symlink_metadata().unwrap().is_dir();
    let of_users = list(root).into_iter().filter(|path| name(path).starts_with("uid-"));
    let mut files: Vec<_> = of_users
        .filter(is_folder)
        .flat_map(|folder| list(&folder))
        .filter(|path| name(path).starts_with(".coverage."))
        .collect();
    files.sort();
    files
}

/// Checks that rows are equal. Unlike `assert_eq`, prints only what differs.
#[track_caller]
pub(crate) fn assert_equal(left: &Rows, right: &Rows, what: &str) {
    assert_eq!(left.contexts, right.contexts, "{what}");
    assert_eq!(left.files, right.files, "{what}");
    let arcs: Vec<_> = left.arcs.symmetric_difference(&right.arcs).collect();
    assert!(arcs.is_empty(), "{what}: in one of them: {arcs:?}");
    for (key, lines) in &right.lines {
        assert_eq!(left.lines.get(key), Some(lines), "{what}: {key:?}");
    }
    assert!(left == right, "{what}");
}

/// Returns the folder with package `shop`.
pub(crate) fn shop() -> PathBuf {
    root().join("tests/fixtures/hook").canonicalize().unwrap()
}

/// Returns the lines of one of `shop`'s modules.
pub(crate) fn lines(rows: &Rows, module: &str) -> Vec<i32> {
    let path = format!("shop/{module}.py");
    let of_module = rows.lines.iter().filter(|((file, _), _)| Path::new(file).ends_with(&path));
    let mut lines: Vec<i32> = of_module.flat_map(|(_, lines)| lines.iter().copied()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Returns the line of `shop.steps` that only this step runs.
pub(crate) fn line_of_step(step: i32) -> i32 {
    4 * step + 7
}

/// Returns the numbers of the lines of a module of `shop` that contain this text.
pub(crate) fn lines_with(module: &str, text: &str) -> Vec<i32> {
    let source = fs::read_to_string(shop().join(format!("shop/{module}.py"))).unwrap();
    let numbered = (1..).zip(source.lines());
    numbered.filter(|(_, line)| line.contains(text)).map(|(number, _)| number).collect()
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// A process. It and all processes that it started are killed when the test ends.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).process_group(0).spawn().unwrap())
    }

    /// Reads the first line that the process prints. No further line can be read.
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits for the process to end, and returns how it ended.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < TIMEOUT, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().try_into().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Sends a signal to the process and all processes that it started.
    pub(crate) fn signal_all(&self, signal: Signal) {
        killpg(self.pid(), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The processes may have ended long ago.
        let _ = killpg(self.pid(), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// Runs a step of `drive.py`, so that there is new data.
pub(crate) fn record(hooked: &Hooked, step: &str) {
    let mut command = hooked.drive("steps");
    let ran = command.env("PAUSE", "0").env("STEPS", step).stdout(Stdio::null()).status();
    assert!(ran.unwrap().success());
}

/// Returns the hook of a process that ran, and a watch that has written its report.
pub(crate) fn watched() -> (Hooked, Running) {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    let mut watch = pulpcov();
    watch.args(["watch", "data", "--html", "out", "--interval", "100ms", "--quiet"]);
    let watch = Running::start(watch.current_dir(hooked.dir.path("")));
    hooked.wait_for("report", |hooked| hooked.dir.path("out/live.data.js").exists());
    (hooked, watch)
}
