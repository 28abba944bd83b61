//! Parses a pattern by the grammar of Python's `re`, and translates it for `fancy-regex`.

use std::collections::BTreeMap;

use super::cursor::{Cursor, PatternError, Token};
use super::escape::{Escape, category, class, literal, read_escape};
use super::modes::Modes;
use crate::pytext::{is_identifier, parse_int};
use crate::text::py_repr;

/// The limit on nested groups. Python's own limit is somewhere below 500.
const MAX_DEPTH: usize = 200;

/// Python's `MAXREPEAT`. The number of a repetition must be less.
const MAX_REPEAT: u64 = 0xffff_ffff;

/// The least and the most characters that an item matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Width {
    least: u64,
    most: u64,
}

impl Width {
    const ONE: Self = Self { least: 1, most: 1 };

    fn then(self, next: Self) -> Self {
        Self {
            least: self.least.saturating_add(next.least),
            most: self.most.saturating_add(next.most),
        }
    }

    fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    fn times(self, repeat: Repeat) -> Self {
        let most = repeat.most.map_or_else(
            || if self.most == 0 { 0 } else { u64::MAX },
            |most| self.most.saturating_mul(most),
        );
        Self { least: self.least.saturating_mul(repeat.least), most }
    }
}

/// The limits on the number of repetitions. `most` is `None` if there is no upper limit.
#[derive(Debug, Clone, Copy)]
struct Repeat {
    least: u64,
    most: Option<u64>,
}

/// The last item of a sequence. If a repetition follows, it repeats this item.
struct Item {
    kind: Kind,
    /// The position in the output where the item's translation starts.
    start: usize,
    width: Width,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Anchor,
    Repeated,
    Other,
}

/// Translates `pattern`. `modes` are in force from its start.
pub(super) fn translate(pattern: &str, modes: Modes) -> Result<String, PatternError> {
    let mut parser = Parser {
        cursor: Cursor::new(pattern)?,
        out: String::with_capacity(pattern.len() + 8),
        global: modes,
        // Group 0 is the whole match. It is open until the end.
        groups: vec![None],
        names: BTreeMap::new(),
        lookbehind: None,
        conditions: Vec::new(),
        lookbehind_error: None,
        depth: 0,
    };
    parser.alternatives(modes)?;
    parser.check_end()?;
    Ok(parser.out)
}

struct Parser {
    cursor: Cursor,
    out: String,
    /// The modes of the whole pattern. `(?i)` at its start changes them.
    global: Modes,
    /// The width of each group, or `None` while the group is open.
    groups: Vec<Option<Width>>,
    names: BTreeMap<String, usize>,
    /// The number of groups before the outermost look-behind, if the parser is in a look-behind.
    lookbehind: Option<usize>,
    /// The group and the position of each condition such as `(?(1)...)`. The group may come after
    /// the condition.
    conditions: Vec<(usize, usize)>,
    /// The first error about a look-behind. Python finds it when it compiles the pattern, so errors
    /// of the grammar come first.
    lookbehind_error: Option<PatternError>,
    depth: usize,
}

impl Parser {
    fn error(&self, message: &str, at: usize) -> PatternError {
        self.cursor.error(message, at)
    }

    fn check_end(&mut self) -> Result<(), PatternError> {
        if self.cursor.peek().is_some() {
            return Err(self.error("unbalanced parenthesis", self.cursor.at()));
        }
        let missing = self.conditions.iter().find(|(group, _)| *group >= self.groups.len());
        if let Some((group, at)) = missing {
            return Err(self.error(&format!("invalid group reference {group}"), *at));
        }
        self.lookbehind_error.take().map_or(Ok(()), Err)
    }

    /// Parses alternatives such as `a|b|c`, up to a closing parenthesis or the end.
    fn alternatives(&mut self, mut modes: Modes) -> Result<Width, PatternError> {
        let top = self.depth == 0;
        let mut width = self.sequence(modes, top)?;
        while self.cursor.skip('|')? {
            self.out.push('|');
            if top {
                modes = self.global;
            }
            width = width.or(self.sequence(modes, false)?);
        }
        Ok(width)
    }

