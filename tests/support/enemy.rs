//! A data root that an enemy shares: root and users of services write into it, and so does `nobody`.
//!
//! As on a real host, the enemy's process and the command belong to different users. Only root can start such
//! a process. So a test that needs it begins with [`Scene::new`], which returns `None` for any other user and
//! prints once that the tests are skipped.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid};
use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use crate::support::hooked::{Hooked, Running};
use crate::support::is_root;
use crate::support::{Ran, Rows, pulpcov};

/// `nobody`, a user without rights of their own.
pub(crate) const ENEMY: u32 = 65534;
/// Users of services: root, a user that Debian creates, and a number that no user has.
pub(crate) const HONEST: [u32; 3] = [0, 33, 4242];
/// The text of secrets. Every source that must not be shown contains it, and nothing else does.
pub(crate) const SECRET: &str = "do_not_tell_4711";

/// A command that takes longer than this has failed, because it seems to wait for ever.
const TIMEOUT: Duration = Duration::from_secs(240);

/// A Python that every user can run.
const PYTHON: &str = "/usr/bin/python3";

/// The first lines of every script of the enemy.
const PRELUDE: &str = r#"
import fcntl, os, shutil, socket, struct, sys, time
ROOT, KIT, VICTIM = sys.argv[1:4]
os.chdir(ROOT)
os.umask(0o22)
MINE = "uid-%d" % os.getuid()

def copy(name, to):
    os.makedirs(os.path.dirname(to) or ".", exist_ok=True)
    shutil.copyfile(os.path.join(KIT, name), to)
"#;

/// Keeps the kernel's protection of links switched off, as it is on some hosts. All values share one switch: the
/// first one turns the protection off, if the system allows that, and the last one restores it.
struct Unprotected;

/// The number of [`Unprotected`] values, and the settings as the first one found them.
static SWITCH: Mutex<(usize, Vec<(PathBuf, String)>)> = Mutex::new((0, Vec::new()));

impl Unprotected {
    fn new() -> Self {
        let mut switch = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
        if switch.0 == 0 {
            let names = ["symlinks", "hardlinks", "fifos", "regular"];
            let paths = names.map(|name| PathBuf::from(format!("/proc/sys/fs/protected_{name}")));
            let turn_off = |path: PathBuf| {
                let value = fs::read_to_string(&path).ok()?;
                fs::write(&path, "0").ok()?;
                Some((path, value))
            };
            switch.1 = paths.into_iter().filter_map(turn_off).collect();
        }
        switch.0 += 1;
        Self
    }
}

impl Drop for Unprotected {
    fn drop(&mut self) {
        let mut switch = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
        switch.0 -= 1;
        if switch.0 == 0 {
            for (path, value) in switch.1.drain(..) {
                let _ = fs::write(path, value);
            }
        }
    }
}

/// A file or folder that an attack must not reach.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Victim {
    path: PathBuf,
    bytes: Option<Vec<u8>>,
    /// Mode, owner and inode.
    state: (u32, u32, u64),
}

/// A data root with data of honest users, files of a victim, and a kit of data files for the enemy.
pub(crate) struct Scene {
    pub(crate) hooked: Hooked,
    victim: Vec<Victim>,
    _unprotected: Unprotected,
}

impl Scene {
    /// Returns `None` if this process is not root, and so cannot act as two users.
    pub(crate) fn new() -> Option<Self> {
        if !is_root() {
            static ONCE: Once = Once::new();
            // Written directly, because captured output is shown only for tests that fail.
            ONCE.call_once(|| {
                let _ = writeln!(
                    std::io::stderr(),
                    "attacks by another user are left out: they take root"
                );
            });
            return None;
        }
        let hooked = Hooked::of_debian();
        let dir = &hooked.dir;
        set_mode(&dir.path(""), 0o755);
        fs::create_dir(hooked.root()).unwrap();
        set_mode(&hooked.root(), 0o1777);
        let scene = Self { hooked, victim: Vec::new(), _unprotected: Unprotected::new() };
        scene.make_sources();
        scene.make_victim();
        scene.make_kit();
        HONEST.iter().for_each(|user| scene.make_honest_data(*user));
        let root = scene.root();
        let args = ["--source", "shop", "--data-root", root.to_str().unwrap()];
        scene.hooked.hook("install", &args).status(0);
        let victim = scene.look_at_victim();
        Some(Self { victim, ..scene })
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.hooked.root()
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.hooked.dir.path(name)
    }

