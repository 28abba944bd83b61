//! CPython's tokenizer (`Parser/tokenizer.c`, from 3.12 on `Parser/lexer/`), as far as it finds errors.

use crate::python::PythonVersion;
use crate::python::syntax::{continues_identifier, starts_identifier};

/// `MAXLEVEL` in CPython's `tokenizer.h`.
const MOST_BRACKETS: usize = 200;

/// `MAXINDENT`, less the column 0.
const MOST_INDENTS: usize = 99;

/// `MAXFSTRINGLEVEL`.
const MOST_FSTRINGS: usize = 150;

/// `MAXEXPRNESTING`.
const MOST_FORMAT_SPECS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Name,
    Number,
    String,
    Operator,
    Newline,
    Indent,
    Dedent,
    End,
    FStringStart,
    FStringMiddle,
    FStringEnd,
    TStringStart,
    TStringMiddle,
    TStringEnd,
    /// Not a token: what is wrong is in [`Tokenizer::trouble`].
    Error,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: i32,
    pub(super) end_line: i32,
    /// How many brackets are open behind it.
    pub(super) level: usize,
    /// Of an f-string whose backslashes are characters.
    pub(super) is_raw: bool,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An error in the tokenizer's own words.
    Worded(String, i32),
    /// `E_DEDENT`, `E_TABSPACE`, `E_TOODEEP` and `E_LINECONT`: the caller has the words.
    Unworded(&'static str, i32),
    /// `E_EOF`: the text ends where it must not.
    End,
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    opening: u8,
    line: i32,
}

/// `tokenizer_mode`: an f-string that is not at its end.
#[derive(Debug)]
struct FString {
    letter: u8,
    quote: u8,
    quotes: usize,
    first_line: i32,
    is_raw: bool,
    /// In its text or a format specification, not in an expression.
    in_text: bool,
    in_format_spec: bool,
    brackets: usize,
    /// How many of the brackets are open where the innermost expression begins.
    expressions: Vec<usize>,
}

pub(super) struct Tokenizer<'t> {
    text: &'t [u8],
    version: PythonVersion,
    cur: usize,
    /// The end of the lines that were read.
    read: usize,
    line: i32,
    /// `tok->done` is `E_EOF`.
    pub(super) at_end: bool,
    pub(super) trouble: Option<Trouble>,
    at_line_start: bool,
    pending: isize,
    /// Columns with tabs of eight and of one.
    indents: Vec<(usize, usize)>,
    brackets: Vec<Bracket>,
    fstrings: Vec<FString>,
}

type Found = Result<(Kind, usize), ()>;

impl<'t> Tokenizer<'t> {
    /// The text ends in a newline; its first line is the one after `line`.
    pub(super) fn new(text: &'t str, version: PythonVersion, line: i32) -> Self {
        Self {
            text: text.as_bytes(),
            version,
            cur: 0,
            read: 0,
            line,
            at_end: false,
            trouble: None,
            at_line_start: true,
            pending: 0,
            indents: vec![(0, 0)],
            brackets: Vec::new(),
            fstrings: Vec::new(),
        }
    }

    /// The innermost bracket that is open, and its line.
    pub(super) fn open_bracket(&self) -> Option<(char, i32)> {
        self.brackets.last().map(|bracket| (char::from(bracket.opening), bracket.line))
    }

    /// The first error in the text, and its line.
    pub(super) fn error(mut self) -> Option<(String, i32)> {
        loop {
            match self.next_token().kind {
                Kind::End => return None,
                Kind::Error => break,
                _ => {}
            }
        }
        match self.trouble.clone()? {
            Trouble::Worded(message, line) => Some((message, line)),
            Trouble::Unworded(message, line) => Some((message.to_owned(), line)),
            Trouble::End => Some(match self.open_bracket() {
                Some((bracket, line)) => (format!("'{bracket}' was never closed"), line),
                None => ("unexpected EOF while parsing".to_owned(), self.line),
            }),
        }
    }

    pub(super) fn is_in_fstring(&self) -> bool {
        !self.fstrings.is_empty()
    }

    pub(super) fn next_token(&mut self) -> Token {
        let (kind, start, first_line) = if self.trouble.is_some() {
            (Kind::Error, self.cur, self.line)
        } else if self.fstrings.last().is_some_and(|fstring| fstring.in_text) {
            self.fstring_token()
        } else {
            self.regular_token()
        };
        Token {
            kind,
            start,
            end: self.cur.max(start),
            line: first_line,
            end_line: self.line,
            level: self.brackets.len(),
            is_raw: self.fstrings.last().is_some_and(|fstring| fstring.is_raw),
        }
    }

