//! Reads a unified diff, as git, `diff -u` and others write it.
//!
//! The rules are those of POSIX (`diff -u`) and of git (`git help diff`, section "Generating patch text with -p").
//! Text between the changes, such as the message of a commit, is skipped.

use std::collections::HashSet;
use std::iter::Peekable;
use std::path::PathBuf;
use std::slice::Split;

use super::lines::Edit;
use super::{ChangeKind, Content, Diff, FileChange, names};
use crate::paths::to_os;
use crate::{Error, ErrorKind, Position, Result};

/// The mode of a commit of another repository.
const SUBMODULE: &[u8] = b"160000";

/// The mode of a symbolic link. The diff has what it leads to, as text.
const LINK: &[u8] = b"120000";

impl Diff {
    /// Reads the text of a unified diff. An empty text is a diff without changes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Diff`], with the line, if a change is cut short, if its numbers contradict its lines, if the
    /// diff is a combined one, or if two changes have the same file. A series of patches is not one diff, because
    /// the line numbers of each patch are those of another version.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::changes::Diff;
    ///
    /// assert!(Diff::parse(b"")?.files().is_empty());
    /// let err = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x = 1\n").unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Diff);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(text);
        reader.read().map_err(|cause| {
            let position = Position::Line { line: reader.number, column: None };
            Error::new(ErrorKind::Diff, cause).at(position)
        })?;
        Ok(Self { files: reader.files })
    }
}

/// Why a diff cannot be read.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("this is a combined diff of a merge; compare with one of its parents")]
    Combined,
    #[error("a hunk comes before the name of its file")]
    NoFile,
    #[error("the name of the changed file cannot be read")]
    NoName,
    #[error("the numbers of a hunk cannot be read")]
    Numbers,
    #[error("a hunk begins before the end of the one before it")]
    Order,
    #[error("the numbers of a hunk do not follow from the hunks before it; a hunk may be missing")]
    Shifted,
    #[error("a hunk has fewer lines than its numbers say; the diff may be cut short")]
    Short,
    #[error(
        "{} was changed before; this may be a series of patches, make one diff of it",
        .0.display()
    )]
    Twice(PathBuf),
}

/// The names of the old version and of the new one.
type Names = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Returns whether a line ends at this byte.
type IsEnd = fn(&u8) -> bool;

/// The part of a diff about one file, as far as it was read.
struct Entry {
    /// The names after `diff --git`, with their prefixes.
    git: Option<(Vec<u8>, Vec<u8>)>,
    /// The names after `---` and `+++`, with their prefixes. `None` stands for `/dev/null`.
    versions: Option<Names>,
    /// The names of a rename or a copy, without prefixes.
    moved: Names,
    is_copy: bool,
    is_new: bool,
    is_deleted: bool,
    is_binary: bool,
    is_submodule: bool,
    is_link: bool,
    edits: Vec<Edit>,
    /// The lines after the last hunk, in the old version and in the new one.
    next: (i32, i32),
}

