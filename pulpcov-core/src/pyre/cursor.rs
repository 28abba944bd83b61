//! Reads a pattern token by token, and reports errors in Python's words.

/// The reason why a pattern is refused: Python's message. In most cases, it contains the position,
/// in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PatternError(String);

impl PatternError {
    /// Creates an error about the pattern as a whole.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// A character, or a backslash with the character after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    Escape(char),
}

impl Token {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Char(_) => 1,
            Self::Escape(_) => 2,
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Char(c) => write!(f, "{c}"),
            Self::Escape(c) => write!(f, "\\{c}"),
        }
    }
}

/// A position in a pattern. Positions are in characters.
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
}

impl Cursor {
    pub(super) fn new(pattern: &str) -> Result<Self, PatternError> {
        let mut cursor = Self { chars: pattern.chars().collect(), at: 0 };
        cursor.seek(0)?;
        Ok(cursor)
    }

    /// Returns the position of the next token.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Moves to `at`. Python reads one token ahead. So it refuses a lone backslash at the end of
    /// the pattern when the token before is read.
    pub(super) fn seek(&mut self, at: usize) -> Result<(), PatternError> {
        self.at = at;
        if self.chars.get(at..) == Some(&['\\']) {
            return Err(self.error("bad escape (end of pattern)", at));
        }
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<Token> {
        match *self.chars.get(self.at)? {
            '\\' => self.chars.get(self.at + 1).copied().map(Token::Escape),
            c => Some(Token::Char(c)),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Token>, PatternError> {
        let token = self.peek();
        if let Some(token) = token {
            self.seek(self.at + token.len())?;
        }
        Ok(token)
    }

    /// Skips `c` if it is the next character. Returns whether it was.
    pub(super) fn skip(&mut self, c: char) -> Result<bool, PatternError> {
        let found = self.peek() == Some(Token::Char(c));
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Reads up to `most` characters, as long as they are `wanted`.
    pub(super) fn take_while(
        &mut self,
        most: usize,
        wanted: impl Fn(char) -> bool,
    ) -> Result<String, PatternError> {
        let mut taken = String::new();
        while taken.len() < most
            && let Some(Token::Char(c)) = self.peek()
            && wanted(c)
        {
            taken.push(c);
            self.next()?;
        }
        Ok(taken)
    }

    /// Reads a name up to the character `end`, and skips `end`. `what` describes the name in
    /// errors.
    pub(super) fn take_name(&mut self, end: char, what: &str) -> Result<String, PatternError> {
        let start = self.at;
        let mut name = String::new();
        loop {
            match self.next()? {
                Some(Token::Char(c)) if c == end => break,
                Some(token) => name.push_str(&token.to_string()),
                None if name.is_empty() => {
                    return Err(self.error(&format!("missing {what}"), start));
                }
                None => {
                    return Err(self.error(&format!("missing {end}, unterminated name"), start));
                }
            }
        }
        if name.is_empty() {
            return Err(self.error(&format!("missing {what}"), start));
        }
        Ok(name)
    }

    /// Returns an error with `message` and the position `at`, and with the line and column if the
    /// pattern has several lines.
    pub(super) fn error(&self, message: &str, at: usize) -> PatternError {
        let mut message = format!("{message} at position {at}");
        if self.chars.contains(&'\n') {
            let before = self.chars.get(..at).unwrap_or(&self.chars);
            let line = before.iter().filter(|c| **c == '\n').count() + 1;
            let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
            message.push_str(&format!(" (line {line}, column {column})"));
        }
        PatternError(message)
    }
}