    /// `tok_nextc`
    fn next(&mut self) -> Option<u8> {
        if self.cur == self.read {
            if self.trouble.is_some() || self.at_end {
                return None;
            }
            if self.read >= self.text.len() {
                self.at_end = true;
                return None;
            }
            self.line += 1;
            let rest = self.text.get(self.read..).unwrap_or_default();
            self.read += memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        }
        let byte = self.text.get(self.cur).copied();
        self.cur += 1;
        byte
    }

    fn back(&mut self, byte: Option<u8>) {
        if byte.is_some() {
            self.cur = self.cur.saturating_sub(1);
        }
    }

    /// The next byte, which stays the next one.
    fn peek(&mut self) -> Option<u8> {
        let byte = self.next();
        self.back(byte);
        byte
    }

    fn refuse<T>(&mut self, message: impl Into<String>) -> Result<T, ()> {
        let line = self.line;
        self.refuse_at(line, message)
    }

    fn refuse_at<T>(&mut self, line: i32, message: impl Into<String>) -> Result<T, ()> {
        self.trouble = Some(Trouble::Worded(message.into(), line));
        Err(())
    }

    fn unworded<T>(&mut self, message: &'static str) -> Result<T, ()> {
        self.trouble = Some(Trouble::Unworded(message, self.line));
        Err(())
    }

    fn end_of_text<T>(&mut self) -> Result<T, ()> {
        self.cur = self.read;
        self.trouble = Some(Trouble::End);
        Err(())
    }

    /// `tok_continuation_line`, behind the backslash.
    fn continuation(&mut self) -> Result<(), ()> {
        if self.next() != Some(b'\n') {
            return self.unworded("unexpected character after line continuation character");
        }
        if self.peek().is_none() { self.end_of_text() } else { Ok(()) }
    }

    fn regular_token(&mut self) -> (Kind, usize, i32) {
        // A string's line is the one it begins on.
        let mut first_line = None;
        let found = self.regular(&mut first_line);
        let (kind, start) = found.unwrap_or((Kind::Error, self.cur));
        (kind, start, first_line.unwrap_or(self.line))
    }

    /// `tok_get_normal_mode`
    fn regular(&mut self, first_line: &mut Option<i32>) -> Found {
        loop {
            let is_blank =
                if std::mem::take(&mut self.at_line_start) { self.indentation()? } else { false };
            if self.pending != 0 {
                let kind = if self.pending < 0 { Kind::Dedent } else { Kind::Indent };
                self.pending -= self.pending.signum();
                return Ok((kind, self.cur));
            }
            self.peek();
            let c = loop {
                let c = self.skip_blanks();
                if c != Some(b'\\') {
                    break c;
                }
                self.continuation()?;
            };
            let Some(c) = c else {
                if !self.brackets.is_empty() {
                    return self.end_of_text();
                }
                return Ok((Kind::End, self.cur));
            };
            let start = self.cur - 1;
            if c != b'\n' {
                return self.token(c, start, first_line);
            }
            self.at_line_start = true;
            if !is_blank && self.brackets.is_empty() {
                return Ok((Kind::Newline, start));
            }
        }
    }

    /// The first byte behind blanks and a comment.
    fn skip_blanks(&mut self) -> Option<u8> {
        let mut c = self.next();
        while matches!(c, Some(b' ' | b'\t' | b'\x0c')) {
            c = self.next();
        }
        if c == Some(b'#') {
            while !matches!(c, None | Some(b'\n')) {
                c = self.next();
            }
        }
        c
    }

    /// Is the line that begins here blank?
    fn indentation(&mut self) -> Result<bool, ()> {
        let mut columns = (0, 0);
        let mut continued = 0;
        let c = loop {
            let c = self.next();
            match c {
                Some(b' ') => columns = (columns.0 + 1, columns.1 + 1),
                Some(b'\t') => columns = ((columns.0 / 8 + 1) * 8, columns.1 + 1),
                Some(b'\x0c') => columns = (0, 0),
                Some(b'\\') => {
                    if continued == 0 {
                        continued = columns.0;
                    }
                    self.continuation()?;
                }
                _ => break c,
            }
        };
        self.back(c);
        let is_blank = matches!(c, Some(b'#' | b'\n'));
        if !is_blank && self.brackets.is_empty() {
            self.indent(if continued == 0 { columns } else { (continued, continued) })?;
        }
        Ok(is_blank)
    }

