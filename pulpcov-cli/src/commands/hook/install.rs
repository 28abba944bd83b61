//! `pulpcov hook install`

use std::path::{Path, PathBuf};

use pulpcov_core::Measurement;
use pulpcov_core::config::Loader;

use super::contents::Contents;
use super::installed::{self, MODULE, Places, Settings, State};
use super::interpreter::Interpreter;
use super::{data_root, python_options, refusal_about, wsgi};
use crate::args::InstallArgs;
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

pub(super) fn run(args: &InstallArgs) -> Result<Exit, Failure> {
    let chosen = chosen_settings(args)?;
    Ok(super::for_each(args.python.or_default(), |python| {
        let interpreter = Interpreter::ask(&python)?;
        interpreter.check_coverage()?;
        interpreter.try_hook(&chosen)?;
        install(args, &chosen, &interpreter)
    }))
}

/// Returns the settings that the options choose. They are the same for every Python.
fn chosen_settings(args: &InstallArgs) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    settings.add("version", env!("CARGO_PKG_VERSION"))?;
    settings.add_path("root", &absolute(&args.data_root)?)?;
    settings.add("interval", &args.flush_interval.to_string())?;
    if args.flush_signal != "none" {
        settings.add("signal", &format!("SIG{}", args.flush_signal))?;
    }
    if args.branch {
        settings.add("branch", "")?;
    }
    if let Some(context) = &args.context {
        settings.add("context", context)?;
    }
    if let Some(config) = &args.config {
        let path = config.canonicalize().map_err(|err| refusal_about(config, err))?;
        settings.add_path("config", &path)?;
    }
    for source in args.source.iter().map(|source| source.trim()).filter(|text| !text.is_empty()) {
        add_source(&mut settings, source)?;
    }
    for uid in &args.user_only {
        settings.add("user", &uid.to_string())?;
    }
    Ok(settings)
}

fn add_source(settings: &mut Settings, source: &str) -> Result<(), Failure> {
    let path = Path::new(source);
    // A name without `/` is the name of a package, even if a folder has the same name.
    let is_path = source.contains('/') || source == ".";
    if (is_path || source.ends_with(".py")) && path.is_file() {
        return Err(refusal_about(
            path,
            "is a file; --source takes the name of a package, or a folder with a `/`",
        ));
    }
    if !is_path {
        return settings.add("package", source);
    }
    settings.add_path("folder", &path.canonicalize().map_err(|err| refusal_about(path, err))?)
}

fn install(
    args: &InstallArgs,
    chosen: &Settings,
    interpreter: &Interpreter,
) -> Result<(), Failure> {
    let places = Places::new(&interpreter.site);
    let before = match installed::inspect(&places)? {
        State::Absent => None,
        State::Intact(settings) => Some(settings),
        State::Changed(path, how) => {
            return Err(refusal_about(&path, format!("{how}; remove it, and then install")));
        }
    };
    let root = absolute(&args.data_root)?;
    let made_root = data_root::create(&root)?;
    let written = write_all(args, chosen, interpreter, &places, before.as_ref(), made_root);
    if written.is_err() && before.is_none() {
        undo(&places, args, &root, made_root);
    }
    written?;
    let coverage = interpreter.coverage.as_deref().unwrap_or_default();
    ui::message(&format!(
        "Installed the hook into {} (Python {}, coverage.py {coverage})",
        ui::name(&places.site),
        interpreter.version
    ));
    ui::message(&format!(
        "Data files: {}. Restart what is to be measured, and see it: pulpcov hook status{}",
        ui::name(&root),
        python_options(&args.python.pythons)
    ));
    for problem in data_root::DataRoot::inspect(&root).problems {
        ui::warning(&format!("{}: {problem}", ui::name(&root)));
    }
    warn_of_unknown_packages(chosen, interpreter);
    warn_of_mixed_data(args, &root);
    Ok(())
}

/// Warns of packages that this Python does not find.
///
/// The package may be in a folder that only the service knows, or its name may be wrong.
fn warn_of_unknown_packages(chosen: &Settings, interpreter: &Interpreter) {
    for package in chosen.all("package") {
        if interpreter.find_packages(&[package]).is_ok_and(|places| places.is_empty()) {
            let python = ui::name(&interpreter.executable);
            ui::warning(&format!(
                "{python} does not find package {package}: the hook waits for its import. That is well if the service \
                 imports it from its own folder; or else check the name"
            ));
        }
    }
}

