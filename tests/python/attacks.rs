//! Attacks on commands that read a data root, by a user who may write into it.
//!
//! A process of another user makes each attack, with the kernel's own protection of links switched off. Then
//! root runs every command. Each test checks three things: everything outside the data root is unchanged,
//! nothing of it is shown, and the rows of all honest users are in the results.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use crate::support::enemy::{DATA_FILE, ENEMY, HONEST, SECRET, Scene, assert_done, set_mode};

/// Root runs every command after the enemy's script has run.
#[track_caller]
fn attack(script: &str) {
    if let Some(scene) = Scene::new() {
        scene.enemy(script).root_runs_everything();
    }
}

/// Root runs every command while the enemy's script runs.
#[track_caller]
fn attack_meanwhile(script: &str) {
    if let Some(scene) = Scene::new() {
        let _enemy = scene.enemy_at_work(script);
        scene.root_runs_everything();
    }
}

#[test]
fn a_stranger_who_does_no_harm_is_measured_too() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(&format!("copy('data', MINE + '/{DATA_FILE}')"));
    let out = scene.hooked.dir.path("public/.coverage");
    let root = scene.root();
    let args = ["combine", "--keep", "--rcfile=", "--data-file", out.to_str().unwrap()];
    scene.root_runs(args.into_iter().chain([root.to_str().unwrap()])).status(0);
    let args = ["lcov", "-o", "-", "--rcfile=", "--data-file", out.to_str().unwrap()];
    let lcov = scene.root_runs(args).status(0).stdout;
    for user in HONEST.iter().chain(&[ENEMY]) {
        assert!(lcov.contains(&format!("public_{user}")), "{lcov}");
    }
    scene.root_runs_everything();
}

#[test]
fn links_to_files_and_folders() {
    attack(&format!(
        r#"
os.symlink(VICTIM + "/{DATA_FILE}", "{DATA_FILE}")
os.symlink("/etc/passwd", ".coverage.passwd")
os.symlink(VICTIM + "/nothing", ".coverage.dangling")
os.symlink(".coverage.loop", ".coverage.loop")
os.symlink(VICTIM, MINE)
os.symlink(VICTIM, "uid-1000")
os.symlink(VICTIM, "uid-1000-aB3dE9fX")
os.symlink(VICTIM, ".coverage.folder")
os.symlink(VICTIM + "/.pulpcov_hook.host.pid7.note", ".pulpcov_hook.host.pid7.note")
os.symlink(VICTIM + "/passwd", ".pulpcov_hook.host.pid8.tmp")
mine = MINE + "-aB3dE9fX"
os.mkdir(mine)
os.symlink(VICTIM + "/{DATA_FILE}", mine + "/{DATA_FILE}")
os.symlink(VICTIM + "/.pulpcov_hook.host.pid7.note", mine + "/.pulpcov_hook.host.pid9.note")
"#
    ));
}

#[test]
fn hard_links_to_files() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(&format!(
        r#"
def link(name, to):
    try:
        os.link(VICTIM + "/" + name, to)
    except PermissionError:
        # The kernel's protection cannot be switched off here.
        pass

os.mkdir(MINE)
for folder in (".", MINE):
    link("{DATA_FILE}", folder + "/{DATA_FILE}")
    link(".coverage.private", folder + "/.coverage.private")
    link(".pulpcov_hook.host.pid7.note", folder + "/.pulpcov_hook.host.pid7.note")
    link("passwd", folder + "/.pulpcov_hook.host.pid7.tmp")
copy("wal-unread.sqlite", MINE + "/.coverage.w")
link("passwd", MINE + "/.coverage.w-wal")
copy("journal-hot.sqlite", MINE + "/.coverage.j")
link("passwd", MINE + "/.coverage.j-journal")
"#
    ));
    scene.root_runs_everything();
}