    /// Parses a sequence such as `abc`. `first` says that it is the first sequence of the pattern.
    /// Only its start may have flags for the whole pattern.
    fn sequence(&mut self, mut modes: Modes, first: bool) -> Result<Width, PatternError> {
        let mut width = Width::default();
        let mut last: Option<Item> = None;
        while let Some(token) = self.cursor.peek() {
            if matches!(token, Token::Char('|' | ')')) {
                break;
            }
            let at = self.cursor.at();
            self.cursor.next()?;
            if modes.verbose && self.skip_blank(token)? {
                continue;
            }
            if let Some(repeat) = self.repeat(token)? {
                last = Some(self.repeated(last, repeat, at)?);
                continue;
            }
            let start = self.out.len();
            let may_set_flags = first && last.is_none();
            if let Some((kind, item_width)) = self.item(token, &mut modes, may_set_flags)? {
                width = width.then(last.map_or_else(Width::default, |item| item.width));
                last = Some(Item { kind, start, width: item_width });
            }
        }
        Ok(width.then(last.map_or_else(Width::default, |item| item.width)))
    }

    /// Returns whether verbose patterns ignore `token`: white space, or the start of a comment.
    /// Skips the rest of the comment.
    fn skip_blank(&mut self, token: Token) -> Result<bool, PatternError> {
        match token {
            Token::Char(' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') => Ok(true),
            Token::Char('#') => {
                while !matches!(self.cursor.next()?, None | Some(Token::Char('\n'))) {}
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Returns the repetition that starts with `token`, if there is one. A brace that starts no
    /// repetition stands for itself.
    fn repeat(&mut self, token: Token) -> Result<Option<Repeat>, PatternError> {
        let start = self.cursor.at();
        match token {
            Token::Char('*') => return Ok(Some(Repeat { least: 0, most: None })),
            Token::Char('+') => return Ok(Some(Repeat { least: 1, most: None })),
            Token::Char('?') => return Ok(Some(Repeat { least: 0, most: Some(1) })),
            Token::Char('{') if self.cursor.peek() != Some(Token::Char('}')) => {}
            _ => return Ok(None),
        }
        let least = self.digits()?;
        let most = if self.cursor.skip(',')? { self.digits()? } else { least.clone() };
        if !self.cursor.skip('}')? {
            self.cursor.seek(start)?;
            return Ok(None);
        }
        let repeat = Repeat {
            least: repetition_number(&least)?.unwrap_or(0),
            most: repetition_number(&most)?,
        };
        if repeat.most.is_some_and(|most| most < repeat.least) {
            return Err(self.error("min repeat greater than max repeat", start));
        }
        Ok(Some(repeat))
    }

    fn digits(&mut self) -> Result<String, PatternError> {
        self.cursor.take_while(usize::MAX, |c| c.is_ascii_digit())
    }

    /// Repeats the last item. A `?` after the repetition makes it lazy, a `+` makes it possessive.
    fn repeated(
        &mut self,
        last: Option<Item>,
        repeat: Repeat,
        at: usize,
    ) -> Result<Item, PatternError> {
        let item = match last {
            None | Some(Item { kind: Kind::Anchor, .. }) => {
                return Err(self.error("nothing to repeat", at));
            }
            Some(Item { kind: Kind::Repeated, .. }) => {
                return Err(self.error("multiple repeat", at));
            }
            Some(item) => item,
        };
        let lazy = self.cursor.skip('?')?;
        let possessive = !lazy && self.cursor.skip('+')?;
        if possessive {
            // In Python, a possessive repetition never backtracks, not even within one of its
            // repeats.
            self.wrap("(?>", item.start, ")");
        }
        self.write_repeat(&item, repeat, lazy);
        if possessive {
            self.wrap("(?>", item.start, ")");
        }
        Ok(Item { kind: Kind::Repeated, width: item.width.times(repeat), ..item })
    }

    /// Writes the repetition of the last item in the output.
    ///
    /// `x*` becomes `(?:x+|)`, and `x?` becomes `(?:x|)`. Otherwise, fancy-regex 0.20 optimizes
    /// `x+y?x+` to `x+(?:yx+)?`, which wrongly matches a single `x`.
    fn write_repeat(&mut self, item: &Item, repeat: Repeat, lazy: bool) {
        let Repeat { least, most } = repeat;
        // The engine does not repeat an item without width. One repetition has the same effect as
        // many.
        let once = item.width.most == 0 || most.is_some_and(|most| most <= 1);
        if !once {
            let most = most.map_or_else(String::new, |most| most.to_string());
            let lazy = if lazy { "?" } else { "" };
            self.out.push_str(&format!("{{{},{most}}}{lazy}", least.max(1)));
        }
        match (least, lazy) {
            // An item that is repeated zero times stays in the output, so that the groups in it
            // keep their numbers. The pattern before it never matches.
            _ if most == Some(0) => self.wrap(r"(?:[^\s\S]", item.start, "|)"),
            (0, false) => self.wrap("(?:", item.start, "|)"),
            (0, true) => self.wrap("(?:|", item.start, ")"),
            _ => {}
        }
    }

    /// Encloses the output since `start` in `open` and `close`.
    fn wrap(&mut self, open: &str, start: usize, close: &str) {
        self.out.insert_str(start, open);
        self.out.push_str(close);
    }

    /// Parses one item. Returns `None` for a comment, and for flags, which match nothing by
    /// themselves.
    fn item(
        &mut self,
        token: Token,
        modes: &mut Modes,
        may_set_flags: bool,
    ) -> Result<Option<(Kind, Width)>, PatternError> {
        let found = match token {
            Token::Escape(c) => self.escape(c, *modes)?,
            Token::Char('[') => {
                class(&mut self.cursor, *modes, &mut self.out)?;
                (Kind::Other, Width::ONE)
            }
            Token::Char('(') => return self.group(modes, may_set_flags),
            Token::Char('.') => self.write(if modes.dot_all { "(?s:.)" } else { r"[^\n]" }),
            Token::Char('^') => self.anchor(if modes.multi_line { "(?m:^)" } else { r"\A" }),
            // Without MULTILINE, Python's `$` also matches before a newline at the end of the text.
            Token::Char('$') => self.anchor(if modes.multi_line { "(?m:$)" } else { r"(?=\n?\z)" }),
            Token::Char(c) => self.write(&literal(c.into(), modes.fold())),
        };
        Ok(Some(found))
    }

    fn write(&mut self, one_character: &str) -> (Kind, Width) {
        self.out.push_str(one_character);
        (Kind::Other, Width::ONE)
    }

    fn anchor(&mut self, anchor: &str) -> (Kind, Width) {
        self.out.push_str(anchor);
        (Kind::Anchor, Width::default())
    }

    fn escape(&mut self, c: char, modes: Modes) -> Result<(Kind, Width), PatternError> {
        let start = self.cursor.at() - 2;
        Ok(match read_escape(&mut self.cursor, c)? {
            Escape::Literal(code) => self.write(&literal(code, modes.fold())),
            Escape::Category(c) => self.write(category(c, modes.ascii)),
            Escape::Anchor('A') => self.anchor(r"\A"),
            Escape::Anchor('Z') => self.anchor(r"\z"),
            Escape::Anchor(c) => self.word_boundary(c == 'b', modes),
            Escape::Group(group) if group >= self.groups.len() => {
                let message = format!("invalid group reference {group}");
                return Err(self.error(&message, start + 1));
            }
            Escape::Group(group) => self.reference(group, modes, start)?,
        })
    }

    /// Writes a word boundary for Python's word characters.
    fn word_boundary(&mut self, wanted: bool, modes: Modes) -> (Kind, Width) {
        let word = category('w', modes.ascii);
        let (inside, outside) = if wanted { ("?!", "?=") } else { ("?=", "?!") };
        self.anchor(&format!("(?:(?<={word})({inside}{word})|(?<!{word})({outside}{word}))"))
    }

    /// Writes a reference to the text that a group matched. `start` is the position of the
    /// reference.
    fn reference(
        &mut self,
        group: usize,
        modes: Modes,
        start: usize,
    ) -> Result<(Kind, Width), PatternError> {
        let Some(Some(width)) = self.groups.get(group).copied() else {
            return Err(self.error("cannot refer to an open group", start));
        };
        self.check_lookbehind(group)?;
        // The parentheses separate the number from a digit that may follow.
        let flag = if modes.ignore_case { "i" } else { "" };
        self.out.push_str(&format!("(?{flag}:\\{group})"));
        Ok((Kind::Other, width))
    }

    /// Refuses a reference in a look-behind to a group of the same look-behind, as Python does.
    fn check_lookbehind(&self, group: usize) -> Result<(), PatternError> {
        let Some(groups_before) = self.lookbehind else { return Ok(()) };
        if !matches!(self.groups.get(group), Some(Some(_))) {
            return Err(self.error("cannot refer to an open group", self.cursor.at()));
        }
        if group >= groups_before {
            let message = "cannot refer to group defined in the same lookbehind subpattern";
            return Err(self.error(message, self.cursor.at()));
        }
        Ok(())
    }

    /// Parses anything that starts with a parenthesis, which was already read.
    fn group(
        &mut self,
        modes: &mut Modes,
        may_set_flags: bool,
    ) -> Result<Option<(Kind, Width)>, PatternError> {
        let start = self.cursor.at() - 1;
        if !self.cursor.skip('?')? {
            return self.capture(None, *modes, start).map(Some);
        }
        match self.next_of_extension()? {
            Token::Char('P') => self.python_extension(*modes, start).map(Some),
            Token::Char(':') => self.group_body("(?:", *modes, start).map(Some),
            Token::Char('>') => self.group_body("(?>", *modes, start).map(Some),
            Token::Char('#') => self.comment(start).map(|()| None),
            Token::Char('=') => self.lookaround("(?=", *modes, start).map(Some),
            Token::Char('!') => self.lookaround("(?!", *modes, start).map(Some),
            Token::Char('<') => self.lookbehind(*modes, start).map(Some),
            Token::Char('(') => self.conditional(*modes, start).map(Some),
            Token::Char(flag) if is_flag(flag) || flag == '-' => {
                self.flags(flag, modes, start, may_set_flags)
            }
            token => Err(self.unknown_extension("", token)),
        }
    }

    fn next_of_extension(&mut self) -> Result<Token, PatternError> {
        let at = self.cursor.at();
        self.cursor.next()?.ok_or_else(|| self.error("unexpected end of pattern", at))
    }

    fn unknown_extension(&self, prefix: &str, token: Token) -> PatternError {
        let at = self.cursor.at() - token.len() - prefix.len() - 1;
        self.error(&format!("unknown extension ?{prefix}{token}"), at)
    }

    /// Parses a group up to its closing parenthesis. `open` is the start of the group in the
    /// output.
    fn group_body(
        &mut self,
        open: &str,
        modes: Modes,
        start: usize,
    ) -> Result<(Kind, Width), PatternError> {
        self.out.push_str(open);
        self.descend(start)?;
        let width = self.alternatives(modes)?;
        self.close(start)?;
        Ok((Kind::Other, width))
    }

    fn descend(&mut self, start: usize) -> Result<(), PatternError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("groups are nested too deeply", start));
        }
        Ok(())
    }

