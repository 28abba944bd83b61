//! Tries the rules of the grammar in the same order as CPython's parser. The parser remembers
//! the results of the rules at each token, so it repeats no work.
//!
//! Like CPython, it parses a wrong text twice. The first pass finds where the text stops being
//! Python. The second pass also tries the `invalid_` rules, which find a better message.

use super::grammar::{Alternative, Grammar, Item, Outcome, RuleId, Terminal};
use super::tokenizer::{Kind, Token, TokenError, Tokenizer};
use crate::python::PythonVersion;

/// The limit on rules within rules: CPython's `MAXSTACK`.
const MAX_RULE_DEPTH: usize = 6000;

/// The limit on the average number of rules to try for each token. Some texts would take CPython
/// forever.
const MAX_STEPS_PER_TOKEN: usize = 3000;

/// The limit on rules to try in one pass. It is enough for a megabyte of usual text, and is reached
/// in some seconds.
const MAX_STEPS: usize = 100_000_000;

/// The limit on results to remember for one statement. It bounds the memory. Usually, the results
/// for a token take some hundred bytes.
const MAX_RESULTS: usize = 4_000_000;

/// The number of bytes of stack that a rule needs. If fewer are left, the stack grows.
const RED_ZONE: usize = 128 * 1024;
/// The number of bytes by which the stack grows.
const MORE_STACK: usize = 4 * 1024 * 1024;

const SOFT_KEYWORDS: [(&str, PythonVersion); 5] = [
    ("_", PythonVersion::Py311),
    ("case", PythonVersion::Py311),
    ("match", PythonVersion::Py311),
    ("type", PythonVersion::Py312),
    ("lazy", PythonVersion::Py315),
];

/// The reason why CPython refuses a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) line: i32,
}

/// The result of parsing a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The grammar accepts the text. The compiler may still refuse it, for the reason given.
    Accepted(Option<Refusal>),
    Refused(Refusal),
    /// The text is nested too deeply, or parsing it takes too long.
    GivenUp,
}

/// The reason to stop parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// [`Parser::refusal`] says why.
    Refused,
    GivenUp,
}

/// The result of a rule: a node, `None` if the rule does not match, or the reason to stop.
pub(super) type Parsed = Result<Option<NodeId>, Stop>;

/// A token or a node of the tree, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeId {
    Token(u32),
    Node(u32),
    /// A match without tokens.
    Nothing,
}

#[derive(Debug)]
struct Node {
    /// CPython's name for the node, or an empty string if CPython's tree has no such node.
    name: &'static str,
    first: u32,
    /// The index after the node's last token.
    end: u32,
    children: Vec<NodeId>,
}

/// The result of a rule at a token.
#[derive(Debug, Clone, Copy)]
struct RuleResult {
    rule: RuleId,
    with_invalid: bool,
    node: Option<NodeId>,
    /// The index after the last token of the match.
    end: u32,
}

/// The nodes that the items of an alternative matched.
#[derive(Debug, Default)]
struct Matched {
    children: Vec<NodeId>,
    /// The nodes that the grammar names `a` and `b`.
    names: [Option<NodeId>; 2],
    is_cut: bool,
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) version: PythonVersion,
    grammar: &'static Grammar,
    tokenizer: Tokenizer<'t>,
    tokens: Vec<(Token, Terminal)>,
    /// The index of the next token.
    next: u32,
    /// The results of rules at each token.
    results: Vec<Vec<RuleResult>>,
    nodes: Vec<Node>,
    /// Whether to try the `invalid_` rules.
    with_invalid: bool,
    rule_depth: usize,
    steps: usize,
    /// The number of results in `results`.
    result_count: usize,
    /// The index of the first token whose results may still be in `results`.
    first_remembered: usize,
    refusal: Option<Refusal>,
    /// The reason why the compiler refuses the text, although the grammar accepts it.
    compiler_refusal: Option<Refusal>,
    /// The start of every message about an expression in an f-string of 3.11, or an empty string.
    prefix: &'static str,
    /// Whether `<>` replaces `!=`: CPython's `PyPARSE_BARRY_AS_BDFL`.
    pub(super) is_flufl: bool,
}

