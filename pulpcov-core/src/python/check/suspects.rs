//! Where in a file an expression may be wrong.

use memchr::memmem;
use ruff_text_size::{TextRange, TextSize};

use crate::python::syntax::Syntax;

/// The places of certain tokens: an expression that CPython refuses has one of them at least.
///
/// Most expressions have none: nobody needs to look at them. What a new check looks for belongs to
/// [`Outline::suspects`](crate::python::outline::Outline::suspects).
pub(super) struct Suspects<'a> {
    /// Sorted; nothing if all expressions are to be looked at.
    places: Option<&'a [TextSize]>,
}

impl<'a> Suspects<'a> {
    pub(super) fn new(syntax: &'a Syntax<'_>) -> Self {
        let text = syntax.text().as_bytes();
        // Python normalizes names: beyond ASCII there are many ways to write one.
        let may_assign_to_debug = !text.is_ascii() || memmem::find(text, b"__debug__").is_some();
        Self { places: (!may_assign_to_debug).then(|| syntax.outline().suspects()) }
    }

    /// All expressions are to be looked at.
    #[cfg(test)]
    pub(super) fn all() -> Self {
        Self { places: None }
    }

    /// Is there any in a range of the text?
    pub(super) fn any_in(&self, range: TextRange) -> bool {
        let Some(places) = self.places else { return true };
        let first = places.partition_point(|place| *place < range.start());
        places.get(first).is_some_and(|place| *place < range.end())
    }
}
