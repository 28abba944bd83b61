//! The folder that processes write into.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Uid, User};
use pulpcov_core::discover;
use serde::Serialize;

use crate::exit::Failure;

/// As /tmp has it: everybody writes, and nobody touches another one's files.
const MODE: u32 = 0o1777;
/// What the names of the data files begin with.
pub(super) const BASE: &str = ".coverage";
/// What data files are called while they are written.
const UNFINISHED: &str = ".pulpcov_hook.";

/// Make the folder, if it is not there. Was it made?
pub(super) fn create(root: &Path) -> Result<bool, Failure> {
    let failed = |err: io::Error| super::about(root, format!("cannot be made: {err}"));
    match fs::symlink_metadata(root) {
        Ok(_) if root.is_dir() => return Ok(false),
        Ok(_) => return Err(super::about(root, "is no folder")),
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        Err(err) => return Err(failed(err)),
    }
    if let Some(above) = root.parent() {
        fs::create_dir_all(above).map_err(failed)?;
    }
    fs::create_dir(root).map_err(failed)?;
    // Not subject to the umask.
    fs::set_permissions(root, Permissions::from_mode(MODE)).map_err(failed)?;
    Ok(true)
}

/// What there is to say about the folder.
#[derive(Debug, Serialize)]
pub(super) struct DataRoot {
    pub(super) path: PathBuf,
    pub(super) exists: bool,
    /// Permissions in octal, as `chmod` takes them.
    pub(super) mode: Option<String>,
    pub(super) owner: Option<String>,
    /// What keeps processes from writing, or lets others at their files.
    pub(super) problems: Vec<String>,
}

impl DataRoot {
    pub(super) fn look(path: &Path) -> Self {
        let mut root = Self {
            path: path.into(),
            exists: false,
            mode: None,
            owner: None,
            problems: Vec::new(),
        };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let mode = metadata.permissions().mode() & 0o7777;
                root.exists = true;
                root.mode = Some(format!("{mode:04o}"));
                root.owner = Some(user_name(metadata.uid()));
                root.problems.extend(permission_problem(mode));
                root.problems.extend(selinux_problem(path));
            }
            Ok(_) => root.problems.push("is no folder".to_owned()),
            Err(err) => root.problems.push(err.to_string()),
        }
        root
    }
}

fn permission_problem(mode: u32) -> Option<String> {
    if mode & 0o777 != 0o777 {
        return Some(
            "not everybody can write into it: processes of other users are not measured".to_owned(),
        );
    }
    (mode & 0o1000 == 0)
        .then(|| "without the sticky bit, everybody can remove others' data files".to_owned())
}

/// On a host where SELinux enforces its policy, services may write only where the label says so.
fn selinux_problem(root: &Path) -> Option<String> {
    let enforcing =
        fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1");
    if !enforcing {
        return None;
    }
    let output = Command::new("stat").args(["-c", "%C"]).arg(root).output().ok()?;
    let label = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let kind = label.split(':').nth(2).unwrap_or_default();
    let is_unlabelled = matches!(kind, "" | "unlabeled_t" | "default_t" | "var_t");
    is_unlabelled.then(|| {
        let shown = if label.is_empty() { "no label" } else { label.as_str() };
        format!(
            "SELinux is enforcing, and the folder has {shown}: services may not write into it; see the documentation of the hook"
        )
    })
}

/// The user's name, or the number of one without.
pub(super) fn user_name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}

/// Remove the data files, and the folder if it was made for them and is empty then.
pub(super) fn purge(root: &Path, remove_folder: bool) -> Result<usize, Failure> {
    if !root.is_dir() {
        return Ok(0);
    }
    let mut files = discover::find(&[root.into()], BASE.as_ref())?;
    files.extend(unfinished(root));
    for file in &files {
        super::installed::remove(file)?;
    }
    if remove_folder {
        // What else is in it is somebody's.
        let _ = fs::remove_dir(root);
    }
    Ok(files.len())
}

/// What processes that were killed while they wrote have left.
pub(super) fn unfinished(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    names
        .filter(|name| name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes()))
        .map(|name| root.join(name))
        .collect()
}
