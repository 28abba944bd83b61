//! `pulpcov hook uninstall`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::installed::{self, Places, Settings, State};
use super::interpreter::Interpreter;
use super::{about, data_root, wsgi};
use crate::args::{DATA_ROOT, UninstallArgs};
use crate::exit::{Exit, Failure};
use crate::ui;

/// A data root that a Python's processes wrote into.
struct Written {
    path: PathBuf,
    /// Does it go too, once it is empty? One that somebody made before `install` stays.
    is_ours: bool,
}

pub(super) fn run(args: &UninstallArgs) -> Result<Exit, Failure> {
    // By path: Pythons may share one.
    let mut roots = BTreeMap::new();
    let exit = super::for_each(args.python.or_default(), |python| {
        let places = Places::new(&Interpreter::ask(&python)?.site);
        let root = match installed::look(&places)? {
            State::Absent => {
                ui::message(&format!("The hook is not installed in {}", ui::name(&places.site)));
                Written { path: DATA_ROOT.into(), is_ours: true }
            }
            State::Changed(path, how) => {
                return Err(about(&path, format!("{how}; nothing was removed")));
            }
            State::Whole(settings) => {
                remove(&places, &settings)?;
                ui::message(&format!("Removed the hook from {}", ui::name(&places.site)));
                Written {
                    path: settings.get("root").unwrap_or(DATA_ROOT).into(),
                    is_ours: settings.get("made-root").is_some(),
                }
            }
        };
        *roots.entry(root.path).or_insert(true) &= root.is_ours;
        Ok(())
    });
    if let Some(root) = &args.data_root {
        let is_ours = roots.remove(root).unwrap_or(true);
        roots = BTreeMap::from([(root.clone(), is_ours)]);
    }
    let mut all_purged = true;
    for (root, is_ours) in roots {
        if args.purge_data {
            all_purged &= purge(&root, is_ours)?;
        } else if root.is_dir() {
            ui::message(&advice(&root));
        }
    }
    Ok(if exit == Exit::Success && !all_purged { Exit::LeftOut } else { exit })
}

/// How to get rid of the data. Processes that are measured write theirs again until they end.
fn advice(root: &Path) -> String {
    format!(
        "Data files stay in {}. To remove them, restart the services, and then: \
         pulpcov hook uninstall --purge-data --data-root {}",
        ui::name(root),
        ui::name(root)
    )
}

/// What switches the hook on goes first: a Python that starts meanwhile never finds half of it.
fn remove(places: &Places, settings: &Settings) -> Result<(), Failure> {
    installed::remove(&places.switch)?;
    for (_, script) in settings.written("marked") {
        wsgi::replace(script, &wsgi::unmarked(&wsgi::read(script)?))?;
    }
    for compiled in settings.all("made").map(Path::new) {
        installed::remove(compiled)?;
        if let Some(folder) = compiled.parent() {
            // It may have been made for this one file; if there are others, it stays.
            let _ = std::fs::remove_dir(folder);
        }
    }
    installed::remove(&places.module)?;
    installed::remove(&places.settings)
}

/// Remove what was measured. Did nothing have to stay?
fn purge(root: &Path, is_ours: bool) -> Result<bool, Failure> {
    let purged = data_root::purge(root, is_ours)?;
    purged.left.iter().for_each(|left| ui::warning(left));
    let files = match purged.removed {
        1 => "1 data file".to_owned(),
        removed => format!("{removed} data files"),
    };
    ui::message(&format!("Removed {files} from {}", ui::name(root)));
    Ok(purged.left.is_empty())
}
