//! `pulpcov hook status`

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::data_root::{self, DataRoot};
use super::installed::{self, Places, State};
use super::interpreter::Interpreter;
use super::processes::{self, Life, Process};
use crate::args::StatusArgs;
use crate::exit::{Exit, Failure};
use crate::ui;

/// All that the command says; this is what `--json` prints.
#[derive(Debug, Serialize)]
struct Status {
    interpreters: Vec<Python>,
    data_roots: Vec<Root>,
}

#[derive(Debug, Serialize)]
struct Python {
    python: PathBuf,
    version: Option<String>,
    site: Option<PathBuf>,
    coverage: Option<String>,
    installed: bool,
    /// The version of the hook.
    hook: Option<String>,
    data_root: Option<PathBuf>,
    /// What keeps the hook from working, or the command from looking.
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Root {
    #[serde(flatten)]
    folder: DataRoot,
    /// In the order of the data files' names.
    processes: Vec<Process>,
    /// What processes that were killed while they wrote have left.
    unfinished: Vec<PathBuf>,
}

pub(super) fn run(args: &StatusArgs) -> Result<Exit, Failure> {
    let interpreters: Vec<_> = args.python.or_default().iter().map(|python| look(python)).collect();
    let mut folders: Vec<PathBuf> = match &args.data_root {
        Some(root) => vec![root.clone()],
        None => interpreters.iter().filter_map(|python| python.data_root.clone()).collect(),
    };
    folders.sort();
    folders.dedup();
    let data_roots = folders.iter().map(|folder| Root::look(folder)).collect::<Result<_, _>>()?;
    let status = Status { interpreters, data_roots };
    let mut out = anstream::stdout();
    let written = if args.json {
        let text = serde_json::to_string_pretty(&status).map_err(std::io::Error::from);
        text.and_then(|text| writeln!(out, "{text}"))
    } else {
        out.write_all(ui::safe_lines(&status.in_words()).as_bytes())
    };
    written.map_err(Failure::Output)?;
    let is_well = status.interpreters.iter().all(|python| python.problem.is_none());
    Ok(if is_well { Exit::Success } else { Exit::Error })
}

fn look(python: &Path) -> Python {
    let mut found = Python {
        python: python.into(),
        version: None,
        site: None,
        coverage: None,
        installed: false,
        hook: None,
        data_root: None,
        problem: None,
    };
    match Interpreter::ask(python) {
        Ok(interpreter) => found.fill(interpreter),
        Err(failure) => found.problem = Some(failure.to_string()),
    }
    found
}

impl Python {
    fn fill(&mut self, interpreter: Interpreter) {
        match installed::look(&Places::new(&interpreter.site)) {
            Ok(State::Absent) => {}
            Ok(State::Whole(settings)) => {
                self.installed = true;
                self.hook = settings.get("version").map(str::to_owned);
                self.data_root = settings.get("root").map(PathBuf::from);
                self.problem =
                    interpreter.check_coverage().err().map(|failure| failure.to_string());
            }
            Ok(State::Changed(path, how)) => {
                self.problem = Some(format!("{}: {how}", path.display()))
            }
            Err(failure) => self.problem = Some(failure.to_string()),
        }
        self.version = Some(interpreter.version);
        self.coverage = interpreter.coverage;
        self.site = Some(interpreter.site);
    }

    fn in_words(&self) -> String {
        let mut text = self.python.display().to_string();
        if let Some(version) = &self.version {
            text += &format!(
                " (Python {version}, coverage.py {})",
                self.coverage.as_deref().unwrap_or("not installed")
            );
        }
        match (&self.hook, &self.site) {
            (Some(hook), Some(site)) => text += &format!(": hook {hook} in {}", site.display()),
            _ => text += ": not installed",
        }
        text.push('\n');
        if let Some(problem) = &self.problem {
            text += &format!("  problem: {}\n", problem.replace('\n', "\n  "));
        }
        text
    }
}

impl Root {
    fn look(folder: &Path) -> Result<Self, Failure> {
        let is_there = folder.is_dir();
        Ok(Self {
            folder: DataRoot::look(folder),
            processes: if is_there { processes::find(folder)? } else { Vec::new() },
            unfinished: data_root::unfinished(folder),
        })
    }

    fn in_words(&self) -> String {
        let folder = &self.folder;
        let mut text = format!("Data root {}", folder.path.display());
        if let (Some(mode), Some(owner)) = (&folder.mode, &folder.owner) {
            text += &format!(" (mode {mode}, owner {owner})");
        }
        text.push('\n');
        for problem in &folder.problems {
            text += &format!("  problem: {problem}\n");
        }
        for (title, state) in [
            ("live processes", Life::Live),
            ("data files of processes that have ended", Life::Ended),
            ("data files from other hosts", Life::Elsewhere),
        ] {
            let some: Vec<_> =
                self.processes.iter().filter(|process| process.state == state).collect();
            text += &format!("  {title}: {}\n", some.len());
            some.iter().for_each(|process| text += &process.in_words());
        }
        if !self.unfinished.is_empty() {
            text += &format!(
                "  data files that are being written, or were when their process was killed: {}\n",
                self.unfinished.len()
            );
        }
        text
    }
}

impl Process {
    fn in_words(&self) -> String {
        let rows = self.rows.map_or_else(|| "unreadable".to_owned(), |rows| format!("{rows} rows"));
        format!(
            "    {} on {}, {}, {rows}, saved {}{}\n",
            self.pid,
            self.host,
            self.user,
            self.last_flush,
            self.command.as_ref().map(|command| format!(": {command}")).unwrap_or_default()
        )
    }
}

impl Status {
    fn in_words(&self) -> String {
        let pythons = self.interpreters.iter().map(Python::in_words);
        pythons.chain(self.data_roots.iter().map(Root::in_words)).collect()
    }
}
