//! `pulpcov xml`

use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pulpcov_core::Error;
use pulpcov_core::report::sonar;
use pulpcov_core::report::xml::{self, Options};
use pulpcov_core::summarize::{Detail, Summary};
use pulpcov_core::text::printable;

use super::reporting::{Reporting, named_in_part, print_failure, print_failure_beside_output};
use super::repository;
use crate::args::XmlArgs;
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::ui;

pub(crate) fn run(args: &XmlArgs) -> Result<Exit, Failure> {
    match args.gitlab || args.sonar {
        true => print_failure_beside_output(report(args)),
        false => print_failure(report(args)),
    }
}

fn report(args: &XmlArgs) -> Result<Exit, Failure> {
    let reporting =
        Reporting::new(ReportPlan::try_from(&args.reporting)?.with(&args.with), args.quiet)?;
    if args.gitlab {
        return gitlab(args, &reporting);
    }
    if args.sonar {
        return sonar(args, &reporting);
    }
    let output = args.output.as_ref().unwrap_or(&reporting.config.xml.output);
    let summary = reporting.summarize(Detail::Lines)?;
    let options = options(&reporting, args.skip_empty, root(args)?);
    for (name, files) in xml::shared_names(&summary, &options) {
        ui::warning(&shared_name(&name, &files));
    }
    let total = reporting.write(output, "XML report", |out| xml::write(&summary, &options, out))?;
    let total = reporting.total(total, &summary, args.one_total);
    reporting.exit_code_for_total(total, &args.fail_under, reporting.precision(None)?)
}

/// Writes SonarQube's generic coverage.
fn sonar(args: &XmlArgs, reporting: &Reporting) -> Result<Exit, Failure> {
    reporting.check_that_sources_are_clear()?;
    let summary = reporting.summarize(Detail::Lines)?;
    let files = repository::files(reporting, &summary)?;
    let output = args.output.as_deref().unwrap_or("sonar.xml");
    let total = reporting.write(output, "XML report", |out| {
        sonar::write(&files, out)?;
        Ok(summary.totals().percent_covered())
    })?;
    let total = reporting.total(total, &summary, args.one_total);
    reporting.exit_code_beside_output(total, &args.fail_under, reporting.precision(None)?)
}

/// Writes the parts that GitLab reads.
fn gitlab(args: &XmlArgs, reporting: &Reporting) -> Result<Exit, Failure> {
    reporting.check_that_sources_are_clear()?;
    let summary = reporting.summarize(Detail::Lines)?;
    let files = repository::files(reporting, &summary)?;
    let options = options(reporting, args.skip_empty, None);
    let parts = xml::parts(&files, &options, args.max_bytes.unwrap_or(xml::GITLAB_LIMIT))?;
    let pattern = args.output.as_deref().unwrap_or("cobertura-{}.xml");
    check_pattern(pattern, parts.len())?;
    let total = summary.totals().percent_covered();
    let total = reporting.total(total, &summary, args.one_total);
    for (number, part) in (1..).zip(&parts) {
        if let Some(name) = part.too_large() {
            ui::warning(&format!(
                "{}: this file alone is larger than a part may be, so GitLab may not show it",
                printable(name)
            ));
        }
        reporting.write(&part_name(pattern, number), "XML report", |out| {
            out.write_all(part.text())?;
            Ok(total)
        })?;
    }
    warn_of_old_parts(pattern, parts.len() + 1);
    reporting.exit_code_beside_output(total, &args.fail_under, reporting.precision(None)?)
}

/// Returns the name of the file of a part.
fn part_name(pattern: &str, number: usize) -> String {
    pattern.replace("{}", &number.to_string())
}

/// Refuses a pattern that gives several parts the same name.
fn check_pattern(pattern: &str, parts: usize) -> Result<(), Failure> {
    if parts == 1 || pattern.contains("{}") {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "the report has {parts} parts, and all would be {}: in -o, write {{}} where the number of the part goes",
        printable(pattern)
    )))
}

/// Warns if an earlier report had more parts. GitLab would read them, too.
fn warn_of_old_parts(pattern: &str, next: usize) {
    if !pattern.contains("{}") {
        return;
    }
    let names = (next..).map(|number| PathBuf::from(part_name(pattern, number)));
    let old: Vec<PathBuf> = names.take_while(|name| name.exists()).collect();
    if !old.is_empty() {
        ui::warning(&format!(
            "parts of an earlier report are here: {}; remove them",
            named_in_part(&old)
        ));
    }
}

/// Returns the time in milliseconds since 1970.
pub(super) fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// Writes the report with the current time and the settings, without options.
pub(super) fn render(
    reporting: &Reporting,
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

fn options(reporting: &Reporting, skip_empty: bool, root: Option<String>) -> Options {
    let config = &reporting.config;
    let options = Options::new()
        .package_depth(config.xml.package_depth)
        .skip_empty(skip_empty || config.report.skip_empty)
        .sources(config.run.source.iter().flatten())
        .timestamp(now());
    match root.or_else(|| reporting.tree_root()) {
        Some(root) => options.root(root),
        None => options,
    }
}
