//! Sentences with names in them.

use super::markdown_text::{code, escape};

/// A sentence in which names stand that may come from anybody, such as names of files, rules and data files.
///
/// In Markdown a name has to be code: GitHub makes mentions and links of `@team` and `www.example.org` in any other text, also
/// if they are escaped.
#[derive(Debug, Clone, Default)]
pub(super) struct Sentence(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Words(String),
    Name(String),
}

impl Sentence {
    /// Creates a sentence that begins with these words.
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self::default().words(words)
    }

    /// Adds words of ours.
    pub(super) fn words(mut self, words: impl Into<String>) -> Self {
        self.0.push(Part::Words(words.into()));
        self
    }

    /// Adds a name.
    pub(super) fn name(mut self, name: impl Into<String>) -> Self {
        self.0.push(Part::Name(name.into()));
        self
    }

    /// Adds names with commas between them.
    pub(super) fn names<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let add = |(sentence, separator): (Self, &str), name: &str| {
            (sentence.words(separator).name(name), ", ")
        };
        names.into_iter().fold((self, ""), add).0
    }

    /// Adds the parts of another sentence.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns the sentence as text. The names are as they are.
    pub(super) fn plain(&self) -> String {
        let text = self.0.iter().map(|part| match part {
            Part::Words(text) | Part::Name(text) => text.as_str(),
        });
        text.collect()
    }

    /// Returns the sentence as Markdown.
    pub(super) fn markdown(&self) -> String {
        let text = self.0.iter().map(|part| match part {
            Part::Words(words) => escape(words),
            Part::Name(name) => code(name),
        });
        text.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_in_markdown() {
        let sentence = Sentence::new("rule ").name("@org/**").words(": lines=90");
        assert_eq!(sentence.plain(), "rule @org/**: lines=90");
        assert_eq!(sentence.markdown(), "rule `@org/**`: lines=90");
        let sentence = Sentence::new("only in ").names(["a", "www.x.org"]);
        assert_eq!(sentence.markdown(), "only in `a`, `www.x.org`");
    }
}
