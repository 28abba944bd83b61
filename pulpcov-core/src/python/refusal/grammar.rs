//! Reads the grammar of each version from `grammar.peg`.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::tokenizer::Kind;
use crate::python::PythonVersion;

/// The index of a rule in [`Grammar::rules`].
pub(super) type RuleId = u16;

/// The number of a kind of token, of an operator or of a keyword.
pub(super) type Terminal = u16;

/// The terminal of operators that the grammar does not have. In [`Rule::first`], it stands for all
/// soft keywords.
pub(super) const NO_TERMINAL: Terminal = 0;

const KINDS: [(&str, Kind); 14] = [
    ("NAME", Kind::Name),
    ("NUMBER", Kind::Number),
    ("STRING", Kind::String),
    ("NEWLINE", Kind::Newline),
    ("INDENT", Kind::Indent),
    ("DEDENT", Kind::Dedent),
    ("ENDMARKER", Kind::End),
    ("FSTRING_START", Kind::FStringStart),
    ("FSTRING_MIDDLE", Kind::FStringMiddle),
    ("FSTRING_END", Kind::FStringEnd),
    ("TSTRING_START", Kind::TStringStart),
    ("TSTRING_MIDDLE", Kind::TStringMiddle),
    ("TSTRING_END", Kind::TStringEnd),
    ("ERRORTOKEN", Kind::Error),
];

#[derive(Debug)]
pub(super) struct Grammar {
    pub(super) rules: Vec<Rule>,
    terminals: HashMap<&'static str, Terminal>,
    pub(super) fstring_expression: RuleId,
    pub(super) statements: RuleId,
}

#[derive(Debug)]
pub(super) struct Rule {
    /// Whether a remembered result is valid both with and without the `invalid_` rules: `memo` in
    /// CPython.
    pub(super) is_memo: bool,
    pub(super) is_left_recursive: bool,
    /// Whether the `invalid_` rules are never tried within the rule.
    pub(super) is_without_invalid: bool,
    pub(super) alternatives: Vec<Alternative>,
    /// The terminals with which a match can start, as bits. `None` if a match can be empty or start
    /// with any token.
    first: Option<Vec<u64>>,
}

impl Rule {
    /// Returns whether a match can start with a token. `is_name` means that the token is a name,
    /// which may be a soft keyword.
    pub(super) fn may_begin_with(&self, terminal: Terminal, is_name: bool) -> bool {
        let Some(first) = &self.first else { return true };
        let has = |at: Terminal| {
            first.get(usize::from(at) / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
        };
        has(terminal) || is_name && has(NO_TERMINAL)
    }
}

#[derive(Debug)]
pub(super) struct Alternative {
    pub(super) items: Vec<Item>,
    /// Whether the alternative is nothing but an `invalid_` rule, which is tried only in the second
    /// pass.
    pub(super) is_invalid: bool,
    pub(super) result: Outcome,
}

/// The node that an alternative makes. `Plain` is the only node of its items, or an unnamed node
/// that contains several.
#[derive(Debug)]
pub(super) enum Outcome {
    Plain,
    /// A node with CPython's name for it.
    Node(&'static str),
    /// The node that the grammar names `a`.
    Named,
    /// The node that the action makes, unless it refuses the text.
    Action {
        name: &'static str,
        /// The names of the nodes that the action gets: `a` or `b`.
        nodes: Vec<u8>,
        text: &'static str,
    },
}

#[derive(Debug)]
pub(super) enum Item {
    Terminal(Terminal),
    SoftKeyword(&'static str),
    AnySoftKeyword,
    Rule(RuleId),
    Group(Vec<Alternative>),
    Optional(Box<Item>),
    /// An item, and how often it has to match at least.
    Repeated(Box<Item>, usize),
    Separated(Box<Item>, Box<Item>),
    Ahead(Box<Item>),
    NotAhead(Box<Item>),
    Forced(Terminal, &'static str),
    Cut,
    Named(u8, Box<Item>),
}

impl Grammar {
    /// Returns the grammar of a version.
    pub(super) fn of(version: PythonVersion) -> &'static Self {
        static GRAMMARS: [OnceLock<Grammar>; PythonVersion::ALL.len()] =
            [const { OnceLock::new() }; PythonVersion::ALL.len()];
        let place = GRAMMARS.get(version as usize);
        // Every version has a place, so the fallback is never used.
        place.unwrap_or(&GRAMMARS[0]).get_or_init(|| Reader::new(minor_version(version)).read())
    }

    pub(super) fn terminal(&self, kind: Kind, text: &str) -> Terminal {
        let of = |name| self.terminals.get(name).copied();
        let own = match kind {
            Kind::Operator => return of(text).unwrap_or(NO_TERMINAL),
            // A program may have a variable with the name `STRING`. It is not that kind of token.
            Kind::Name if !KINDS.iter().any(|(name, _)| *name == text) => of(text),
            _ => None,
        };
        let of_kind =
            || KINDS.iter().find(|(_, other)| *other == kind).and_then(|(name, _)| of(name));
        own.or_else(of_kind).unwrap_or(NO_TERMINAL)
    }

    pub(super) fn name(&self) -> Terminal {
        self.terminals.get("NAME").copied().unwrap_or(NO_TERMINAL)
    }
}

fn minor_version(version: PythonVersion) -> u32 {
    let minor = version.as_str().strip_prefix("3.").and_then(|minor| minor.parse().ok());
    minor.unwrap_or_default()
}

/// The state while the grammar of one version is read.
struct Reader {
    minor: u32,
    lines: Vec<&'static str>,
    ids: HashMap<&'static str, RuleId>,
    terminals: HashMap<&'static str, Terminal>,
}

impl Reader {
    fn new(minor: u32) -> Self {
        let text = include_str!("grammar.peg");
        let is_rule = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let lines: Vec<_> = text.lines().filter(is_rule).collect();
        let mut terminals = HashMap::new();
        for (number, (name, _)) in (NO_TERMINAL + 1..).zip(KINDS) {
            terminals.insert(name, number);
        }
        Self { minor, lines, ids: HashMap::new(), terminals }
    }

