//! `pulpcov hook uninstall`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pulpcov_core::text::plural;

use super::data_root::NO_FOLDER;
use super::installed::{self, Places, Settings, State};
use super::interpreter::Interpreter;
use super::{purge, python_options, refusal_about, wsgi};
use crate::args::{DATA_ROOT, UninstallArgs};
use crate::exit::{Exit, Failure};
use crate::ui;

/// A data root that the processes of a Python wrote into.
struct KnownRoot {
    path: PathBuf,
    origin: RootOrigin,
}

/// How the command knows of a data root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RootOrigin {
    /// The hook's settings name it. It existed before `install`, so a purge does not remove it.
    Found,
    /// The hook's settings name it. `install` created it, so a purge removes it once it is empty.
    Made,
    /// The command line names it.
    Named,
    /// It is the default data root.
    Usual,
}

pub(super) fn run(args: &UninstallArgs) -> Result<Exit, Failure> {
    if let Some(root) = args.data_root.as_ref().filter(|root| args.purge_data && !root.is_dir()) {
        return Err(refusal_about(root, format!("{NO_FOLDER}; nothing was removed")));
    }
    // Keyed by path, since several Pythons may share a data root.
    let mut roots = BTreeMap::new();
    let exit = super::for_each(args.python.or_default(), |python| {
        let KnownRoot { path, origin } = uninstall(&python)?;
        let known = roots.entry(path).or_insert(origin);
        *known = origin.min(*known);
        Ok(())
    });
    if let Some(root) = &args.data_root {
        let known = roots.remove(root).filter(|origin| *origin != RootOrigin::Usual);
        let origin = known.unwrap_or(RootOrigin::Named);
        roots = BTreeMap::from([(root.clone(), origin)]);
    }
    let mut all_purged = true;
    for (root, origin) in roots {
        if args.purge_data {
            all_purged &= purge(&root, origin)?;
        } else if root.is_dir() {
            ui::message(&advice(&root, &args.python.pythons));
        }
    }
    Ok(if exit == Exit::Success && !all_purged { Exit::LeftOut } else { exit })
}

/// Removes the hook from a Python. Returns the data root of its processes.
fn uninstall(python: &Path) -> Result<KnownRoot, Failure> {
    let places = Places::new(&Interpreter::ask(python)?.site);
    match installed::inspect(&places)? {
        State::Absent => {
            ui::message(&format!("The hook is not installed in {}", ui::name(&places.site)));
            Ok(KnownRoot { path: DATA_ROOT.into(), origin: RootOrigin::Usual })
        }
        State::Changed(path, how) => {
            Err(refusal_about(&path, format!("{how}; nothing was removed")))
        }
        State::Intact(settings) => {
            remove(&places, &settings)?;
            ui::message(&format!("Removed the hook from {}", ui::name(&places.site)));
            let is_ours = settings.get("made-root").is_some();
            Ok(KnownRoot {
                path: settings.get("root").unwrap_or(DATA_ROOT).into(),
                origin: if is_ours { RootOrigin::Made } else { RootOrigin::Found },
            })
        }
    }
}

/// Returns how to remove the data. Measured processes write their data files again until they end.
fn advice(root: &Path, pythons: &[PathBuf]) -> String {
    format!(
        "Data files stay in {}. To remove them, restart the services, and then: \
         pulpcov hook uninstall --purge-data --data-root {}{}",
        ui::name(root),
        ui::name(root),
        python_options(pythons)
    )
}

/// Removes the files of the hook. The file that switches it on goes first: a Python that starts meanwhile
/// never finds half of the hook.
fn remove(places: &Places, settings: &Settings) -> Result<(), Failure> {
    installed::remove(&places.switch)?;
    for (_, script) in settings.written("marked") {
        wsgi::replace(script, &wsgi::unmarked(&wsgi::read(script)?))?;
    }
    for compiled in settings.all("made").map(Path::new) {
        installed::remove(compiled)?;
        if let Some(folder) = compiled.parent() {
            // The folder may exist for this file only. It stays if it has other files.
            let _ = std::fs::remove_dir(folder);
        }
    }
    installed::remove(&places.module)?;
    installed::remove(&places.settings)
}

/// Removes the data files of a data root. Returns whether everything could be removed.
fn purge(root: &Path, origin: RootOrigin) -> Result<bool, Failure> {
    // A user who chose another data root, but does not name it now, may expect the data to be here.
    let hint =
        if origin == RootOrigin::Usual { "; --data-root chooses another folder" } else { "" };
    if !root.is_dir() {
        ui::message(&format!("{}: {NO_FOLDER}{hint}", ui::name(root)));
        return Ok(true);
    }
    let purged = purge::purge(root, origin != RootOrigin::Found)?;
    purged.left.iter().for_each(|left| ui::warning(left));
    let files = plural(purged.removed, "data file");
    ui::message(&format!("Removed {files} from {}{hint}", ui::name(root)));
    if !purged.live.is_empty() {
        ui::warning(&still_running(&purged.live));
    }
    Ok(purged.left.is_empty())
}

fn still_running(live: &BTreeSet<u32>) -> String {
    let pids: Vec<String> = live.iter().map(u32::to_string).collect();
    let (who, advice) = match live.len() {
        1 => (
            "1 process that is measured still runs".to_owned(),
            "It writes its data file again: restart it",
        ),
        count => (
            format!("{count} processes that are measured still run"),
            "They write their data files again: restart them",
        ),
    };
    format!("{who}: {}. {advice}, and purge again", pids.join(", "))
}
