//! `pulpcov xml`

use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pulpcov_core::Error;
use pulpcov_core::report::xml::{self, Options};
use pulpcov_core::summarize::{Detail, Summary};
use pulpcov_core::text::printable;

use super::reporting::{Reporting, print_failure};
use crate::args::XmlArgs;
use crate::exit::{Exit, Failure};
use crate::ui;

pub(crate) fn run(args: &XmlArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &XmlArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(&args.reporting, args.quiet)?;
    let output = args.output.as_ref().unwrap_or(&reporting.config.xml.output);
    let summary = reporting.summarize(Detail::Lines)?;
    let options = options(&reporting, args.skip_empty, root(args)?);
    for (name, files) in xml::shared_names(&summary, &options) {
        ui::warning(&shared_name(&name, &files));
    }
    let total = reporting.write(output, "XML report", |out| xml::write(&summary, &options, out))?;
    reporting.exit_code_for_total(total, &args.fail_under, reporting.precision(None)?)
}

/// Writes the report with the current time and the settings, without options.
pub(super) fn render(
    reporting: &Reporting<'_>,
    summary: &Summary<'_>,
    out: &mut dyn Write,
) -> Result<f64, Error> {
    xml::write(summary, &options(reporting, false, None), out)
}

/// Returns the folder that `--root` names.
fn root(args: &XmlArgs) -> Result<Option<String>, Failure> {
    let canonical =
        |root: &PathBuf| root.canonicalize().map_err(|err| Failure::reading(root, &err));
    let root = args.root.as_ref().map(canonical).transpose()?;
    Ok(root.map(|root| root.to_string_lossy().into_owned()))
}

fn shared_name(name: &str, files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| ui::name(file)).collect();
    format!(
        "{} files have the name {}, and only the last is in the report: {}; --root=. gives them names of their own",
        files.len(),
        printable(name),
        names.join(", ")
    )
}

fn options(reporting: &Reporting<'_>, skip_empty: bool, root: Option<String>) -> Options {
    let config = &reporting.config;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let options = Options::new()
        .package_depth(config.xml.package_depth)
        .skip_empty(skip_empty || config.report.skip_empty)
        .sources(config.run.source.iter().flatten())
        .timestamp(now.as_millis());
    match root.or_else(|| reporting.tree_root()) {
        Some(root) => options.root(root),
        None => options,
    }
}
