//! What changed between two versions of a source tree, line by line.
//!
//! A [`Diff`] is read from the text of a unified diff, as `git diff` or `diff -u` writes it. It says which lines
//! each [`FileChange`] removes and adds, and which line of one version is which line of the other.
//!
//! - `unified`: reads a unified diff.
//! - `names`: the names of files in a diff.
//! - `lines`: maps lines from one version to the other.
//! - `new_misses`: what ran before a change, and does not run any more.
//! - `patch`: compares the changed lines of a file with what ran.
//!
//! # Examples
//!
//! ```
//! use std::path::Path;
//!
//! use pulpcov_core::changes::Diff;
//!
//! let diff = Diff::parse(b"\
//! --- a/calc.py
//! +++ b/calc.py
//! @@ -1,3 +1,4 @@
//!  def add(a, b):
//! -    return a + b
//! +    total = a + b
//! +    return total
//!  print(add(1, 2))
//! ")?;
//! let change = &diff.files()[0];
//! assert_eq!(change.new_path(), Some(Path::new("calc.py")));
//! assert_eq!(change.added_lines().collect::<Vec<_>>(), [2, 3]);
//! // The last line has moved by one.
//! assert_eq!(change.new_line(3), Some(4));
//! assert_eq!(change.new_line(2), None);
//! # Ok::<(), pulpcov_core::Error>(())
//! ```

mod lines;
mod names;
mod new_misses;
mod patch;
mod unified;

use std::path::{Path, PathBuf};

pub use lines::Edit;
pub use new_misses::RanBefore;
pub use patch::{FilePatch, LineState, lines_of_another_version};

/// The changes between two versions of a source tree.
///
/// No two changes have the same name in the new version, or in the old one. So line numbers are those of one
/// version each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    files: Vec<FileChange>,
}

impl Diff {
    /// Returns the changed files, in the order of the diff.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let text = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n";
    /// let diff = Diff::parse(format!("{text}{}", text.replace("x.py", "y.py")).as_bytes())?;
    /// assert_eq!(diff.files().len(), 2);
    /// assert_eq!(diff.files()[1].new_path(), Some("y.py".as_ref()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn files(&self) -> &[FileChange] {
        &self.files
    }

    /// Returns the change of a file by its name in the new version.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n")?;
    /// assert!(diff.file(Path::new("x.py")).is_some());
    /// assert!(diff.file(Path::new("y.py")).is_none());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn file(&self, new_path: &Path) -> Option<&FileChange> {
        self.files.iter().find(|change| change.new_path() == Some(new_path))
    }

    /// Adds a new file of `lines` lines, which the text of the diff does not have. git leaves out files that it does not
    /// track.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::changes::{ChangeKind, Diff};
    ///
    /// let mut diff = Diff::default();
    /// diff.add_new_file("src/new.py", 2);
    /// let change = diff.file(Path::new("src/new.py")).unwrap();
    /// assert_eq!(change.kind(), ChangeKind::Added);
    /// assert_eq!(change.added_lines().collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn add_new_file(&mut self, path: impl Into<PathBuf>, lines: i32) {
        let edit = Edit { old: 1..1, new: 1..lines.saturating_add(1) };
        self.files.push(FileChange {
            kind: ChangeKind::Added,
            old_path: None,
            new_path: Some(path.into()),
            content: Content::Text(if lines > 0 { vec![edit] } else { Vec::new() }),
        });
    }

    /// Keeps only the files for which `is_wanted` returns true.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let mut diff = Diff::default();
    /// diff.add_new_file("app.py", 2);
    /// diff.add_new_file("tests/test_app.py", 3);
    /// diff.retain(|change| change.new_path().is_some_and(|path| path.starts_with("tests")));
    /// assert_eq!(diff.files().len(), 1);
    /// ```
    pub fn retain(&mut self, is_wanted: impl FnMut(&FileChange) -> bool) {
        self.files.retain(is_wanted);
    }

    /// Adds a file that did not change, for what compares all files.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::changes::{ChangeKind, Diff};
    ///
    /// let mut diff = Diff::default();
    /// diff.add_unchanged_file("src/old.py");
    /// let file = diff.file(Path::new("src/old.py")).unwrap();
    /// assert_eq!((file.kind(), file.new_line(7)), (ChangeKind::Unchanged, Some(7)));
    /// ```
    pub fn add_unchanged_file(&mut self, path: impl Into<PathBuf>) {
        let path = path.into();
        self.files.push(FileChange {
            kind: ChangeKind::Unchanged,
            old_path: Some(path.clone()),
            new_path: Some(path),
            content: Content::Text(Vec::new()),
        });
    }
}

/// How a file came about, or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The file is new.
    Added,
    /// The file is gone.
    Deleted,
    /// The content changed, or only the permissions.
    Modified,
    /// The file has another name. Its content may have changed, too.
    Renamed,
    /// The file is a copy of another file. Its content may differ.
    Copied,
    /// The file did not change.
    Unchanged,
}

/// The change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    kind: ChangeKind,
    old_path: Option<PathBuf>,
    new_path: Option<PathBuf>,
    content: Content,
}

/// What a diff says about the content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// The edits, in the order of the lines. Empty if the content did not change.
    Text(Vec<Edit>),
    /// The file is not text, so the diff names no lines.
    Binary,
    /// A commit of another repository.
    Submodule,
    /// A symbolic link.
    Link,
}

impl FileChange {
    /// Returns how the file came about, or went.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::{ChangeKind, Diff};
    ///
    /// let diff = Diff::parse(b"--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+a = 1\n")?;
    /// assert_eq!(diff.files()[0].kind(), ChangeKind::Added);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// Returns the name in the old version, relative to the root of the tree. `None` if the file is new.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"diff --git a/x.py b/y.py\nrename from x.py\nrename to y.py\n")?;
    /// assert_eq!(diff.files()[0].old_path(), Some(Path::new("x.py")));
    /// assert_eq!(diff.files()[0].new_path(), Some(Path::new("y.py")));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn old_path(&self) -> Option<&Path> {
        self.old_path.as_deref()
    }

    /// Returns the name in the new version, relative to the root of the tree. `None` if the file is gone.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a = 1\n")?;
    /// assert_eq!(diff.files()[0].new_path(), None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new_path(&self) -> Option<&Path> {
        self.new_path.as_deref()
    }

    /// Returns whether the file is binary, so that the diff names no lines.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n")?;
    /// assert!(diff.files()[0].is_binary());
    /// assert!(diff.files()[0].edits().is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_binary(&self) -> bool {
        self.content == Content::Binary
    }

    /// Returns whether the entry is a commit of another repository instead of a file.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"diff --git a/lib b/lib\nindex 1fc2d4a..b05b6e1 160000\n")?;
    /// assert!(diff.files()[0].is_submodule());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_submodule(&self) -> bool {
        self.content == Content::Submodule
    }

    /// Returns whether the entry is a symbolic link, so that its lines are no lines of a source.
    pub fn is_link(&self) -> bool {
        self.content == Content::Link
    }

    /// Returns the edits, in the order of the lines.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::{Diff, Edit};
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a = 1\n-b = 2\n+b = 3\n+c = 4\n")?;
    /// assert_eq!(diff.files()[0].edits(), [Edit { old: 2..3, new: 2..4 }]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn edits(&self) -> &[Edit] {
        match &self.content {
            Content::Text(edits) => edits,
            Content::Binary | Content::Submodule | Content::Link => &[],
        }
    }
}