struct Reader<'t> {
    lines: Peekable<Split<'t, u8, IsEnd>>,
    /// The number of the line that was read last.
    number: usize,
    entry: Option<Entry>,
    files: Vec<FileChange>,
    old_names: HashSet<PathBuf>,
    new_names: HashSet<PathBuf>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t [u8]) -> Self {
        let is_end: IsEnd = |byte| *byte == b'\n';
        Self {
            lines: text.strip_suffix(b"\n").unwrap_or(text).split(is_end).peekable(),
            number: 0,
            entry: None,
            files: Vec::new(),
            old_names: HashSet::new(),
            new_names: HashSet::new(),
        }
    }

    fn next(&mut self) -> Option<&'t [u8]> {
        let line = self.lines.next()?;
        self.number += 1;
        Some(line)
    }

    fn read(&mut self) -> Result<(), Cause> {
        while let Some(line) = self.next() {
            // Only lines of content keep a carriage return, which may be theirs.
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(command) = line.strip_prefix(b"diff ") {
                self.command(command)?;
            } else if let Some(old) = line.strip_prefix(b"--- ") {
                self.versions(old)?;
            } else if line.starts_with(b"@@@") {
                return Err(Cause::Combined);
            } else if let Some(numbers) = line.strip_prefix(b"@@ -") {
                self.hunk(numbers)?;
            } else if let Some(entry) = &mut self.entry {
                entry.header(line);
            }
        }
        self.finish()
    }

    /// Reads the command that git puts before each change.
    fn command(&mut self, command: &[u8]) -> Result<(), Cause> {
        let mut words = command.splitn(2, |byte| *byte == b' ');
        match (words.next(), words.next()) {
            (Some(b"--git"), Some(names)) => {
                self.finish()?;
                self.entry = Some(Entry { git: names::of_git(names), ..Entry::new() });
                Ok(())
            }
            (Some(b"--cc" | b"--combined"), _) => Err(Cause::Combined),
            // Other programs write their arguments.
            _ => Ok(()),
        }
    }

    /// Reads the names of the two versions. In other text, a line that starts with `---` is not followed by
    /// one that starts with `+++`.
    fn versions(&mut self, old: &[u8]) -> Result<(), Cause> {
        let Some(new) = self.lines.peek().and_then(|line| line.strip_prefix(b"+++ ")) else {
            return Ok(());
        };
        let new = new.strip_suffix(b"\r").unwrap_or(new);
        if self.entry.as_ref().is_none_or(|entry| entry.versions.is_some()) {
            self.finish()?;
            self.entry = Some(Entry::new());
        }
        if let Some(entry) = &mut self.entry {
            entry.versions = Some((names::of_version(old), names::of_version(new)));
        }
        self.next();
        Ok(())
    }

    fn hunk(&mut self, numbers: &[u8]) -> Result<(), Cause> {
        let Some(mut entry) = self.entry.take().filter(|entry| entry.versions.is_some()) else {
            return Err(Cause::NoFile);
        };
        let (old, new) = ranges(numbers).ok_or(Cause::Numbers)?;
        let gap = |start: i32, end: i32| {
            start.checked_sub(end).filter(|&lines| lines >= 0).ok_or(Cause::Order)
        };
        // No line changes between two hunks.
        if gap(old.start, entry.next.0)? != gap(new.start, entry.next.1)? {
            return Err(Cause::Shifted);
        }
        let (mut old_line, mut new_line) = (old.start, new.start);
        let mut edit: Option<Edit> = None;
        while old_line < old.end || new_line < new.end {
            let kind = match self.next().ok_or(Cause::Short)?.first() {
                // Some programs remove the space of an empty line.
                None => b' ',
                Some(b'\r') => b' ',
                Some(kind) => *kind,
            };
            let (removes, adds) = match kind {
                b' ' => (true, true),
                b'-' => (true, false),
                b'+' => (false, true),
                b'\\' => continue,
                _ => return Err(Cause::Short),
            };
            if removes && old_line == old.end || adds && new_line == new.end {
                return Err(Cause::Short);
            }
            if removes && adds {
                entry.edits.extend(edit.take());
            } else {
                edit.get_or_insert(Edit { old: old_line..old_line, new: new_line..new_line });
            }
            old_line += i32::from(removes);
            new_line += i32::from(adds);
            if let Some(edit) = &mut edit {
                (edit.old.end, edit.new.end) = (old_line, new_line);
            }
        }
        entry.edits.extend(edit);
        entry.next = (old.end, new.end);
        self.entry = Some(entry);
        Ok(())
    }

    /// Ends the part about one file.
    fn finish(&mut self) -> Result<(), Cause> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        let change = entry.change().ok_or(Cause::NoName)?;
        let is_again = |names: &mut HashSet<PathBuf>, name: &Option<PathBuf>| {
            name.clone().filter(|name| !names.insert(name.clone()))
        };
        // A file can be copied more than once.
        let again = (change.kind != ChangeKind::Copied)
            .then(|| is_again(&mut self.old_names, &change.old_path))
            .flatten()
            .or_else(|| is_again(&mut self.new_names, &change.new_path));
        if let Some(name) = again {
            return Err(Cause::Twice(name));
        }
        self.files.push(change);
        Ok(())
    }
}

impl Entry {
    fn new() -> Self {
        Self {
            git: None,
            versions: None,
            moved: (None, None),
            is_copy: false,
            is_new: false,
            is_deleted: false,
            is_binary: false,
            is_submodule: false,
            is_link: false,
            edits: Vec::new(),
            next: (1, 1),
        }
    }

    /// Reads an extended header of git's. Other lines have no meaning.
    fn header(&mut self, line: &[u8]) {
        let after = |prefix: &str| line.strip_prefix(prefix.as_bytes());
        if let Some(name) = after("rename from ").or(after("copy from ")) {
            self.moved.0 = Some(names::of_header(name));
            self.is_copy = line.starts_with(b"copy");
        } else if let Some(name) = after("rename to ").or(after("copy to ")) {
            self.moved.1 = Some(names::of_header(name));
        } else if let Some(mode) = after("new file mode ") {
            self.is_new = true;
            self.mode(mode);
        } else if let Some(mode) = after("deleted file mode ") {
            self.is_deleted = true;
            self.mode(mode);
        } else if let Some(index) = after("index ") {
            // `index 1f2e..3d4c 100644`
            self.mode(index.rsplit(|&b| b == b' ').next().unwrap_or_default());
        } else if line == b"GIT binary patch" || after("Binary files ").is_some() {
            self.is_binary = true;
        }
    }