    fn indent(&mut self, columns: (usize, usize)) -> Result<(), ()> {
        const TABS: &str = "inconsistent use of tabs and spaces in indentation";
        let top = self.indents.last().copied().unwrap_or_default();
        if columns.0 > top.0 {
            if self.indents.len() > MOST_INDENTS {
                self.cur = self.read;
                return self.unworded("too many levels of indentation");
            }
            if columns.1 <= top.1 {
                self.cur = self.read;
                return self.unworded(TABS);
            }
            self.pending += 1;
            self.indents.push(columns);
            return Ok(());
        }
        while self.indents.len() > 1 && self.indents.last().is_some_and(|level| level.0 > columns.0)
        {
            self.pending -= 1;
            self.indents.pop();
        }
        let top = self.indents.last().copied().unwrap_or_default();
        if columns.0 != top.0 {
            self.cur = self.read;
            return self.unworded("unindent does not match any outer indentation level");
        }
        if columns.1 != top.1 {
            self.cur = self.read;
            return self.unworded(TABS);
        }
        Ok(())
    }

    fn token(&mut self, c: u8, start: usize, first_line: &mut Option<i32>) -> Found {
        if is_name_start(c) {
            return self.name(c, start, first_line);
        }
        match c {
            b'.' => self.dot(start),
            b'0'..=b'9' => self.number(c).map(|()| (Kind::Number, start)),
            b'\'' | b'"' => {
                *first_line = Some(self.line);
                self.string(c, start)
            }
            _ => self.operator(c, start),
        }
    }

    fn dot(&mut self, start: usize) -> Found {
        let c = self.next();
        if c.is_some_and(|c| c.is_ascii_digit()) {
            return self.fraction(c).map(|()| (Kind::Number, start));
        }
        if c == Some(b'.') {
            let third = self.next();
            if third == Some(b'.') {
                return Ok((Kind::Operator, start));
            }
            self.back(third);
        }
        self.back(c);
        Ok((Kind::Operator, start))
    }

    fn name(&mut self, first: u8, start: usize, first_line: &mut Option<i32>) -> Found {
        let mut prefix = Prefix::new(self.version);
        let mut c = Some(first);
        while let Some(letter) = c
            && prefix.take(letter)
        {
            c = self.next();
            if let Some(quote @ (b'\'' | b'"')) = c {
                if let Some((one, other)) = prefix.incompatible() {
                    self.back(c);
                    return self.refuse(format!("'{one}' and '{other}' prefixes are incompatible"));
                }
                *first_line = Some(self.line);
                return match prefix.fstring() {
                    Some(letter) => self.fstring_start(letter, prefix.r, quote, start),
                    None => self.string(quote, start),
                };
            }
        }
        let mut is_ascii = true;
        while let Some(letter) = c
            && is_name_part(letter)
        {
            is_ascii &= letter.is_ascii();
            c = self.next();
        }
        self.back(c);
        if !is_ascii {
            self.verify_name(start)?;
        }
        Ok((Kind::Name, start))
    }

    /// `verify_identifier`
    fn verify_name(&mut self, start: usize) -> Result<(), ()> {
        let name = self.text.get(start..self.cur).unwrap_or_default();
        let name = std::str::from_utf8(name).unwrap_or_default();
        let is_wrong = |&(at, c): &(usize, char)| match at {
            _ if c.is_ascii() => false,
            0 => !starts_identifier(c),
            _ => !continues_identifier(c),
        };
        match name.char_indices().find(is_wrong) {
            Some((_, c)) => self.refuse(invalid_character(c)),
            None => Ok(()),
        }
    }

    /// Digits with underscores, the first of which was read; what follows.
    fn decimal_tail(&mut self) -> Result<Option<u8>, ()> {
        loop {
            let mut c = self.next();
            while c.is_some_and(|c| c.is_ascii_digit()) {
                c = self.next();
            }
            if c != Some(b'_') {
                return Ok(c);
            }
            c = self.next();
            if !c.is_some_and(|c| c.is_ascii_digit()) {
                self.back(c);
                return self.refuse("invalid decimal literal");
            }
        }
    }

