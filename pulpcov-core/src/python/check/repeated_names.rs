//! Finds names that repeat an earlier name: of arguments, parameters, type parameters, and
//! attributes in class patterns.

use std::collections::{HashMap, HashSet};

use crate::python::PythonVersion;

/// Up to this number, names are compared with each other, without a hash table.
const FEW_NAMES: usize = 16;

/// Returns the first name that repeats an earlier one, and the position where it does.
pub(super) fn first_repeated<'n, I: Iterator<Item = &'n str>>(
    names: impl Fn() -> I,
) -> Option<(&'n str, usize)> {
    if names().count() > FEW_NAMES {
        let mut seen = HashSet::new();
        let repeated = names().enumerate().find(|(_, name)| !seen.insert(*name));
        return repeated.map(|(place, name)| (name, place));
    }
    let is_repeated = |&(at, name): &(usize, &str)| names().take(at).any(|other| other == name);
    names().enumerate().find(is_repeated).map(|(place, name)| (name, place))
}

/// What is wrong with the name of a keyword argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongKeyword<'n> {
    /// The name is `__debug__`.
    Debug,
    /// The name repeats an earlier one.
    Repeated(&'n str),
}

/// Returns the position of the keyword that CPython refuses first, and what is wrong with it.
///
/// This follows `validate_keywords` and `validate_kwd_attrs`. They check each name in order: is it
/// `__debug__`, and does a later name repeat it? From 3.14 on, `__debug__` comes before repeated
/// names.
pub(super) fn wrong_keyword<'n, I: Iterator<Item = &'n str>>(
    names: impl Fn() -> I,
    version: PythonVersion,
) -> Option<(usize, WrongKeyword<'n>)> {
    let debug = names().position(|name| name == "__debug__");
    match (debug, earliest_with_repetition(&names)) {
        (Some(place), Some((first, ..))) if place <= first || version >= PythonVersion::Py314 => {
            Some((place, WrongKeyword::Debug))
        }
        (_, Some((_, place, name))) => Some((place, WrongKeyword::Repeated(name))),
        (Some(place), None) => Some((place, WrongKeyword::Debug)),
        (None, None) => None,
    }
}

/// Returns the position of the first name that is repeated later, the position of its first
/// repetition, and the name.
fn earliest_with_repetition<'n, I: Iterator<Item = &'n str>>(
    names: impl Fn() -> I,
) -> Option<(usize, usize, &'n str)> {
    first_repeated(&names)?;
    let mut first = HashMap::new();
    let mut found: Option<(usize, usize, &str)> = None;
    for (place, name) in names().enumerate() {
        let before = *first.entry(name).or_insert(place);
        if before < place && found.is_none_or(|(earlier, ..)| before < earlier) {
            found = Some((before, place, name));
        }
    }
    found
}
