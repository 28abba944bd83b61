//! The data root: the folder that processes write their data files into.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;
use pulpcov_core::discover::UserFolder;
use pulpcov_core::folder::Kind;
use serde::Serialize;

use super::user_name::user_name;
use crate::exit::Failure;

/// The permissions of `/tmp`: everybody can create files, and only the owner of a file can remove it.
const MODE: u32 = 0o1777;

/// The message about a data root that does not exist.
pub(super) const NO_FOLDER: &str = "there is no such folder";

/// Creates the folder if it does not exist. Returns whether it was created.
pub(super) fn create(root: &Path) -> Result<bool, Failure> {
    let failed = |err: io::Error| super::refusal_about(root, format!("cannot be made: {err}"));
    match fs::symlink_metadata(root) {
        Ok(_) if root.is_dir() => return Ok(false),
        Ok(_) => return Err(super::refusal_about(root, "is no folder")),
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        Err(err) => return Err(failed(err)),
    }
    if let Some(above) = root.parent() {
        fs::create_dir_all(above).map_err(failed)?;
    }
    fs::create_dir(root).map_err(failed)?;
    // `create_dir` subjects the permissions to the umask, so they are set afterwards.
    fs::set_permissions(root, Permissions::from_mode(MODE)).map_err(failed)?;
    Ok(true)
}

/// The state of the data root, as `pulpcov hook status` shows it.
#[derive(Debug, Serialize)]
pub(super) struct DataRoot {
    pub(super) path: PathBuf,
    pub(super) exists: bool,
    /// The permissions in octal, as `chmod` takes them.
    pub(super) mode: Option<String>,
    pub(super) owner: Option<String>,
    /// What keeps processes from writing, or lets other users change their files.
    pub(super) problems: Vec<String>,
}

impl DataRoot {
    pub(super) fn inspect(path: &Path) -> Self {
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
                root.problems.extend(owner_problem(metadata.uid()));
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

/// Reports an owner who is not trusted: the owner of a folder can rename and remove everything in it.
fn owner_problem(owner: u32) -> Option<String> {
    let is_trusted = owner == 0 || owner == geteuid().as_raw();
    (!is_trusted).then(|| {
        format!("it belongs to {}, who can remove and replace others' data files", user_name(owner))
    })
}

/// Reports that another user has taken the name that a user's processes try first.
pub(super) fn squatting_problem(folder: &UserFolder) -> Option<String> {
    let is_theirs = folder.kind == Kind::Folder && folder.owner == Some(folder.user);
    (folder.is_plain && !is_theirs).then(|| {
        format!(
            "{} is taken by {}: processes of {} write into a folder of another name",
            folder.name.to_string_lossy(),
            user_name(folder.owner.unwrap_or_default()),
            user_name(folder.user)
        )
    })
}

/// Reports a label that keeps services from writing, on a host where SELinux enforces its policy.
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