    fn close(&mut self, start: usize) -> Result<(), PatternError> {
        if !self.cursor.skip(')')? {
            return Err(self.error("missing ), unterminated subpattern", start));
        }
        self.out.push(')');
        self.depth -= 1;
        Ok(())
    }

    fn capture(
        &mut self,
        name: Option<String>,
        modes: Modes,
        start: usize,
    ) -> Result<(Kind, Width), PatternError> {
        let group = self.groups.len();
        if let Some(name) = name {
            if let Some(before) = self.names.get(&name) {
                let at = self.cursor.at() - name.chars().count() - 1;
                let name = py_repr(&name);
                let message = format!(
                    "redefinition of group name {name} as group {group}; was group {before}"
                );
                return Err(self.error(&message, at));
            }
            self.names.insert(name, group);
        }
        self.groups.push(None);
        // The parser resolves the names of groups, so the engine sees only numbers.
        let found = self.group_body("(", modes, start)?;
        self.groups[group] = Some(found.1);
        Ok(found)
    }

    /// Parses `(?P<name>...)` and `(?P=name)`.
    fn python_extension(
        &mut self,
        modes: Modes,
        start: usize,
    ) -> Result<(Kind, Width), PatternError> {
        if self.cursor.skip('<')? {
            let (name, _) = self.group_name('>')?;
            return self.capture(Some(name), modes, start);
        }
        if self.cursor.skip('=')? {
            let (name, at) = self.group_name(')')?;
            let group = self.named(&name, at)?;
            return self.reference(group, modes, at);
        }
        let token = self.next_of_extension()?;
        Err(self.unknown_extension("P", token))
    }

