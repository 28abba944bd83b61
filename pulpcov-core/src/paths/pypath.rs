//! The functions of Python's `os.path` that need nothing but the path.

use std::path::PathBuf;

use super::chars::to_text;

/// Python's `os.sep`. This crate follows Python on a POSIX host.
pub(super) const SEP: u8 = b'/';

pub(super) fn is_slash(byte: u8) -> bool {
    byte == b'/' || byte == b'\\'
}

/// Returns whether `path` is absolute on POSIX: Python's `posixpath.isabs`.
///
/// # Examples
///
/// ```
/// assert!(pulpcov_core::paths::isabs(b"/srv/app.py"));
/// assert!(!pulpcov_core::paths::isabs(br"C:\srv\app.py"));
/// ```
pub fn isabs(path: &[u8]) -> bool {
    path.starts_with(b"/")
}

/// Returns whether `path` is absolute on Windows: `ntpath.isabs` of Python 3.11.
///
/// A path is absolute if it starts with a slash, or with a drive and a slash. Since Python 3.13 a
/// single leading slash no longer counts, which only matters for paths like `\x`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::isabs_nt;
///
/// assert!(isabs_nt(br"C:\srv\app.py"));
/// assert!(isabs_nt(br"\\host\share\app.py"));
/// assert!(!isabs_nt(b"C:app.py"));
/// ```
pub fn isabs_nt(path: &[u8]) -> bool {
    if path.first().is_some_and(|&b| is_slash(b)) {
        return true;
    }
    let text = to_text(path);
    let mut behind_drive = text.chars().skip(1);
    behind_drive.next() == Some(':') && matches!(behind_drive.next(), Some('/' | '\\'))
}

/// Returns whether `path` is absolute on any system: coverage.py's `files.isabs_anywhere`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::isabs_anywhere;
///
/// assert!(isabs_anywhere(b"/srv/app.py"));
/// assert!(isabs_anywhere(b"C:/srv/app.py"));
/// assert!(!isabs_anywhere(b"srv/app.py"));
/// ```
pub fn isabs_anywhere(path: &[u8]) -> bool {
    isabs_nt(path) || isabs(path)
}

/// Returns `path` without empty, `.` and `..` parts, where possible: Python's `posixpath.normpath`.
///
/// The file system is not consulted, so `link/..` becomes `.` wherever `link` leads. Two leading
/// slashes stay two, as POSIX requires; three or more become one.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::normpath;
///
/// assert_eq!(normpath(b"/srv//app/./../lib/"), b"/srv/lib");
/// assert_eq!(normpath(b"../../x"), b"../../x");
/// assert_eq!(normpath(b""), b".");
/// ```
pub fn normpath(path: &[u8]) -> Vec<u8> {
    let root: &[u8] = match path {
        [b'/', b'/', third, ..] if *third != SEP => b"//",
        [b'/', b'/'] => b"//",
        [b'/', ..] => b"/",
        _ => b"",
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == SEP) {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let normal = [root, &parts.join(&SEP)].concat();
    if normal.is_empty() { b".".to_vec() } else { normal }
}

/// Returns the extension of `path`: Python's `posixpath.splitext(path)[1]`.
///
/// The extension is the last dot of the file name and what follows. A name with only dots before
/// the last dot has no extension.
#[cfg(feature = "report")]
pub(crate) fn extension(path: &[u8]) -> &[u8] {
    let start = path.iter().rposition(|&b| b == SEP).map_or(0, |slash| slash + 1);
    let name = &path[start..];
    match name.iter().rposition(|&b| b == b'.') {
        Some(dot) if name[..dot].iter().any(|&b| b != b'.') => &name[dot..],
        _ => b"",
    }
}

/// Returns `path` relative to `start`: Python's `posixpath.relpath(path, start)`.
#[cfg(feature = "report")]
pub(crate) fn relpath(cwd: &super::WorkingFolder, path: &[u8], start: &[u8]) -> Vec<u8> {
    let absolute = |path: &[u8]| normpath(&join(cwd.as_bytes(), path));
    let (path, start) = (absolute(path), absolute(start));
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|&b| b == SEP).filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = start[common..].iter().map(|_| b"..".to_vec());
    let way: Vec<Vec<u8>> = up.chain(path[common..].iter().cloned()).collect();
    if way.is_empty() { b".".to_vec() } else { way.join(&SEP) }
}

/// Joins two paths, as Python's `posixpath.join` does.
pub(super) fn join(base: &[u8], rest: &[u8]) -> Vec<u8> {
    if isabs(rest) {
        return rest.to_vec();
    }
    let slash: &[u8] = if base.is_empty() || base.ends_with(b"/") { b"" } else { b"/" };
    [base, slash, rest].concat()
}

/// Returns the separator that `path` uses first, or else the host's: coverage.py's `files.sep`.
pub(super) fn sep(path: &[u8]) -> u8 {
    path.iter().copied().find(|&b| is_slash(b)).unwrap_or(SEP)
}

/// Returns `path` without the slashes at its end, of either kind.
pub(super) fn trim_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| !is_slash(b)).map_or(0, |last| last + 1);
    &path[..end]
}

/// Converts a path for the operating system. On systems other than Unix a path must be UTF-8; a
/// byte that is not UTF-8 becomes U+FFFD, and the path then names no file.
pub(crate) fn to_os(path: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(path))
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(String::from_utf8_lossy(path).into_owned())
    }
}

pub(crate) fn from_os(path: &std::path::Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    {
        path.to_string_lossy().into_owned().into_bytes()
    }
}
