//! The messages of `pulpcov hook`, and its handling of odd arguments.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};
use serde_json::Value;

use crate::support::hooked::record;
use crate::support::hooked::{Hooked, Running, line_of_step, lines};
use crate::support::{Dir, Ran, Rows, pulpcov};

/// Runs `pulpcov hook` with these arguments, in the folder of this test, with its data root.
fn hook(hooked: &Hooked, command: &str, args: &[&str]) -> Ran {
    let root = hooked.root();
    hooked.hook(command, &[&["--data-root", root.to_str().unwrap()], args].concat())
}

/// Returns which of these steps are in a combined data file.
fn steps_in(data_file: &Path, steps: [i32; 3]) -> [bool; 3] {
    let ran = lines(&Rows::by_sql(data_file), "steps");
    steps.map(|step| ran.contains(&line_of_step(step)))
}

#[test]
fn a_report_adds_to_the_one_before() {
    for erase in [&["--erase"][..], &[]] {
        let hooked = Hooked::new().installed(&[]);
        let results = hooked.dir.path("results/.coverage");
        record(&hooked, "1");
        hook(&hooked, "report", &[&["results"], erase].concat()).status(0);
        // As if another command had erased the data files.
        hooked.files().iter().for_each(|file| fs::remove_file(file).unwrap());
        record(&hooked, "2");
        hook(&hooked, "report", &[&["results"], erase].concat()).status(0);
        assert_eq!(steps_in(&results, [1, 2, 3]), [true, true, false]);
        // In a new folder, a report starts with no data.
        record(&hooked, "3");
        hook(&hooked, "report", &[&["others"], erase].concat()).status(0);
        let others = hooked.dir.path("others/.coverage");
        assert_eq!(steps_in(&others, [1, 2, 3]), [false, erase.is_empty(), true]);
    }
}

#[test]
fn a_report_that_cannot_be_added_to_is_named_and_nothing_is_erased() {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    hooked.dir.write("results/.coverage", "no data file");
    hook(&hooked, "report", &["results", "--erase"]).status(1).stderr("results/.coverage: ");
    assert_eq!(hooked.files().len(), 1);
    let kept = fs::read_to_string(hooked.dir.path("results/.coverage")).unwrap();
    assert_eq!(kept, "no data file");
}

#[test]
fn sources_are_a_list_with_commas_too() {
    let hooked = Hooked::new();
    hook(&hooked, "install", &["--source", "shop,json", "--source", "./,email"]).status(0);
    let settings = fs::read_to_string(hooked.site().join("pulpcov_hook.conf")).unwrap();
    let folder = format!("folder {}\n", hooked.dir.path("").display());
    for line in ["package shop\n", "package json\n", "package email\n", &folder] {
        assert!(settings.contains(line), "{line} in {settings}");
    }
}

#[test]
fn what_install_advises_is_about_the_same_python() {
    let hooked = Hooked::new();
    let ran = hook(&hooked, "install", &["--source", "shop"]).status(0);
    let (_, advice) = ran.stderr.split_once("pulpcov hook status ").unwrap();
    let words: Vec<&str> = advice.lines().next().unwrap().split(' ').collect();
    assert_eq!(words, ["--python", hooked.python().to_str().unwrap()]);
    let mut status = pulpcov();
    let status = status.args(["hook", "status"]).args(words).output().unwrap();
    Ran::from(status).status(0).stdout("measures: package shop");
}

#[test]
fn a_file_as_source_is_refused_with_the_way_out() {
    let hooked = Hooked::new();
    hooked.dir.write("app.py", "");
    hooked.dir.write("src/tool", "");
    for file in ["app.py", "./app.py", "src/tool"] {
        let ran = hook(&hooked, "install", &["--source", file]).status(1);
        ran.stderr(file).stderr("is a file").stderr("package").stderr("folder");
        assert!(!hooked.root().exists());
    }
    // A package may have the same name as a file.
    hooked.dir.write("json", "");
    hook(&hooked, "install", &["--source", "json"]).status(0);
}

