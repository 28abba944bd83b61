//! The git command: revisions, and the changes between them.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use crate::exit::Failure;

/// The branches that a change may be based on, the likeliest first.
const BASES: [&str; 5] = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];

/// Settings of git that would change what a diff says, or run programs, and their values. What is left are the filters
/// that git needs to compare files with what it keeps of them.
const SETTINGS: [&str; 6] = [
    "core.quotePath=true",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "diff.suppressBlankEmpty=false",
    "diff.orderFile=/dev/null",
    "submodule.recurse=false",
];

/// Options that make a diff say the same whatever the settings are.
const DIFF: [&str; 18] = [
    // An attribute can declare Python to be binary.
    "--text",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-color-moved",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--unified=0",
    "--inter-hunk-context=0",
    "--no-function-context",
    "--find-renames",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--submodule=short",
    "--ignore-submodules=dirty",
    "--full-index",
    "--patch",
];

/// What changes are from.
pub(super) struct Base {
    /// The name of a branch, a tag or a commit.
    pub(super) name: String,
    /// The commit where the changes began.
    pub(super) commit: String,
}

/// Returns the text of a diff, and what it is from.
///
/// The changes begin where the branch left `base`, or else the default branch. They end with `revision`, or else with the
/// files in the working tree, also those that git does not track.
pub(super) fn changes(
    base: Option<&str>,
    revision: Option<&str>,
) -> Result<(Vec<u8>, Base), Failure> {
    // Without a repository, or if git refuses to use it, its own message says why.
    git(&["rev-parse", "--git-dir"], Vec::new())?;
    let base = match base {
        Some(base) => base.to_owned(),
        None => default_base()?,
    };
    let commit = merge_base(&base, revision.unwrap_or("HEAD"))?;
    let diff = match revision {
        Some(revision) => diff(&[&commit, revision], None)?,
        None => diff_to_working_tree(&commit)?,
    };
    Ok((diff, Base { name: base, commit }))
}

/// Returns the top folder of the repository that the current folder is in, if it is in one.
pub(super) fn top_folder() -> Option<PathBuf> {
    let top = git(&["rev-parse", "--show-toplevel"], Vec::new()).ok()?;
    Some(path_of(top.strip_suffix(b"\n").unwrap_or(&top)))
}

fn default_base() -> Result<String, Failure> {
    let exists = |name: &&&str| {
        let commit = format!("{name}^{{commit}}");
        git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit], Vec::new()).is_ok()
    };
    let found = BASES.iter().find(exists).ok_or_else(|| {
        Failure::Refused(
            format!(
                "git has none of the branches {} to compare with: name another with --base=REF, or read a diff with --diff=FILE. In GitHub Actions, `fetch-depth: 0` of actions/checkout fetches all branches",
                BASES.join(", ")
            ),
        )
    })?;
    // `origin/HEAD` is another name of the default branch.
    let name = git(&["rev-parse", "--abbrev-ref", found], Vec::new())?;
    Ok(String::from_utf8_lossy(&name).trim().to_owned())
}

fn merge_base(base: &str, tip: &str) -> Result<String, Failure> {
    for name in [base, tip] {
        let commit = format!("{name}^{{commit}}");
        git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit], Vec::new())
            .map_err(|_| Failure::Refused(unknown(name)))?;
    }
    let commit = git(&["merge-base", "--end-of-options", base, tip], Vec::new()).map_err(|_| {
        let is_shallow = git(&["rev-parse", "--is-shallow-repository"], Vec::new());
        let why = match is_shallow.is_ok_and(|answer| answer.starts_with(b"true")) {
            true => "this clone is shallow: fetch its whole history. In GitHub Actions, `fetch-depth: 0` of actions/checkout does that",
            false => "they have no commit in common",
        };
        Failure::Refused(format!("git finds no merge base of {base:?} and {tip:?}: {why}"))
    })?;
    Ok(String::from_utf8_lossy(&commit).trim().to_owned())
}

/// Says that git does not know a revision, and what to do.
fn unknown(name: &str) -> String {
    match name.contains("..") {
        true => format!("{name:?} is a range of revisions: name the one that the changes are from"),
        false => format!(
            "git does not know the revision {name:?}: fetch it, or name another. In GitHub Actions, `fetch-depth: 0` of actions/checkout fetches all branches"
        ),
    }
}

/// Returns the changes up to the files in the working tree.
///
/// Files that git does not track are announced to a copy of its index, so that the diff has them. The repository
/// itself stays as it is.
fn diff_to_working_tree(commit: &str) -> Result<Vec<u8>, Failure> {
    let failed = |err| failure("a copy of git's index", err);
    let index = git(&["rev-parse", "--git-path", "index"], Vec::new())?;
    // Nobody else may read the names of a private repository's files.
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(private).tempdir().map_err(failed)?;
    let copy = folder.path().join("index");
    match std::fs::copy(path_of(index.strip_suffix(b"\n").unwrap_or(&index)), &copy) {
        // After `git clone --no-checkout` there is no index yet.
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        copied => drop(copied.map_err(failed)?),
    }
    run(&["add", "--intent-to-add", "--ignore-errors", "--", ":/"], Vec::new(), Some(&copy))?;
    diff(&[commit], Some(&copy))
}

fn diff(revisions: &[&str], index: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let mut args = vec!["diff"];
    args.extend(DIFF);
    args.push("--end-of-options");
    args.extend(revisions);
    args.push("--");
    run(&args, Vec::new(), index)
}

/// Converts a path of the repository to a path relative to one of its folders.
pub(super) fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let common = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}

/// Runs git with `input` on its standard input, and returns what it prints.
pub(super) fn git(args: &[&str], input: Vec<u8>) -> Result<Vec<u8>, Failure> {
    run(args, input, None)
}

/// Runs git, perhaps with another index.
fn run(args: &[&str], input: Vec<u8>, index: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let failed = |err| failure("git", err);
    let mut command = Command::new("git");
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let mut child = command
        .args(args)
        // The repository may be untrusted. Git must not run helpers that it names to fetch missing objects.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_LITERAL_PATHSPECS", "0")
        .env_remove("GIT_EXTERNAL_DIFF")
        .env_remove("GIT_DIFF_OPTS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    // Input is written from another thread, since git writes before it has read everything.
    let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output().map_err(failed)?;
    // If git did not read all its input, its own message says why.
    let _ = writer.join();
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(io::Error::other(message)));
    }
    Ok(output.stdout)
}

fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

pub(super) fn failure(name: &str, err: io::Error) -> Failure {
    Failure::Input(io::Error::new(err.kind(), format!("{name}: {err}")))
}
