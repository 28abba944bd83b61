//! Decodes bytes in every text encoding that Python knows.
//!
//! No crate decodes as Python does. encoding_rs follows browsers, which give many bytes another
//! meaning, and lacks many of Python's encodings. So three files record CPython's codecs:
//!
//! - `charmaps.txt` has the codecs with one byte for each character.
//! - `aliases.txt` has the names of all other codecs.
//! - `multibyte.txt` has the characters of two bytes.
//!
//! The codecs decode as Python does with `errors="replace"`: bytes without a meaning become U+FFFD.
//!
//! | module | codecs |
//! |---|---|
//! | `charmap` | one byte for each character |
//! | `escapes` | Latin-1 with the escapes of Python's strings |
//! | `multibyte` | one or more bytes for each character: EUC, Shift JIS, Big5, GBK, Johab |
//! | `punycode` | Punycode |
//! | `sets` | the sets of two-byte characters that `multibyte` and `stateful` use |
//! | `stateful` | escape sequences select the meaning of the bytes that follow: ISO 2022, HZ |
//! | `unicode` | UTF-7, UTF-16, UTF-32 |

mod charmap;
pub(super) mod escapes;
mod multibyte;
mod punycode;
mod sets;
mod stateful;
mod unicode;

use std::borrow::Cow;
use std::iter;

/// A way to decode bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Codec {
    Utf8,
    /// A codec of `charmaps.txt`, by its table.
    Charmap(&'static str),
    /// A codec of `aliases.txt`, by its module in Python's `encodings`.
    Module(&'static str),
}

/// The reason why bytes cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodecError {
    /// Python cannot decode the bytes either. Examples are the codecs `hex`, `idna` and
    /// `undefined`.
    #[error("not a text encoding")]
    NotText,
    /// Python decodes the bytes to half a surrogate pair, and cannot parse the text.
    #[error("surrogates not allowed")]
    Surrogate,
    /// Python decodes the bytes. Here, that could take too long.
    #[error("more insertions than are supported")]
    TooManyInsertions,
}

impl Codec {
    pub(super) const UTF8: Self = Self::Utf8;

    /// Finds a codec by its name, as Python's `encodings.search_function` does. A name with dots is
    /// looked up as it is, and then with `_` for the dots, but only among the aliases.
    pub(super) fn find(name: &str) -> Option<Self> {
        let name = normalize_name(name);
        let find = |name: &str, among: Names| {
            charmap::find(name, among).map(Self::Charmap).or_else(|| find_module(name, among))
        };
        let undotted = || name.contains('.').then(|| name.replace('.', "_"));
        find(&name, Names::All).or_else(|| find(&undotted()?, Names::Aliases))
    }

    /// Decodes bytes as Python's `bytes.decode(encoding, "replace")` does. The bytes must not start
    /// with a byte order mark.
    pub(super) fn decode(self, bytes: Cow<'_, [u8]>) -> Result<String, CodecError> {
        Ok(match self {
            Self::Utf8 => utf8(bytes),
            Self::Charmap(table) => charmap::decode(table, &bytes),
            Self::Module(module) => match module {
                "utf_16" | "utf_16_le" => unicode::utf16(&bytes, u16::from_le_bytes),
                "utf_16_be" => unicode::utf16(&bytes, u16::from_be_bytes),
                "utf_32" | "utf_32_le" => unicode::utf32(&bytes, u32::from_le_bytes),
                "utf_32_be" => unicode::utf32(&bytes, u32::from_be_bytes),
                "utf_7" => unicode::utf7(&bytes)?,
                "unicode_escape" => escapes::unicode_escape(&bytes)?,
                "raw_unicode_escape" => escapes::raw_unicode_escape(&bytes)?,
                "punycode" => punycode::decode(&bytes)?,
                "charmap" => bytes.iter().copied().map(char::from).collect(),
                _ => multibyte::decode(module, &bytes)
                    .or_else(|| stateful::decode(module, &bytes))
                    .ok_or(CodecError::NotText)?,
            },
        })
    }
}

/// The names of a codec that a search covers.
#[derive(Debug, Clone, Copy)]
enum Names {
    /// The name of the codec's module, which comes first, and the aliases.
    All,
    Aliases,
}

/// Returns the lines of a recorded file, without its comments.
fn lines_without_comments(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn has_name(names: &str, name: &str, among: Names) -> bool {
    let mut names = names.split(' ');
    let module = names.next();
    matches!(among, Names::All) && module == Some(name) || names.any(|alias| alias == name)
}

fn find_module(name: &str, among: Names) -> Option<Codec> {
    let names = lines_without_comments(include_str!("aliases.txt"))
        .find(|names| has_name(names, name, among))?;
    let module = names.split(' ').next()?;
    Some(if module.starts_with("utf_8") { Codec::Utf8 } else { Codec::Module(module) })
}

/// Normalizes a name as Python's `encodings.normalize_encoding` does, and makes it lower case. Each
/// run of characters other than ASCII letters, digits and dots becomes one `_`.
fn normalize_name(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|part| !part.is_empty())
        .flat_map(|part| iter::once("_").chain(iter::once(part)))
        .skip(1)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Decodes UTF-8. Like Python, Rust replaces each maximal part of bad UTF-8 by one U+FFFD.
fn utf8(bytes: Cow<'_, [u8]>) -> String {
    String::from_utf8(bytes.into_owned())
        .unwrap_or_else(|err| String::from_utf8_lossy(err.as_bytes()).into_owned())
}

/// Returns whether `code` is half of a surrogate pair, which a Rust string cannot contain.
fn is_surrogate(code: u32) -> bool {
    (0xd800..0xe000).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_has_a_decoder() {
        let modules = lines_without_comments(include_str!("aliases.txt"))
            .filter_map(|line| line.split(' ').next());
        let decoded = |name| find_module(name, Names::All).map(|codec| codec.decode(b"x".into()));
        let not_text: Vec<&str> =
            modules.filter(|name| decoded(name) == Some(Err(CodecError::NotText))).collect();
        assert_eq!(
            not_text,
            [
                "base64_codec",
                "bz2_codec",
                "hex_codec",
                "idna",
                "quopri_codec",
                "rot_13",
                "undefined",
                "uu_codec",
                "zlib_codec"
            ]
        );
    }
}