    fn number(&mut self, first: u8) -> Result<(), ()> {
        if first != b'0' {
            let c = self.decimal_tail()?;
            return match c {
                Some(b'.') => {
                    let c = self.next();
                    self.fraction(c)
                }
                _ => self.exponent(c),
            };
        }
        let c = self.next();
        match c {
            Some(b'x' | b'X') => self.digits("hexadecimal", |c| c.is_ascii_hexdigit()),
            Some(b'o' | b'O') => self.digits("octal", |c| matches!(c, b'0'..=b'7')),
            Some(b'b' | b'B') => self.digits("binary", |c| matches!(c, b'0' | b'1')),
            _ => self.zeros(c),
        }
    }

    /// Digits of another base than ten.
    fn digits(&mut self, kind: &str, is_digit: fn(u8) -> bool) -> Result<(), ()> {
        let mut c = self.next();
        loop {
            if c == Some(b'_') {
                c = self.next();
            }
            if !c.is_some_and(is_digit) {
                return self.no_digit(kind, c);
            }
            while c.is_some_and(is_digit) {
                c = self.next();
            }
            if c != Some(b'_') {
                break;
            }
        }
        if c.is_some_and(|c| c.is_ascii_digit()) {
            return self.no_digit(kind, c);
        }
        self.end_of_number(c, kind)
    }

    fn no_digit(&mut self, kind: &str, c: Option<u8>) -> Result<(), ()> {
        match c {
            Some(digit @ b'0'..=b'9') => {
                self.refuse(format!("invalid digit '{}' in {kind} literal", char::from(digit)))
            }
            _ => {
                self.back(c);
                self.refuse(format!("invalid {kind} literal"))
            }
        }
    }

    /// A number that begins with zero; its second character was read.
    fn zeros(&mut self, mut c: Option<u8>) -> Result<(), ()> {
        loop {
            if c == Some(b'_') {
                c = self.next();
                if !c.is_some_and(|c| c.is_ascii_digit()) {
                    self.back(c);
                    return self.refuse("invalid decimal literal");
                }
            }
            if c != Some(b'0') {
                break;
            }
            c = self.next();
        }
        let is_octal = c.is_some_and(|c| c.is_ascii_digit());
        if is_octal {
            c = self.decimal_tail()?;
        }
        match c {
            Some(b'.') => {
                let c = self.next();
                self.fraction(c)
            }
            Some(b'e' | b'E' | b'j' | b'J') => self.exponent(c),
            _ if is_octal => {
                self.back(c);
                self.refuse(
                    "leading zeros in decimal integer literals are not permitted; \
                     use an 0o prefix for octal integers",
                )
            }
            _ => self.end_of_number(c, "decimal"),
        }
    }

    fn fraction(&mut self, mut c: Option<u8>) -> Result<(), ()> {
        if c.is_some_and(|c| c.is_ascii_digit()) {
            c = self.decimal_tail()?;
        }
        self.exponent(c)
    }

    fn exponent(&mut self, mut c: Option<u8>) -> Result<(), ()> {
        if matches!(c, Some(b'e' | b'E')) {
            let e = c;
            c = self.next();
            if matches!(c, Some(b'+' | b'-')) {
                c = self.next();
                if !c.is_some_and(|c| c.is_ascii_digit()) {
                    self.back(c);
                    return self.refuse("invalid decimal literal");
                }
            } else if !c.is_some_and(|c| c.is_ascii_digit()) {
                self.back(c);
                return self.end_of_number(e, "decimal");
            }
            c = self.decimal_tail()?;
        }
        if matches!(c, Some(b'j' | b'J')) {
            let c = self.next();
            return self.end_of_number(c, "imaginary");
        }
        self.end_of_number(c, "decimal")
    }

    /// `verify_end_of_number`: a keyword may stick to a number, a name may not.
    fn end_of_number(&mut self, c: Option<u8>, kind: &str) -> Result<(), ()> {
        self.back(c);
        let rest = self.text.get(self.cur..).unwrap_or_default();
        let is_word = |word: &str| {
            rest.starts_with(word.as_bytes())
                && !rest.get(word.len()).is_some_and(|c| is_name_part(*c))
        };
        // Of the words in `i` only two letters are looked at.
        let is_keyword = ["and", "else", "for", "or", "not"].into_iter().any(is_word)
            || ["if", "in", "is"].into_iter().any(|word| rest.starts_with(word.as_bytes()));
        if c.is_some_and(|c| c.is_ascii() && is_name_part(c)) && !is_keyword {
            return self.refuse(format!("invalid {kind} literal"));
        }
        Ok(())
    }