#[test]
fn journals_and_logs() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(
        r#"
def super_journal(name):
    # SQLite file format, section 3; pager.c, writeSuperJournal.
    name = name.encode()
    page = 0x40000000 // 4096 + 1
    return struct.pack(">I", page) + name + struct.pack(">II", len(name), sum(name)) + bytes.fromhex("d9d505f920a163d7")

for folder in (".", MINE):
    copy("journal-hot.sqlite", folder + "/.coverage.hot")
    copy("journal-hot.sqlite-journal", folder + "/.coverage.hot-journal")
    copy("journal-hot.sqlite", folder + "/.coverage.super")
    copy("journal-hot.sqlite-journal", folder + "/.coverage.super-journal")
    with open(folder + "/.coverage.super-journal", "ab") as file:
        file.write(super_journal(VICTIM + "/victim-mjABCDEF9AB"))
    copy("wal-unread.sqlite", folder + "/.coverage.wal")
    copy("wal-unread.sqlite-wal", folder + "/.coverage.wal-wal")
    copy("wal-unread.sqlite", folder + "/.coverage.link")
    os.symlink(VICTIM + "/passwd", folder + "/.coverage.link-wal")
    os.symlink(VICTIM + "/passwd", folder + "/.coverage.link-shm")
    copy("wal-unread.sqlite", folder + "/.coverage.fifo")
    os.mkfifo(folder + "/.coverage.fifo-wal")
    os.mkfifo(folder + "/.coverage.fifo-shm")
    copy("journal-hot.sqlite", folder + "/.coverage.fifo2")
    os.mkfifo(folder + "/.coverage.fifo2-journal")
    copy("journal-hot.sqlite", folder + "/.coverage.folder")
    os.mkdir(folder + "/.coverage.folder-journal")
"#,
    );
    scene.root_runs_everything();
}

#[test]
fn fifos_sockets_and_folders_in_the_place_of_files() {
    attack(&format!(
        r#"
os.mkdir(MINE)
for folder in (".", MINE):
    os.mkfifo(folder + "/{DATA_FILE}")
    os.mkfifo(folder + "/.pulpcov_hook.host.pid7.note")
    os.mkfifo(folder + "/.pulpcov_hook.host.pid7.tmp")
    os.mkdir(folder + "/.coverage.folder")
    os.mkdir(folder + "/.pulpcov_hook.host.pid8.tmp")
    os.mkdir(folder + "/.pulpcov_hook.host.pid8.note")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(folder + "/.coverage.socket")
os.mkfifo("uid-1000")
os.mkdir("uid-2000")
os.mkdir("uid-2000/uid-2000")
open("uid-3000", "w").close()
"#
    ));
}

#[test]
fn files_and_databases_without_end() {
    attack(
        r#"
import sqlite3
os.mkdir(MINE)
for folder in (".", MINE):
    for name, head in [("sqlite", b"SQLite format 3\0"), ("json", b"!coverage.py: This is a private format, don't read it directly!")]:
        with open(folder + "/.coverage.sparse-" + name, "wb") as file:
            file.write(head)
            file.truncate(300 << 30)
    with open(folder + "/.pulpcov_hook.host.pid7.note", "wb") as file:
        file.truncate(300 << 30)
    copy("journal-hot.sqlite", folder + "/.coverage.log")
    with open(folder + "/.coverage.log-journal", "wb") as file:
        file.write(b"x")
        file.truncate(300 << 30)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i as id, 'x' || i as path from n"
    for table in ("file", "context", "meta", "tracer", "line_bits", "arc"):
        name = folder + "/.coverage.view-" + table
        copy("data", name)
        database = sqlite3.connect(name)
        database.execute("drop table " + table)
        database.execute("create view %s as %s" % (table, endless))
        database.commit()
        database.close()
"#,
    );
}

#[test]
fn three_hundred_thousand_names() {
    attack(
        r#"
os.mkdir(MINE)
for number in range(300000):
    os.close(os.open(MINE + "/name%d" % number, os.O_CREAT | os.O_WRONLY))
for number in range(3000):
    os.mkdir("%s-%08d" % (MINE, number))
    os.symlink(VICTIM, "uid-%d" % (70000 + number))
"#,
    );
}

#[test]
fn a_file_that_grows_while_it_is_read() {
    attack_meanwhile(
        r#"
for folder in (".", MINE):
    copy("data", folder + "/.coverage.grows")
print("ready", flush=True)
while True:
    for folder in (".", MINE):
        with open(folder + "/.coverage.grows", "ab") as file:
            file.write(b"x" * 4096)
            if file.tell() > 1 << 20:
                file.truncate(8192)
"#,
    );
}