    fn mode(&mut self, mode: &[u8]) {
        self.is_submodule |= mode == SUBMODULE;
        self.is_link |= mode == LINK;
    }

    fn change(self) -> Option<FileChange> {
        let (old, new) = self.names()?;
        let kind = match (&old, &new) {
            (None, None) => return None,
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ if self.is_copy => ChangeKind::Copied,
            (Some(old), Some(new)) if old != new => ChangeKind::Renamed,
            _ => ChangeKind::Modified,
        };
        let content = match self {
            Self { is_submodule: true, .. } => Content::Submodule,
            Self { is_link: true, .. } => Content::Link,
            Self { is_binary: true, .. } => Content::Binary,
            Self { edits, .. } => Content::Text(edits),
        };
        let path = |name: Option<Vec<u8>>| name.map(|name| to_os(&name));
        Some(FileChange { kind, old_path: path(old), new_path: path(new), content })
    }

    /// Returns the names of both versions, without prefixes.
    fn names(&self) -> Option<Names> {
        if let (Some(old), Some(new)) = &self.moved {
            return Some((Some(old.clone()), Some(new.clone())));
        }
        let stripped = |old: &[u8], new: &[u8]| {
            let (old, new) = names::without_prefixes(old, new);
            (old.to_vec(), new.to_vec())
        };
        let git = self.git.as_ref().map(|(old, new)| stripped(old, new));
        match (&self.versions, git) {
            (Some((Some(old), Some(new))), _) => {
                let (old, new) = stripped(old, new);
                Some((Some(old), Some(new)))
            }
            // One version has no file, so `diff --git` shows whether there are prefixes.
            (Some((None, Some(_))), Some((_, new))) => Some((None, Some(new))),
            (Some((Some(_), None)), Some((old, _))) => Some((Some(old), None)),
            (Some((None, Some(new))), None) => Some((None, Some(lone(new, b"b/")))),
            (Some((Some(old), None)), None) => Some((Some(lone(old, b"a/")), None)),
            (Some((None, None)), _) | (None, None) => None,
            (None, Some((old, new))) => {
                Some(((!self.is_new).then_some(old), (!self.is_deleted).then_some(new)))
            }
        }
    }
}

/// Removes the usual prefix of a name that stands alone.
fn lone(name: &[u8], prefix: &[u8]) -> Vec<u8> {
    name.strip_prefix(prefix).unwrap_or(name).to_vec()
}

/// Reads the line ranges of a hunk from the text after `@@ -`: `12,3 +14,5 @@`.
fn ranges(text: &[u8]) -> Option<(std::ops::Range<i32>, std::ops::Range<i32>)> {
    let text =
        std::str::from_utf8(text.get(..text.windows(3).position(|part| part == b" @@")?)?).ok()?;
    let (old, new) = text.split_once(" +")?;
    Some((range(old)?, range(new)?))
}

fn range(text: &str) -> Option<std::ops::Range<i32>> {
    let (start, count) = match text.split_once(',') {
        Some((start, count)) => (number(start)?, number(count)?),
        None => (number(text)?, 1),
    };
    // Without lines, the number is that of the line before.
    let start = if count == 0 { start.checked_add(1)? } else { start };
    (start > 0).then_some(())?;
    Some(start..start.checked_add(count)?)
}

