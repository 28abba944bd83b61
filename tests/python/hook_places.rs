//! `pulpcov hook` and its data root: roots that come and go, other users, limits, and an enemy who shares the
//! root.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::support::hooked::{
    Hooked, Running, data_files, line_of_step, lines, lines_with, name, shop,
};
use crate::support::is_root;
use crate::support::{Rows, neutral};

const OFTEN: &[&str] = &["--flush-interval", "100ms"];
const NEVER: &[&str] = &["--flush-interval", "60m"];
const NOBODY: u32 = 65534;

/// Returns the folder in the data root that this user's processes write into.
fn own_folder(hooked: &Hooked) -> PathBuf {
    hooked.root().join(format!("uid-{}", nix::unistd::geteuid()))
}

fn code(hooked: &Hooked, code: &str) -> Command {
    let mut command = hooked.command();
    command.args(["-c", code]);
    command
}

/// Runs a program, and checks that it succeeds and that none of its processes prints an error.
#[track_caller]
fn runs_well(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", output.status);
    output
}

#[test]
fn a_user_writes_into_a_folder_that_nobody_else_may_enter() {
    let hooked = Hooked::new().installed(&[]);
    runs_well(&mut code(&hooked, "import os; os.umask(0); from shop import work; work.before()"));
    let folder = own_folder(&hooked);
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
    let [file] = &hooked.files()[..] else { panic!("{:?}", hooked.files()) };
    assert_eq!(file.parent(), Some(folder.as_path()));
    assert_eq!(fs::metadata(file).unwrap().mode() & 0o022, 0);
    // If somebody opens the folder to all, the next process closes it to others' writes.
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    runs_well(&mut code(&hooked, "from shop import work; work.before()"));
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o022, 0);
}

#[test]
fn a_root_that_was_removed_is_made_again() {
    let hooked = Hooked::new().installed(OFTEN);
    let mut steps = hooked.drive("steps");
    steps.env("PAUSE", "0.02").env("STEPS", "1,2,3,".repeat(1000));
    let _process = Running::start(steps.stdout(Stdio::null()));
    hooked.wait_for_steps([1, 2, 3]);
    fs::remove_dir_all(hooked.root()).unwrap();
    hooked.wait_for("new root", |hooked| hooked.root().exists());
    hooked.wait_for_steps([1, 2, 3]);
    assert_eq!(fs::metadata(hooked.root()).unwrap().mode() & 0o7777, 0o1777);
    // A new folder in place of the root is used from then on.
    fs::rename(hooked.root(), hooked.dir.path("old")).unwrap();
    fs::create_dir(hooked.root()).unwrap();
    hooked.wait_for_steps([1, 2, 3]);
}

/// Daemons close all descriptors, and then get the same numbers for files of their own.
#[test]
fn descriptors_that_the_program_closes_are_not_missed_nor_used() {
    let hooked = Hooked::new().installed(OFTEN);
    let precious = hooked.dir.write("precious", "of the program");
    let program = format!(
        "\
import os
from shop import steps, work
work.before()
os.closerange(3, 1000)
for number in range(3, 1000):
    try:
        os.dup2(os.open({:?}, os.O_RDWR), number)
    except OSError:
        break
print('ready', flush=True)
steps.step_7()
import sys
sys.stdin.read()
",
        precious.to_str().unwrap()
    );
    let mut process = Running::start(code(&hooked, &program).stdout(Stdio::piped()));
    assert_eq!(process.read_line(), "ready");
    hooked.wait_for_steps([7]);
    drop(process.0.stdin.take());
    assert!(process.0.wait().unwrap().success());
    assert_eq!(fs::read_to_string(precious).unwrap(), "of the program");
    assert!(hooked.lines("work").contains(&lines_with("work", "return total")[0]));
}

#[test]
fn a_limit_of_file_sizes_does_not_end_the_program() {
    let hooked = Hooked::new().installed(NEVER);
    // The smallest data file has more than 4096 bytes. By default, Python ignores the signal.
    let program = "\
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
from shop import work
work.before()
";
    let output = code(&hooked, program).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {stderr}", output.status);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("`ulimit -f` allows 4096"), "{stderr}");
    assert!(hooked.files().is_empty());
}