#[test]
fn locks_that_are_never_given_back() {
    let Some(scene) = Scene::new() else { return };
    let _enemy = scene.enemy_at_work(
        r#"
held = []
root = os.open(".", os.O_RDONLY)
fcntl.flock(root, fcntl.LOCK_EX)
for number in range(200):
    for folder in (".", MINE):
        name = folder + "/.coverage.host.pid%d.Xabcdefghx" % number
        copy("data", name)
        file = open(name, "r+b")
        fcntl.lockf(file, fcntl.LOCK_EX, 512, 0x40000000)
        held.append(file)
print("ready", flush=True)
while True:
    time.sleep(60)
"#,
    );
    // Reports beside the data are left out, since the enemy can lock their result.
    scene.root_reads_everything();
    scene.root_deletes_everything();
}

/// The enemy's folder is alternately a folder and a link to the victim's folder. It is never missing.
const EXCHANGING: &str = r#"
import ctypes, random
exchange = lambda a, b: ctypes.CDLL(None).renameat2(-100, a.encode(), -100, b.encode(), 2)
NAMES = ["DATA_FILE", ".coverage.private", ".pulpcov_hook.host.pid7.Xabcdefghx.tmp"]

def fill():
    folder = "link" if os.path.islink(MINE) else MINE
    for name in NAMES:
        if not os.path.exists(folder + "/" + name):
            copy("data", folder + "/" + name)

os.symlink(VICTIM, "link")
fill()
print("ready", flush=True)
while True:
    try:
        exchange(MINE, "link")
        for _ in range(random.randrange(3000)):
            pass
        if random.random() < 0.02:
            fill()
    except OSError:
        # Root has removed the folder.
        pass
"#;

fn exchanging() -> String {
    EXCHANGING.replace("DATA_FILE", DATA_FILE)
}

#[test]
fn a_folder_that_is_exchanged_all_the_time() {
    let Some(scene) = Scene::new() else { return };
    let mut enemy = scene.enemy_at_work(&exchanging());
    let root = scene.root();
    let out = scene.hooked.dir.path("race/.coverage");
    for _ in 0..150 {
        // With --append, the result keeps the rows of inputs that were combined and deleted before.
        let args = ["combine", "--append", "--quiet", "--rcfile=", "--data-file"];
        let args = args.into_iter().chain([out.to_str().unwrap(), root.to_str().unwrap()]);
        let ran = scene.root_runs(args);
        // There may be nothing to combine at this moment.
        assert!([0, 1, 3].contains(&ran.status), "{ran:?}");
    }
    scene.assert_honest_rows(&out);
    scene.assert_nothing_is_written(out.parent().unwrap());
    let status = ["hook", "status", "--python"].map(str::to_owned);
    let python = scene.hooked.python().to_str().unwrap().to_owned();
    for _ in 0..20 {
        scene.root_runs(status.iter().chain([&python])).status(0);
    }
    assert!(enemy.0.try_wait().unwrap().is_none(), "the enemy has given up");
}

#[test]
fn a_purge_while_folders_are_exchanged() {
    for _ in 0..20 {
        let Some(scene) = Scene::new() else { return };
        let mut enemy = scene.enemy_at_work(&exchanging());
        scene.root_deletes_everything();
        assert!(enemy.0.try_wait().unwrap().is_none(), "the enemy has given up");
    }
}

#[test]
fn names_that_are_taken_by_somebody_else() {
    let Some(scene) = Scene::new() else { return };
    // The names are taken before the processes of their owners start, so these processes use other names.
    for user in HONEST {
        fs::rename(scene.folder_of(user), scene.root().join(format!("uid-{user}-aB3dE9fX")))
            .unwrap();
    }
    scene.enemy(&format!(
        r#"
os.mkdir("uid-0")
copy("data", "uid-0/{DATA_FILE}")
os.symlink(VICTIM, "uid-33")
open("uid-4242", "w").close()
"#
    ));
    let python = scene.hooked.python();
    let status = ["hook", "status", "--python", python.to_str().unwrap()];
    let words = scene.root_runs(status).status(0).stdout;
    for (name, user) in [("uid-0", "root"), ("uid-33", "www-data"), ("uid-4242", "4242")] {
        let taken = format!(
            "problem: {name} is taken by nobody: processes of {user} write into a folder of another name"
        );
        assert!(words.contains(&taken), "{taken} in {words}");
    }
    scene.root_runs_everything();
}

