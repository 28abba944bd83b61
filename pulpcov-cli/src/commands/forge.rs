//! Where sources are on a website.

use std::path::Path;

use super::git;
use super::reporting::Reporting;
use super::repository::Folders;
use crate::exit::Failure;

/// The templates of forges by their names. `{repository}` stands for what follows the name.
const FORGES: [(&str, &str); 3] = [
    ("github", "https://github.com/{repository}/blob/{commit}/{path}#L{line}"),
    ("gitlab", "https://gitlab.com/{repository}/-/blob/{commit}/{path}#L{line}"),
    ("bitbucket", "https://bitbucket.org/{repository}/src/{commit}/{path}#lines-{line}"),
];

/// Returns the address of sources with `{path}` and `{line}`.
pub(super) fn source_url(template: &str, reporting: &Reporting) -> Result<String, Failure> {
    let template = match template.split_once(':') {
        Some((forge, repository)) if !repository.starts_with("//") => {
            let known = FORGES.iter().find(|(name, _)| *name == forge);
            let (_, known) = known.ok_or_else(|| {
                Failure::Refused(format!(
                    "{forge}: no forge of this name is known; write an address with {{path}} and {{line}} after --source-url, or one of {}",
                    FORGES.map(|(name, _)| format!("{name}:OWNER/NAME")).join(", ")
                ))
            })?;
            known.replace("{repository}", repository)
        }
        _ => template.to_owned(),
    };
    match template.contains("{commit}") {
        true => Ok(template.replace("{commit}", &commit(reporting)?)),
        false => Ok(template),
    }
}

/// Returns the commit of the sources.
fn commit(reporting: &Reporting) -> Result<String, Failure> {
    let revision = reporting.plan.sources.revision().unwrap_or("HEAD");
    git::commit_of(revision).map_err(|err| {
        Failure::Refused(format!("--source-url needs the commit of the sources: {err}; without git, write an address that has it"))
    })
}

/// Returns the folder of the repository that names of the report start from.
pub(super) fn folder_in_repository(reporting: &Reporting) -> String {
    let folders = Folders::new(reporting);
    let inside = folders.report.strip_prefix(&folders.top).unwrap_or(Path::new(""));
    inside.to_string_lossy().into_owned()
}