impl<'t> Parser<'t> {
    /// Creates a parser for `text`. The first line has the number `line + 1`.
    pub(super) fn new(text: &'t str, version: PythonVersion, line: i32) -> Self {
        Self {
            text,
            version,
            grammar: Grammar::of(version),
            tokenizer: Tokenizer::new(text, version, line),
            tokens: Vec::new(),
            next: 0,
            results: Vec::new(),
            nodes: Vec::new(),
            with_invalid: false,
            rule_depth: 0,
            steps: 0,
            result_count: 0,
            first_remembered: 0,
            refusal: None,
            compiler_refusal: None,
            prefix: "",
            is_flufl: false,
        }
    }

    /// Parses a file: CPython's `_PyPegen_run_parser`.
    pub(super) fn file(mut self) -> Verdict {
        self.run(Self::parse_file)
    }

    /// Parses an expression of an f-string of 3.11. The text has parentheses around the expression.
    pub(super) fn fstring_expression(mut self) -> Verdict {
        self.prefix = "f-string: ";
        let rule = self.grammar.fstring_expression;
        self.run(move |parser| Ok(parser.rule(rule)?.is_some()))
    }

    fn run(&mut self, parse: impl Fn(&mut Self) -> Result<bool, Stop>) -> Verdict {
        let last = match parse(self) {
            Ok(true) => return Verdict::Accepted(self.compiler_refusal.take()),
            Ok(false) => self.tokens.last().map(|(token, _)| *token),
            Err(stop) => return self.verdict(stop),
        };
        self.results.clear();
        self.nodes.clear();
        self.next = 0;
        (self.steps, self.result_count, self.first_remembered) = (0, 0, 0);
        self.with_invalid = true;
        match parse(self) {
            Ok(_) => self.set_error(last),
            Err(stop) => self.verdict(stop),
        }
    }

    /// Returns the verdict after the parser has stopped. An error of the tokenizer in the rest of
    /// the text takes precedence over the parser's: CPython's `_PyPegen_set_syntax_error`.
    fn verdict(&mut self, stop: Stop) -> Verdict {
        let Some(refusal) = self.refusal.take() else { return Verdict::GivenUp };
        if stop == Stop::GivenUp {
            return Verdict::GivenUp;
        }
        let is_ok = self.tokenizer.error.is_none() && !self.tokenizer.at_end;
        let found = if is_ok { self.tokenizer_error_in_rest() } else { None };
        Verdict::Refused(found.unwrap_or(refusal))
    }

    /// Returns the verdict if the second pass found no reason either: CPython's
    /// `_PyPegen_set_syntax_error`. `last` is the last token that the first pass read.
    fn set_error(&mut self, last: Option<Token>) -> Verdict {
        let Some(last) = last else { return Verdict::GivenUp };
        let message = match last.kind {
            Kind::Indent => "unexpected indent",
            Kind::Dedent => "unexpected unindent",
            _ => {
                let refusal = self.refused_at(last.line, "invalid syntax");
                return Verdict::Refused(self.tokenizer_error_in_rest().unwrap_or(refusal));
            }
        };
        let line = self.tokens.last().map_or(last.line, |(token, _)| token.line);
        Verdict::Refused(self.refused_at(line, message))
    }

    /// Returns the tokenizer's first error in the rest of the text, or that a bracket was never
    /// closed: CPython's `_PyPegen_tokenize_full_source_to_check_for_errors`.
    fn tokenizer_error_in_rest(&mut self) -> Option<Refusal> {
        let line = self.tokens.last().map_or(0, |(token, _)| token.line);
        loop {
            match self.tokenizer.next_token().kind {
                Kind::End => return None,
                Kind::Error => break,
                _ => {}
            }
        }
        if self.tokenizer.is_in_fstring() {
            // This error may only be a consequence of the wrong expression in the f-string.
            return None;
        }
        if let Some(TokenError::Reported(message, line)) = &self.tokenizer.error {
            return Some(Refusal { message: message.clone(), line: *line });
        }
        let (bracket, opened) = self.tokenizer.open_bracket()?;
        (line > opened).then(|| self.refused_at(opened, format!("'{bracket}' was never closed")))
    }

    /// Parses a module statement by statement, and drops the results for each parsed statement.
    /// CPython never goes back to an earlier statement.
    fn parse_file(&mut self) -> Result<bool, Stop> {
        let Some(Item::Repeated(statement, _)) = self.repeated_statement() else {
            return Err(Stop::GivenUp);
        };
        let mut matched = Matched::default();
        while self.item(statement, &mut matched)? {
            matched.children.clear();
            self.forget();
        }
        self.next_kind_is(Kind::End)
    }