#[test]
fn names_and_notes_that_control_terminals() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(
        r#"
os.mkdir(MINE)
for evil in ("\x1b]0;title\x07", "\x1b[2J", "\nerror: forged", "\r", "\u202e", "\u009b31m", "\x7f"):
    for folder in (".", MINE):
        with open(folder + "/.coverage.%s.pid7.Xabcdefghx" % evil, "w") as file:
            file.write("garbage")
        copy("data", folder + "/.coverage.data%s" % evil)
        with open(folder + "/.pulpcov_hook.host%s.pid7.note" % evil, "w") as file:
            file.write("a note " + evil + "\nwith a second line")
        open(folder + "/.pulpcov_hook.%s.tmp" % evil, "w").close()
"#,
    );
    let root = scene.root();
    let python = scene.hooked.python();
    let (root, python) = (root.to_str().unwrap(), python.to_str().unwrap());
    let out = scene.hooked.dir.path("kept/.coverage");
    for args in [
        vec!["hook", "status", "--python", python],
        vec!["combine", "--keep", "--rcfile=", "--data-file", out.to_str().unwrap(), root],
        vec!["hook", "uninstall", "--purge-data", "--python", python],
    ] {
        let ran = assert_done(scene.root_runs(&args));
        let text = format!("{}{}", ran.stdout, ran.stderr);
        let odd = text.chars().find(|c| !pulpcov_core::text::is_printable(*c) && *c != '\n');
        assert_eq!(odd, None, "{args:?}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{args:?}: {text}");
    }
}

/// The enemy's data file names sources that only root may read, by paths of every kind.
#[test]
fn secrets_by_their_names() {
    let Some(scene) = Scene::new() else { return };
    let path = |name: &str| scene.hooked.dir.path(name).to_str().unwrap().to_owned();
    scene.enemy(
        r#"
os.mkdir(MINE)
secrets = os.path.dirname(VICTIM) + "/secrets"
os.symlink(secrets + "/settings.py", MINE + "/link.py")
os.symlink(secrets, MINE + "/folder")
os.mkdir(MINE + "/closed")
os.symlink("../link.py", MINE + "/closed/link.py")
try:
    os.link(secrets + "/settings.py", MINE + "/hard.py")
except PermissionError:
    pass
"#,
    );
    let mine = scene.folder_of(ENEMY).to_str().unwrap().to_owned();
    let zip = path("secrets/private.zip");
    let made = std::process::Command::new("/usr/bin/python3")
        .args(["-m", "zipfile", "-c", &zip, &path("secrets/settings.py")])
        .status();
    assert!(made.unwrap().success());
    set_mode(zip.as_ref(), 0o600);
    scene.kit(
        "secret",
        &[
            path("secrets/settings.py"),
            path("secrets/closed/inner.py"),
            path("secrets/closed/missing.py"),
            path("app/../secrets/settings.py"),
            format!("{mine}/link.py"),
            format!("{mine}/folder/settings.py"),
            format!("{mine}/closed/link.py"),
            format!("{mine}/hard.py"),
            format!("{zip}/settings.py"),
            format!("/proc/self/root{}", path("secrets/settings.py")),
            "/etc/shadow".to_owned(),
            "/proc/1/environ".to_owned(),
            "/dev/zero".to_owned(),
            "/dev/stdin".to_owned(),
            format!("{mine}/fifo.py"),
        ],
    );
    scene.enemy(&format!(
        r#"
os.mkfifo(MINE + "/fifo.py")
copy("secret", MINE + "/{DATA_FILE}")
copy("secret", ".coverage.old-layout")
copy("secret", ".coverage.of-anybody")
os.chmod(".coverage.of-anybody", 0o666)
"#
    ));
    // Root's own file, but anybody can write into it.
    let anybodys = scene.root().join(".coverage.of-root");
    fs::copy(scene.root().join(".coverage.old-layout"), &anybodys).unwrap();
    set_mode(&anybodys, 0o666);
    scene.victim_is_as_it_is_now().root_runs_everything();
}

