//! The arguments of `pulpcov comment`.

use clap::Args;

use super::{BaselineArgs, ChangesArgs, ReportingArgs, WithArgs, integer};

const HELP: &str = "\
The comment begins with the line `<!-- pulpcov NAME -->`, which is not shown.
A program finds the comment by it, and replaces it. This command asks no
network and needs no secret: another step posts the file, also for a fork.

If the comment is too long, the changed files lose their lists of lines, those
with the fewest gaps first. Then they lose their rows, in the same order, and
a line says how many. Failures of the gate go last.

Exit codes:
  0  the comment was written, whatever it says; `patch`, `gate` and `report`
     judge
  1  an error or wrong usage
  3  something was left out; a warning names it";

/// Write one comment for a pull request, as Markdown
///
/// The comment has the coverage of the changes, the total of the project, the worst changed files, what `pulpcov gate` says
/// if [tool.pulpcov.gate] or a ratchet asks for something, and links. Without git or a base, it is about the project only.
#[derive(Args, Debug)]
#[command(
    after_help = HELP,
    mut_arg("files", |arg| arg.hide(true)),
    mut_arg("baseline", |arg| arg.help("Say how the total has changed since this data file of another version"))
)]
pub(crate) struct CommentArgs {
    #[command(flatten)]
    pub(crate) changes: ChangesArgs,

    #[command(flatten)]
    pub(crate) baseline: BaselineArgs,

    /// The name by which a program finds the comment
    #[arg(long, default_value = "coverage")]
    pub(crate) name: String,

    /// A link at the end of the comment; may be given several times
    #[arg(long, value_name = "TEXT=URL")]
    pub(crate) link: Vec<String>,

    /// The most bytes of the comment. GitHub takes 65536 characters
    #[arg(long, value_name = "N", default_value_t = 65_536)]
    pub(crate) max_bytes: usize,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// Digits of percentages after the decimal point
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = integer)]
    pub(crate) precision: Option<i64>,

    #[command(flatten)]
    pub(crate) with: WithArgs,

    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,
}
