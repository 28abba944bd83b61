//! Characters by name, as in Python's `\N{...}`.

/// The prefixes of names that Unicode computes from a number or from syllables. Python accepts these names in
/// capitals only.
const COMPUTED: [&str; 2] = ["CJK UNIFIED IDEOGRAPH-", "HANGUL SYLLABLE "];

/// Returns the character with this name or alias. The case of the name matters only for computed names.
///
/// The table is the one that ruff's parser uses for Python strings, so it adds nothing to the size of the
/// program.
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