#[test]
fn a_package_that_cannot_be_found_is_named_when_it_is_installed() {
    let hooked = Hooked::new();
    let ran = hook(&hooked, "install", &["--source", "json,no_such_pkg,shop.work"]).status(0);
    let warnings: Vec<_> =
        ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for (warning, package) in warnings.iter().zip(["no_such_pkg", "shop.work"]) {
        assert!(warning.contains(package) && warning.contains("waits"), "{warning}");
    }
    // The service imports the package from its own folder.
    let hooked = hooked.installed(&[]);
    record(&hooked, "1");
    assert_eq!(hooked.files().len(), 1);
}

#[test]
fn status_shows_what_is_in_force() {
    let hooked = Hooked::new().installed(&[]);
    let status = |hooked: &Hooked| -> Value {
        serde_json::from_str(&hooked.hook("status", &["--json"]).status(0).stdout).unwrap()
    };
    let settings = status(&hooked)["interpreters"][0]["settings"].clone();
    let root = hooked.root().display().to_string();
    let expected = serde_json::json!({
        "packages": ["shop"], "folders": [], "branch": false, "interval": 5.0, "signal": "SIGUSR1",
        "config": null, "context": null, "users": [],
    });
    assert_eq!(settings, expected);
    let words = hooked.hook("status", &[]).status(0).stdout;
    for line in [
        "  measures: package shop\n",
        "  branches: no\n",
        "  saves: every 5 s, and on SIGUSR1\n",
        "  configuration file: none\n",
        "  context: none\n",
        &format!("  data root: {root}\n"),
    ] {
        assert!(words.contains(line), "{line:?} in {words}");
    }
    let config = hooked.dir.write("rc", "");
    let config = config.to_str().unwrap();
    let args = ["--branch", "--source", "./", "--source", "json", "--flush-signal", "none"];
    let more = ["--flush-interval", "90s", "--context", "night", "--config", config];
    let hooked = hooked.installed(&[&args[..], &more, &["--user-only", "0"]].concat());
    let settings = status(&hooked)["interpreters"][0]["settings"].clone();
    let folder = hooked.dir.path("").display().to_string();
    let expected = serde_json::json!({
        "packages": ["shop", "json"], "folders": [folder], "branch": true, "interval": 90.0, "signal": null,
        "config": config, "context": "night", "users": [0],
    });
    assert_eq!(settings, expected);
    let words = hooked.hook("status", &[]).status(0).stdout;
    for line in [
        &format!("  measures: packages shop, json; folder {folder}\n"),
        "  branches: yes\n",
        "  saves: every 90 s\n",
        &format!("  configuration file: {config}\n"),
        "  context: night\n",
        "  users: root\n",
    ] {
        assert!(words.contains(line), "{line:?} in {words}");
    }
    hook(&hooked, "install", &[]).status(0);
    let words = hooked.hook("status", &[]).status(0);
    words.stdout("  measures: all but the standard library and installed packages\n");
}

#[test]
fn a_report_finds_the_data_root_by_itself() {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    // The data root comes from the settings of the named Python.
    hooked.hook("report", &["named"]).status(0).stdout("shop/steps.py");
    // The data root comes from the settings of the default Python.
    let mut report = pulpcov();
    report.args(["hook", "report", "default"]).env("PATH", hooked.dir.path("venv/bin"));
    let output = report.current_dir(hooked.dir.path("")).output().unwrap();
    Ran::from(output).status(0).stdout("shop/steps.py");
    // The option and the variable take precedence.
    let elsewhere = hooked.dir.path("elsewhere");
    let chosen = hooked.hook("report", &["x", "--data-root", elsewhere.to_str().unwrap()]);
    chosen.status(1).stderr("elsewhere: there is no such folder");
}