    fn read(mut self) -> Grammar {
        let mut heads: Vec<(&str, bool, Vec<&str>)> = Vec::new();
        for line in std::mem::take(&mut self.lines) {
            if let Some(alternative) = line.strip_prefix("  | ") {
                if let Some((_, _, alternatives)) = heads.last_mut() {
                    alternatives.push(alternative);
                }
            } else if let Some((head, rest)) = line.split_once(':') {
                let (name, is_memo) = match head.strip_suffix(" memo") {
                    Some(name) => (name, true),
                    None => (head, false),
                };
                let rest = rest.trim();
                heads.push((name, is_memo, if rest.is_empty() { vec![] } else { vec![rest] }));
            }
        }
        for (id, (name, ..)) in (0..).zip(&heads) {
            self.ids.insert(name, id);
        }
        let mut rules = Vec::with_capacity(heads.len());
        for (name, is_memo, lines) in &heads {
            let alternatives: Vec<_> =
                lines.iter().flat_map(|line| self.alternatives_of_line(line)).collect();
            let own = self.id(name);
            rules.push(Rule {
                is_memo: *is_memo,
                is_left_recursive: alternatives.iter().any(|alternative| {
                    matches!(alternative.items.first(), Some(Item::Rule(id)) if *id == own)
                }),
                is_without_invalid: name.ends_with("_without_invalid"),
                alternatives,
                first: None,
            });
        }
        set_first(&mut rules, self.terminals.len() + 1);
        Grammar {
            rules,
            fstring_expression: self.id("fstring_expression"),
            statements: self.id("statements"),
            terminals: self.terminals,
        }
    }

    fn id(&self, name: &str) -> RuleId {
        let id = self.ids.get(name).copied();
        debug_assert!(id.is_some(), "no rule {name}");
        id.unwrap_or_default()
    }

    fn alternatives_of_line(&mut self, line: &'static str) -> Vec<Alternative> {
        let mut words = words(line);
        while let Some(versions) = words.first().and_then(|word| Versions::new(word)) {
            if !versions.has(self.minor) {
                return Vec::new();
            }
            words.remove(0);
        }
        let mut words = words.as_slice();
        let mut alternatives = vec![self.alternative(&mut words)];
        while let Some((&"|", rest)) = words.split_first() {
            words = rest;
            alternatives.push(self.alternative(&mut words));
        }
        alternatives
    }

