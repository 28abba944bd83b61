//! Converts bytes to the characters that Python would see.
//!
//! Patterns are matched on text, because `?` matches one character, including `é`. A byte that is
//! not UTF-8 becomes one private-use character, as Python turns the byte into a lone surrogate. So
//! such a byte neither blocks a match nor merges with its neighbours.

use std::borrow::Cow;

/// The offset of the characters for bytes that are not UTF-8. The sum takes four bytes of UTF-8;
/// [`len_in_bytes`] relies on that.
const NON_UTF8_BASE: u32 = 0x10_F000;
const ODD_LEN: usize = 4;

/// Returns `bytes` as text, with one character for each byte that is not part of a UTF-8 character.
pub(super) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(
            chunk.invalid().iter().filter_map(|&b| char::from_u32(NON_UTF8_BASE + u32::from(b))),
        );
    }
    Cow::Owned(text)
}

/// Returns how many of `bytes` became the first `text_len` bytes of `to_text(bytes)`.
pub(super) fn len_in_bytes(bytes: &[u8], text_len: usize) -> usize {
    let (mut left, mut len) = (text_len, 0);
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().len().min(left);
        left -= valid;
        let odd = chunk.invalid().len().min(left / ODD_LEN);
        left -= odd * ODD_LEN;
        len += valid + odd;
    }
    len
}
