//! Characters by name, as Python's `\N{...}` has them.

/// What names start with that are made of a number or of sounds. Python wants these in capitals.
const COMPUTED: [&str; 2] = ["CJK UNIFIED IDEOGRAPH-", "HANGUL SYLLABLE "];

/// The character of a name or of an alias, in any case.
///
/// The table is the one that ruff's parser has for Python's strings, so that it takes no more room.
pub(crate) fn find(name: &str) -> Option<char> {
    let is_lower = |c: char| c.is_ascii_lowercase();
    let starts_with = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if name.contains(is_lower) && COMPUTED.iter().any(starts_with) {
        return None;
    }
    unicode_names2::character(name)
}
