//! Parses escapes and character classes, and translates them for `fancy-regex`.

use super::case::Fold;
use super::cursor::{Cursor, PatternError, Token};
use super::modes::Modes;
use crate::text::py_repr;
use crate::unicode_names;

/// The meaning of an escape, inside or outside a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// A code point. It can be a surrogate, which Python allows but Rust text never contains.
    Literal(u32),
    /// The letter of a category: one of `dDsSwW`.
    Category(char),
    /// The letter of an anchor: one of `AbBZ`.
    Anchor(char),
    /// The number of a group.
    Group(usize),
}

/// Returns the meaning of `\c` outside a class. `c` was already read.
///
/// The function does not check whether a group exists.
pub(super) fn read_escape(cursor: &mut Cursor, c: char) -> Result<Escape, PatternError> {
    match c {
        'A' | 'b' | 'B' | 'Z' => Ok(Escape::Anchor(c)),
        '0' => {
            let digits = cursor.take_while(2, is_octal)?;
            Ok(Escape::Literal(number(&format!("0{digits}"), 8)))
        }
        '1'..='9' => read_group_or_octal(cursor, c),
        _ => read_common(cursor, c),
    }
}

/// Returns the meaning of `\c` inside a class. `c` was already read.
pub(super) fn read_class_escape(cursor: &mut Cursor, c: char) -> Result<Escape, PatternError> {
    match c {
        'b' => Ok(Escape::Literal(8)),
        '0'..='7' => {
            let start = cursor.at() - 2;
            let digits = format!("{c}{}", cursor.take_while(2, is_octal)?);
            octal(cursor, &digits, start)
        }
        _ => read_common(cursor, c),
    }
}

/// Reads the number of a group in one or two digits, or a character in three octal digits.
fn read_group_or_octal(cursor: &mut Cursor, first: char) -> Result<Escape, PatternError> {
    let start = cursor.at() - 2;
    let mut digits = first.to_string();
    digits += &cursor.take_while(1, |c| c.is_ascii_digit())?;
    if digits.len() == 2 && digits.chars().all(is_octal) {
        let third = cursor.take_while(1, is_octal)?;
        if !third.is_empty() {
            return octal(cursor, &(digits + &third), start);
        }
    }
    Ok(Escape::Group(number(&digits, 10) as usize))
}

fn octal(cursor: &Cursor, digits: &str, start: usize) -> Result<Escape, PatternError> {
    match number(digits, 8) {
        value @ 0..=0o377 => Ok(Escape::Literal(value)),
        _ => {
            let message = format!("octal escape value \\{digits} outside of range 0-0o377");
            Err(cursor.error(&message, start))
        }
    }
}

/// Returns the meaning of an escape that is the same inside and outside a class.
fn read_common(cursor: &mut Cursor, c: char) -> Result<Escape, PatternError> {
    let start = cursor.at() - 2;
    let bad = |cursor: &Cursor, escape: &str| cursor.error(&format!("bad escape {escape}"), start);
    match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(Escape::Category(c)),
        'a' => Ok(Escape::Literal(7)),
        'f' => Ok(Escape::Literal(12)),
        'n' => Ok(Escape::Literal(10)),
        'r' => Ok(Escape::Literal(13)),
        't' => Ok(Escape::Literal(9)),
        'v' => Ok(Escape::Literal(11)),
        'x' | 'u' | 'U' => {
            let wanted = match c {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let digits = cursor.take_while(wanted, |c| c.is_ascii_hexdigit())?;
            let escape = format!("\\{c}{digits}");
            if digits.len() < wanted {
                return Err(cursor.error(&format!("incomplete escape {escape}"), start));
            }
            match number(&digits, 16) {
                code @ 0..=0x10_ffff => Ok(Escape::Literal(code)),
                _ => Err(bad(cursor, &escape)),
            }
        }
        'N' => {
            if !cursor.skip('{')? {
                return Err(cursor.error("missing {", cursor.at()));
            }
            let name = cursor.take_name('}', "character name")?;
            let undefined = || format!("undefined character name {}", py_repr(&name));
            let found = unicode_names::find(&name).map(|c| Escape::Literal(c.into()));
            found.ok_or_else(|| cursor.error(&undefined(), start))
        }
        c if c.is_ascii_alphanumeric() => Err(bad(cursor, &format!("\\{c}"))),
        c => Ok(Escape::Literal(c.into())),
    }
}

fn is_octal(c: char) -> bool {
    c.is_digit(8)
}

/// Parses digits. The caller limits their number, so the value fits.
fn number(digits: &str, radix: u32) -> u32 {
    u32::from_str_radix(digits, radix).unwrap_or(u32::MAX)
}