#[test]
fn on_a_full_disk_the_program_runs_as_ever() {
    let hooked = Hooked::new().installed(OFTEN);
    // The disk is smaller than a data file. The script lists its files, because the mount vanishes with the
    // namespace.
    let script = "mount -t tmpfs -o size=20k,mode=1777 none \"$1\" || exit 99
        shift; \"$@\"; status=$?
        find \"$ROOT\" -type f; exit $status";
    let drive = hooked.drive("steps");
    let mut command = neutral(Command::new("unshare"));
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]).arg(hooked.root());
    command.arg(drive.get_program()).args(drive.get_args()).current_dir(shop());
    command.env("ROOT", hooked.root()).env("PAUSE", "0.1").env("STEPS", "0,1,2,3,4,5,6,7");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(99) || stderr.contains("unshare failed") {
        println!("skipped: no file system can be mounted here");
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("tried again"), "{stderr}");
    let said = String::from_utf8(output.stdout).unwrap();
    let files: Vec<_> = said.lines().filter(|line| line.starts_with('/')).collect();
    assert!(files.iter().all(|file| file.ends_with(".note")), "{files:?}");
}

/// Skips the test, with a line that says so, unless it runs as root.
macro_rules! as_root {
    () => {
        if !is_root() {
            println!("skipped: only root can start processes of other users");
            return;
        }
    };
}

#[test]
fn a_process_that_becomes_another_user_writes_into_that_user_s_folder() {
    as_root!();
    let hooked = Hooked::new().installed(NEVER);
    let program = format!(
        "\
import os
from shop import steps, work
work.before()
if os.fork() == 0:
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    steps.step_1()
    os._exit(0)
os.wait()
os.seteuid({NOBODY})
steps.step_2()
"
    );
    runs_well(&mut code(&hooked, &program));
    let ran_by = |user: u32| {
        let folder = hooked.root().join(format!("uid-{user}"));
        let files = hooked.files().into_iter().filter(|file| file.starts_with(&folder));
        lines(&files.map(Rows::by_sql).fold(Rows::default(), Rows::union), "steps")
    };
    for step in [1, 2] {
        assert!(ran_by(NOBODY).contains(&line_of_step(step)), "{step}");
        assert!(!ran_by(0).contains(&line_of_step(step)), "{step}");
    }
    let folder = hooked.root().join(format!("uid-{NOBODY}"));
    assert_eq!(fs::metadata(folder).unwrap().uid(), NOBODY);
}

#[test]
fn a_process_in_another_root_writes_to_where_it_did() {
    as_root!();
    let hooked = Hooked::new().installed(OFTEN);
    let jail = hooked.dir.path("jail");
    fs::create_dir(&jail).unwrap();
    let program = format!(
        "\
import os, sys
from shop import steps, work
work.before()
os.chroot({:?})
os.chdir('/')
steps.step_1()
if os.fork() == 0:
    os.setuid({NOBODY})
    steps.step_2()
    os._exit(0)
os.wait()
print('ready', flush=True)
sys.stdin.read()
steps.step_3()
",
        jail.to_str().unwrap()
    );
    let mut command = code(&hooked, &program);
    let mut process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    assert_eq!(process.read_line(), "ready");
    hooked.wait_for_steps([1, 2]);
    drop(process.0.stdin.take());
    let mut said = String::new();
    BufReader::new(process.0.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(process.0.wait().unwrap().success());
    assert_eq!(said, "");
    assert!(hooked.lines("steps").contains(&line_of_step(3)));
    assert_eq!(fs::read_dir(jail).unwrap().count(), 0);
}

/// Returns the path, mode, owner and content of everything below a folder.
fn state(folder: &Path) -> Vec<(PathBuf, u32, u32, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
            found.push((path, metadata.mode(), metadata.uid(), bytes));
        }
    }
    found.sort();
    found
}

