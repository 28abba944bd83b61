//! `pulpcov hook status`

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

use pulpcov_core::text::{plural, printable};
use serde::Serialize;

use super::contents::Contents;
use super::data_root::{self, DataRoot};
use super::hook_settings::HookSettings;
use super::installed::{self, Places, State};
use super::interpreter::Interpreter;
use super::processes::{self, Amount, Process, ProcessState, Unmeasured, Who};
use crate::args::StatusArgs;
use crate::exit::{Exit, Failure};
use crate::ui;

/// How many of the processes that do not run here are listed, unless `--json` is given.
const NEWEST: usize = 5;

/// Everything that the command shows. With `--json`, it is printed as JSON.
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
    settings: Option<HookSettings>,
    /// What keeps the hook from working, or the command from examining it.
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Root {
    #[serde(flatten)]
    folder: DataRoot,
    /// The processes with data files, in the order of the files' names.
    processes: Vec<Process>,
    /// The processes without a data file that left a note.
    unmeasured: Vec<Unmeasured>,
    /// Temporary files of processes that are writing now, or were killed while they wrote.
    unfinished: Vec<PathBuf>,
    /// Folders of users that cannot be listed.
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    path: Option<PathBuf>,
    problem: String,
}

pub(super) fn run(args: &StatusArgs) -> Result<Exit, Failure> {
    let interpreters: Vec<_> =
        args.python.or_default().iter().map(|python| inspect(python)).collect();
    let mut folders: Vec<PathBuf> = match &args.data_root {
        Some(root) => vec![root.clone()],
        None => interpreters.iter().filter_map(|python| python.data_root.clone()).collect(),
    };
    folders.sort();
    folders.dedup();
    let data_roots =
        folders.iter().map(|folder| Root::inspect(folder)).collect::<Result<_, _>>()?;
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

fn inspect(python: &Path) -> Python {
    let mut found = Python {
        python: python.into(),
        version: None,
        site: None,
        coverage: None,
        installed: false,
        hook: None,
        data_root: None,
        settings: None,
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
        match installed::inspect(&Places::new(&interpreter.site)) {
            Ok(State::Absent) => {}
            Ok(State::Intact(settings)) => {
                self.installed = true;
                self.hook = settings.get("version").map(str::to_owned);
                self.data_root = settings.get("root").map(PathBuf::from);
                self.settings = Some(HookSettings::from(&settings));
                let works =
                    interpreter.check_coverage().and_then(|()| interpreter.try_hook(&settings));
                self.problem = works.err().map(|failure| failure.to_string());
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
        for line in self.settings.iter().flat_map(HookSettings::in_words) {
            text += &format!("  {}\n", one_line(&line));
        }
        if let Some(root) = &self.data_root {
            text += &format!("  data root: {}\n", ui::name(root));
        }
        if let Some(problem) = &self.problem {
            text += &format!("  problem: {}\n", problem.replace('\n', "\n  "));
        }
        text
    }
}

impl Root {
    fn inspect(path: &Path) -> Result<Self, Failure> {
        let folder = DataRoot::inspect(path);
        let mut root = Self {
            folder,
            processes: Vec::new(),
            unmeasured: Vec::new(),
            unfinished: Vec::new(),
            left_out: Vec::new(),
        };
        if root.folder.exists {
            root.fill(&Contents::of(path)?);
        }
        Ok(root)
    }

    fn fill(&mut self, contents: &Contents) {
        (self.processes, self.unmeasured) = processes::of(contents);
        let squatted = contents.users.iter().filter_map(data_root::squatting_problem);
        self.folder.problems.extend(squatted);
        self.unfinished = contents.unfinished.iter().map(|file| file.path().to_owned()).collect();
        let left_out = contents.left_out.iter();
        self.left_out = left_out
            .map(|err| LeftOut { path: err.path().map(Path::to_owned), problem: err.reason() })
            .collect();
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
            ("live processes", ProcessState::Live),
            ("data files of processes that have ended", ProcessState::Ended),
            ("data files from other hosts", ProcessState::Elsewhere),
        ] {
            text += &self.processes_in_words(title, state);
        }
        if !self.unmeasured.is_empty() {
            text += &format!("  processes that are not measured: {}\n", self.unmeasured.len());
            self.unmeasured.iter().for_each(|process| text += &process.in_words());
        }
        for LeftOut { path, problem } in &self.left_out {
            let path = path.as_deref().unwrap_or(&folder.path);
            text += &format!("  cannot be read: {}: {problem}\n", ui::name(path));
        }
        if !self.unfinished.is_empty() {
            text += &format!(
                "  data files that are being written, or were when their process was killed: {}\n",
                self.unfinished.len()
            );
        }
        text
    }

    /// Returns the list of processes in this state: all that run, but of the others, which may be thousands,
    /// only the newest.
    fn processes_in_words(&self, title: &str, state: ProcessState) -> String {
        let mut some: Vec<_> =
            self.processes.iter().filter(|process| process.who.state == state).collect();
        let mut text = format!("  {title}: {}\n", some.len());
        let listed = if state == ProcessState::Live { some.len() } else { NEWEST };
        if some.len() > listed {
            some.sort_by(|one, other| other.last_flush.cmp(&one.last_flush));
            text += &format!("    the newest {listed}; --json lists all:\n");
        }
        some.iter().take(listed).for_each(|process| text += &process.in_words());
        text
    }
}

impl Amount {
    fn in_words(&self) -> String {
        let mut text = format!("{}, {}", plural(self.files, "file"), plural(self.lines, "line"));
        if let Some(arcs) = self.arcs {
            text += &format!(", {} between lines", plural(arcs, "jump"));
        }
        text
    }
}

impl Process {
    fn in_words(&self) -> String {
        let measured =
            self.measured.as_ref().map_or_else(|| "unreadable".to_owned(), Amount::in_words);
        let Self { who, last_flush, .. } = self;
        let command = command(who);
        let mut text = format!("    {}, {measured}, saved {last_flush}{command}\n", place(who));
        if let Some(note) = &self.note {
            text += &format!("      {}\n", one_line(note));
        }
        text
    }
}

impl Unmeasured {
    fn in_words(&self) -> String {
        let Self { who, note } = self;
        let life = match who.state {
            ProcessState::Live => "live",
            ProcessState::Ended => "ended",
            ProcessState::Elsewhere => "on another host",
        };
        let (command, note) = (command(who), one_line(note));
        format!("    {}, {life}{command}\n      {note}\n", place(who))
    }
}

fn place(who: &Who) -> String {
    format!("{} on {}, {}", who.pid, one_line(&who.host), who.user)
}

fn command(who: &Who) -> String {
    who.command.as_ref().map(|command| format!(": {}", one_line(command))).unwrap_or_default()
}

/// Replaces line breaks and other control characters of text from outside by `?`.
fn one_line(text: &str) -> Cow<'_, str> {
    printable(text)
}

impl Status {
    fn in_words(&self) -> String {
        let pythons = self.interpreters.iter().map(Python::in_words);
        pythons.chain(self.data_roots.iter().map(Root::in_words)).collect()
    }
}