#[test]
fn what_is_withheld_is_named_and_can_be_shown() {
    let Some(scene) = Scene::new() else { return };
    let secret = scene.hooked.dir.path("secrets/settings.py");
    scene.kit("secret", &[secret.to_str().unwrap().to_owned()]);
    scene.enemy(&format!("copy('secret', MINE + '/{DATA_FILE}')"));
    let out = scene.hooked.dir.path("kept/.coverage");
    let root = scene.root();
    let data_file = ["--rcfile=", "--data-file", out.to_str().unwrap()];
    let combine = [&["combine", "--keep"][..], &data_file, &[root.to_str().unwrap()]].concat();
    scene.root_runs(combine).status(0);
    // The rows of the secret are there, for users who may read its source.
    let rows = crate::support::Rows::by_sql(&out);
    assert!(rows.files.contains_key(secret.to_str().unwrap()));
    let html = scene.hooked.dir.path("html");
    let report = [&["html", "--directory", html.to_str().unwrap()][..], &data_file].concat();
    let warning = format!(
        "{} is withheld: none of those whose data files name it may read it (user {ENEMY}) (source-withheld); \
         --show-source shows it all the same",
        secret.display()
    );
    scene.root_runs(&report).status(3).stderr(&warning);
    let index = fs::read_to_string(html.join("index.html")).unwrap();
    assert!(index.contains("Problems: 1") && index.contains("settings.py is withheld"), "{index}");

    // Each of these options lets root show the secret.
    let shown = |args: &[&str]| {
        let mut command = crate::support::pulpcov();
        command.args(["lcov", "-i", "-o", "-"]).args(data_file).args(args);
        let output = command.current_dir(scene.hooked.dir.path("")).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains(SECRET)
    };
    let folder = secret.parent().unwrap().to_str().unwrap();
    assert!(!shown(&[]));
    assert!(
        shown(&["--show-source", folder]) && shown(&["--show-source", secret.to_str().unwrap()])
    );
    assert!(!shown(&["--show-source", scene.hooked.dir.path("app").to_str().unwrap()]));
    assert!(shown(&["--source-root", folder]), "the sources of a folder that root names");
    // The source is not a secret if the enemy may read it, or if root's own data names it.
    set_mode(&secret, 0o644);
    assert!(shown(&[]));
    set_mode(&secret, 0o600);
    let own = scene.folder_of(0).join(".coverage.own");
    fs::copy(scene.hooked.dir.path("kit/secret"), own).unwrap();
    let append = [&["combine", "--append"][..], &data_file, &[root.to_str().unwrap()]].concat();
    scene.root_runs(append).status(0);
    assert!(shown(&[]), "root's own data names it too");
}

#[test]
fn what_is_installed_to_be_measured_is_shown() {
    let Some(scene) = Scene::new() else { return };
    // Two packages that only root may read. One of them is measured.
    for package in ["measured", "other"] {
        let text = format!("def {package}():\n    return '{SECRET}'\n");
        let path = scene.hooked.dir.write(format!("lib/{package}/__init__.py"), text);
        set_mode(&path, 0o600);
    }
    fs::write(scene.hooked.site().join("lib.pth"), scene.hooked.dir.path("lib").to_str().unwrap())
        .unwrap();
    let sources = ["measured", "other"].map(|package| {
        let path = scene.hooked.dir.path(format!("lib/{package}/__init__.py"));
        path.to_str().unwrap().to_owned()
    });
    scene.kit("secret", &sources);
    scene.enemy(&format!("copy('secret', MINE + '/{DATA_FILE}')"));
    let root = scene.root();
    let install = ["--source", "measured", "--data-root", root.to_str().unwrap()];
    scene.hooked.hook("install", &install).status(0);
    let report = |more: &[&str]| {
        let mut command = crate::support::pulpcov();
        command.args(["hook", "report", "report", "--rcfile=", "--data-root"]).arg(&root);
        let output = command.args(more).current_dir(scene.hooked.dir.path("")).output().unwrap();
        // At least one of the packages is withheld.
        crate::support::Ran::from(output).status(3)
    };
    let of = |package: &str, ran: &crate::support::Ran| {
        ran.stdout.contains(&format!("lib/{package}/__init__.py"))
    };
    let ran = report(&[]);
    assert!(!of("measured", &ran) && !of("other", &ran), "{}", ran.stdout);
    let python = scene.hooked.python();
    let ran = report(&["--python", python.to_str().unwrap()]);
    assert!(of("measured", &ran) && !of("other", &ran), "{}", ran.stdout);
    ran.stderr("other/__init__.py is withheld");
}