#[test]
fn a_watch_finds_the_data_root_by_itself() {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    let python = hooked.python().display().to_string();
    for (name, args) in [("named.xml", &["--python", &python][..]), ("default.xml", &[])] {
        let mut watch = pulpcov();
        watch.args(["watch", "--interval", "100ms", "--xml", name]).args(args);
        watch.env("PATH", hooked.dir.path("venv/bin")).current_dir(hooked.dir.path(""));
        let _watch = Running::start(&mut watch);
        hooked.wait_for("report", |hooked| {
            let xml = fs::read_to_string(hooked.dir.path(name)).unwrap_or_default();
            xml.contains("steps.py")
        });
    }
    fs::remove_dir_all(hooked.root()).unwrap();
    let ran = hooked.dir.pulpcov(["watch", "--xml", "x", "--python", &python]).status(1);
    ran.stderr("data: is no folder").stderr("--python");
}

/// Writes a data file of a process that ran files that do not exist, and one that is not Python. Returns
/// their paths.
fn put_lost(hooked: &Hooked) -> Vec<PathBuf> {
    let broken = hooked.dir.write("broken.py", "def f(:\n");
    let mut lost: Vec<_> =
        (1..7).map(|number| PathBuf::from(format!("/nowhere/{number}.py"))).collect();
    lost.push(broken);
    let mut data = CoverageData::new();
    for path in &lost {
        data.add_lines(path.to_str().unwrap(), "", &Numbits::from_iter([1])).unwrap();
    }
    let folder = hooked.files()[0].with_file_name(".coverage.elsewhere.pid7.XaB3dE9fXx");
    store(&data, folder, StoreFormat::Sqlite).unwrap();
    lost
}

#[test]
fn what_is_missing_is_left_out_and_named_and_nothing_is_lost() {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    let lost = put_lost(&hooked);
    let all = hooked.rows();
    let ran = hook(&hooked, "report", &["results"]).status(3);
    let broken = lost.last().unwrap().display();
    ran.stdout("shop/steps.py").stderr(
        "warning: 7 files are left out, for their sources are missing or are not Python: /nowhere/1.py, /nowhere/2.py, \
         /nowhere/3.py, /nowhere/4.py, /nowhere/5.py, and 2 more\n"
    );
    let page = fs::read_to_string(hooked.dir.path("results/html/index.html")).unwrap();
    assert!(page.contains("7 files are left out"));
    let ran = hook(&hooked, "report", &["results", "-i"]).status(0);
    ran.stdout("shop/steps.py").stderr("'/nowhere/6.py'").stderr(&format!("'{broken}'"));
    // All rows are in the combined data, so the data files can be erased.
    hook(&hooked, "report", &["results", "--erase"]).status(3);
    assert_eq!(hooked.files().len(), 0);
    assert!(Rows::by_sql(hooked.dir.path("results/.coverage")) == all);
    // A watch goes on, too.
    let mut watch = pulpcov();
    watch.args(["watch", "results", "--xml", "x.xml", "--interval", "100ms"]);
    let watch = watch.current_dir(hooked.dir.path("")).stderr(Stdio::piped());
    let mut watch = Running::start(watch);
    hooked.wait_for("report", |hooked| hooked.dir.path("x.xml").exists());
    watch.signal(nix::sys::signal::Signal::SIGTERM);
    let mut said = String::new();
    watch.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("warning: 7 files are left out"), "{said}");
}

#[test]
fn a_report_on_several_pythons_takes_the_data_of_all() {
    let (first, second) = (Hooked::new().installed(&[]), Hooked::new().installed(&[]));
    record(&first, "1");
    record(&second, "2");
    let python = second.python();
    first.hook("report", &["results", "--python", python.to_str().unwrap()]).status(0);
    let results = first.dir.path("results/.coverage");
    assert_eq!(steps_in(&results, [1, 2, 3]), [true, true, false]);
}