    /// Reads a group's name. Returns the name and its position.
    fn group_name(&mut self, end: char) -> Result<(String, usize), PatternError> {
        let at = self.cursor.at();
        let name = self.cursor.take_name(end, "group name")?;
        if !is_identifier(&name) {
            return Err(self.bad_name(&name, at));
        }
        Ok((name, at))
    }

    fn bad_name(&self, name: &str, at: usize) -> PatternError {
        self.error(&format!("bad character in group name {}", py_repr(name)), at)
    }

    fn named(&self, name: &str, at: usize) -> Result<usize, PatternError> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| self.error(&format!("unknown group name {}", py_repr(name)), at))
    }

    fn comment(&mut self, start: usize) -> Result<(), PatternError> {
        loop {
            match self.cursor.next()? {
                Some(Token::Char(')')) => return Ok(()),
                Some(_) => {}
                None => return Err(self.error("missing ), unterminated comment", start)),
            }
        }
    }

    fn lookaround(
        &mut self,
        open: &str,
        modes: Modes,
        start: usize,
    ) -> Result<(Kind, Width), PatternError> {
        // An atomic group stops the engine from backtracking into the look-around, which would
        // change its groups.
        self.group_body(&format!("{open}(?>"), modes, start)?;
        self.out.push(')');
        Ok((Kind::Other, Width::default()))
    }

    fn lookbehind(&mut self, modes: Modes, start: usize) -> Result<(Kind, Width), PatternError> {
        let open = match self.next_of_extension()? {
            Token::Char('=') => "(?<=",
            Token::Char('!') => "(?<!",
            token => return Err(self.unknown_extension("<", token)),
        };
        let outer = self.lookbehind;
        self.lookbehind = outer.or(Some(self.groups.len()));
        let (_, width) = self.group_body(open, modes, start)?;
        self.lookbehind = outer;
        if width.least != width.most {
            let message = "look-behind requires fixed-width pattern";
            self.lookbehind_error.get_or_insert_with(|| PatternError::whole(message));
        }
        Ok((Kind::Other, Width::default()))
    }

    /// Parses a condition such as `(?(1)yes|no)`.
    fn conditional(&mut self, modes: Modes, start: usize) -> Result<(Kind, Width), PatternError> {
        let at = self.cursor.at();
        let name = self.cursor.take_name(')', "group name")?;
        let group =
            if is_identifier(&name) { self.named(&name, at)? } else { self.numbered(&name, at)? };
        self.check_lookbehind(group)?;
        let before = self.out.len();
        self.out.push_str(&format!("(?({group})"));
        self.descend(start)?;
        let yes = self.sequence(modes, false)?;
        // Without a `|`, the engine would read the condition as something that has to match.
        self.out.push('|');
        let no =
            if self.cursor.skip('|')? { self.sequence(modes, false)? } else { Width::default() };
        if self.cursor.peek() == Some(Token::Char('|')) {
            let message = "conditional backref with more than two branches";
            return Err(self.error(message, self.cursor.at()));
        }
        self.close(start)?;
        if self.out.ends_with(&format!("(?({group})|)")) {
            // Both branches are empty, so the condition matches the empty text. The engine would
            // not match it.
            self.out.truncate(before);
        }
        Ok((Kind::Other, yes.or(no)))
    }

    fn numbered(&mut self, number: &str, at: usize) -> Result<usize, PatternError> {
        let group = parse_int(number)
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| self.bad_name(number, at))?;
        if group == 0 {
            return Err(self.error("bad group number", at));
        }
        self.conditions.push((group, at));
        Ok(group)
    }

    /// Parses flags: `(?i)` for the whole pattern, or `(?i-s:...)` for a group. `flag` is the first
    /// character.
    fn flags(
        &mut self,
        flag: char,
        modes: &mut Modes,
        start: usize,
        may_set_flags: bool,
    ) -> Result<Option<(Kind, Width)>, PatternError> {
        let (on, end) = if flag == '-' { (String::new(), '-') } else { self.flags_on(flag)? };
        if end == ')' {
            if !may_set_flags {
                let message = "global flags not at the start of the expression";
                return Err(self.error(message, start));
            }
            on.chars().for_each(|flag| self.global.set(flag, true));
            *modes = self.global;
            return Ok(None);
        }
        let off = if end == '-' { self.flags_off()? } else { String::new() };
        if off.chars().any(|flag| on.contains(flag)) {
            let message = "bad inline flags: flag turned on and off";
            return Err(self.error(message, self.cursor.at() - 1));
        }
        let mut inner = *modes;
        on.chars().for_each(|flag| inner.set(flag, true));
        off.chars().for_each(|flag| inner.set(flag, false));
        self.group_body("(?:", inner, start).map(Some)
    }

    /// Reads the flags to turn on. Returns them, and the `)`, `-` or `:` that follows.
    fn flags_on(&mut self, first: char) -> Result<(String, char), PatternError> {
        let mut on = String::new();
        let mut flag = first;
        loop {
            if flag == 'L' {
                let message = "bad inline flags: cannot use 'L' flag with a str pattern";
                return Err(self.error(message, self.cursor.at()));
            }
            on.push(flag);
            if on.contains('a') && on.contains('u') {
                let message = "bad inline flags: flags 'a', 'u' and 'L' are incompatible";
                return Err(self.error(message, self.cursor.at()));
            }
            match self.next_flag("missing -, : or )")? {
                end @ (')' | '-' | ':') => return Ok((on, end)),
                next if is_flag(next) => flag = next,
                other => return Err(self.bad_flag(other, "missing -, : or )")),
            }
        }
    }

    fn flags_off(&mut self) -> Result<String, PatternError> {
        let mut off = String::new();
        let mut flag = self.next_flag("missing flag")?;
        if !is_flag(flag) {
            return Err(self.bad_flag(flag, "missing flag"));
        }
        loop {
            if matches!(flag, 'a' | 'u' | 'L') {
                let message = "bad inline flags: cannot turn off flags 'a', 'u' and 'L'";
                return Err(self.error(message, self.cursor.at()));
            }
            off.push(flag);
            match self.next_flag("missing :")? {
                ':' => return Ok(off),
                next if is_flag(next) => flag = next,
                other => return Err(self.bad_flag(other, "missing :")),
            }
        }
    }

    fn next_flag(&mut self, missing: &str) -> Result<char, PatternError> {
        let at = self.cursor.at();
        match self.cursor.next()? {
            Some(Token::Char(c)) => Ok(c),
            Some(Token::Escape(_)) | None => Err(self.error(missing, at)),
        }
    }

    fn bad_flag(&self, c: char, missing: &str) -> PatternError {
        let message = if c.is_alphabetic() { "unknown flag" } else { missing };
        self.error(message, self.cursor.at() - 1)
    }
}

fn is_flag(c: char) -> bool {
    matches!(c, 'a' | 'i' | 'L' | 'm' | 's' | 'u' | 'x')
}

/// Parses the number of a repetition. Returns `None` if there are no digits.
fn repetition_number(digits: &str) -> Result<Option<u64>, PatternError> {
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse() {
        Ok(times) if times < MAX_REPEAT => Ok(Some(times)),
        _ => Err(PatternError::whole("the repetition number is too large")),
    }
}