#[test]
fn groups_of_the_owner_count() {
    let Some(scene) = Scene::new() else { return };
    // The first group is www-data's own. The user is not in the second.
    assert!(!crate::support::enemy::has_group(33, 4711));
    let secret = scene.hooked.dir.path("secrets/settings.py");
    let data = scene.hooked.dir.path("kit/secret");
    scene.kit("secret", &[secret.to_str().unwrap().to_owned()]);
    let file = scene.folder_of(33).join(".coverage.host.pid8.Xabcdefghx");
    fs::copy(data, &file).unwrap();
    chown(&file, Some(33), Some(33)).unwrap();
    let shown = |group: u32| {
        set_mode(&secret, 0o640);
        chown(&secret, Some(0), Some(group)).unwrap();
        let root = scene.root();
        let mut command = crate::support::pulpcov();
        command.args(["hook", "report", "report", "--rcfile=", "--data-root"]).arg(&root);
        let output = command.current_dir(scene.hooked.dir.path("")).output().unwrap();
        let ran = crate::support::Ran::from(output);
        let shown = ran.stdout.contains("secrets/settings.py");
        ran.status(if shown { 0 } else { 3 });
        shown
    };
    assert!(shown(33));
    assert!(!shown(4711));
}

#[test]
fn settings_and_outputs_that_were_laid_out() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(&format!(
        r#"
with open(".coveragerc", "w") as file:
    file.write("[run]\ndata_file = %s/.coverage\n[html]\ndirectory = %s\n[xml]\noutput = %s/coverage.xml\n" % (VICTIM, VICTIM, VICTIM))
os.mkfifo("setup.cfg")
os.symlink(VICTIM + "/passwd", "tox.ini")
os.symlink(VICTIM + "/.coverage", ".coverage")
os.symlink(VICTIM + "/coverage.xml", "coverage.xml")
os.symlink(VICTIM + "/passwd", "coverage.json")
os.symlink(VICTIM + "/passwd", "coverage.lcov")
os.symlink(VICTIM, "htmlcov")
os.symlink(VICTIM, ".pulpcov_cache")
os.symlink(VICTIM, "report")
os.mkdir("mine")
copy("data", MINE + "/{DATA_FILE}")
"#
    ));
    let root = scene.root();
    let refused =
        ["xml", "json", "lcov", "html"].map(|report| vec![report, "-i", "--keep-combined"]);
    for args in refused.into_iter().chain([
        vec!["html", "-i", "--keep-combined", "--directory", "mine"],
        vec!["hook", "report", "report", "--data-root", "."],
        vec!["hook", "report", "mine", "--data-root", "."],
    ]) {
        let ran = scene.root_runs_in(&root, &args);
        assert_ne!(ran.status, 0, "{args:?}: {ran:?}");
    }
    // A link that somebody else planted is not taken for the data file.
    scene.root_runs_in(&root, ["combine", "--append"]).status(1).stderr("symbolic link");
    let warned = scene.root_runs_in(&root, ["combine", "--keep"]);
    assert_done(warned).stderr(".coveragerc is not read: it belongs to another user");
    scene.assert_honest_rows(&root.join(".coverage"));
    assert_eq!(fs::metadata(root.join(".coverage")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn copies_beside_the_sources() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(
        r#"
with open(MINE + ".py", "w") as file:
    file.write("x = 1\ny = 2\n")
os.symlink(VICTIM + "/passwd", MINE + ".py,cover")
os.mkdir(MINE)
"#,
    );
    let source = scene.root().join(format!("uid-{ENEMY}.py"));
    scene.kit("mine", &[source.to_str().unwrap().to_owned()]);
    scene.enemy(&format!("copy('mine', MINE + '/{DATA_FILE}')"));
    let out = scene.hooked.dir.path("kept/.coverage");
    let root = scene.root();
    let data_file = ["--rcfile=", "--data-file", out.to_str().unwrap()];
    let combine = [&["combine", "--keep"][..], &data_file, &[root.to_str().unwrap()]].concat();
    scene.root_runs(combine).status(0);
    let ran = scene.root_runs([&["annotate"][..], &data_file].concat()).status(0);
    assert!(ran.stderr.contains("is not annotated"), "{}", ran.stderr);
    let annotated = scene.hooked.dir.path("annotated");
    let to = ["annotate", "--directory", annotated.to_str().unwrap()];
    scene.root_runs([&to[..], &data_file].concat()).status(0);
    assert_eq!(fs::read_dir(annotated).unwrap().count(), HONEST.len() + 1);
}

#[test]
fn what_a_purge_cannot_remove_is_named_and_the_rest_goes() {
    let Some(scene) = Scene::new() else { return };
    scene.enemy(
        r#"
os.mkdir(MINE)
os.mkdir(MINE + "/.coverage.folder")
os.mkdir(".coverage.folder")
os.mkdir("uid-7000")
os.symlink(VICTIM, "uid-8000")
copy("data", MINE + "/.coverage.data")
copy("data", MINE + "/.coverage.data-journal")
copy("data", MINE + "/strange")
"#,
    );
    symlink("/nowhere", scene.folder_of(0).join(".coverage.link")).unwrap();
    let ran = scene.hooked.hook("uninstall", &["--purge-data"]).status(3);
    let root = scene.root();
    for (name, why) in [
        (format!("uid-{ENEMY}/.coverage.folder"), "this is a folder"),
        (".coverage.folder".to_owned(), "this is a folder"),
        ("uid-8000".to_owned(), "this is no folder"),
        (format!("uid-{ENEMY}"), "Directory not empty"),
    ] {
        let left = format!("warning: not removed: {}: {why}", root.join(name).display());
        assert!(ran.stderr.contains(&left), "{left} in {}", ran.stderr);
    }
    let mut left: Vec<String> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [".coverage.folder".to_owned(), format!("uid-{ENEMY}"), "uid-8000".to_owned()]
    );
    scene.assert_victim_is_unharmed("a purge");
}

