//! Runs the actions of CPython's grammar that can refuse a text. The parser runs an action when it
//! has matched an alternative of a rule.

use super::parser::{NodeId, Parsed, Parser, Stop};
use super::strings;
use super::tokenizer::{Kind, Token};
use crate::python::PythonVersion;
use crate::python::identifiers::normalized_name;
use crate::text::py_repr;

/// The kind of statement that a target belongs to: CPython's `TARGETS_TYPE`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Targets {
    Assigned,
    Deleted,
    For,
}

impl Parser<'_> {
    /// Runs the action that `grammar.peg` names after `=>`.
    ///
    /// `a` and `b` are the nodes with these names, and `text` is the text that follows the action
    /// in `grammar.peg`. `first` is the index of the alternative's first token, and `children` are
    /// its nodes. The result is the alternative's node, `None` if the rule does not match after
    /// all, or the reason to stop.
    pub(super) fn run_action(
        &mut self,
        action: &'static str,
        [a, b]: [NodeId; 2],
        text: &'static str,
        first: u32,
        children: Vec<NodeId>,
    ) -> Parsed {
        let stop = match action {
            "at" => {
                let message = self.fill_in(text, a);
                self.refuse_at(a, message)
            }
            "old" if self.is_flufl => return Ok(None),
            "old" => self.refuse_at(a, text),
            "at_last" => {
                let last = self.elements(a).last().copied().unwrap_or(a);
                self.refuse_at(last, text)
            }
            "last" => self.refuse_at_last(text),
            "next" => self.refuse_at_next(text),
            "block" => {
                let line = self.first_line(a);
                let message = format!("expected an indented block after {text} on line {line}");
                self.refuse_at_last(message)
            }
            "target" => return self.refuse_target(a, Targets::Assigned, text),
            "for_target" => return self.refuse_target(a, Targets::For, text),
            "del_target" => return self.refuse_target(a, Targets::Deleted, text),
            "legacy" => match self.text_of(a) {
                name @ ("print" | "exec") => {
                    let message = format!(
                        "Missing parentheses in call to '{name}'. Did you mean {name}(...)?"
                    );
                    self.refuse_at(a, message)
                }
                _ => return Ok(None),
            },
            "comma" => return self.missing_comma(a),
            "generator" => return self.generator(a),
            "arguments" => {
                let names: Vec<_> =
                    self.elements(a).into_iter().map(|node| self.name_of(node)).collect();
                self.refuse_at_last(if names.contains(&"keyword unpacking") {
                    "positional argument follows keyword argument unpacking"
                } else {
                    "positional argument follows keyword argument"
                })
            }
            "bound" => {
                let kind = if self.name_of(b) == "tuple" { "constraints" } else { "bound" };
                self.refuse_at(a, format!("cannot use {kind} with {text}"))
            }
            "real" | "imaginary" => return self.complex_part(action, first, children),
            "conversion" => return self.conversion(a, b, first),
            "key" => {
                self.mapping_key(a);
                return Ok(Some(a));
            }
            "value" => {
                self.pattern_value(a);
                return Ok(Some(a));
            }
            "future" => {
                self.future_import(a);
                return Ok(Some(a));
            }
            "unequal" => return self.check_unequal_operator(),
            "formatted" => return self.formatted(first, children),
            "decoded" => {
                let token = self.previous_token();
                let wrong = token.and_then(|token| self.wrong_escape_in(token, false));
                match wrong {
                    Some(wrong) => self.refuse_at_last(wrong),
                    None => return Ok(Some(self.add("literal", first, children))),
                }
            }
            "joined" => return self.joined(text, first, children),
            "string" => return self.string(first, children),
            "strings" => return self.strings(first, children),
            "concatenated" => return self.concatenated(first, children),
            _ => return Ok(None),
        };
        Err(stop)
    }

    /// Returns `text` with CPython's name for the node in place of `{name}`, and the text of its
    /// first token in place of `{text}`.
    fn fill_in(&self, text: &'static str, node: NodeId) -> String {
        text.replace("{name}", self.name_of(node)).replace("{text}", self.text_of(node))
    }

    /// Refuses the text if a part of `node` cannot be a target: CPython's
    /// `RAISE_SYNTAX_ERROR_INVALID_TARGET`.
    fn refuse_target(&mut self, node: NodeId, targets: Targets, text: &'static str) -> Parsed {
        let Some(found) = self.invalid_target(node, targets) else { return Ok(None) };
        let message = self.fill_in(text, found);
        Err(self.refuse_at(found, message))
    }

    /// Returns the first part of `node` that cannot be a target: CPython's
    /// `_PyPegen_get_invalid_target`.
    fn invalid_target(&self, node: NodeId, targets: Targets) -> Option<NodeId> {
        match self.name_of(node) {
            "list" | "tuple" => {
                self.elements(node).into_iter().find_map(|item| self.invalid_target(item, targets))
            }
            "starred" if targets == Targets::Deleted => Some(node),
            "starred" => self.invalid_target(*self.elements(node).first()?, targets),
            // The grammar parses the `a in b` of `for a in b` as a comparison.
            "comparison" if targets == Targets::For => match self.children(node) {
                [left, operator, ..] if self.text_of(*operator) == "in" => {
                    self.invalid_target(*left, targets)
                }
                _ => None,
            },
            "name" | "subscript" | "attribute" => None,
            _ => Some(node),
        }
    }

    /// Refuses a missing comma between two expressions in brackets: CPython's
    /// `_PyPegen_raise_error_for_missing_comma`.
    fn missing_comma(&mut self, a: NodeId) -> Parsed {
        let is_legacy = self.name_of(a) == "name" && matches!(self.text_of(a), "print" | "exec");
        if is_legacy || self.previous_token().is_none_or(|token| token.level == 0) {
            return Ok(None);
        }
        let is_at_end = self.version >= PythonVersion::Py315;
        let line = if is_at_end { self.last_line(a) } else { self.first_line(a) };
        Err(self.refuse_at_line(line, "invalid syntax. Perhaps you forgot a comma?"))
    }

    /// Refuses a generator expression without parentheses after another argument: CPython's
    /// `_PyPegen_nonparen_genexp_in_call`.
    fn generator(&mut self, arguments: NodeId) -> Parsed {
        let mut positional = self.elements(arguments);
        positional.retain(|node| !matches!(self.name_of(*node), "keyword" | "keyword unpacking"));
        match positional[..] {
            [.., _, last] => {
                Err(self.refuse_at(last, "Generator expression must be parenthesized"))
            }
            _ => Ok(None),
        }
    }

    /// Records that the compiler refuses an f-string as a pattern. The grammar accepts it.
    fn pattern_value(&mut self, value: NodeId) {
        if self.name_of(value) != "literal" {
            let line = self.first_line(value);
            self.record_compiler_refusal(
                line,
                "patterns may only match literals and attribute lookups",
            );
        }
    }

    /// Records that the compiler refuses an f-string as a key of a mapping pattern. The error is at
    /// the line of the pattern's `{`.
    fn mapping_key(&mut self, key: NodeId) {
        let Some(place) = self.first_token_index(key) else { return };
        if self.name_of(key) == "literal" || self.has_compiler_refusal() {
            return;
        }
        let mut depth = 0_usize;
        let opening = self.tokens_before(place).rev().find(|token| match self.slice(**token) {
            ")" | "]" | "}" => {
                depth += 1;
                false
            }
            "(" | "[" | "{" if depth == 0 => true,
            "(" | "[" | "{" => {
                depth -= 1;
                false
            }
            _ => false,
        });
        if let Some(line) = opening.map(|token| token.line) {
            let message = "mapping pattern keys may only match literals and attribute lookups";
            self.record_compiler_refusal(line, message);
        }
    }

    /// Notices an import of `barry_as_FLUFL`, after which `<>` replaces `!=`: CPython's
    /// `_PyPegen_checked_future_import`.
    fn future_import(&mut self, import: NodeId) {
        let Some(first) = self.first_token_index(import) else { return };
        let words: Vec<&str> = self.tokens_from(first).map(|token| self.slice(token)).collect();
        let is_asked_for =
            |pair: &[&str]| matches!(pair, [before, "barry_as_FLUFL"] if *before != "as");
        self.is_flufl |= words.starts_with(&["from", "__future__", "import"])
            && words.windows(2).any(is_asked_for);
    }

    /// Checks whether `!=` or `<>` is the right operator: CPython's
    /// `_PyPegen_check_barry_as_flufl`.
    fn check_unequal_operator(&mut self) -> Parsed {
        let is_old = self.previous_token().is_some_and(|token| self.slice(token) == "<>");
        match (self.is_flufl, is_old) {
            (true, false) => {
                Err(self.refuse_at_last("with Barry as BDFL, use '<>' instead of '!='"))
            }
            _ if self.is_flufl == is_old => Ok(Some(NodeId::Nothing)),
            _ => Ok(None),
        }
    }

    /// Checks a part of a complex literal in a pattern: CPython's `_PyPegen_ensure_real` and
    /// `_PyPegen_ensure_imaginary`.
    fn complex_part(&mut self, what: &str, first: u32, children: Vec<NodeId>) -> Parsed {
        let node = self.add("literal", first, children);
        let is_imaginary = self.text_of(node).ends_with(['j', 'J']);
        if is_imaginary == (what == "imaginary") {
            return Ok(Some(node));
        }
        Err(self.refuse_at(node, format!("{what} number required in complex literal")))
    }

    /// Checks a conversion such as `!r`: CPython's `_PyPegen_check_fstring_conversion`.
    fn conversion(&mut self, mark: NodeId, name: NodeId, first: u32) -> Parsed {
        let (Some(before), Some(token)) = (self.first_token(mark), self.first_token(name)) else {
            return Ok(None);
        };
        if before.end != token.start {
            let letter = self.string_letter();
            // CPython misspells the word up to 3.13.
            let word =
                if self.version >= PythonVersion::Py314 { "exclamation" } else { "exclamanation" };
            let message =
                format!("{letter}-string: conversion type must come right after the {word} mark");
            return Err(self.refuse_at(mark, message));
        }
        // Up to 3.13, CPython first parses the rest of the field. `formatted` checks the letter
        // then.
        if self.version >= PythonVersion::Py314 {
            self.conversion_letter(name)?;
        }
        Ok(Some(self.add(CONVERSION, first, vec![mark, name])))
    }

    fn conversion_letter(&mut self, name: NodeId) -> CheckResult {
        let text = normalized_name(self.text_of(name));
        if matches!(text.as_str(), "s" | "r" | "a") {
            return Ok(());
        }
        let letter = self.string_letter();
        let message = format!(
            "{letter}-string: invalid conversion character {}: expected 's', 'r', or 'a'",
            py_repr(&text)
        );
        Err(self.refuse_at(name, message))
    }

    /// Checks the conversion of a replacement field up to 3.13: CPython's
    /// `_PyPegen_formatted_value`.
    fn formatted(&mut self, first: u32, children: Vec<NodeId>) -> Parsed {
        let conversion = children.iter().find(|node| self.name_of(**node) == CONVERSION);
        if let Some(name) = conversion.and_then(|node| self.children(*node).last().copied()) {
            self.conversion_letter(name)?;
        }
        Ok(Some(self.add("f-string expression", first, children)))
    }

    /// Returns the letter of the innermost open f-string or t-string: `f` or `t`.
    fn string_letter(&self) -> char {
        let mut open = Vec::new();
        for token in self.tokens_from(0) {
            match token.kind {
                Kind::FStringStart => open.push('f'),
                Kind::TStringStart => open.push('t'),
                Kind::FStringEnd | Kind::TStringEnd => _ = open.pop(),
                _ => {}
            }
        }
        open.last().copied().unwrap_or('f')
    }

    /// Returns what is wrong with the escapes in the text of an f-string or t-string.
    fn wrong_escape_in(&self, token: Token, is_raw: bool) -> Option<String> {
        let text = self.slice(token);
        if is_raw || !text.contains('\\') { None } else { strings::wrong_escape(text) }
    }

    /// Checks the escapes in an f-string or t-string: CPython's `_PyPegen_joined_str`.
    fn joined(&mut self, name: &'static str, first: u32, children: Vec<NodeId>) -> Parsed {
        let is_text =
            |token: &Token| matches!(token.kind, Kind::FStringMiddle | Kind::TStringMiddle);
        let wrong = self
            .tokens_from(first)
            .filter(is_text)
            .find_map(|token| Some((self.wrong_escape_in(token, token.is_raw)?, token.line)));
        match wrong {
            Some((wrong, line)) if self.version >= PythonVersion::Py315 => {
                Err(self.refuse_at_line(line, wrong))
            }
            Some((wrong, _)) => Err(self.refuse_at_last(wrong)),
            None => Ok(Some(self.add(name, first, children))),
        }
    }

    /// Checks the content of a string literal: CPython's `_PyPegen_constant_from_string`.
    fn string(&mut self, first: u32, children: Vec<NodeId>) -> Parsed {
        let node = self.add("literal", first, children);
        let Some(literal) = strings::Literal::new(self.text_of(node)) else {
            return Ok(Some(node));
        };
        match literal.wrong() {
            // This error is at the line of the string. Others are at the last token that was read.
            Some(wrong) if wrong == strings::NOT_ASCII => Err(self.refuse_at(node, wrong)),
            Some(wrong) => Err(self.refuse_at_last(wrong)),
            None => Ok(Some(node)),
        }
    }

    /// Checks adjacent string literals since 3.12: CPython's `_PyPegen_concatenate_strings`.
    fn concatenated(&mut self, first: u32, children: Vec<NodeId>) -> Parsed {
        let is_fstring = |node: &NodeId| self.name_of(*node) != "literal";
        let is_bytes = |node: &NodeId| {
            !is_fstring(node)
                && strings::Literal::new(self.text_of(*node)).is_some_and(|s| s.is_bytes)
        };
        let bytes = children.iter().filter(|node| is_bytes(node)).count();
        let name = if children.iter().any(is_fstring) { "f-string expression" } else { "literal" };
        if bytes != 0 && bytes != children.len() {
            return Err(self.refuse_at_last(MIXED));
        }
        Ok(Some(self.add(name, first, children)))
    }

    /// Checks adjacent string literals of 3.11, and the content of f-strings: CPython's
    /// `_PyPegen_concatenate_strings`.
    fn strings(&mut self, first: u32, children: Vec<NodeId>) -> Parsed {
        debug_assert!(self.version == PythonVersion::Py311);
        let tokens: Vec<Token> = self.tokens_from(first).collect();
        let mut is_bytes = None;
        let mut name = "literal";
        for token in tokens {
            let Some(literal) = strings::Literal::new(self.slice(token)) else { continue };
            match literal.wrong() {
                _ if literal.is_fstring => {}
                Some(wrong) if wrong == strings::NOT_ASCII => {
                    return Err(self.refuse_at_line(token.line, wrong));
                }
                Some(wrong) => return Err(self.refuse_at_last(wrong)),
                None => {}
            }
            if *is_bytes.get_or_insert(literal.is_bytes) != literal.is_bytes {
                return Err(self.refuse_at_last(MIXED));
            }
            if literal.is_fstring {
                name = "f-string expression";
                self.fstring(token, &literal)?;
            }
        }
        Ok(Some(self.add(name, first, children)))
    }
}

/// The name of the node of a conversion such as `!r`. CPython's tree has no such node.
const CONVERSION: &str = "conversion";

const MIXED: &str = "cannot mix bytes and nonbytes literals";

/// The result of a check that gives no node: nothing, or the reason to stop.
pub(super) type CheckResult = Result<(), Stop>;
