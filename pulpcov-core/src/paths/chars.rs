//! Bytes as the characters that Python would see.
//!
//! `?` stands for one character, `é` included, so patterns are matched on text. A byte
//! that is no UTF-8 becomes one private-use character, as Python makes a lone surrogate
//! of it: odd bytes neither block a match nor merge with their neighbours.

use std::borrow::Cow;

/// What an odd byte is added to. The sum takes four bytes of UTF-8, as [`len_in_bytes`] relies on.
const ODD: u32 = 0x10_F000;
const ODD_LEN: usize = 4;

/// `bytes` as text, one character for each byte that is part of none.
pub(super) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|&b| char::from_u32(ODD + u32::from(b))));
    }
    Cow::Owned(text)
}

/// How many of `bytes` the first `text_len` bytes of `to_text(bytes)` stand for.
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