    /// Returns the folder that a user's processes write into.
    pub(crate) fn folder_of(&self, user: u32) -> PathBuf {
        self.root().join(format!("uid-{user}"))
    }

    /// Returns the source that a user's processes ran. Everybody may read it.
    fn source_of(&self, user: u32) -> PathBuf {
        self.path(format!("app/of_{user}.py"))
    }

    fn make_sources(&self) {
        for user in HONEST.iter().chain(&[ENEMY]) {
            let text = format!("def public_{user}():\n    return {user}\n");
            self.write(format!("app/of_{user}.py"), text, 0o644);
        }
        let secret = format!("def {SECRET}():\n    return '{SECRET}'\n");
        self.write("secrets/settings.py", &secret, 0o600);
        self.write("secrets/closed/inner.py", &secret, 0o644);
        set_mode(&self.path("secrets/closed"), 0o700);
    }

    /// Creates a folder with everything that an attack could read, change or delete.
    fn make_victim(&self) {
        let mut private = CoverageData::new();
        let path = self.path("secrets/settings.py");
        private.add_lines(path.to_str().unwrap(), "", &Numbits::from_iter([1, 2])).unwrap();
        for name in [DATA_FILE, ".coverage", ".coverage.private", "victim-mjABCDEF9AB"] {
            let path = self.path(format!("victim/{name}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            store(&private, &path, StoreFormat::Sqlite).unwrap();
            set_mode(&path, 0o600);
        }
        for name in
            ["passwd", "index.html", "coverage.xml", "facts-1", &format!("{DATA_FILE}-journal")]
        {
            self.write(format!("victim/{name}"), format!("{SECRET} of {name}\n"), 0o600);
        }
        self.write("victim/.pulpcov_hook.host.pid7.Xabcdefghx.tmp", SECRET, 0o600);
        self.write("victim/.pulpcov_hook.host.pid7.note", SECRET, 0o600);
        self.write("victim/empty/.keep", "", 0o600);
        fs::remove_file(self.path("victim/empty/.keep")).unwrap();
    }

    /// Creates data files for the enemy to copy.
    fn make_kit(&self) {
        fs::create_dir(self.path("kit")).unwrap();
        let path = |source: &Path| source.to_str().unwrap().to_owned();
        self.kit("data", &[path(&self.source_of(ENEMY))]);
        let odd = crate::support::root().join("tests/fixtures/data/odd");
        for name in ["journal-hot.sqlite", "wal-unread.sqlite"] {
            for suffix in ["", "-journal", "-wal"] {
                let from = odd.join(format!("{name}{suffix}"));
                if from.exists() {
                    fs::copy(from, self.path(format!("kit/{name}{suffix}"))).unwrap();
                    set_mode(&self.path(format!("kit/{name}{suffix}")), 0o644);
                }
            }
        }
    }

    /// Adds a data file that names these sources to the kit.
    pub(crate) fn kit(&self, name: &str, sources: &[String]) {
        let mut data = CoverageData::new();
        for source in sources {
            data.add_lines(source.as_str(), "", &Numbits::from_iter([1, 2])).unwrap();
        }
        let path = self.path(format!("kit/{name}"));
        store(&data, &path, StoreFormat::Sqlite).unwrap();
        set_mode(&path, 0o644);
    }

    fn make_honest_data(&self, user: u32) {
        let mut data = CoverageData::new();
        let source = self.source_of(user);
        data.add_lines(source.to_str().unwrap(), "", &Numbits::from_iter([1, 2])).unwrap();
        let folder = self.folder_of(user);
        fs::create_dir(&folder).unwrap();
        let file = folder.join(format!(".coverage.{}.pid{}.Xabcdefghx", host(), 100_000 + user));
        store(&data, &file, StoreFormat::Sqlite).unwrap();
        set_mode(&file, 0o600);
        set_mode(&folder, 0o700);
        for path in [&file, &folder] {
            chown(path, Some(user), Some(user)).unwrap();
        }
    }

    fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.hooked.dir.write(name, text);
        set_mode(path.parent().unwrap(), 0o755);
        set_mode(&path, mode);
        path
    }

    /// Runs a script of the enemy to its end.
    #[track_caller]
    pub(crate) fn enemy(&self, script: &str) -> &Self {
        let output = self.script(script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self
    }

    /// Starts a script of the enemy that runs until it is dropped. Waits until the script says `ready`.
    pub(crate) fn enemy_at_work(&self, script: &str) -> Running {
        let mut running = Running::start(self.script(script).stdout(Stdio::piped()));
        assert_eq!(running.read_line(), "ready");
        running
    }

    fn script(&self, script: &str) -> Command {
        let mut command = Command::new(PYTHON);
        command.args(["-c", &format!("{PRELUDE}\n{script}")]);
        command.args([self.root(), self.path("kit"), self.path("victim")]);
        command.uid(ENEMY).gid(ENEMY).env_clear().current_dir("/");
        command
    }

    /// Adds the files that the test has created meanwhile to the files that must not change.
    pub(crate) fn victim_is_as_it_is_now(mut self) -> Self {
        self.victim = self.look_at_victim();
        self
    }

    /// Returns everything about the victim's files that could change, except when they were read.
    fn look_at_victim(&self) -> Vec<Victim> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("victim"), self.path("secrets")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
                if metadata.is_dir() {
                    folders.push(path.clone());
                }
                let state = (metadata.mode(), metadata.uid(), metadata.ino());
                found.push(Victim { path, bytes, state });
            }
        }
        found.sort();
        found
    }

    /// Runs a command as root. Checks that it ends, and that nothing happened to the victim.
    #[track_caller]
    pub(crate) fn root_runs<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        self.root_runs_in(&self.path(""), args)
    }

    #[track_caller]
    pub(crate) fn root_runs_in<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> Ran {
        let mut command = pulpcov();
        command.args(args).current_dir(folder);
        let shown = format!("{command:?}");
        let ran = run_patiently(command);
        self.assert_victim_is_unharmed(&shown);
        self.assert_nothing_is_told(&shown, &format!("{}{}", ran.stdout, ran.stderr));
        ran
    }

    #[track_caller]
    pub(crate) fn assert_victim_is_unharmed(&self, by: &str) {
        for (before, after) in self.victim.iter().zip(&self.look_at_victim()) {
            assert!(before == after, "{by}: {} is not as it was", before.path.display());
        }
        assert_eq!(self.victim.len(), self.look_at_victim().len(), "{by}");
    }

    #[track_caller]
    pub(crate) fn assert_nothing_is_told(&self, by: &str, text: &str) {
        assert!(!text.contains(SECRET), "{by} tells a secret:\n{text}");
    }

    /// Checks that no file of a folder contains a secret.
    #[track_caller]
    pub(crate) fn assert_nothing_is_written(&self, folder: &Path) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    self.assert_nothing_is_told(&path.display().to_string(), &text);
                }
            }
        }
    }

    /// Checks that a data file has the rows of all honest users.
    #[track_caller]
    pub(crate) fn assert_honest_rows(&self, file: &Path) {
        let rows = Rows::by_sql(file);
        for user in HONEST {
            let source = self.source_of(user).to_str().unwrap().to_owned();
            let lines = rows.lines.get(&(source, String::new()));
            assert_eq!(lines.map(|lines| lines.len()), Some(2), "of user {user}: {rows:?}");
        }
    }

    /// Checks that a report has the sources of all honest users.
    #[track_caller]
    fn assert_honest_sources(&self, report: &Path) {
        let text = fs::read_to_string(report).unwrap();
        for user in HONEST {
            assert!(text.contains(&format!("of_{user}.py")), "user {user} in {}", report.display());
        }
    }

    /// Runs, as root, every command that reads, and then every command that deletes.
    #[track_caller]
    pub(crate) fn root_runs_everything(&self) {
        self.root_reads_everything();
        self.root_reports_beside_the_data();
        self.root_deletes_everything();
    }

    /// Runs every command that reads the data root. Checks that they show all honest data, and nothing else.
    #[track_caller]
    pub(crate) fn root_reads_everything(&self) {
        let (root, out) = (self.root(), self.path("out"));
        fs::create_dir(&out).unwrap();
        self.root_looks_at_status();
        let kept = out.join("kept/.coverage");
        let data_file = ["--rcfile=", "--data-file", kept.to_str().unwrap()];
        let combine = [&["combine", "--keep"][..], &data_file, &[root.to_str().unwrap()]].concat();
        assert_done(self.root_runs(combine));
        self.assert_honest_rows(&kept);
        self.root_reports_on(&data_file, &out);
        self.root_watches(&out);
        let report = out.join("report");
        let args = ["hook", "report", "-i", report.to_str().unwrap(), "--rcfile=", "--data-root"];
        assert_done(self.root_runs(args.map(OsStr::new).into_iter().chain([root.as_os_str()])));
        self.assert_honest_rows(&report.join(".coverage"));
        self.assert_honest_sources(&report.join("coverage.xml"));
        self.assert_nothing_is_written(&out);
    }

    /// Runs a report in the data root itself, so that its result is beside the data.
    #[track_caller]
    fn root_reports_beside_the_data(&self) {
        let xml = self.path("out/beside.xml");
        let args = ["xml", "-i", "--keep-combined", "--no-cache", "-o", xml.to_str().unwrap()];
        self.root_runs_in(&self.root(), args);
        self.assert_nothing_is_written(&self.path("out"));
    }

    fn root_looks_at_status(&self) {
        let python = self.hooked.python();
        let status = ["hook", "status", "--python", python.to_str().unwrap()];
        let words = self.root_runs(status).status(0).stdout;
        let json = self.root_runs(status.iter().chain(&["--json"])).status(0).stdout;
        let _: serde_json::Value = serde_json::from_str(&json).unwrap();
        for user in HONEST {
            let process = format!("{} on {}", 100_000 + user, host());
            assert!(words.contains(&process), "{process} in {words}");
        }
    }

    fn root_reports_on(&self, data_file: &[&str], out: &Path) {
        let to = |name: &str| out.join(name).to_str().unwrap().to_owned();
        for args in [
            vec!["report".to_owned(), "-m".to_owned()],
            vec!["html".to_owned(), "--directory".to_owned(), to("html")],
            vec!["html".to_owned(), "--single-file".to_owned(), to("single.html")],
            vec!["xml".to_owned(), "-o".to_owned(), to("out.xml")],
            vec!["json".to_owned(), "-o".to_owned(), to("out.json")],
            vec!["lcov".to_owned(), "-o".to_owned(), to("out.lcov")],
            vec!["annotate".to_owned(), "--directory".to_owned(), to("annotated")],
        ] {
            let common = data_file.iter().map(|arg| (*arg).to_owned());
            let more = ["-i", "--keep-combined", "--no-cache"].map(str::to_owned);
            assert_done(self.root_runs(args.into_iter().chain(common).chain(more)));
        }
        for report in ["out.xml", "out.json", "out.lcov", "single.html"] {
            self.assert_honest_sources(&out.join(report));
        }
    }

    fn root_watches(&self, out: &Path) {
        let xml = out.join("watched.xml");
        let mut command = pulpcov();
        command.arg("watch").arg(self.root()).arg("--xml").arg(&xml);
        command.arg("--html").arg(out.join("watched")).args(["--interval", "100ms", "--rcfile="]);
        let said = File::create(out.join("watch.log")).unwrap();
        let mut watch = Running::start(command.current_dir(out).stdout(Stdio::null()).stderr(said));
        let start = Instant::now();
        while !fs::read_to_string(&xml).is_ok_and(|text| text.ends_with("</coverage>\n")) {
            assert!(watch.0.try_wait().unwrap().is_none(), "watch has ended");
            assert!(start.elapsed() < TIMEOUT, "watch makes no report");
            std::thread::sleep(Duration::from_millis(20));
        }
        watch.signal(Signal::SIGTERM);
        assert_eq!(watch.0.wait().unwrap().code(), Some(0));
        self.assert_honest_sources(&xml);
        self.assert_victim_is_unharmed("watch");
    }

    /// Combines without `--keep`, and then purges. Checks that all data files and folders of honest users are
    /// gone.
    #[track_caller]
    pub(crate) fn root_deletes_everything(&self) {
        let out = self.path("deleted");
        fs::create_dir(&out).unwrap();
        let file = out.join(".coverage");
        let root = self.root();
        let args = ["combine", "--rcfile=", "--data-file", file.to_str().unwrap()];
        assert_done(self.root_runs(args.map(OsStr::new).into_iter().chain([root.as_os_str()])));
        self.assert_honest_rows(&file);
        self.assert_nothing_is_written(&out);
        for user in HONEST.iter().filter(|user| self.folder_of(**user).is_dir()) {
            let left = fs::read_dir(self.folder_of(*user)).unwrap().count();
            assert!(left == 0 || self.owner(*user) != *user, "data of user {user} is there still");
        }
        let python = self.hooked.python();
        let args = ["hook", "uninstall", "--purge-data", "--python", python.to_str().unwrap()];
        assert_done(self.root_runs(args));
        for user in HONEST.iter().filter(|user| self.folder_of(**user).exists()) {
            assert_ne!(self.owner(*user), *user, "the folder of user {user} is there still");
        }
    }

    fn owner(&self, user: u32) -> u32 {
        self.folder_of(user).symlink_metadata().unwrap().uid()
    }
}

