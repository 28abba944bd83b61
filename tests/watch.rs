//! `pulpcov watch` and `pulpcov hook report`: reports of processes that still run.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{ChildStderr, Stdio};

use nix::sys::signal::Signal;

use crate::hooked::{Hooked, Running, line_of_step};
use crate::support::{Dir, Ran, Rows, pulpcov};

/// A watch that looks often, and what it says.
struct Watch {
    process: Running,
    said: Lines<BufReader<ChildStderr>>,
    xml: PathBuf,
}

impl Watch {
    /// Watch `folder`, writing to `to`.
    fn start(folder: PathBuf, to: &Dir) -> Self {
        let xml = to.path("coverage.xml");
        let mut command = pulpcov();
        command.arg("watch").arg(folder).arg("--xml").arg(&xml).args(["--interval", "100ms"]);
        let mut process = Running::start(command.current_dir(to.path("")).stderr(Stdio::piped()));
        let said = BufReader::new(process.0.stderr.take().unwrap()).lines();
        Self { process, said, xml }
    }

    /// The next line that it says.
    #[track_caller]
    fn line(&mut self) -> String {
        self.said.next().unwrap().unwrap()
    }

    /// How often a line of `shop.steps` ran, as the report has it; `None` if the report does not know it.
    fn step_hits(&self, step: u32) -> Option<u32> {
        let text = fs::read_to_string(&self.xml).unwrap();
        let class = text.split("<class ").find(|class| class.contains("steps.py"))?;
        let mark = format!("number=\"{}\" hits=\"", line_of_step(step));
        class.split(&mark).nth(1)?.split('"').next()?.parse().ok()
    }
}

#[test]
fn the_report_grows_while_a_process_runs() {
    let hooked = Hooked::new().installed(&["--flush-interval", "100ms"]);
    let mut watch = Watch::start(hooked.root(), &hooked.dir);
    assert!(watch.line().contains("No data to report"));
    let _service = Running::start(hooked.drive("steps").env("PAUSE", "0.05").stdout(Stdio::null()));
    let mut reports = Vec::new();
    while !reports.contains(&Some(1)) || reports.len() < 3 {
        assert!(watch.line().starts_with("Read 1 of 1 data files"));
        reports.push(watch.step_hits(40));
    }
    assert_eq!(reports[0], Some(0), "{reports:?}");
    assert_eq!(watch.step_hits(399), Some(0));
    assert_eq!(hooked.files().len(), 1, "the data file is still there");
}

#[test]
fn it_ends_cleanly_on_sigint_and_sigterm() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let dir = Dir::new();
        fs::create_dir(dir.path("data")).unwrap();
        let mut watch = Watch::start(dir.path("data"), &dir);
        watch.line();
        watch.process.signal(signal);
        assert_eq!(watch.process.0.wait().unwrap().code(), Some(0));
        assert!(dir.names().is_empty(), "nothing is left behind: {:?}", dir.names());
    }
}

#[test]
fn only_what_changed_is_read_again_and_what_is_half_written_is_taken_next_time() {
    let hooked = Hooked::new().installed(&[]);
    for step in ["1", "2", "3"] {
        let mut command = hooked.drive("steps");
        let ran = command.env("PAUSE", "0").env("STEPS", step).stdout(Stdio::null()).status();
        assert!(ran.unwrap().success());
    }
    let files = hooked.files();
    let whole = fs::read(&files[2]).unwrap();
    fs::write(&files[2], &whole[..whole.len() / 2]).unwrap();
    let mut watch = Watch::start(hooked.root(), &hooked.dir);
    assert!(watch.line().starts_with("Read 2 of 3 data files"));
    // It stays half-written, so that it is not because somebody writes it.
    let complaint = watch.line();
    assert!(complaint.contains("left out") && complaint.contains(".coverage."), "{complaint}");
    fs::write(&files[2], &whole).unwrap();
    assert!(watch.line().starts_with("Read 1 of 3 data files"));
    assert_eq!([1, 2, 3, 4].map(|step| watch.step_hits(step)), [1, 1, 1, 0].map(Some));
    // Combined, the rows are in the file without a suffix.
    let mut combine = pulpcov();
    combine.args(["combine", "--rcfile="]).current_dir(hooked.root());
    Ran::from(combine.output().unwrap()).status(0);
    while hooked.root().join(".coverage").exists() && !watch.line().starts_with("Read 1 of 1 ") {}
    assert_eq!([1, 2, 3, 4].map(|step| watch.step_hits(step)), [1, 1, 1, 0].map(Some));
}

#[test]
fn a_report_of_a_hook_keeps_the_data_unless_it_is_told_to_erase_it() {
    let hooked = Hooked::new().installed(&["--branch"]);
    assert!(hooked.drive("threads").status().unwrap().success());
    let rows = hooked.rows();
    let report = |more: &[&str]| {
        let mut command = pulpcov();
        command.args(["hook", "report", "report", "--data-root"]).arg(hooked.root()).args(more);
        Ran::from(command.current_dir(hooked.dir.path("")).output().unwrap())
    };
    let ran = report(&[]).status(0).stdout("shop/work.py").stdout("TOTAL");
    assert_eq!(hooked.files().len(), 1);
    assert!(Rows::by_sql(hooked.dir.path("report/.coverage")) == rows);
    assert!(
        fs::read_to_string(hooked.dir.path("report/coverage.xml"))
            .unwrap()
            .contains("shop/work.py")
    );
    assert_eq!(report(&["--erase"]).status(0).stdout, ran.stdout);
    assert!(hooked.files().is_empty());
    report(&[]).status(1).stderr("No data to combine");
    assert!(Rows::by_sql(hooked.dir.path("report/.coverage")) == rows, "what is there stays");
}