#[test]
fn a_report_without_data_says_what_to_do() {
    let hooked = Hooked::new().installed(&[]);
    let ran = hooked.hook("report", &["results"]).status(1).stderr("No data to combine");
    ran.stderr("Restart the service").stderr("pulpcov hook status");
    assert!(!hooked.dir.path("results").exists(), "nothing is left behind");
    fs::remove_dir(hooked.root()).unwrap();
    let ran = hooked.hook("report", &["results"]).status(1).stderr("there is no such folder");
    ran.stderr("--data-root").stderr("--python");
}

#[test]
fn a_purge_names_processes_that_still_run() {
    let hooked = Hooked::new().installed(&["--flush-interval", "50ms"]);
    record(&hooked, "1");
    let mut process = Running::start(hooked.drive("wait").stdout(Stdio::piped()));
    assert_eq!(process.read_line(), "ready");
    hooked.wait_for("flush", |hooked| hooked.files().len() == 2);
    let ran = hooked.hook("uninstall", &["--purge-data"]).status(0);
    let pid = process.0.id();
    ran.stderr(&format!("1 process that is measured still runs: {pid}")).stderr("purge again");
    drop(process);
    let root = hooked.root();
    let ran = hooked.hook("uninstall", &["--purge-data", "--data-root", root.to_str().unwrap()]);
    assert!(!ran.stderr.contains("still run"), "{}", ran.stderr);
}

#[test]
fn a_data_root_that_is_not_there_cannot_be_purged() {
    let hooked = Hooked::new().installed(&[]);
    fs::remove_dir(hooked.root()).unwrap();
    // A folder that the settings name may have been removed. A folder on the command line may be a mistake.
    let ran = hooked.hook("uninstall", &["--purge-data"]).status(0);
    ran.stderr("there is no such folder");
    let ran = hooked.hook("uninstall", &["--purge-data", "--data-root", "nowhere"]).status(1);
    assert!(!ran.stderr.contains("Removed 0"), "{}", ran.stderr);
    ran.stderr("nowhere: there is no such folder");
}

#[test]
fn a_purge_without_the_hook_says_where_it_looked() {
    if Path::new("/srv/pulp_coverage").exists() {
        println!("skipped: somebody's data is in the default data root");
        return;
    }
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    hooked.hook("uninstall", &[]).status(0);
    let ran = hooked.hook("uninstall", &["--purge-data"]).status(0);
    ran.stderr("/srv/pulp_coverage: there is no such folder").stderr("--data-root");
    assert_eq!(hooked.files().len(), 1);
}

/// Returns a Python whose data root has line data and branch data, and the output of the second installation.
fn mixed() -> (Hooked, Ran) {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    let ran = hook(&hooked, "install", &["--source", "shop", "--branch"]).status(0);
    record(&hooked, "2");
    (hooked, ran)
}

#[test]
fn branches_that_are_switched_on_later_are_warned_of() {
    let (hooked, ran) = mixed();
    ran.stderr("without branches").stderr("--purge-data").stderr("--data-root");
    let again = |args: &[&str]| hook(&hooked, "install", &[&["--source", "shop"], args].concat());
    // The same the other way round.
    again(&[]).status(0).stderr("with branches");
    let root = hooked.dir.path("data");
    fs::remove_dir_all(root).unwrap();
    again(&["--branch"]).status(0);
    record(&hooked, "2");
    let config = hooked.dir.write("rc", "[run]\nbranch = true\n");
    for args in [&["--branch"][..], &["--config", config.to_str().unwrap()]] {
        let ran = again(args).status(0);
        assert!(!ran.stderr.contains("branches"), "{}", ran.stderr);
    }
}

#[test]
fn mixed_data_are_reported_as_lines() {
    let (hooked, _) = mixed();
    let report = |args: &[&str]| hook(&hooked, "report", &[&["results"], args].concat());
    report(&["--erase"]).status(1).stderr("--mixed=lines");
    assert_eq!(hooked.files().len(), 2);
    report(&["--mixed=lines"]).status(0).stdout("shop/steps.py");
    let results = hooked.dir.path("results/.coverage");
    assert_eq!(steps_in(&results, [1, 2, 3]), [true, true, false]);
    let mut watch = pulpcov();
    watch.args(["watch", "data", "--xml", "x.xml", "--interval", "100ms", "--mixed=lines"]);
    let mut watch = Running::start(watch.current_dir(hooked.dir.path("")).stderr(Stdio::piped()));
    hooked.wait_for("report", |hooked| hooked.dir.path("x.xml").exists());
    watch.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    let xml = fs::read_to_string(hooked.dir.path("x.xml")).unwrap();
    assert!(!xml.contains("branch=\"true\""), "{xml}");
}