/// The name of a data file. The victim has a data file of the same name.
pub(crate) const DATA_FILE: &str = ".coverage.host.pid7.Xabcdefghx";

/// Checks that the command succeeded, perhaps with something left out.
#[track_caller]
pub(crate) fn assert_done(ran: Ran) -> Ran {
    assert!([0, 3].contains(&ran.status), "{}{}", ran.stdout, ran.stderr);
    ran
}

/// Runs a command to its end, however much it prints.
#[track_caller]
fn run_patiently(mut command: Command) -> Ran {
    let (mut stdout, mut stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
    let mut running = Running::start(&mut command);
    let start = Instant::now();
    let status = loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < TIMEOUT, "{command:?} waits for ever");
        std::thread::sleep(Duration::from_millis(5));
    };
    let read = |file: &mut File| {
        use std::io::Seek;
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ran {
        status: status.code().unwrap_or(-1),
        stdout: read(&mut stdout),
        stderr: read(&mut stderr),
    }
}

/// Returns this host's name, as it is in the names of data files.
fn host() -> String {
    nix::unistd::gethostname().unwrap().to_string_lossy().replace('.', "_")
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns whether a user of this host is in a group.
pub(crate) fn has_group(user: u32, group: u32) -> bool {
    let Ok(Some(user)) = nix::unistd::User::from_uid(Uid::from_raw(user)) else { return false };
    let name = std::ffi::CString::new(user.name).unwrap();
    nix::unistd::getgrouplist(&name, user.gid).unwrap().contains(&Gid::from_raw(group))
}
