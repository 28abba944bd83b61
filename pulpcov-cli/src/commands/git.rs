//! The git command: revisions, and the changes between them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::exit::Failure;
use crate::ui;

/// The branches that a change may be based on, the likeliest first, and what git calls them.
const BASES: [(&str, &str); 5] = [
    ("origin/HEAD", "refs/remotes/origin/HEAD"),
    ("origin/main", "refs/remotes/origin/main"),
    ("origin/master", "refs/remotes/origin/master"),
    ("main", "refs/heads/main"),
    ("master", "refs/heads/master"),
];

/// Settings of git that would change what a diff says, or run programs, and their values.
///
/// The filters that the repository's configuration names still run: git needs them to compare files with its copies.
const SETTINGS: [&str; 6] = [
    "core.quotePath=true",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "diff.suppressBlankEmpty=false",
    "diff.orderFile=/dev/null",
    "submodule.recurse=false",
];

/// Options that make a diff say the same whatever the settings are.
const DIFF: [&str; 17] = [
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

/// Asks git in a thread of its own, and meanwhile does other work.
pub(super) fn beside<G: Send, W>(
    ask: impl FnOnce() -> G + Send,
    work: impl FnOnce() -> W,
) -> (G, W) {
    std::thread::scope(|scope| {
        let asked = scope.spawn(ask);
        let done = work();
        let answer = asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (answer, done)
    })
}

/// Returns the text of a diff, and what it is from.
///
/// The changes begin where the branch left `base`, or else the default branch. They end with `revision`, or else with the
/// files in the working tree that git tracks. [`untracked`] returns the others. `otherwise` says what else a user can do if
/// there is no base.
pub(super) fn changes(
    base: Option<&str>,
    revision: Option<&str>,
    otherwise: Option<&str>,
) -> Result<(Vec<u8>, Base), Failure> {
    let base = find_base(base, revision, otherwise)?;
    Ok((between(&base.commit, revision)?, base))
}

/// Returns the text of a diff as [`changes`] does, but from a revision itself, wherever the branch left it.
pub(super) fn changes_since(
    name: &str,
    revision: Option<&str>,
) -> Result<(Vec<u8>, Base), Failure> {
    let commit = commit_of(name)?;
    Ok((between(&commit, revision)?, Base { name: name.to_owned(), commit }))
}

/// Returns the text of the diff from a commit to `revision`, or else to the files that git tracks, as they are now.
pub(super) fn between(commit: &str, revision: Option<&str>) -> Result<Vec<u8>, Failure> {
    let ends: Vec<&str> = std::iter::once(commit).chain(revision).collect();
    let text = diff(&ends, &[])?;
    if hides_python(&text) { diff(&ends, &["--text"]) } else { Ok(text) }
}

/// Returns the hash of the commit that a revision names.
pub(super) fn commit_of(name: &str) -> Result<String, Failure> {
    let commit = format!("{name}^{{commit}}");
    let known = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
    let hash = git(&known, Vec::new()).map_err(|_| Failure::Refused(unknown(name)))?;
    Ok(String::from_utf8_lossy(&hash).trim().to_owned())
}

/// Returns what changes are from: where the branch left `base`, or else the default branch. `otherwise` says what else a user
/// can do if there is none.
fn find_base(
    base: Option<&str>,
    revision: Option<&str>,
    otherwise: Option<&str>,
) -> Result<Base, Failure> {
    let name = match base {
        Some(base) => base.to_owned(),
        None => default_base(otherwise)?,
    };
    let commit = merge_base(&name, revision.unwrap_or("HEAD"))?;
    Ok(Base { name, commit })
}

/// The files that came, and those that have another name, by their paths from the top folder.
#[derive(Debug, Default)]
pub(super) struct NameChanges {
    pub(super) added: Vec<PathBuf>,
    /// Old names and new ones.
    pub(super) renamed: Vec<(PathBuf, PathBuf)>,
}

/// Returns the files that came since the branch left `base`, or else the default branch. Files that git does not track are
/// among them.
pub(super) fn files_since_base(base: Option<&str>) -> Result<NameChanges, Failure> {
    let base = find_base(base, None, Some("remove the setting `new_files`"))?;
    let mut changes = names_since(&base.commit, None)?;
    changes.added.extend(untracked()?);
    Ok(changes)
}

/// How many commits [`last_changes`] returns. More are only needed if as many branches were merged after a file was renamed.
const CHANGES: &str = "-20";

/// Returns the commits that last changed a file, the newest first. None if git has none, or if there is no repository.
pub(super) fn last_changes(path: &Path) -> Vec<String> {
    let Some(path) = path.to_str() else { return Vec::new() };
    let literal = format!(":(literal){path}");
    let commits = git(&["log", CHANGES, "--format=%H", "--", &literal], Vec::new());
    let commits = commits.unwrap_or_default();
    String::from_utf8_lossy(&commits).lines().map(str::to_owned).collect()
}

/// Returns a short name of the commit that is checked out, with `-dirty` if tracked files differ, but for `except`. None without
/// a repository.
pub(super) fn description(except: Option<&Path>) -> Option<String> {
    let name = git(&["rev-parse", "--verify", "--short=10", "HEAD"], Vec::new()).ok()?;
    let name = String::from_utf8_lossy(&name).trim().to_owned();
    let mut status = vec!["status", "--porcelain", "--untracked-files=no"];
    status.extend(["--ignore-submodules=dirty", "--", ":/"]);
    let except = except.and_then(in_repository).map(|path| format!(":(top,exclude,literal){path}"));
    status.extend(except.as_deref());
    let differs = git(&status, Vec::new()).is_ok_and(|changes| !changes.is_empty());
    Some(if differs { format!("{name}-dirty") } else { name })
}

/// Returns the path from the top folder of a file that exists in the repository.
fn in_repository(path: &Path) -> Option<String> {
    let top = top_folder()?.canonicalize().ok()?;
    Some(path.canonicalize().ok()?.strip_prefix(top).ok()?.to_str()?.to_owned())
}

/// Returns whether the history of the repository is cut off.
pub(super) fn is_shallow() -> bool {
    let answer = git(&["rev-parse", "--is-shallow-repository"], Vec::new());
    answer.is_ok_and(|answer| answer.starts_with(b"true"))
}

/// Returns the files that came since a commit, and those that have another name, up to `revision`, or else to the files that git
/// tracks, as they are now.
pub(super) fn names_since(commit: &str, revision: Option<&str>) -> Result<NameChanges, Failure> {
    let options =
        ["diff", "--no-ext-diff", "--no-relative", "--find-renames", "--name-status", "-z"];
    let ends = ["--end-of-options", commit].into_iter().chain(revision).chain(["--"]);
    let args: Vec<&str> = options.into_iter().chain(ends).collect();
    let text = git(&args, Vec::new())?;
    let mut parts = text.split(|&b| b == 0);
    let mut changes = NameChanges::default();
    while let Some(status) = parts.next().filter(|status| !status.is_empty()) {
        let Some(path) = parts.next().map(path_of) else { break };
        match status[0] {
            b'A' => changes.added.push(path),
            b'R' => changes.renamed.extend(parts.next().map(|new| (path, path_of(new)))),
            // A copy has two names.
            b'C' => changes.added.extend(parts.next().map(path_of)),
            _ => {}
        }
    }
    Ok(changes)
}

/// Returns the files that git tracks, by their paths from the top folder.
pub(super) fn tracked() -> Result<Vec<PathBuf>, Failure> {
    let names = git(&["ls-files", "--full-name", "-z", "--", ":/"], Vec::new())?;
    Ok(names.split(|&b| b == 0).filter(|name| !name.is_empty()).map(path_of).collect())
}

/// Returns the contents of files of a revision, in the order of their paths. Paths start from the top folder.
pub(super) fn contents(revision: &str, paths: &[&Path]) -> Result<Vec<Vec<u8>>, Failure> {
    // git reads one name a line, and a line may end with `\r`.
    let has_end = |path: &&Path| path.as_os_str().as_bytes().iter().any(|b| b"\r\n".contains(b));
    if paths.iter().any(has_end) {
        let tree: HashMap<PathBuf, String> = tree(revision)?.into_iter().collect();
        let hash = |path: &&Path| tree.get(*path).cloned().ok_or_else(|| missing(path));
        let files = paths.iter().map(|path| Ok((path.to_path_buf(), hash(path)?)));
        return objects(&files.collect::<Result<Vec<_>, Failure>>()?);
    }
    let named = paths.iter().map(|path| {
        let object = [revision.as_bytes(), b":", path.as_os_str().as_bytes()].concat();
        (path.to_path_buf(), object)
    });
    objects(&named.collect::<Vec<_>>())
}

/// Returns the files of a revision, by their paths from the top folder, and the hashes of their contents.
pub(super) fn tree(revision: &str) -> Result<Vec<(PathBuf, String)>, Failure> {
    let list = ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", revision];
    let list = git(&list, Vec::new())?;
    let file = |entry: &[u8]| {
        // `100644 blob HASH\tPATH`
        let tab = entry.iter().position(|&b| b == b'\t')?;
        let (about, path) = entry.split_at_checked(tab)?;
        let hash = about.rsplit(|&b| b == b' ').next()?;
        Some((path_of(path.get(1..)?), String::from_utf8_lossy(hash).into_owned()))
    };
    Ok(list.split(|&b| b == 0).filter_map(file).collect())
}

/// Returns the contents of files by their names or hashes as git's objects, in the same order.
pub(super) fn objects(files: &[(PathBuf, impl AsRef<[u8]>)]) -> Result<Vec<Vec<u8>>, Failure> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let names = files.iter().flat_map(|(_, object)| [object.as_ref(), b"\n"]);
    let objects = git(&["cat-file", "--batch"], names.collect::<Vec<_>>().concat())?;
    let mut rest = objects.as_slice();
    let mut content =
        |path: &Path| next_object(&mut rest).map(<[u8]>::to_vec).ok_or_else(|| missing(path));
    files.iter().map(|(path, _)| content(path)).collect()
}