#[test]
fn the_advice_suits_a_python_that_refuses_pip() {
    let hooked = Hooked::new();
    fs::remove_file(hooked.pth()).unwrap();
    hook(&hooked, "install", &[]).status(1).stderr("-m pip install 'coverage>=7.10,<8'");
    // As if the system's package manager managed this Python.
    hooked.dir.write("stdlib/EXTERNALLY-MANAGED", "");
    let managed = format!(
        "import sys, sysconfig; sys.base_prefix = sys.prefix; sysconfig.get_path = lambda name, *_, get=sysconfig.get_path, **__: \
         {:?} if name == 'stdlib' else get(name)\n",
        hooked.dir.path("stdlib")
    );
    fs::write(hooked.site().join("managed.pth"), managed).unwrap();
    let advice = format!("echo /opt/coverage > {}/", hooked.site().display());
    hook(&hooked, "install", &[])
        .status(1)
        .stderr("-m pip install --target /opt/coverage 'coverage>=7.10,<8'")
        .stderr(&advice);
}

#[test]
fn a_time_has_one_of_four_units() {
    let hooked = Hooked::new();
    for (text, seconds) in
        [("200ms", "0.2"), ("3s", "3"), ("4", "4"), ("2m", "120"), ("1h", "3600")]
    {
        hook(&hooked, "install", &["--flush-interval", text]).status(0);
        let settings = fs::read_to_string(hooked.site().join("pulpcov_hook.conf")).unwrap();
        assert!(settings.contains(&format!("interval {seconds}\n")), "{text}: {settings}");
    }
    for text in ["5 days", "5d", "s", "h", "", "1ms", "25h", "-1", "inf", "nanh"] {
        let ran = hook(&hooked, "install", &[&format!("--flush-interval={text}")]).status(1);
        ran.stderr("10ms").stderr("24h").stderr("200ms, 5s, 2m, 1h");
        hooked.dir.pulpcov(["watch", ".", "--xml", "x", &format!("--interval={text}")]).status(1);
    }
}

#[test]
fn what_is_no_python_is_told_with_the_way_out() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path("venv/bin")).unwrap();
    let install = |python: &str| dir.pulpcov(["hook", "install", "--python", python]).status(1);
    for program in ["/bin/true", "/bin/echo"] {
        let ran = install(program).stderr(program).stderr("is not a Python").stderr("--python");
        assert!(!ran.stderr.contains("EOF") && !ran.stderr.contains("column"), "{}", ran.stderr);
    }
    install("venv").stderr("venv: is a folder").stderr("venv/bin/python");
}

#[test]
fn users_are_named_or_numbered() {
    let hooked = Hooked::new();
    hook(&hooked, "install", &["--user-only", "nobody", "--user-only", "4711"]).status(0);
    let settings = fs::read_to_string(hooked.site().join("pulpcov_hook.conf")).unwrap();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap().uid;
    assert!(settings.contains(&format!("user {nobody}\nuser 4711\n")), "{settings}");
    let ran = hook(&hooked, "install", &["--user-only", "no such user"]).status(1);
    ran.stderr("no such user").stderr("name or a number");
}

#[test]
fn a_report_is_not_written_over_a_file() {
    let hooked = Hooked::new().installed(&[]);
    record(&hooked, "1");
    hooked.dir.write("results", "of somebody");
    let ran = hook(&hooked, "report", &["results"]).status(1);
    ran.stderr("results: is a file").stderr("folder");
}
