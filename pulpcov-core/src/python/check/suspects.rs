//! Finds where in a file an expression may be wrong.

use memchr::memmem;
use ruff_text_size::{TextRange, TextSize};

use crate::python::syntax::Syntax;

/// The offsets of certain tokens. Each expression that CPython refuses has at least one of them.
///
/// Most expressions have none, and are not checked. If a new check looks for another token, that
/// token has to be added to [`TokenSummary::suspects`].
///
/// [`TokenSummary::suspects`]: crate::python::token_summary::TokenSummary::suspects
pub(super) struct Suspects<'a> {
    /// Sorted. `None` if all expressions have to be checked.
    places: Option<&'a [TextSize]>,
}

impl<'a> Suspects<'a> {
    pub(super) fn new(syntax: &'a Syntax<'_>) -> Self {
        let text = syntax.text().as_bytes();
        // Python normalizes names, so `__debug__` can also be written with characters outside
        // ASCII.
        let may_assign_to_debug = !text.is_ascii() || memmem::find(text, b"__debug__").is_some();
        Self { places: (!may_assign_to_debug).then(|| syntax.token_summary().suspects()) }
    }

    /// Returns suspects with which every expression is checked.
    #[cfg(test)]
    pub(super) fn all() -> Self {
        Self { places: None }
    }

    /// Returns whether there is any suspect in a range of the text.
    pub(super) fn any_in(&self, range: TextRange) -> bool {
        let Some(places) = self.places else { return true };
        let first = places.partition_point(|place| *place < range.start());
        places.get(first).is_some_and(|place| *place < range.end())
    }
}