/// Reads a number without a sign.
fn number(text: &str) -> Option<i32> {
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn one(text: &str) -> FileChange {
        let mut files = Diff::parse(text.as_bytes()).unwrap().files;
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    fn refusal(text: &str) -> String {
        Diff::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn edits_are_read_without_context_too() {
        let change = one(
            "--- x.py\t2026-01-01\n+++ x.py\t2026-01-02\n@@ -2,0 +3,2 @@ def f():\n+a\n+b\n@@ -5 +6,0 @@\n-c\n\\ No newline at end of file\n",
        );
        assert_eq!(change.edits(), [Edit { old: 3..3, new: 3..5 }, Edit { old: 5..6, new: 7..7 }]);
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|old| change.new_line(old)),
            [Some(1), Some(2), Some(5), Some(6), None, Some(7)]
        );
        assert_eq!(
            [2, 3, 4, 5, 6, 7, 8].map(|new| change.old_line(new)),
            [Some(2), None, None, Some(3), Some(4), Some(6), Some(7)]
        );
    }

    #[test]
    fn git_says_how_files_come_and_go() {
        let kinds = |text: &str| {
            let change = one(text);
            let name = |path: Option<&Path>| path.map(|path| path.to_str().unwrap().to_owned());
            (change.kind(), name(change.old_path()), name(change.new_path()))
        };
        let some = |name: &str| Some(name.to_owned());
        for (text, expected) in [
            (
                "diff --git a/e.py b/e.py\nnew file mode 100644\nindex 0000000..e69de29\n",
                (ChangeKind::Added, None, some("e.py")),
            ),
            (
                "diff --git a/e.py b/e.py\ndeleted file mode 100644\nindex e69de29..0000000\n",
                (ChangeKind::Deleted, some("e.py"), None),
            ),
            (
                "diff --git a/e.py b/e.py\nold mode 100644\nnew mode 100755\n",
                (ChangeKind::Modified, some("e.py"), some("e.py")),
            ),
            (
                "diff --git a/a b.py b/c.py\nsimilarity index 100%\nrename from a b.py\nrename to c.py\n",
                (ChangeKind::Renamed, some("a b.py"), some("c.py")),
            ),
            (
                "diff --git a/a.py b/c.py\nsimilarity index 100%\ncopy from a.py\ncopy to c.py\n",
                (ChangeKind::Copied, some("a.py"), some("c.py")),
            ),
            (
                "diff --git a/b/x.py b/b/x.py\nnew file mode 100644\n--- /dev/null\n+++ b/b/x.py\n@@ -0,0 +1 @@\n+x\n",
                (ChangeKind::Added, None, some("b/x.py")),
            ),
            (
                "diff --git b/x.py b/x.py\nnew file mode 100644\n--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+x\n",
                (ChangeKind::Added, None, some("b/x.py")),
            ),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
        assert!(one("diff --git a/i.png b/i.png\nindex 1..2 100644\nBinary files a/i.png and b/i.png differ\n").is_binary());
        assert!(one("diff --git a/l.py b/l.py\nnew file mode 120000\n--- /dev/null\n+++ b/l.py\n@@ -0,0 +1 @@\n+m.py\n\\ No newline at end of file\n").is_link());
        assert!(one("diff --git a/m b/m\nindex 1..2 160000\n--- a/m\n+++ b/m\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n").is_submodule());
    }

    #[test]
    fn other_text_is_skipped() {
        let text = "From 1\nSubject: [PATCH] --- a\n\n--- a list\n-- item\n---\n x.py | 2 +-\n\ndiff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n---- a\n++++ b\n-- \n2.39.5\n";
        assert_eq!(one(text).edits(), [Edit { old: 1..2, new: 1..2 }]);
    }

    #[test]
    fn lines_keep_their_ends() {
        let change = one("--- a/x.py\r\n+++ b/x.py\r\n@@ -1,3 +1,3 @@\r\n a\r\n-b\r\n+c\r\n\r\n");
        assert_eq!(change.new_path(), Some(Path::new("x.py")));
        assert_eq!(change.edits(), [Edit { old: 2..3, new: 2..3 }]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let start = "--- a/x.py\n+++ b/x.py\n";
        for (text, expected) in [
            ("diff --cc x.py\n".to_owned(), "line 1: this is a combined diff"),
            ("@@ -1 +1 @@\n".to_owned(), "line 1: a hunk comes before"),
            (format!("{start}@@ -1 +x @@\n"), "line 3: the numbers"),
            (format!("{start}@@ -0 +1 @@\n"), "line 3: the numbers"),
            (format!("{start}@@ -1,2 +1,2 @@\n a\n"), "line 4: a hunk has fewer lines"),
            (format!("{start}@@ -1,2 +1,2 @@\n-a\n-b\n-c\n"), "line 6: a hunk has fewer lines"),
            (format!("{start}@@ -1,2 +1,2 @@\n a\nnonsense\n"), "line 5: a hunk has fewer lines"),
            (
                format!("{start}@@ -5 +5 @@\n-a\n+b\n@@ -2 +2 @@\n-a\n+b\n"),
                "line 6: a hunk begins before",
            ),
            (
                format!("{start}@@ -1 +1 @@\n-a\n+b\n{start}@@ -1 +1 @@\n-b\n+c\n"),
                "x.py was changed before",
            ),
            ("diff --git a/x.py b/y.py\nindex 1..2\n".to_owned(), "the name of the changed file"),
            (
                format!("{start}@@ -5 +6 @@\n-a\n+b\n"),
                "line 3: the numbers of a hunk do not follow",
            ),
            (format!("{start}@@ -2147483647,9 +1 @@\n"), "line 3: the numbers"),
            (format!("{start}@@ -4294967296 +1 @@\n"), "line 3: the numbers"),
            (format!("{start}@@ --1,9 +1 @@\n"), "line 3: the numbers"),
            (
                format!("{start}@@ -5 +5 @@\n-a\n+b\n@@ -1 +1 @@\n-a\n+b\n"),
                "line 6: a hunk begins before the end",
            ),
        ] {
            assert!(refusal(&text).contains(expected), "{text}: {}", refusal(&text));
        }
    }
}
