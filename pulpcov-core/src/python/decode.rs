//! Source bytes to text, as coverage.py does it (`python.get_python_source`).
//!
//! coverage.py makes every line ending a `\n` and every form feed a space *before* it looks for
//! the encoding, and gives the text a last newline. The encoding is what Python's
//! `tokenize.detect_encoding` finds: a byte order mark, else a PEP 263 cookie in the first two
//! lines, else UTF-8. Bytes that the codec does not know become U+FFFD.

use std::borrow::Cow;
use std::iter;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, SHIFT_JIS};
use memchr::{memchr, memchr2};

use super::syntax::NotPython;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The text of a Python source file, ending in a newline unless it is empty.
pub(crate) fn decode(bytes: Cow<'_, [u8]>) -> Result<String, NotPython> {
    let bytes = normalize_newlines(bytes);
    let encoding = detect_encoding(&bytes)?;
    let mut text = encoding.decode(bytes);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// `\r\n` and `\r` become `\n`, `\f` a space.
fn normalize_newlines(bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let Some(first) = memchr2(b'\r', b'\x0c', &bytes) else { return bytes };
    let (clean, mut rest) = bytes.split_at(first);
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(clean);
    while let Some((&special, tail)) = rest.split_first() {
        rest = if special == b'\x0c' {
            out.push(b' ');
            tail
        } else {
            out.push(b'\n');
            tail.strip_prefix(b"\n").unwrap_or(tail)
        };
        let (clean, next) = rest.split_at(memchr2(b'\r', b'\x0c', rest).unwrap_or(rest.len()));
        out.extend_from_slice(clean);
        rest = next;
    }
    Cow::Owned(out)
}

/// How to turn bytes into text.
#[derive(Debug, Clone, Copy)]
enum Codec {
    Utf8,
    /// One byte a character: the recorded table of `charmaps.txt`.
    Charmap(&'static str),
    /// Several bytes a character.
    Multibyte(&'static Encoding),
    /// UTF-16 or UTF-32: bytes a unit, and whether the first byte is the highest.
    Wide {
        bytes: usize,
        big_endian: bool,
    },
    /// A codec that leaves ASCII as it is and that nobody writes source in: the rest is U+FFFD.
    AsciiOnly,
}

impl Codec {
    fn decode(self, bytes: Cow<'_, [u8]>) -> String {
        match self {
            Self::Utf8 => decode_utf8(bytes),
            Self::Charmap(table) => {
                let table: Vec<char> = charmap_chars(table).collect();
                let char_of = |b: &u8| table.get(usize::from(*b)).copied();
                bytes.iter().map(|b| char_of(b).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            Self::Multibyte(encoding) => {
                encoding.decode_without_bom_handling(&bytes).0.into_owned()
            }
            Self::Wide { bytes: size, big_endian } => decode_wide(&bytes, size, big_endian),
            Self::AsciiOnly => {
                let char_of = |&b: &u8| if b.is_ascii() { char::from(b) } else { '\u{fffd}' };
                bytes.iter().map(char_of).collect()
            }
        }
    }
}

/// Python's and Rust's replacement of bad UTF-8 are the same: one U+FFFD for each maximal part.
fn decode_utf8(bytes: Cow<'_, [u8]>) -> String {
    let bytes = match bytes {
        Cow::Borrowed(bytes) => bytes.strip_prefix(BOM).unwrap_or(bytes).to_vec(),
        Cow::Owned(bytes) if bytes.starts_with(BOM) => {
            bytes.iter().skip(BOM.len()).copied().collect()
        }
        Cow::Owned(bytes) => bytes,
    };
    String::from_utf8(bytes)
        .unwrap_or_else(|err| String::from_utf8_lossy(err.as_bytes()).into_owned())
}

fn decode_wide(bytes: &[u8], size: usize, big_endian: bool) -> String {
    let units = bytes.chunks(size).map(|unit| {
        let shift_in = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        if big_endian { unit.iter().fold(0, shift_in) } else { unit.iter().rev().fold(0, shift_in) }
    });
    if size == 4 {
        return units.map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}')).collect();
    }
    let units = units.map(|unit| u16::try_from(unit).unwrap_or_default());
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
}

/// `tokenize.detect_encoding` of CPython's library.
fn detect_encoding(bytes: &[u8]) -> Result<Codec, NotPython> {
    let (has_bom, bytes) = match bytes.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let (first, rest) = split_line(bytes);
    if let Some(codec) = cookie_codec(first, has_bom)? {
        return Ok(codec);
    }
    if !is_blank_or_comment(first) {
        return Ok(Codec::Utf8);
    }
    let (second, _) = split_line(rest);
    Ok(cookie_codec(second, has_bom)?.unwrap_or(Codec::Utf8))
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr(b'\n', bytes).map_or(bytes.len(), |newline| newline + 1))
}

/// The regular expression `^[ \t\f]*(?:[#\r\n]|$)`.
fn is_blank_or_comment(line: &[u8]) -> bool {
    matches!(trim_blanks(line).first(), None | Some(b'#' | b'\r' | b'\n'))
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\x0c'));
    start.and_then(|start| line.get(start..)).unwrap_or_default()
}

/// The codec that a line's cookie asks for.
fn cookie_codec(line: &[u8], has_bom: bool) -> Result<Option<Codec>, NotPython> {
    let line = str::from_utf8(line)
        .map_err(|_| NotPython::new("invalid or missing encoding declaration", None))?;
    let Some(cookie) = find_cookie(line) else { return Ok(None) };
    let name = normal_name(cookie);
    let codec = find_codec(name)
        .ok_or_else(|| NotPython::new(format!("unknown encoding: {name}"), None))?;
    if has_bom && name != "utf-8" {
        return Err(NotPython::new("encoding problem: utf-8", None));
    }
    Ok(Some(codec))
}

/// The regular expression `^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)` of PEP 263.
fn find_cookie(line: &str) -> Option<&str> {
    let comment = line.trim_start_matches([' ', '\t', '\x0c']).strip_prefix('#')?;
    comment.match_indices("coding").find_map(|(at, word)| {
        let value = comment.get(at + word.len()..)?.strip_prefix([':', '='])?;
        let value = value.trim_start_matches([' ', '\t']);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = value.find(|c| !is_name(c)).unwrap_or(value.len());
        value.get(..end).filter(|name| !name.is_empty())
    })
}

/// `tokenize._get_normal_name`: the spellings of UTF-8 and Latin-1 that a suffix may follow.
fn normal_name(name: &str) -> &str {
    let start = name.get(..12).unwrap_or(name).to_ascii_lowercase().replace('_', "-");
    let is = |base: &str| {
        start.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if is("utf-8") {
        "utf-8"
    } else if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") {
        "iso-8859-1"
    } else {
        name
    }
}

/// `codecs.lookup`: the alias table first, then the codec's own name.
fn find_codec(name: &str) -> Option<Codec> {
    let name = normalize_codec_name(name);
    find_wide_codec(&name)
        .or_else(|| find_charmap(&name))
        .or_else(|| name.contains('.').then(|| find_charmap(&name.replace('.', "_"))).flatten())
}

/// `encodings.normalize_encoding`: runs of other than letters, digits and dots are one `_`.
fn normalize_codec_name(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|part| !part.is_empty())
        .flat_map(|part| iter::once("_").chain(iter::once(part)))
        .skip(1)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// The codecs that are no tables, under the names of CPython's `encodings/aliases.py`.
fn find_wide_codec(name: &str) -> Option<Codec> {
    Some(match name {
        "utf_8" | "utf_8_sig" | "u8" | "utf" | "utf8" | "utf8_ucs2" | "utf8_ucs4" | "cp65001" => {
            Codec::Utf8
        }
        "big5" | "big5_tw" | "csbig5" | "x_mac_trad_chinese" | "big5hkscs" | "big5_hkscs"
        | "hkscs" | "cp950" | "950" | "ms950" => Codec::Multibyte(BIG5),
        "gb2312" | "chinese" | "csiso58gb231280" | "euc_cn" | "euccn" | "eucgb2312_cn"
        | "gb2312_1980" | "gb2312_80" | "iso_ir_58" | "x_mac_simp_chinese" | "gbk" | "936"
        | "cp936" | "ms936" => Codec::Multibyte(GBK),
        "gb18030" | "gb18030_2000" => Codec::Multibyte(GB18030),
        "euc_jp" | "eucjp" | "ujis" | "u_jis" | "euc_jis_2004" | "jisx0213" | "eucjis2004"
        | "euc_jis2004" | "euc_jisx0213" | "eucjisx0213" => Codec::Multibyte(EUC_JP),
        "shift_jis" | "csshiftjis" | "shiftjis" | "sjis" | "s_jis" | "x_mac_japanese"
        | "shift_jis_2004" | "shiftjis2004" | "sjis_2004" | "s_jis_2004" | "shift_jisx0213"
        | "shiftjisx0213" | "sjisx0213" | "s_jisx0213" | "cp932" | "932" | "ms932" | "mskanji"
        | "ms_kanji" => Codec::Multibyte(SHIFT_JIS),
        "euc_kr" | "euckr" | "korean" | "ksc5601" | "ks_c_5601" | "ks_c_5601_1987" | "ksx1001"
        | "ks_x_1001" | "x_mac_korean" | "cp949" | "949" | "ms949" | "uhc" => {
            Codec::Multibyte(EUC_KR)
        }
        name if is_iso2022_jp(name) => Codec::Multibyte(ISO_2022_JP),
        "utf_16" | "u16" | "utf16" | "utf_16_le" | "utf_16le" | "unicodelittleunmarked" => {
            Codec::Wide { bytes: 2, big_endian: false }
        }
        "utf_16_be" | "utf_16be" | "unicodebigunmarked" => {
            Codec::Wide { bytes: 2, big_endian: true }
        }
        "utf_32" | "u32" | "utf32" | "utf_32_le" | "utf_32le" => {
            Codec::Wide { bytes: 4, big_endian: false }
        }
        "utf_32_be" | "utf_32be" => Codec::Wide { bytes: 4, big_endian: true },
        "utf_7" | "u7" | "utf7" | "unicode_1_1_utf_7" | "hz" | "hzgb" | "hz_gb" | "hz_gb_2312"
        | "iso2022_kr" | "csiso2022kr" | "iso2022kr" | "iso_2022_kr" | "johab" | "cp1361"
        | "ms1361" | "unicode_escape" | "raw_unicode_escape" => Codec::AsciiOnly,
        _ => return None,
    })
}

/// `iso2022_jp`, its five variants, and their aliases.
fn is_iso2022_jp(name: &str) -> bool {
    let rest = name.strip_prefix("cs").unwrap_or(name);
    let rest = rest
        .strip_prefix("iso_2022_jp")
        .or_else(|| rest.strip_prefix("iso2022_jp").or_else(|| rest.strip_prefix("iso2022jp")));
    matches!(rest, Some("" | "_1" | "_2" | "_2004" | "_3" | "_ext"))
}

fn find_charmap(name: &str) -> Option<Codec> {
    let lines = include_str!("charmaps.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).find_map(|(names, table)| {
        names.split(' ').any(|known| known == name).then_some(Codec::Charmap(table))
    })
}

/// The characters of a table's runs, byte 0 first.
fn charmap_chars(table: &str) -> impl Iterator<Item = char> {
    table.split(' ').flat_map(|run| {
        let number = |digits: &str| u32::from_str_radix(digits, 16).unwrap_or(1);
        let (missing, first, last) = match (run.strip_prefix('?'), run.split_once('-')) {
            (Some(count), _) => (number(count), 1, 0),
            (None, Some((first, last))) => (0, number(first), number(last)),
            (None, None) => (0, number(run), number(run)),
        };
        iter::repeat_n('\u{fffd}', missing as usize)
            .chain((first..=last).filter_map(char::from_u32))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode(bytes.into()).unwrap()
    }

    fn error(bytes: &[u8]) -> String {
        decode(bytes.into()).unwrap_err().to_string()
    }

    #[test]
    fn line_endings_and_form_feeds_are_normalized_and_the_last_line_is_ended() {
        assert_eq!(text(b"a\r\nb\rc\n\rd\x0c"), "a\nb\nc\n\nd \n");
        assert_eq!(text(b"\r\r\n\r"), "\n\n\n");
        assert_eq!(text(b""), "");
        assert_eq!(text(b"x"), "x\n");
    }

    #[test]
    fn bom_and_cookies_choose_the_codec() {
        assert_eq!(text(b"\xef\xbb\xbfa = '\xc3\xa9'\n"), "a = 'é'\n");
        assert_eq!(text(b"\xef\xbb\xbf# coding: utf-8-unix\n"), "# coding: utf-8-unix\n");
        assert_eq!(
            text(b"# -*- coding: latin-1 -*-\n'\xe9'\n"),
            "# -*- coding: latin-1 -*-\n'é'\n"
        );
        assert_eq!(
            text(b"#!x\n# vim: set fileencoding=cp1252 :\n'\x80'"),
            "#!x\n# vim: set fileencoding=cp1252 :\n'€'\n"
        );
        assert_eq!(text(b"#coding=koi8-r\n'\xc1'\n"), "#coding=koi8-r\n'а'\n");
        assert_eq!(text(b"#coding:euc-jp\n'\xa4\xa2'\n"), "#coding:euc-jp\n'あ'\n");
        assert_eq!(text(b"#coding:ascii\n'\xa4'\n"), "#coding:ascii\n'\u{fffd}'\n");
        assert_eq!(text(b"x = 1\n#coding: latin-1\n'\xc3\xa9'"), "x = 1\n#coding: latin-1\n'é'\n");
    }

    #[test]
    fn bad_declarations_are_errors() {
        assert_eq!(error(b"# coding: nope\n"), "unknown encoding: nope");
        assert_eq!(error(b"\xef\xbb\xbf# coding: latin-1\n"), "encoding problem: utf-8");
        assert_eq!(error(b"# \xff\n"), "invalid or missing encoding declaration");
        assert_eq!(text(b"x\n'\xff\xc3'\n"), "x\n'\u{fffd}\u{fffd}'\n");
    }

    #[test]
    fn every_table_has_256_characters() {
        let lines = include_str!("charmaps.txt").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (_, table) = line.split_once(" = ").unwrap();
            assert_eq!(charmap_chars(table).count(), 256, "{line}");
        }
    }
}
