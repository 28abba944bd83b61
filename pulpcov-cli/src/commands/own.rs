//! The settings of pulpcov itself.

use pulpcov_core::config::{Loader, OwnSettings};

use super::git;
use crate::args::ConfigArgs;
use crate::exit::Failure;
use crate::{settings, ui};

/// Reads the settings of the current folder. Warns if it has none, but the top folder of the repository has some: names in
/// settings start from their folder.
pub(super) fn load(args: &ConfigArgs) -> Result<OwnSettings, Failure> {
    let own = settings::own(args)?;
    if own.file.is_none() && args.rcfile.is_none() {
        warn_of_the_top_folder();
    }
    Ok(own)
}

fn warn_of_the_top_folder() {
    let Ok(cwd) = settings::cwd() else { return };
    // git is not asked, because every command would wait for it.
    let Some(top) = git::folder_above(&cwd).filter(|top| *top != cwd) else { return };
    // What is wrong there is said when the command runs there.
    let loaded = Loader::new(top, |_| None).load_own();
    if let Some(file) = loaded.ok().and_then(|loaded| loaded.settings.file) {
        ui::warning(&format!(
            "the settings in {} are not read from here: run the command in their folder",
            ui::name(&file)
        ));
    }
}
