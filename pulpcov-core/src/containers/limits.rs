//! What one archive may cost.

/// The bounds of what is read of one archive, with everything in it.
///
/// # Examples
///
/// ```
/// use pulpcov_core::ErrorKind;
/// use pulpcov_core::containers::{Limits, Search};
///
/// let mut limits = Limits::default();
/// limits.file_bytes = 20;
/// let file = b"!coverage.py: This is a private format, don't read it directly!{}";
/// let search = Search::new(".coverage").limits(limits);
/// let err = search.stream(&file[..], "pipe", |_| ()).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::TooLarge);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of one data file, and of one archive that has to be held in memory. The default is 1 GiB.
    pub file_bytes: u64,
    /// The most bytes that are unpacked of all files together, whether they are data files or not. The default is 64 GiB.
    pub total_bytes: u64,
    /// The most files. The default is a million.
    pub files: u64,
    /// How many archives and compressed files may be in each other. A `tar.gz` counts as two. The default is 6.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1 << 30, total_bytes: 64 << 30, files: 1_000_000, depth: 6 }
    }
}
