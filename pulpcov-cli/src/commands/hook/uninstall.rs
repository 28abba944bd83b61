//! `pulpcov hook uninstall`

use std::path::Path;

use super::installed::{self, Places, Settings, State};
use super::interpreter::Interpreter;
use super::{about, data_root, wsgi};
use crate::args::UninstallArgs;
use crate::exit::{Exit, Failure};
use crate::ui;

pub(super) fn run(args: &UninstallArgs) -> Result<Exit, Failure> {
    let mut all_purged = true;
    let exit = super::for_each(args.python.or_default(), |python| {
        let places = Places::new(&Interpreter::ask(&python)?.site);
        let settings = match installed::look(&places)? {
            State::Absent => {
                ui::message(&format!("The hook is not installed in {}", ui::name(&places.site)));
                return Ok(());
            }
            State::Changed(path, how) => {
                return Err(about(&path, format!("{how}; nothing was removed")));
            }
            State::Whole(settings) => settings,
        };
        remove(&places, &settings)?;
        ui::message(&format!("Removed the hook from {}", ui::name(&places.site)));
        if args.purge_data {
            all_purged &= purge(&settings)?;
        }
        Ok(())
    });
    Ok(if exit == Exit::Success && !all_purged { Exit::LeftOut } else { exit })
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
fn purge(settings: &Settings) -> Result<bool, Failure> {
    let Some(root) = settings.get("root").map(Path::new) else { return Ok(true) };
    let purged = data_root::purge(root, settings.get("made-root").is_some())?;
    purged.left.iter().for_each(|left| ui::warning(left));
    let files = match purged.removed {
        1 => "1 data file".to_owned(),
        removed => format!("{removed} data files"),
    };
    ui::message(&format!("Removed {files} from {}", ui::name(root)));
    Ok(purged.left.is_empty())
}