#[test]
fn an_ordinary_user_is_told_what_is_left_out() {
    let Some(scene) = Scene::new() else { return };
    let dir = &scene.hooked.dir;
    let program = dir.path("pulpcov");
    crate::support::copy_pulpcov(&program);
    let results = dir.path("results");
    fs::create_dir(&results).unwrap();
    chown(&results, Some(33), Some(33)).unwrap();
    let as_user = |args: &[&str]| {
        use std::os::unix::process::CommandExt;
        let mut command = crate::support::neutral(std::process::Command::new(&program));
        command.args(args).current_dir(&results).uid(33).gid(33);
        crate::support::Ran::from(command.output().unwrap())
    };
    let root = scene.root();
    let root = root.to_str().unwrap();
    let ran = as_user(&["combine", "--keep", "--rcfile=", root]).status(3);
    for user in [0, 4242] {
        let left = format!(
            "warning: left out: {}: Permission denied: run this as root, or as the user whose folder it is",
            scene.folder_of(user).display()
        );
        assert!(ran.stderr.contains(&left), "{left} in {}", ran.stderr);
    }
    let files = crate::support::Rows::by_sql(results.join(".coverage")).files;
    assert_eq!(files.len(), 1, "{files:?}");
    let python = "/usr/bin/python3";
    let words = as_user(&["hook", "status", "--python", python, "--data-root", root]).stdout;
    assert!(words.contains("cannot be read: "), "{words}");
    let json = ["hook", "status", "--json", "--python", python, "--data-root", root];
    let json: serde_json::Value = serde_json::from_str(&as_user(&json).stdout).unwrap();
    let left_out = json["data_roots"][0]["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 2, "{json}");
    assert!(left_out[0]["problem"].as_str().unwrap().contains("run this as root"));
}