    fn string(&mut self, quote: u8, start: usize) -> Found {
        let first_line = self.line;
        let mut quotes = 1;
        let mut closing = 0;
        let mut c = self.next();
        if c == Some(quote) {
            c = self.next();
            if c == Some(quote) {
                quotes = 3;
            } else {
                closing = 1;
            }
        }
        if c != Some(quote) {
            self.back(c);
        }
        let mut has_escaped_quote = false;
        while closing != quotes {
            let c = self.next();
            if c.is_none() || quotes == 1 && c == Some(b'\n') {
                return self.unterminated(quote, quotes, first_line, has_escaped_quote);
            }
            if c == Some(quote) {
                closing += 1;
                continue;
            }
            closing = 0;
            if c == Some(b'\\') {
                has_escaped_quote |= self.next() == Some(quote);
            }
        }
        Ok((Kind::String, start))
    }

    fn unterminated(
        &mut self,
        quote: u8,
        quotes: usize,
        first_line: i32,
        has_escaped_quote: bool,
    ) -> Found {
        let line = self.line;
        if let Some(fstring) = self.fstrings.last()
            && fstring.quote == quote
            && fstring.quotes == quotes
        {
            let letter = char::from(fstring.letter);
            return self.refuse_at(first_line, format!("{letter}-string: expecting '}}'"));
        }
        let message = if quotes == 3 {
            format!("unterminated triple-quoted string literal (detected at line {line})")
        } else if has_escaped_quote && self.version >= PythonVersion::Py313 {
            format!(
                "unterminated string literal (detected at line {line}); \
                 perhaps you escaped the end quote?"
            )
        } else {
            format!("unterminated string literal (detected at line {line})")
        };
        self.refuse_at(first_line, message)
    }

    fn operator(&mut self, c: u8, start: usize) -> Found {
        if self.version >= PythonVersion::Py312 && self.ends_expression(c) {
            return Ok((Kind::Operator, start));
        }
        let rest = self.text.get(start..self.read).unwrap_or_default();
        let length = operator_length(rest);
        if length > 1 {
            // As CPython does, look at one character more than it takes.
            self.cur = start + length;
            return Ok((Kind::Operator, start));
        }
        match c {
            b'(' | b'[' | b'{' => self.open(c)?,
            b')' | b']' | b'}' => self.close(c)?,
            _ => {}
        }
        if c.is_ascii_control() {
            return self.refuse(invalid_character(char::from(c)));
        }
        Ok((Kind::Operator, start))
    }

    /// Is this the colon behind an expression in an f-string?
    fn ends_expression(&mut self, c: u8) -> bool {
        let Some(fstring) = self.fstrings.last_mut() else { return false };
        let is_end = c == b':'
            && fstring.expressions.last().is_some_and(|depth| fstring.brackets == depth + 1);
        if is_end {
            fstring.in_text = true;
            fstring.in_format_spec = true;
        }
        is_end
    }

    fn open(&mut self, opening: u8) -> Result<(), ()> {
        if self.brackets.len() >= MOST_BRACKETS {
            return self.refuse("too many nested parentheses");
        }
        self.brackets.push(Bracket { opening, line: self.line });
        if let Some(fstring) = self.fstrings.last_mut() {
            fstring.brackets += 1;
        }
        Ok(())
    }

