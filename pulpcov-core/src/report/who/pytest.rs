//! Who ran it, as arguments of pytest.

use std::io::Write;

use crate::Result;

/// Writes node ids, one a line, as `pytest @FILE` reads them (pytest 8.2).
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::who::write_pytest;
///
/// let mut out = Vec::new();
/// write_pytest(["test_shop.py::test_add", "test_shop.py::test_sub[a b]"], &mut out)?;
/// assert_eq!(out, b"test_shop.py::test_add\ntest_shop.py::test_sub[a b]\n");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write_pytest<'a>(ids: impl IntoIterator<Item = &'a str>, mut out: impl Write) -> Result<()> {
    // An id of a data file may be anything. One with a line end would become two arguments.
    for id in ids.into_iter().filter(|id| !id.contains(['\n', '\r'])) {
        // pytest would take it for an option, or for a file with more arguments.
        let start = if id.starts_with(['-', '@']) { "./" } else { "" };
        writeln!(out, "{start}{id}")?;
    }
    Ok(())
}
