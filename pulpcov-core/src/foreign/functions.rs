//! The functions of a file.

use std::collections::HashMap;

/// The functions of a file, sorted by first line and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Functions {
    all: Vec<Function>,
    /// Names that were counted, until [`finish`](Functions::finish) finds their definitions.
    counted: Vec<(Box<str>, u64)>,
    /// The function after the one that was counted last: tools count functions in the order in which they define them.
    next: usize,
}

/// A function, and how often it ran.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::lcov;
///
/// let text = b"SF:a.c\nFN:7,9,main\nFNDA:1,main\nend_of_record\n";
/// let report = lcov::read(&text[..])?;
/// let counts = report.files().next().unwrap().1.total();
/// let [main] = counts.functions() else { panic!() };
/// assert_eq!((&*main.name, main.first_line, main.last_line, main.hits), ("main", Some(7), Some(9), 1));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Function {
    /// The name. It may be mangled.
    pub name: Box<str>,
    /// The line that it begins on, if the tool says it.
    pub first_line: Option<u32>,
    /// The line that it ends on, if the tool says it.
    pub last_line: Option<u32>,
    /// How often it ran.
    pub hits: u64,
}

impl Function {
    fn key(&self) -> (Option<u32>, &str) {
        (self.first_line, &self.name)
    }

    fn add(&mut self, other: &Self) {
        self.last_line = self.last_line.max(other.last_line);
        self.hits = self.hits.saturating_add(other.hits);
    }
}

impl Functions {
    pub(super) fn all(&self) -> &[Function] {
        &self.all
    }

    /// Adds a function and how often it ran, as far as that is known already.
    pub(super) fn define(&mut self, name: &str, first: u32, last_line: Option<u32>, hits: u64) {
        self.all.push(Function { name: name.into(), first_line: Some(first), last_line, hits });
    }

    /// Counts the function of this name, which is defined before or later.
    pub(super) fn count(&mut self, name: &str, hits: u64) {
        match self.all.get_mut(self.next).filter(|function| *function.name == *name) {
            Some(function) => {
                function.hits = function.hits.saturating_add(hits);
                self.next += 1;
            }
            None => self.counted.push((name.into(), hits)),
        }
    }

    /// Finds the definitions of what was counted, puts the functions in order, and makes one of those that are the same.
    ///
    /// If several functions have a name, the one that begins first is meant. A function that is not defined has no line.
    pub(super) fn finish(&mut self) {
        let mut first = HashMap::<&str, usize>::new();
        if !self.counted.is_empty() {
            for (at, function) in self.all.iter().enumerate() {
                let known = first.entry(&function.name).or_insert(at);
                let line = |at: usize| self.all.get(at).and_then(|function| function.first_line);
                if line(at) < line(*known) {
                    *known = at;
                }
            }
        }
        let places: Vec<Option<usize>> =
            self.counted.iter().map(|(name, _)| first.get(&**name).copied()).collect();
        for ((name, hits), place) in std::mem::take(&mut self.counted).into_iter().zip(places) {
            match place.and_then(|at| self.all.get_mut(at)) {
                Some(function) => function.hits = function.hits.saturating_add(hits),
                None => {
                    let (first_line, last_line) = (None, None);
                    self.all.push(Function { name, first_line, last_line, hits });
                }
            }
        }
        self.next = 0;
        self.sort();
    }

    /// Returns the functions as a tracefile tells them: what was counted without a line belongs to the function of its name that begins
    /// first, if there is one.
    pub(super) fn bound(&self) -> Vec<Function> {
        let (undefined, defined): (Vec<_>, Vec<_>) =
            self.all.iter().cloned().partition(|function| function.first_line.is_none());
        let counted = undefined.into_iter().map(|function| (function.name, function.hits));
        let mut bound = Self { all: defined, counted: counted.collect(), next: 0 };
        bound.finish();
        bound.all
    }

    pub(super) fn merge(&mut self, other: Self) {
        let is_same = self.all.len() == other.all.len()
            && self.all.iter().zip(&other.all).all(|(mine, other)| mine.key() == other.key());
        if is_same {
            self.all.iter_mut().zip(&other.all).for_each(|(mine, other)| mine.add(other));
        } else {
            self.all.extend(other.all);
            self.sort();
        }
    }

    /// Sorts the functions, and makes one of those with the same line and name.
    fn sort(&mut self) {
        if self.all.is_sorted_by(|a, b| a.key() < b.key()) {
            return;
        }
        self.all.sort_by(|a, b| a.key().cmp(&b.key()));
        self.all.dedup_by(|function, before| {
            let is_same = function.key() == before.key();
            if is_same {
                before.add(function);
            }
            is_same
        });
    }
}