/// Checks that root's service is measured although an enemy has taken names in the data root first.
///
/// Its rows are saved in a folder of root that nobody else may enter, and no target of the enemy's names is
/// changed.
#[track_caller]
fn root_is_measured_beside(squat: impl FnOnce(&Path, &Path)) {
    let hooked = Hooked::new().installed(&[]);
    let victim = hooked.dir.path("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join(".coverage.host.pid1.Xaaaaaaaax"), "precious").unwrap();
    fs::write(victim.join("passwd"), "precious").unwrap();
    let before = state(&victim);
    squat(&hooked.root().join("uid-0"), &victim);
    let squatted = hooked.root().join("uid-0").symlink_metadata().unwrap();
    runs_well(&mut hooked.drive("fork_os_exit"));
    assert_eq!(state(&victim), before);
    let now = hooked.root().join("uid-0").symlink_metadata().unwrap();
    assert_eq!(
        (now.ino(), now.uid(), now.mode()),
        (squatted.ino(), squatted.uid(), squatted.mode())
    );
    let squatters = |file: &PathBuf| file.parent() == Some(&hooked.root().join("uid-0"));
    let files: Vec<_> =
        data_files(&hooked.root()).into_iter().filter(|file| !squatters(file)).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in &files {
        let folder = file.parent().unwrap();
        assert!(name(folder).starts_with("uid-0-"), "{}", folder.display());
        let state = folder.symlink_metadata().unwrap();
        assert_eq!((state.uid(), state.mode() & 0o7777), (0, 0o700));
    }
    let rows = files.iter().map(Rows::by_sql).fold(Rows::default(), Rows::union);
    assert_eq!(lines(&rows, "work"), lines(&hooked.rows_of_one_process(&[]), "work"));
}

fn give_to_nobody(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
}

#[test]
fn a_squatted_folder_is_not_written_into() {
    as_root!();
    root_is_measured_beside(|squatted, victim| {
        fs::create_dir(squatted).unwrap();
        fs::set_permissions(squatted, Permissions::from_mode(0o777)).unwrap();
        symlink(victim.join("passwd"), squatted.join(".coverage.host.pid1.Xaaaaaaaax")).unwrap();
        give_to_nobody(squatted);
    });
}

#[test]
fn a_link_in_place_of_the_folder_is_not_followed() {
    as_root!();
    root_is_measured_beside(|squatted, victim| {
        symlink(victim, squatted).unwrap();
        give_to_nobody(squatted);
    });
}

#[test]
fn a_fifo_in_place_of_the_folder_is_not_waited_for() {
    as_root!();
    root_is_measured_beside(|squatted, _| {
        nix::unistd::mkfifo(squatted, Mode::from_bits_truncate(0o666)).unwrap();
        give_to_nobody(squatted);
    });
}

#[test]
fn a_file_in_place_of_the_folder_is_not_opened() {
    as_root!();
    root_is_measured_beside(|squatted, victim| {
        fs::hard_link(victim.join("passwd"), squatted).unwrap();
    });
}

/// An enemy creates and removes names as fast as possible while root's processes start, save and fork. Some
/// names are links to a victim.
///
/// What the enemy does to its own names does not matter.
#[test]
fn an_enemy_who_races_gains_nothing() {
    as_root!();
    let hooked = Hooked::new().installed(&["--flush-interval", "20ms"]);
    let victim = hooked.dir.path("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("passwd"), "precious").unwrap();
    fs::set_permissions(hooked.dir.path(""), Permissions::from_mode(0o755)).unwrap();
    let before = state(&victim);
    let enemy = "\
import os, sys
root, victim = sys.argv[1:]
os.chdir(root)
names = ['uid-0', '.pulpcov_hook.tmp', '.coverage']
while os.getppid() != 1:
    for name in names:
        try:
            os.symlink(victim, name)
            os.unlink(name)
            os.mkdir(name, 0o777)
            os.symlink(victim + '/passwd', name + '/.coverage.x')
            os.unlink(name + '/.coverage.x')
            os.rmdir(name)
            os.link(victim + '/passwd', name)
        except OSError:
            pass
";
    let mut command = neutral(Command::new("/usr/bin/python3"));
    command.args(["-S", "-c", enemy]).arg(hooked.root()).arg(&victim).env("PULPCOV_HOOK", "off");
    let _enemy = Running::start(command.uid(NOBODY).gid(NOBODY).current_dir("/"));
    for round in 0..30 {
        let mut steps = hooked.drive("steps");
        steps.env("PAUSE", "0.01").env("STEPS", format!("{round},{}", round + 100));
        runs_well(steps.stdout(Stdio::null()));
    }
    assert_eq!(state(&victim), before);
    let files = data_files(&hooked.root());
    let ran = lines(&files.iter().map(Rows::by_sql).fold(Rows::default(), Rows::union), "steps");
    for step in (0..30).chain(100..130) {
        assert!(ran.contains(&line_of_step(step)), "{step}");
    }
    for file in files {
        assert_eq!(file.symlink_metadata().unwrap().uid(), 0, "{}", file.display());
        assert_eq!(file.parent().unwrap().symlink_metadata().unwrap().uid(), 0);
    }
}

/// Once a data file was combined and deleted, a file of its name belongs to somebody else.
#[test]
fn what_is_put_in_place_of_a_data_file_is_neither_read_nor_replaced() {
    let hooked = Hooked::new().installed(OFTEN);
    let mut steps = hooked.drive("steps");
    steps.env("PAUSE", "0.02").env("STEPS", "1,2,3,".repeat(1000));
    let _process = Running::start(steps.stdout(Stdio::null()));
    hooked.wait_for_steps([1, 2, 3]);
    let [file] = &hooked.files()[..] else { panic!("{:?}", hooked.files()) };
    fs::remove_file(file).unwrap();
    fs::write(file, "endless").unwrap();
    hooked.wait_for("another file", |hooked| data_files(&hooked.root()).len() > 1);
    assert_eq!(fs::read(file).unwrap(), b"endless");
    fs::remove_file(file).unwrap();
    hooked.wait_for_steps([1, 2, 3]);
}

#[test]
fn names_and_contexts_that_are_no_text_are_saved_all_the_same() {
    let hooked = Hooked::new().installed(NEVER);
    let program = "\
import coverage, os, sys
from shop import work
folder = os.fsdecode(sys.argv[1].encode() + b'/\\xff')
os.mkdir(folder)
with open(folder + '/odd.py', 'w') as file:
    file.write('number = 1\\n')
coverage.Coverage.current().switch_context('odd \\udcff\\0')
work.before()
";
    let mut command = hooked.command();
    runs_well(command.args(["-c", program]).arg(hooked.dir.path("")));
    let rows = hooked.rows();
    assert!(rows.contexts.contains("odd \\udcff\\x00"), "{:?}", rows.contexts);
    let [file] = &hooked.files()[..] else { panic!("{:?}", hooked.files()) };
    assert_eq!(Rows::by_coverage(file), rows);
}

#[test]
fn an_end_by_a_kill_while_saving_leaves_a_whole_file() {
    let hooked = Hooked::new().installed(&["--flush-interval", "10ms"]);
    for round in 0..20 {
        let mut steps = hooked.drive("steps");
        let mut process = Running::start(steps.env("PAUSE", "0").stdout(Stdio::piped()));
        let mut lines = BufReader::new(process.0.stdout.take().unwrap());
        for _ in 0..round * 10 + 1 {
            lines.read_line(&mut String::new()).unwrap();
        }
        process.signal(Signal::SIGKILL);
        process.0.wait().unwrap();
    }
    for file in hooked.files() {
        assert_eq!(Rows::by_coverage(&file), Rows::by_sql(&file));
    }
}

/// A folder or file without permissions for its owner would keep the owner's later processes out.
#[test]
fn an_odd_umask_does_not_close_the_folder_to_its_user() {
    for umask in ["0o177", "0o777"] {
        let hooked = Hooked::of_debian().published().installed(NEVER);
        let program = format!(
            "\
import os
os.umask({umask})
import coverage
from shop import steps
for step in (steps.step_1, steps.step_2):
    step()
    coverage.Coverage.current().save()
"
        );
        let mut files = 0;
        for user in [nix::unistd::geteuid().as_raw(), NOBODY] {
            if user == NOBODY && !is_root() {
                continue;
            }
            for _ in 0..2 {
                let mut command = code(&hooked, &program);
                command.current_dir(hooked.dir.path(""));
                if user == NOBODY {
                    command.uid(NOBODY).gid(NOBODY);
                }
                runs_well(&mut command);
                files += 1;
                assert_eq!(hooked.files().len(), files, "{umask} {user}");
            }
            let folder = hooked.root().join(format!("uid-{user}"));
            assert_eq!(fs::metadata(folder).unwrap().mode() & 0o7777, 0o700);
        }
        for file in hooked.files() {
            let ran = lines(&Rows::by_sql(&file), "steps");
            assert!([1, 2].iter().all(|step| ran.contains(&line_of_step(*step))), "{ran:?}");
        }
    }
}
