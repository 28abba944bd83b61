//! The text encodings that Python knows, and what bytes are in each of them.
//!
//! Three files record CPython's codecs. `aliases.txt` lists names. `charmaps.txt` has the codecs that use one byte for each
//! character. `multibyte.txt` has the characters that take two bytes. The codecs decode as Python does with
//! `errors="replace"`: bytes that have no meaning become U+FFFD. No crate decodes as Python does. encoding_rs follows
//! browsers, which give many bytes another meaning, and lacks many of Python's encodings.
//!
//! | module | codecs |
//! |---|---|
//! | `charmap` | one byte for each character |
//! | `multibyte` | one or more bytes for each character, whatever came before: EUC, Shift JIS, Big5, GBK, Johab |
//! | `stateful` | escape sequences select the meaning of the bytes that follow: ISO 2022, HZ |
//! | `sets` | the sets of two-byte characters that `multibyte` and `stateful` use |
//! | `unicode` | UTF-7, UTF-16, UTF-32 |
//! | `escapes` | Latin-1 with the escapes of Python's strings |
//! | `punycode` | Punycode |

mod charmap;
pub(super) mod escapes;
mod multibyte;
mod punycode;
mod sets;
mod stateful;
mod unicode;

use std::borrow::Cow;
use std::iter;

/// How to turn bytes into text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Codec {
    Utf8,
    /// The table of a codec in `charmaps.txt`.
    Charmap(&'static str),
    /// The module of Python's `encodings`.
    Module(&'static str),
}

/// Why there is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CodecError {
    /// Python fails as well: `hex`, `idna`, `undefined`.
    #[error("not a text encoding")]
    NotText,
    /// Python's text has half a surrogate pair, with which it cannot be parsed.
    #[error("surrogates not allowed")]
    Surrogate,
    /// Python would decode this.
    #[error("more insertions than are supported")]
    TooManyInsertions,
}

impl Codec {
    pub(super) const UTF8: Self = Self::Utf8;

    /// `encodings.search_function`: with `_` for its dots, a name is looked for among the aliases alone.
    pub(super) fn find(name: &str) -> Option<Self> {
        let name = normalize_name(name);
        let find = |name: &str, among: Among| {
            charmap::find(name, among).map(Self::Charmap).or_else(|| find_module(name, among))
        };
        let undotted = || name.contains('.').then(|| name.replace('.', "_"));
        find(&name, Among::All).or_else(|| find(&undotted()?, Among::Aliases))
    }

    /// Python's `bytes.decode(encoding, "replace")`, without a byte order mark.
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

/// Which of a codec's names.
#[derive(Debug, Clone, Copy)]
enum Among {
    /// That of its module, which stands first, and the aliases.
    All,
    Aliases,
}

/// The lines of a recorded file.
fn entries(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn has_name(names: &str, name: &str, among: Among) -> bool {
    let mut names = names.split(' ');
    let module = names.next();
    matches!(among, Among::All) && module == Some(name) || names.any(|alias| alias == name)
}

fn find_module(name: &str, among: Among) -> Option<Codec> {
    let names = entries(include_str!("aliases.txt")).find(|names| has_name(names, name, among))?;
    let module = names.split(' ').next()?;
    Some(if module.starts_with("utf_8") { Codec::Utf8 } else { Codec::Module(module) })
}

/// `encodings.normalize_encoding`: runs of other than letters, digits and dots are one `_`.
fn normalize_name(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|part| !part.is_empty())
        .flat_map(|part| iter::once("_").chain(iter::once(part)))
        .skip(1)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Python's and Rust's replacement of bad UTF-8 are the same: one U+FFFD for each maximal part.
fn utf8(bytes: Cow<'_, [u8]>) -> String {
    String::from_utf8(bytes.into_owned())
        .unwrap_or_else(|err| String::from_utf8_lossy(err.as_bytes()).into_owned())
}

/// Whether a value is half of a surrogate pair, which no text of ours can have.
fn is_surrogate(code: u32) -> bool {
    (0xd800..0xe000).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_has_a_decoder() {
        let modules =
            entries(include_str!("aliases.txt")).filter_map(|line| line.split(' ').next());
        let decoded = |name| find_module(name, Among::All).map(|codec| codec.decode(b"x".into()));
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