    fn alternative(&mut self, words: &mut &[&'static str]) -> Alternative {
        let is_invalid = words.first().is_some_and(|word| word.starts_with("invalid_"));
        let mut items = Vec::new();
        let mut result = Outcome::Plain;
        while let Some(word) = words.first() {
            match *word {
                "|" | ")" | "]" => break,
                "->" | "=>" => result = outcome(words),
                _ => items.push(self.item(words)),
            }
        }
        Alternative { is_invalid: is_invalid && items.len() == 1, items, result }
    }

    fn item(&mut self, words: &mut &[&'static str]) -> Item {
        let item = self.atom(words);
        match words.first() {
            Some(&"?") => {
                advance(words);
                Item::Optional(Box::new(item))
            }
            Some(&"*") => {
                advance(words);
                Item::Repeated(Box::new(item), 0)
            }
            Some(&"+") => {
                advance(words);
                Item::Repeated(Box::new(item), 1)
            }
            Some(&".") => {
                advance(words);
                let repeated = self.atom(words);
                // Skips the `+` that follows.
                advance(words);
                Item::Separated(Box::new(item), Box::new(repeated))
            }
            _ => item,
        }
    }

    fn atom(&mut self, words: &mut &[&'static str]) -> Item {
        let word = advance(words);
        match word {
            "(" => Item::Group(self.group(words)),
            "[" => Item::Optional(Box::new(Item::Group(self.group(words)))),
            "&" => Item::Ahead(Box::new(self.atom(words))),
            "!" => Item::NotAhead(Box::new(self.atom(words))),
            "&&" => {
                let word = advance(words).trim_matches('\'');
                Item::Forced(self.terminal(word), word)
            }
            "~" => Item::Cut,
            "SOFT_KEYWORD" => Item::AnySoftKeyword,
            "a=" | "b=" => {
                let name = word.as_bytes().first().copied().unwrap_or_default();
                Item::Named(name, Box::new(self.item(words)))
            }
            _ if word.starts_with('\'') => Item::Terminal(self.terminal(word.trim_matches('\''))),
            _ if word.starts_with('"') => Item::SoftKeyword(word.trim_matches('"')),
            _ if word.starts_with(|c: char| c.is_ascii_uppercase()) => {
                debug_assert!(self.terminals.contains_key(word), "no token {word}");
                Item::Terminal(self.terminal(word))
            }
            _ => Item::Rule(self.id(word)),
        }
    }

    fn group(&mut self, words: &mut &[&'static str]) -> Vec<Alternative> {
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.alternative(words));
            if advance(words) != "|" {
                return alternatives;
            }
        }
    }

    fn terminal(&mut self, word: &'static str) -> Terminal {
        let next = self.terminals.len() as Terminal + 1;
        *self.terminals.entry(word).or_insert(next)
    }
}

fn advance(words: &mut &[&'static str]) -> &'static str {
    let Some((first, rest)) = words.split_first() else { return "" };
    *words = rest;
    first
}

fn outcome(words: &mut &[&'static str]) -> Outcome {
    let arrow = advance(words);
    let rest = std::mem::take(words);
    if arrow == "->" {
        return match rest {
            ["a"] => Outcome::Named,
            // The blanks after `->` belong to the one word.
            _ => Outcome::Node(rest.first().copied().unwrap_or_default()),
        };
    }
    let (name, rest) = rest.split_first().map_or(("", rest), |(name, rest)| (*name, rest));
    let nodes = rest.iter().filter(|word| word.len() == 1).filter_map(|word| word.bytes().next());
    let text = rest.iter().find_map(|word| word.strip_prefix('"')?.strip_suffix('"'));
    Outcome::Action { name, nodes: nodes.collect(), text: text.unwrap_or_default() }
}

/// Splits a line into words. Quoted text is one word, and so is everything after `->`.
fn words(line: &'static str) -> Vec<&'static str> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => rest.get(1..).and_then(|inner| inner.find('\'')).map_or(1, |end| end + 2),
            // Text after `=>` goes on to the end of the line, and may contain quotation marks.
            '"' if words.contains(&"=>") => rest.len(),
            '"' => rest.get(1..).and_then(|inner| inner.find('"')).map_or(1, |end| end + 2),
            _ if rest.starts_with("->") || rest.starts_with("=>") => 2,
            _ if rest.starts_with("&&") || rest.starts_with("a=") || rest.starts_with("b=") => 2,
            '<' | '>' => rest.find(' ').unwrap_or(rest.len()),
            c if c.is_ascii_alphanumeric() => {
                let is_part = |c: char| {
                    c.is_ascii_alphanumeric() || c == '_' || c == '.' && first.is_ascii_digit()
                };
                rest.find(|c| !is_part(c)).unwrap_or(rest.len())
            }
            _ => 1,
        };
        let (word, behind) = rest.split_at(length);
        words.push(word);
        rest = behind.trim_start();
        if word == "->" && !rest.is_empty() {
            words.push(rest);
            break;
        }
    }
    words
}

/// A range of versions, in the form `>=12`, `<14` or `12..14`. The last form includes both ends.
struct Versions {
    first: u32,
    last: u32,
}

impl Versions {
    fn new(word: &str) -> Option<Self> {
        if let Some(first) = word.strip_prefix(">=") {
            return Some(Self { first: first.parse().ok()?, last: u32::MAX });
        }
        if let Some(behind) = word.strip_prefix('<') {
            return Some(Self { first: 0, last: behind.parse::<u32>().ok()?.checked_sub(1)? });
        }
        let (first, last) = word.split_once("..")?;
        Some(Self { first: first.parse().ok()?, last: last.parse().ok()? })
    }

    fn has(&self, minor: u32) -> bool {
        (self.first..=self.last).contains(&minor)
    }
}

/// Computes the terminals with which a match of each rule can start.
fn set_first(rules: &mut [Rule], terminals: usize) {
    let mut first: Vec<FirstSet> = vec![FirstSet::new(terminals); rules.len()];
    loop {
        let next: Vec<FirstSet> = rules
            .iter()
            .map(|rule| {
                let mut found = FirstSet::new(terminals);
                rule.alternatives.iter().for_each(|a| found.add_alternative(a, &first));
                found
            })
            .collect();
        let is_same = next.iter().zip(&first).all(|(a, b)| a == b);
        first = next;
        if is_same {
            break;
        }
    }
    for (rule, first) in rules.iter_mut().zip(first) {
        rule.first = (!first.is_any).then_some(first.bits);
    }
}

/// The terminals with which a match can start.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FirstSet {
    bits: Vec<u64>,
    /// Whether a match can be empty, or start with any token.
    is_any: bool,
}

impl FirstSet {
    fn new(terminals: usize) -> Self {
        Self { bits: vec![0; terminals / 64 + 1], is_any: false }
    }

    fn add(&mut self, terminal: Terminal) {
        if let Some(word) = self.bits.get_mut(usize::from(terminal) / 64) {
            *word |= 1 << (terminal % 64);
        }
    }

    fn add_alternative(&mut self, alternative: &Alternative, rules: &[Self]) {
        for item in &alternative.items {
            if !self.add_item(item, rules) {
                return;
            }
        }
        self.is_any = true;
    }

    /// Adds the terminals with which `item` can start. Returns whether `item` can be empty, so that
    /// the item after it counts, too.
    fn add_item(&mut self, item: &Item, rules: &[Self]) -> bool {
        match item {
            Item::Terminal(terminal) => self.add(*terminal),
            // Soft keywords are names. One bit stands for all of them.
            Item::SoftKeyword(_) | Item::AnySoftKeyword => self.add(NO_TERMINAL),
            Item::Rule(id) => match rules.get(usize::from(*id)) {
                Some(first) => {
                    self.bits.iter_mut().zip(&first.bits).for_each(|(bits, more)| *bits |= more);
                    self.is_any |= first.is_any;
                }
                None => self.is_any = true,
            },
            Item::Group(alternatives) => {
                alternatives.iter().for_each(|a| self.add_alternative(a, rules));
            }
            Item::Optional(item) | Item::Repeated(item, 0) => {
                self.add_item(item, rules);
                return true;
            }
            Item::Repeated(item, _) | Item::Separated(_, item) | Item::Named(_, item) => {
                return self.add_item(item, rules);
            }
            Item::Ahead(_) | Item::NotAhead(_) | Item::Cut => return true,
            // A forced item that does not match is an error, so it has to be tried at any token.
            Item::Forced(..) => self.is_any = true,
        }
        false
    }
}