    fn close(&mut self, c: u8) -> Result<(), ()> {
        let closing = char::from(c);
        if let Some(fstring) = self.fstrings.last()
            && fstring.brackets == 0
            && c == b'}'
        {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: single '}}' is not allowed"));
        }
        let Some(open) = self.brackets.pop() else {
            return self.refuse(format!("unmatched '{closing}'"));
        };
        if !matches!((open.opening, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
            return self.mismatch(open, closing);
        }
        let Some(fstring) = self.fstrings.last_mut() else { return Ok(()) };
        let Some(brackets) = fstring.brackets.checked_sub(1) else {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: unmatched '{closing}'"));
        };
        fstring.brackets = brackets;
        if c == b'}' && fstring.expressions.last() == Some(&brackets) {
            fstring.expressions.pop();
            fstring.in_text = true;
            fstring.in_format_spec = false;
        }
        Ok(())
    }

    fn mismatch(&mut self, open: Bracket, closing: char) -> Result<(), ()> {
        if let Some(fstring) = self.fstrings.last()
            && open.opening == b'{'
            && fstring.expressions.last().is_some_and(|depth| fstring.brackets == depth + 1)
        {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: unmatched '{closing}'"));
        }
        let opening = char::from(open.opening);
        let mut message = format!(
            "closing parenthesis '{closing}' does not match opening parenthesis '{opening}'"
        );
        if open.line != self.line {
            message += &format!(" on line {}", open.line);
        }
        self.refuse(message)
    }

    fn fstring_start(&mut self, letter: u8, is_raw: bool, quote: u8, start: usize) -> Found {
        if self.version == PythonVersion::Py311 {
            return self.string(quote, start);
        }
        let mut quotes = 1;
        let second = self.next();
        if second == Some(quote) {
            let third = self.next();
            if third == Some(quote) {
                quotes = 3;
            } else {
                self.back(third);
                self.back(second);
            }
        } else {
            self.back(second);
        }
        if self.fstrings.len() + 1 >= MOST_FSTRINGS {
            return self.refuse(if self.version >= PythonVersion::Py314 {
                "too many nested f-strings or t-strings"
            } else {
                "too many nested f-strings"
            });
        }
        self.fstrings.push(FString {
            letter,
            quote,
            quotes,
            first_line: self.line,
            is_raw,
            in_text: true,
            in_format_spec: false,
            brackets: 0,
            expressions: Vec::new(),
        });
        Ok((if letter == b't' { Kind::TStringStart } else { Kind::FStringStart }, start))
    }

    /// `tok_get_fstring_mode`
    fn fstring_token(&mut self) -> (Kind, usize, i32) {
        let line = self.line;
        let start = self.cur;
        let Some(fstring) = self.fstrings.last() else { return self.regular_token() };
        let (quote, quotes, is_t) = (fstring.quote, fstring.quotes, fstring.letter == b't');
        if self.peek() == Some(b'{') && self.text.get(self.cur + 1) != Some(&b'{') {
            return match self.expression() {
                Ok(()) => self.regular_token(),
                Err(()) => (Kind::Error, self.cur, self.line),
            };
        }
        let rest = self.text.get(start..).unwrap_or_default();
        if rest.len() >= quotes && rest.iter().take(quotes).all(|c| *c == quote) {
            (0..quotes).for_each(|_| _ = self.next());
            self.fstrings.pop();
            return (if is_t { Kind::TStringEnd } else { Kind::FStringEnd }, start, line);
        }
        match self.fstring_text() {
            Ok(()) => (if is_t { Kind::TStringMiddle } else { Kind::FStringMiddle }, start, line),
            Err(()) => (Kind::Error, self.cur, self.line),
        }
    }

    /// At the `{` of an expression.
    fn expression(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last_mut() else { return Ok(()) };
        if fstring.expressions.len() >= MOST_FORMAT_SPECS {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: expressions nested too deeply"));
        }
        fstring.expressions.push(fstring.brackets);
        fstring.in_text = false;
        Ok(())
    }

    fn fstring_text(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last() else { return Ok(()) };
        let (quote, quotes, is_raw) = (fstring.quote, fstring.quotes, fstring.is_raw);
        let in_format_spec = fstring.in_format_spec && !fstring.expressions.is_empty();
        let has_no_brackets = fstring.brackets == 0;
        let (mut closing, mut in_name) = (0, false);
        while closing != quotes {
            let c = self.next();
            match c {
                None => return self.unterminated_fstring(),
                Some(b'\n') if quotes == 1 => {
                    if in_format_spec {
                        return self.newline_in_format_spec();
                    }
                    return self.unterminated_fstring();
                }
                Some(c) if c == quote => {
                    closing += 1;
                    continue;
                }
                _ => closing = 0,
            }
            match c {
                Some(b'{') => {
                    let peek = self.next();
                    if peek != Some(b'{') || in_format_spec {
                        self.back(peek);
                        self.back(c);
                        return self.expression();
                    }
                    // The second brace is left out of the token, and not read again.
                    return Ok(());
                }
                Some(b'}') => {
                    if in_name {
                        return Ok(());
                    }
                    let peek = self.next();
                    if peek != Some(b'}') || in_format_spec || !has_no_brackets {
                        self.back(peek);
                        self.back(c);
                        if let Some(fstring) = self.fstrings.last_mut() {
                            fstring.in_text = false;
                            fstring.in_format_spec = false;
                        }
                    }
                    return Ok(());
                }
                Some(b'\\') => {
                    let peek = self.next();
                    if matches!(peek, Some(b'{' | b'}')) {
                        self.back(peek);
                    } else if !is_raw && peek == Some(b'N') {
                        let brace = self.next();
                        if brace == Some(b'{') {
                            in_name = true;
                        } else {
                            self.back(brace);
                        }
                    }
                }
                _ => {}
            }
        }
        self.cur = self.cur.saturating_sub(quotes);
        Ok(())
    }

    fn newline_in_format_spec(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last_mut() else { return Ok(()) };
        if self.version >= PythonVersion::Py313 {
            let letter = char::from(fstring.letter);
            return self.refuse(format!(
                "{letter}-string: newlines are not allowed in format specifiers for \
                 single quoted {letter}-strings"
            ));
        }
        fstring.in_text = false;
        fstring.in_format_spec = false;
        self.cur = self.cur.saturating_sub(1);
        Ok(())
    }

    fn unterminated_fstring(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last() else { return Ok(()) };
        let triple = if fstring.quotes == 3 { "triple-quoted " } else { "" };
        let letter = char::from(fstring.letter);
        let message = format!(
            "unterminated {triple}{letter}-string literal (detected at line {})",
            self.line
        );
        let line = fstring.first_line;
        self.refuse_at(line, message)
    }
}

/// The letters before a string's quote.
struct Prefix {
    version: PythonVersion,
    b: bool,
    r: bool,
    u: bool,
    f: bool,
    t: bool,
}

impl Prefix {
    fn new(version: PythonVersion) -> Self {
        Self { version, b: false, r: false, u: false, f: false, t: false }
    }

