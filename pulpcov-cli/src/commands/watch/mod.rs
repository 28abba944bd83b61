//! `pulpcov watch`: reports that follow the data files of running processes.
//!
//! | Module | Contents |
//! |---|---|
//! | `inputs` | the data files, each read again when it has changed |
//! | `serve` | the report over HTTP |
//! | `stop` | the signals that end the command |

mod inputs;
mod serve;
mod stop;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use pulpcov_core::config::Config;
use pulpcov_core::output::WholeFile;
use pulpcov_core::summarize::Detail;

use self::inputs::{Changes, Inputs};
use self::stop::Stop;
use super::hook::{HOW_TO_NAME_ONE, Hooks};
use super::reporting::Reporting;
use super::{html, xml};
use crate::args::{Mixed, ServeToken, WatchArgs};
use crate::exit::{Exit, Failure};
use crate::plan::{DataPlan, ReportPlan};
use crate::{settings, ui};

pub(super) fn run(args: &WatchArgs) -> Result<Exit, Failure> {
    let hooks = Hooks::of(&args.pythons)?;
    let folders = hooks.data_roots(args.folder.as_deref());
    if let Some(folder) = folders.iter().find(|folder| !folder.is_dir()) {
        let folder = ui::name(folder);
        return Err(Failure::Refused(format!("{folder}: is no folder; {HOW_TO_NAME_ONE}")));
    }
    let stop = Stop::on_signals()?;
    let shown = [args.show_source.clone(), hooks.sources()?].concat();
    let mut watch = Watch::new(args, folders, shown)?;
    if let (Some(address), Some(html)) = (args.serve, &args.html) {
        let url = serve::start(address, html, has_token(args))?;
        ui::message(&format!("Serving on {url}"));
    }
    loop {
        let start = Instant::now();
        watch.update()?;
        let interval = Duration::from_secs_f64(args.interval);
        if stop.wait(interval.saturating_sub(start.elapsed())) {
            return Ok(Exit::Success);
        }
    }
}

/// Returns whether the address has a secret part. By default it has one for root, who may read sources that
/// other users may not.
fn has_token(args: &WatchArgs) -> bool {
    match args.serve_token {
        Some(ServeToken::Random) => true,
        Some(ServeToken::None) => false,
        None => geteuid().is_root(),
    }
}

struct Watch<'a> {
    args: &'a WatchArgs,
    /// Sources that are shown whoever measured them.
    shown: Vec<PathBuf>,
    config: Config,
    inputs: Inputs,
    /// The warnings of the last update, which are not printed again while they apply.
    said: BTreeSet<String>,
    /// Whether there is a report, and the last attempt to write it succeeded.
    reported: bool,
}

impl<'a> Watch<'a> {
    fn new(
        args: &'a WatchArgs,
        folders: BTreeSet<PathBuf>,
        shown: Vec<PathBuf>,
    ) -> Result<Self, Failure> {
        let config = settings::load(&args.config)?;
        let inputs = Inputs::new(folders, settings::aliases(&config)?);
        Ok(Self { args, shown, config, inputs, said: BTreeSet::new(), reported: false })
    }

    /// Looks for changes, and writes the reports if there are any.
    ///
    /// Problems are printed as warnings, and the next update tries again: a source may be missing for a
    /// moment, or a disk full for a while.
    fn update(&mut self) -> Result<(), Failure> {
        let mut complaints = BTreeSet::new();
        match self.inputs.refresh() {
            Ok(changes) => {
                complaints.extend(changes.failed.iter().map(|err| format!("left out: {err}")));
                if changes.read + changes.gone > 0 || !self.reported {
                    self.reported = self.report(&changes, &mut complaints);
                } else {
                    // The report is the same, and so are its warnings.
                    complaints.append(&mut self.said.clone());
                }
            }
            Err(failure) => complaints.extend([failure.to_string()]),
        }
        complaints.difference(&self.said).for_each(|complaint| ui::warning(complaint));
        self.said = complaints;
        Ok(())
    }

    /// Writes the reports. Returns whether that succeeds.
    fn report(&self, changes: &Changes, complaints: &mut BTreeSet<String>) -> bool {
        match self.write_reports(complaints) {
            Ok(total) => {
                if !self.args.quiet {
                    let (read, all) = (changes.read, self.inputs.len());
                    ui::message(&format!(
                        "Read {read} of {all} data files; the total is {total:.1}%"
                    ));
                }
                true
            }
            Err(failure) => {
                complaints.insert(format!("no report: {failure}"));
                false
            }
        }
    }

    fn write_reports(&self, complaints: &mut BTreeSet<String>) -> Result<f64, Failure> {
        let plan = ReportPlan::of_services(DataPlan::new(&self.args.config), self.shown.clone());
        let data = self.inputs.merged(self.args.mixed == Some(Mixed::Lines))?;
        let reporting = Reporting::of_data(plan, self.config.clone(), data)?;
        let mut problems = Vec::new();
        let summary =
            reporting.summarize_with(Detail::Everything, |warning| problems.push(warning))?;
        complaints.extend(problems.iter().cloned());
        let mut total = 0.0;
        if let Some(path) = &self.args.xml {
            total = WholeFile::at(path).write(|out| xml::render(&reporting, &summary, out))?;
        }
        if let Some(folder) = &self.args.html {
            total = html::write_plain(&reporting, &summary, folder, true, problems)?;
        }
        Ok(total)
    }
}
