//! `pulpcov combine`

use std::path::Path;

use pulpcov_core::combine::{Combined, Combiner, Event};

use crate::args::{CombineArgs, Mixed};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::{settings, ui};

pub(crate) fn run(args: CombineArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let debug =
        |topic: &str| args.debug.iter().chain(&config.run.debug).any(|wanted| wanted == topic);
    let mut aliases = settings::aliases(&config)?;
    if debug("pathmap") {
        aliases = aliases.on_event(|event| ui::message(&event.to_string()));
    }
    let progress = Progress::new(args.quiet);
    let names_inputs = debug("combine");
    let result = Combiner::new(settings::data_file(args.data_file, &config))
        .places(args.paths)
        .append(args.append)
        .keep(args.keep)
        .mixed_as_lines(args.mixed == Some(Mixed::Lines))
        .drop_contexts(args.drop_contexts)
        .aliases(aliases)
        .on_event(|event| {
            progress.on_event(&event);
            if let Some(line) = tell(&event, names_inputs) {
                progress.suspend(|| ui::message(&line));
            }
        })
        .run();
    drop(progress);
    let combined = result?;
    report(&combined, args.quiet);
    Ok(if combined.left_out.is_empty() || args.ignore_errors {
        Exit::Success
    } else {
        Exit::LeftOut
    })
}

/// What is worth a line while it happens. Inputs are named as coverage.py names them.
pub(super) fn tell(event: &Event<'_>, names_inputs: bool) -> Option<String> {
    let line = |what: &str, path: &Path| {
        format!("{what} {}", ui::name(path.strip_prefix(".").unwrap_or(path)))
    };
    match event {
        Event::Waiting { folder } => {
            Some(line("Another combine is at work; waiting for folder", folder))
        }
        Event::Resuming { data_file } => Some(line(
            "An earlier combine was stopped while it deleted its inputs; adding to",
            data_file,
        )),
        Event::Read { path } if names_inputs => Some(line("Combined data file", path)),
        Event::Duplicate { path } if names_inputs => Some(line("Skipping duplicate data", path)),
        _ => None,
    }
}

pub(super) fn report(combined: &Combined, quiet: bool) {
    for err in &combined.left_out {
        ui::warning(&format!("left out: {err}"));
    }
    for err in &combined.not_deleted {
        ui::warning(&err.to_string());
    }
    if !quiet {
        ui::message(&combined.summary());
    }
}