    /// Returns the item for one statement in the rule `statements`.
    fn repeated_statement(&self) -> Option<&'static Item> {
        let rule = self.grammar.rules.get(usize::from(self.grammar.statements))?;
        rule.alternatives.first()?.items.first()
    }

    fn next_kind_is(&mut self, kind: Kind) -> Result<bool, Stop> {
        Ok(self.current()?.0.kind == kind)
    }

    /// Drops the results for all tokens before the next one.
    fn forget(&mut self) {
        let (first, next) = (self.first_remembered, self.next as usize);
        self.first_remembered = next;
        let end = next.min(self.results.len());
        for results in self.results.get_mut(first..end).unwrap_or_default() {
            self.result_count -= results.len();
            *results = Vec::new();
        }
        if self.result_count == 0 {
            self.nodes.clear();
        }
    }

    /// Returns the next token, without taking it.
    fn current(&mut self) -> Result<(Token, Terminal), Stop> {
        let next = self.next as usize;
        while self.tokens.len() <= next {
            self.fetch()?;
        }
        self.tokens.get(next).copied().ok_or(Stop::GivenUp)
    }

    /// Reads one more token: CPython's `_PyPegen_fill_token`.
    fn fetch(&mut self) -> Result<(), Stop> {
        let token = self.tokenizer.next_token();
        let text = self.text.get(token.start..token.end).unwrap_or_default();
        let terminal = self.grammar.terminal(token.kind, text);
        self.tokens.push((token, terminal));
        if token.kind == Kind::Error { Err(self.tokenizer_error()) } else { Ok(()) }
    }

    /// Refuses the text because of the tokenizer's error: CPython's `_Pypegen_tokenizer_error`.
    fn tokenizer_error(&mut self) -> Stop {
        match self.tokenizer.error.clone() {
            Some(TokenError::Reported(message, line)) => {
                self.refusal.get_or_insert(Refusal { message, line });
                Stop::Refused
            }
            Some(TokenError::Coded(message, line)) => self.refuse_at_line(line, message),
            Some(TokenError::End) | None => match self.tokenizer.open_bracket() {
                Some((bracket, line)) => {
                    self.refuse_at_line(line, format!("'{bracket}' was never closed"))
                }
                None => self.refuse_at_last("unexpected EOF while parsing"),
            },
        }
    }

    fn refused_at(&self, line: i32, message: impl AsRef<str>) -> Refusal {
        Refusal { message: format!("{}{}", self.prefix, message.as_ref()), line }
    }

    pub(super) fn refuse_at_line(&mut self, line: i32, message: impl AsRef<str>) -> Stop {
        let refusal = self.refused_at(line, message);
        self.refusal.get_or_insert(refusal);
        Stop::Refused
    }

    /// Refuses the text at the last token that was read: CPython's `RAISE_SYNTAX_ERROR`.
    pub(super) fn refuse_at_last(&mut self, message: impl AsRef<str>) -> Stop {
        let line = self.tokens.last().map_or(1, |(token, _)| token.line);
        self.refuse_at_line(line, message)
    }

    /// Refuses the text at the next token: CPython's `RAISE_SYNTAX_ERROR_ON_NEXT_TOKEN`.
    pub(super) fn refuse_at_next(&mut self, message: &str) -> Stop {
        match self.current() {
            Ok((token, _)) => self.refuse_at_line(token.line, message),
            Err(stop) => stop,
        }
    }

    /// Refuses the text at the start of `node`: CPython's `RAISE_SYNTAX_ERROR_KNOWN_LOCATION`.
    pub(super) fn refuse_at(&mut self, node: NodeId, message: impl AsRef<str>) -> Stop {
        let line = self.first_line(node);
        self.refuse_at_line(line, message)
    }

    /// Records why the compiler refuses the text, unless there is already a reason.
    pub(super) fn record_compiler_refusal(&mut self, line: i32, message: &str) {
        let refusal = self.refused_at(line, message);
        self.compiler_refusal.get_or_insert(refusal);
    }

    /// Refuses the text for the reason that another parser gave for a part of it.
    pub(super) fn refuse_as(&mut self, refusal: Refusal) -> Stop {
        self.refusal.get_or_insert(refusal);
        Stop::Refused
    }

    /// Parses a rule at the next token, or returns the remembered result.
    pub(super) fn rule(&mut self, id: RuleId) -> Parsed {
        let Some(rule) = self.grammar.rules.get(usize::from(id)) else { return Ok(None) };
        let (token, terminal) = self.current()?;
        let is_name = token.kind == Kind::Name && terminal == self.grammar.name();
        if !rule.may_begin_with(terminal, is_name) {
            return Ok(None);
        }
        let start = self.next;
        let is_shared = rule.is_memo || rule.is_left_recursive;
        let is_own = |result: &&RuleResult| {
            result.rule == id && (is_shared || result.with_invalid == self.with_invalid)
        };
        if let Some(result) =
            self.results.get(start as usize).and_then(|results| results.iter().find(is_own))
        {
            self.next = if result.node.is_some() { result.end } else { start };
            return Ok(result.node);
        }
        self.steps += 1;
        let most = MAX_STEPS_PER_TOKEN * (self.tokens.len() + 100);
        let is_long = self.steps > most.min(MAX_STEPS);
        if is_long || self.rule_depth >= MAX_RULE_DEPTH || self.result_count > MAX_RESULTS {
            return Err(Stop::GivenUp);
        }
        self.rule_depth += 1;
        let with_invalid = self.with_invalid;
        self.with_invalid &= !rule.is_without_invalid;
        let node = stacker::maybe_grow(RED_ZONE, MORE_STACK, || {
            if rule.is_left_recursive {
                self.left_recursive_rule(id, &rule.alternatives)
            } else {
                self.alternatives(&rule.alternatives)
            }
        });
        self.with_invalid = with_invalid;
        self.rule_depth -= 1;
        let node = node?;
        if node.is_none() {
            self.next = start;
        }
        self.remember(start, RuleResult { rule: id, with_invalid, node, end: self.next });
        Ok(node)
    }

    /// Parses a left-recursive rule in rounds, until the match no longer grows. Each round may use
    /// the result of the round before.
    fn left_recursive_rule(&mut self, id: RuleId, alternatives: &'static [Alternative]) -> Parsed {
        let start = self.next;
        let with_invalid = self.with_invalid;
        let (mut node, mut end) = (None, start);
        loop {
            self.remember(start, RuleResult { rule: id, with_invalid, node, end });
            self.next = start;
            let found = self.alternatives(alternatives)?;
            if found.is_none() || self.next <= end {
                break;
            }
            (node, end) = (found, self.next);
        }
        self.next = end;
        Ok(node)
    }

    fn remember(&mut self, start: u32, result: RuleResult) {
        let start = start as usize;
        if self.results.len() <= start {
            self.results.resize_with(start + 1, Vec::new);
        }
        let Some(results) = self.results.get_mut(start) else { return };
        let is_same = |other: &&mut RuleResult| {
            other.rule == result.rule && other.with_invalid == result.with_invalid
        };
        match results.iter_mut().find(is_same) {
            Some(other) => *other = result,
            None => {
                self.result_count += 1;
                results.push(result);
            }
        }
    }

    fn alternatives(&mut self, alternatives: &'static [Alternative]) -> Parsed {
        let start = self.next;
        for alternative in alternatives {
            if alternative.is_invalid && !self.with_invalid {
                continue;
            }
            self.next = start;
            let mut matched = Matched::default();
            if self.items(&alternative.items, &mut matched)? {
                // As in CPython, an action without a node ends the rule. No other alternative is
                // tried.
                return self.outcome(&alternative.result, start, matched);
            }
            if matched.is_cut {
                break;
            }
        }
        self.next = start;
        Ok(None)
    }

    /// Returns the result of an alternative whose items matched.
    fn outcome(&mut self, outcome: &'static Outcome, first: u32, matched: Matched) -> Parsed {
        Ok(Some(match outcome {
            Outcome::Plain => match matched.children[..] {
                [] => NodeId::Nothing,
                [child] => child,
                _ => self.add("", first, matched.children),
            },
            Outcome::Node(name) => self.add(name, first, matched.children),
            Outcome::Named => matched.names[0].unwrap_or(NodeId::Nothing),
            Outcome::Action { name: action, nodes, text } => {
                let named = |place: usize| {
                    let name = nodes.get(place).copied().unwrap_or(b'a');
                    matched.names[usize::from(name == b'b')].unwrap_or(NodeId::Nothing)
                };
                let named = [named(0), named(1)];
                return self.run_action(action, named, text, first, matched.children);
            }
        }))
    }

    pub(super) fn add(&mut self, name: &'static str, first: u32, children: Vec<NodeId>) -> NodeId {
        self.nodes.push(Node { name, first, end: self.next, children });
        NodeId::Node(self.nodes.len() as u32 - 1)
    }

    fn items(&mut self, items: &'static [Item], matched: &mut Matched) -> Result<bool, Stop> {
        for item in items {
            if !self.item(item, matched)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn item(&mut self, item: &'static Item, matched: &mut Matched) -> Result<bool, Stop> {
        let node = match item {
            Item::Terminal(wanted) => {
                if self.current()?.1 != *wanted {
                    return Ok(false);
                }
                self.token()
            }
            Item::SoftKeyword(word) => {
                if !self.is_name_of(|text| text == *word)? {
                    return Ok(false);
                }
                self.token()
            }
            Item::AnySoftKeyword => {
                let version = self.version;
                // Up to 3.13, CPython takes any start of a soft keyword for the keyword.
                let is_one = |word: &str, text: &str| {
                    word == text || version < PythonVersion::Py314 && word.starts_with(text)
                };
                let is_soft = |text: &str| {
                    let mut words = SOFT_KEYWORDS.iter();
                    words.any(|(word, first)| version >= *first && is_one(word, text))
                };
                if !self.is_name_of(is_soft)? {
                    return Ok(false);
                }
                self.token()
            }
            Item::Rule(id) => match self.rule(*id)? {
                Some(node) => node,
                None => return Ok(false),
            },
            Item::Group(alternatives) => match self.alternatives(alternatives)? {
                Some(node) => node,
                None => return Ok(false),
            },
            Item::Optional(item) => return self.optional(item, matched),
            Item::Repeated(item, least) => {
                let mut count = 0;
                while self.matches_tokens(item, matched)? {
                    count += 1;
                }
                return Ok(count >= *least);
            }
            Item::Separated(separator, item) => return self.separated(separator, item, matched),
            Item::Ahead(item) => return self.is_ahead(item),
            Item::NotAhead(item) => return Ok(!self.is_ahead(item)?),
            Item::Forced(wanted, words) => {
                let (token, terminal) = self.current()?;
                if terminal != *wanted {
                    return Err(self.refuse_at_line(token.line, format!("expected '{words}'")));
                }
                self.token()
            }
            Item::Cut => {
                matched.is_cut = true;
                return Ok(true);
            }
            Item::Named(name, item) => return self.named(*name, item, matched),
        };
        if node != NodeId::Nothing {
            matched.children.push(node);
        }
        Ok(true)
    }

    /// Takes the next token.
    fn token(&mut self) -> NodeId {
        self.next += 1;
        NodeId::Token(self.next - 1)
    }

    fn is_name_of(&mut self, is_wanted: impl Fn(&str) -> bool) -> Result<bool, Stop> {
        let (token, _) = self.current()?;
        let text = self.text.get(token.start..token.end).unwrap_or_default();
        Ok(token.kind == Kind::Name && is_wanted(text))
    }

    fn optional(&mut self, item: &'static Item, matched: &mut Matched) -> Result<bool, Stop> {
        self.matches_tokens(item, matched)?;
        Ok(true)
    }

    /// Matches `item`, or nothing. Returns whether the match has any tokens.
    fn matches_tokens(&mut self, item: &'static Item, matched: &mut Matched) -> Result<bool, Stop> {
        let (start, count) = (self.next, matched.children.len());
        if self.item(item, matched)? {
            return Ok(self.next > start);
        }
        self.next = start;
        matched.children.truncate(count);
        Ok(false)
    }

    fn separated(
        &mut self,
        separator: &'static Item,
        item: &'static Item,
        matched: &mut Matched,
    ) -> Result<bool, Stop> {
        if !self.item(item, matched)? {
            return Ok(false);
        }
        loop {
            let (start, count) = (self.next, matched.children.len());
            if !(self.item(separator, matched)? && self.item(item, matched)?) {
                self.next = start;
                matched.children.truncate(count);
                return Ok(true);
            }
        }
    }

    /// Returns whether `item` matches the next tokens, without taking them.
    fn is_ahead(&mut self, item: &'static Item) -> Result<bool, Stop> {
        let start = self.next;
        let is_ahead = self.item(item, &mut Matched::default())?;
        self.next = start;
        Ok(is_ahead)
    }

    fn named(
        &mut self,
        name: u8,
        item: &'static Item,
        matched: &mut Matched,
    ) -> Result<bool, Stop> {
        let (first, count) = (self.next, matched.children.len());
        if !self.item(item, matched)? {
            return Ok(false);
        }
        let node = match matched.children.get(count..) {
            Some([child]) => *child,
            Some([]) | None => NodeId::Nothing,
            Some(children) => {
                let children = children.to_vec();
                self.add("", first, children)
            }
        };
        matched.names[usize::from(name == b'b')] = Some(node);
        Ok(true)
    }

    /// Returns the index of a node's first token.
    pub(super) fn first_token_index(&self, node: NodeId) -> Option<u32> {
        match node {
            NodeId::Token(at) => Some(at),
            NodeId::Node(id) => Some(self.nodes.get(id as usize)?.first),
            NodeId::Nothing => None,
        }
    }

    pub(super) fn first_token(&self, node: NodeId) -> Option<Token> {
        let at = self.first_token_index(node)?;
        self.tokens.get(at as usize).map(|(token, _)| *token)
    }

    pub(super) fn first_line(&self, node: NodeId) -> i32 {
        self.first_token(node).map_or(1, |token| token.line)
    }

    pub(super) fn last_line(&self, node: NodeId) -> i32 {
        let end = match node {
            NodeId::Token(at) => at + 1,
            NodeId::Node(id) => self.nodes.get(id as usize).map_or(0, |node| node.end),
            NodeId::Nothing => 0,
        };
        let last = (end as usize).checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or(1, |(token, _)| token.end_line)
    }

    /// Returns the tokens from index `first` up to the next token, which is not included.
    pub(super) fn tokens_from(&self, first: u32) -> impl Iterator<Item = Token> {
        let tokens = self.tokens.get(first as usize..self.next as usize);
        tokens.unwrap_or_default().iter().map(|(token, _)| *token)
    }

    /// Returns the tokens before index `place`.
    pub(super) fn tokens_before(&self, place: u32) -> impl DoubleEndedIterator<Item = &Token> {
        self.tokens.iter().take(place as usize).map(|(token, _)| token)
    }

    pub(super) fn has_compiler_refusal(&self) -> bool {
        self.compiler_refusal.is_some()
    }

    /// Returns the text of a node's first token.
    pub(super) fn text_of(&self, node: NodeId) -> &'t str {
        self.first_token(node).map_or("", |token| self.slice(token))
    }

    pub(super) fn slice(&self, token: Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Returns the token before the next one.
    pub(super) fn previous_token(&self) -> Option<Token> {
        let previous = (self.next as usize).checked_sub(1)?;
        self.tokens.get(previous).map(|(token, _)| *token)
    }

    /// Returns CPython's name for a node, or an empty string if CPython's tree has no such node.
    pub(super) fn name_of(&self, node: NodeId) -> &'static str {
        match node {
            NodeId::Node(id) => self.nodes.get(id as usize).map_or("", |node| node.name),
            NodeId::Token(_) | NodeId::Nothing => "",
        }
    }

    pub(super) fn children(&self, node: NodeId) -> &[NodeId] {
        match node {
            NodeId::Node(id) => {
                self.nodes.get(id as usize).map(|node| &node.children[..]).unwrap_or_default()
            }
            NodeId::Token(_) | NodeId::Nothing => &[],
        }
    }

    /// Returns the nodes of CPython's tree within `node`, without the nodes inside those.
    pub(super) fn elements(&self, node: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut rest: Vec<NodeId> = self.children(node).iter().rev().copied().collect();
        while let Some(child) = rest.pop() {
            if self.name_of(child).is_empty() {
                rest.extend(self.children(child).iter().rev());
            } else {
                found.push(child);
            }
        }
        found
    }
}