fn missing(path: &Path) -> Failure {
    failure(&ui::name(path), io::Error::other("git does not have this file"))
}

/// Takes the next object of `git cat-file --batch`: `HASH blob SIZE\n`, that many bytes, and a newline.
fn next_object<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let newline = rest.iter().position(|&b| b == b'\n')?;
    let (header, body) = rest.split_at_checked(newline + 1)?;
    let size = str::from_utf8(header).ok()?.trim_end().rsplit(' ').next()?.parse::<usize>().ok()?;
    let (bytes, behind) = body.split_at_checked(size)?;
    *rest = behind.strip_prefix(b"\n")?;
    Some(bytes)
}

/// Returns the top folder of the repository that the current folder is in, if it is in one. git is asked once.
pub(super) fn top_folder() -> Option<PathBuf> {
    static TOP: OnceLock<Option<PathBuf>> = OnceLock::new();
    let ask = || {
        let top = git(&["rev-parse", "--show-toplevel"], Vec::new()).ok()?;
        Some(path_of(top.strip_suffix(b"\n").unwrap_or(&top)))
    };
    TOP.get_or_init(ask).clone()
}

/// Returns the nearest folder at or above one that has a repository in it, without git.
pub(super) fn folder_above(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

/// Returns the name of the first of [`BASES`] that exists. `origin/HEAD` is another name of the default branch.
fn default_base(otherwise: Option<&str>) -> Result<String, Failure> {
    let mut ask = vec!["for-each-ref", "--format=%(refname)%00%(refname:short)%00%(symref:short)"];
    ask.extend(BASES.iter().map(|(_, reference)| *reference));
    let found = git(&ask, Vec::new())?;
    let found = String::from_utf8_lossy(&found);
    let named = |line: &str| {
        let mut parts = line.split('\0');
        let (reference, name, target) = (parts.next()?, parts.next()?, parts.next()?);
        let name = if target.is_empty() { name } else { target };
        Some((reference.to_owned(), name.to_owned()))
    };
    let found: HashMap<String, String> = found.lines().filter_map(named).collect();
    let first = BASES.iter().find_map(|(_, reference)| found.get(*reference));
    first.cloned().ok_or_else(|| {
        if commit_of("HEAD").is_err() {
            let message = "this repository has no commit yet, so there is nothing to compare with";
            return Failure::Refused(message.to_owned());
        }
        Failure::Refused(format!(
            "git has none of the branches {} to compare with: name another with --base=REF{}. In GitHub Actions, `fetch-depth: 0` of actions/checkout fetches all branches",
            BASES.map(|(name, _)| name).join(", "),
            otherwise.map(|way| format!(", or {way}")).unwrap_or_default()
        ))
    })
}

fn merge_base(base: &str, tip: &str) -> Result<String, Failure> {
    match git(&["merge-base", "--end-of-options", base, tip], Vec::new()) {
        Ok(commit) => Ok(String::from_utf8_lossy(&commit).trim().to_owned()),
        Err(_) => Err(no_merge_base(base, tip)?),
    }
}

/// Says why two revisions have no merge base, and what to do.
fn no_merge_base(base: &str, tip: &str) -> Result<Failure, Failure> {
    // Without a repository, or if git refuses to use it, its own message says why.
    git(&["rev-parse", "--git-dir"], Vec::new())?;
    commit_of(base)?;
    commit_of(tip)?;
    let why = match is_shallow() {
        true => {
            "this clone is shallow: fetch its whole history. In GitHub Actions, `fetch-depth: 0` of actions/checkout does that"
        }
        false => "they have no commit in common",
    };
    Ok(Failure::Refused(format!("git finds no merge base of {base:?} and {tip:?}: {why}")))
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

/// Returns the files of the working tree that git does not track and does not ignore, by their paths from the top
/// folder. Repositories inside the repository are not looked into.
pub(super) fn untracked() -> Result<Vec<PathBuf>, Failure> {
    let list = ["ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/"];
    let names = git(&list, Vec::new())?;
    let is_file = |name: &&[u8]| !name.is_empty() && !name.ends_with(b"/");
    Ok(names.split(|&b| b == 0).filter(is_file).map(path_of).collect())
}

/// Returns whether git tracks a file with this name in the repository that the folder is in. Reads git's index, without
/// git, because reports that do not need git must not wait for it.
///
/// Names in the index are plain text, or in its version 4 what differs from the name before.
pub(super) fn may_track(folder: &Path, name: &str) -> bool {
    let Some(top) = folder_above(folder) else { return false };
    let dot_git = top.join(".git");
    let git_dir = match std::fs::read_to_string(&dot_git) {
        // A file names the folder, as in a worktree.
        Ok(text) => match text.strip_prefix("gitdir: ") {
            Some(path) => dot_git.with_file_name("").join(path.trim_end()),
            None => return false,
        },
        Err(_) => dot_git,
    };
    let Ok(index) = std::fs::read(git_dir.join("index")) else { return false };
    let names_it = |index: &[u8]| {
        let is_compressed = index.get(4..8) == Some(&[0, 0, 0, 4]);
        let wanted = if is_compressed { name.rsplit('/').next().unwrap_or(name) } else { name };
        memchr::memmem::find(index, wanted.as_bytes()).is_some()
    };
    names_it(&index) || shared_index(&git_dir, &index).is_some_and(|shared| names_it(&shared))
}

/// Returns the second file of a split index, which has most of the names. The first file has its hash.
fn shared_index(git_dir: &Path, index: &[u8]) -> Option<Vec<u8>> {
    let is_shared = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        let hash = name.to_str().and_then(|name| name.strip_prefix("sharedindex."));
        hash.and_then(from_hex).is_some_and(|hash| memchr::memmem::find(index, &hash).is_some())
    };
    let shared = git_dir.read_dir().ok()?.flatten().find(is_shared)?;
    std::fs::read(shared.path()).ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Returns whether the diff does not show the lines of a Python file. An attribute can declare Python to be binary.
fn hides_python(text: &[u8]) -> bool {
    let is_binary = |line: &[u8]| line.starts_with(b"Binary files ");
    let names_python = |line: &[u8]| memchr::memmem::find(line, b".py").is_some();
    text.split(|&b| b == b'\n').any(|line| is_binary(line) && names_python(line))
}

fn diff(revisions: &[&str], options: &[&str]) -> Result<Vec<u8>, Failure> {
    let mut args = vec!["diff"];
    args.extend(DIFF);
    args.extend(options);
    args.push("--end-of-options");
    args.extend(revisions);
    args.push("--");
    git(&args, Vec::new()).map_err(|failure| match failure.to_string().contains("promisor") {
        true => Failure::Refused(
            "this clone is partial, and pulpcov fetches nothing: run `git diff` against the merge base yourself, and pass what it prints with --diff=FILE".to_owned(),
        ),
        false => failure,
    })
}

/// Converts a path of the repository to a path relative to one of its folders.
pub(super) fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let common = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}

/// Runs git with `input` on its standard input, and returns what it prints.
pub(super) fn git(args: &[&str], input: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let failed = |err| failure("git", err);
    let mut command = Command::new("git");
    for setting in SETTINGS {
        command.args(["-c", setting]);
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