/// Warns if the data root has data that cannot be combined with what will be measured now.
fn warn_of_mixed_data(args: &InstallArgs, root: &Path) {
    let (other, has) = match measures_branches(args) {
        true => (Measurement::Lines, "without"),
        false => (Measurement::Arcs, "with"),
    };
    if !Contents::of(root).is_ok_and(|contents| contents.has(other)) {
        return;
    }
    let (root, pythons) = (ui::name(root), python_options(&args.python.pythons));
    ui::warning(&format!(
        "{root} has data {has} branches, which reports do not combine with what is measured now, unless --mixed=lines \
         reduces both to lines. Choose another folder with --data-root; or uninstall, restart the services, purge with \
         `pulpcov hook uninstall --purge-data --data-root {root}{pythons}`, and install again"
    ));
}

/// Returns whether branches are measured: the option or the configuration file may switch them on.
fn measures_branches(args: &InstallArgs) -> bool {
    let in_file = || {
        let path = args.config.as_ref()?.canonicalize().ok()?;
        let loader = Loader::new(settings::cwd().ok()?, |name| std::env::var(name).ok());
        Some(loader.rcfile(path.to_str()?).load().ok()?.config.run.branch)
    };
    args.branch || in_file().unwrap_or(false)
}

/// Writes the module first, and the file that switches the hook on last: a Python that starts meanwhile finds
/// all of the hook or nothing.
fn write_all(
    args: &InstallArgs,
    chosen: &Settings,
    interpreter: &Interpreter,
    places: &Places,
    before: Option<&Settings>,
    made_root: bool,
) -> Result<(), Failure> {
    let mut settings = chosen.clone();
    let made_earlier = before.is_some_and(|before| {
        before.get("made-root").is_some() && before.get("root") == settings.get("root")
    });
    if made_root || made_earlier {
        settings.add("made-root", "")?;
    }
    installed::write(&places.module, MODULE.as_bytes())?;
    settings.add_path("made", &interpreter.compile(&places.module)?)?;
    installed::add_fixed(&mut settings, places)?;
    let scripts = marked_scripts(args, interpreter)?;
    for (script, bytes) in &scripts {
        settings.add_written("marked", script, bytes)?;
    }
    installed::write(&places.settings, settings.render().as_bytes())?;
    for (script, bytes) in &scripts {
        wsgi::replace(script, bytes)?;
    }
    for (_, script) in before.into_iter().flat_map(|before| before.written("marked")) {
        if !scripts.iter().any(|(marked, _)| marked == script) {
            wsgi::replace(script, &wsgi::unmarked(&wsgi::read(script)?))?;
        }
    }
    installed::write_switch(places)
}

fn marked_scripts(
    args: &InstallArgs,
    interpreter: &Interpreter,
) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mark = |script: &PathBuf| {
        let script = script.canonicalize().map_err(|err| refusal_about(script, err))?;
        let bytes = wsgi::marked(&script, interpreter)?;
        Ok((script, bytes))
    };
    args.wsgi.iter().map(mark).collect()
}

/// Removes all that a failed installation wrote. What cannot be removed could not be written either.
fn undo(places: &Places, args: &InstallArgs, root: &Path, made_root: bool) {
    let cached = places.site.join("__pycache__");
    let compiled =
        std::fs::read_dir(&cached).into_iter().flatten().flatten().map(|entry| entry.path());
    let compiled = compiled.filter(|path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"pulpcov_hook."))
    });
    for path in
        compiled.chain([places.switch.clone(), places.settings.clone(), places.module.clone()])
    {
        let _ = installed::remove(&path);
    }
    let _ = std::fs::remove_dir(cached);
    for script in &args.wsgi {
        let restored = wsgi::read(script).map(|bytes| (wsgi::unmarked(&bytes), bytes));
        if let Ok((original, now)) = restored
            && original != now
        {
            let _ = wsgi::replace(script, &original);
        }
    }
    if made_root {
        let _ = std::fs::remove_dir(root);
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|err| refusal_about(path, err))
}