    /// May the letter be in a prefix, behind those before it?
    fn take(&mut self, letter: u8) -> bool {
        // Since 3.14 all combinations are looked at.
        let any = self.version >= PythonVersion::Py314;
        let Self { b, r, u, f, t, .. } = *self;
        let (seen, allowed) = match letter.to_ascii_lowercase() {
            b'b' => (&mut self.b, if any { !b } else { !(b || u || f) }),
            b'u' => (&mut self.u, if any { !u } else { !(b || u || r || f) }),
            b'r' => (&mut self.r, if any { !r } else { !(r || u) }),
            b'f' => (&mut self.f, if any { !f } else { !(f || b || u) }),
            b't' => (&mut self.t, any && !t),
            _ => return false,
        };
        *seen |= allowed;
        allowed
    }

    fn incompatible(&self) -> Option<(char, char)> {
        let Self { b, r, u, f, t, .. } = *self;
        let pairs = [
            (u && b, ('u', 'b')),
            (u && r, ('u', 'r')),
            (u && f, ('u', 'f')),
            (u && t, ('u', 't')),
            (b && f, ('b', 'f')),
            (b && t, ('b', 't')),
            (f && t, ('f', 't')),
        ];
        pairs.into_iter().find(|(both, _)| *both).map(|(_, pair)| pair)
    }

    fn fstring(&self) -> Option<u8> {
        self.f.then_some(b'f').or_else(|| self.t.then_some(b't'))
    }
}

fn is_name_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 128
}

fn is_name_part(c: u8) -> bool {
    is_name_start(c) || c.is_ascii_digit()
}

/// How many bytes the operator at the start of a text has.
fn operator_length(text: &[u8]) -> usize {
    const THREE: [&[u8]; 4] = [b"**=", b"//=", b"<<=", b">>="];
    const TWO: [&[u8]; 20] = [
        b"!=", b"%=", b"&=", b"**", b"*=", b"+=", b"-=", b"->", b"//", b"/=", b":=", b"<<", b"<=",
        b"<>", b"==", b">=", b">>", b"@=", b"^=", b"|=",
    ];
    let starts = |operators: &[&[u8]]| operators.iter().any(|operator| text.starts_with(operator));
    if starts(&[b"<>=", b"<>>"]) {
        1
    } else if starts(&THREE) {
        3
    } else if starts(&TWO) {
        2
    } else {
        1
    }
}

fn invalid_character(c: char) -> String {
    let code = u32::from(c);
    if crate::text::is_printable(c) {
        format!("invalid character '{c}' (U+{code:04X})")
    } else {
        format!("invalid non-printable character U+{code:04X}")
    }
}