/// Reads a class, whose `[` was already read, and writes it to `out`.
pub(super) fn class(
    cursor: &mut Cursor,
    modes: Modes,
    out: &mut String,
) -> Result<(), PatternError> {
    let start = cursor.at() - 1;
    let negated = cursor.skip('^')?;
    let mut members = String::new();
    let mut first = true;
    loop {
        let token = next_in_class(cursor, start)?;
        if token == Token::Char(']') && !first {
            break;
        }
        first = false;
        let low = member(cursor, token)?;
        if !cursor.skip('-')? {
            push_member(&mut members, low, modes);
            continue;
        }
        let end = next_in_class(cursor, start)?;
        if end == Token::Char(']') {
            push_member(&mut members, low, modes);
            push_literal(&mut members, '-'.into());
            break;
        }
        match (low, member(cursor, end)?) {
            (Escape::Literal(low), Escape::Literal(high)) if low <= high => {
                push_range(&mut members, low, high, modes.fold());
            }
            _ => {
                let message = format!("bad character range {token}-{end}");
                return Err(cursor.error(&message, cursor.at() - token.len() - 1 - end.len()));
            }
        }
    }
    // Surrogates are left out, so `members` can be empty. Then, `[]` would not be a class.
    out.push_str(&match (members.is_empty(), negated) {
        (false, false) => format!("[{members}]"),
        (false, true) => format!("[^{members}]"),
        (true, false) => NOTHING.to_owned(),
        (true, true) => r"[\s\S]".to_owned(),
    });
    Ok(())
}

/// A pattern that matches no character.
const NOTHING: &str = r"[^\s\S]";

fn next_in_class(cursor: &mut Cursor, start: usize) -> Result<Token, PatternError> {
    cursor.next()?.ok_or_else(|| cursor.error("unterminated character set", start))
}

fn member(cursor: &mut Cursor, token: Token) -> Result<Escape, PatternError> {
    match token {
        Token::Char(c) => Ok(Escape::Literal(c.into())),
        Token::Escape(c) => read_class_escape(cursor, c),
    }
}

fn push_member(members: &mut String, member: Escape, modes: Modes) {
    match member {
        Escape::Literal(code) => push_range(members, code, code, modes.fold()),
        Escape::Category(c) => members.push_str(category(c, modes.ascii)),
        Escape::Anchor(_) | Escape::Group(_) => {}
    }
}

/// Adds the characters of a range, without surrogates, and the characters that are like one of them
/// when case is ignored.
fn push_range(members: &mut String, low: u32, high: u32, fold: Fold) {
    for c in fold.other_cases_of(low..=high) {
        push_literal(members, c.into());
    }
    let low = if is_surrogate(low) { 0xe000 } else { low };
    let high = if is_surrogate(high) { 0xd7ff } else { high };
    if low <= high {
        push_literal(members, low);
    }
    if low < high {
        members.push('-');
        push_literal(members, high);
    }
}

fn is_surrogate(code: u32) -> bool {
    (0xd800..0xe000).contains(&code)
}

/// Returns a pattern for one character, for use outside a class.
pub(super) fn literal(code: u32, fold: Fold) -> String {
    let others = fold.other_cases_of(code..=code);
    let mut out = String::new();
    push_literal(&mut out, code);
    for &c in &others {
        push_literal(&mut out, c.into());
    }
    match (out.is_empty(), others.is_empty()) {
        (true, _) => NOTHING.to_owned(),
        (false, true) => out,
        (false, false) => format!("[{out}]"),
    }
}

/// Writes a character so that it stands for itself inside and outside a class. Writes nothing for a
/// surrogate.
fn push_literal(out: &mut String, code: u32) {
    let Some(c) = char::from_u32(code) else { return };
    if r"\.+*?()|[]{}^$#&-~".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// Returns a category as a class. Python's white space and word characters are not those that
/// Unicode recommends and the `regex` crate uses.
pub(super) fn category(c: char, ascii: bool) -> &'static str {
    match (c, ascii) {
        ('d', false) => r"\d",
        ('D', false) => r"\D",
        ('s', false) => r"[\s\x1c-\x1f]",
        ('S', false) => r"[^\s\x1c-\x1f]",
        ('w', false) => r"[\p{L}\p{N}_]",
        ('W', false) => r"[^\p{L}\p{N}_]",
        ('d', true) => r"[0-9]",
        ('D', true) => r"[^0-9]",
        ('s', true) => r"[\x09-\x0d\x20]",
        ('S', true) => r"[^\x09-\x0d\x20]",
        ('w', true) => r"[0-9A-Za-z_]",
        (_, _) => r"[^0-9A-Za-z_]",
    }
}
