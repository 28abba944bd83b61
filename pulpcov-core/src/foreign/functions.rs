//! The functions of a file.

use std::collections::BTreeMap;

/// The functions of a file, sorted by first line and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Functions {
    all: Vec<Function>,
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
        self.last_line = self.last_line.or(other.last_line);
        self.hits = self.hits.saturating_add(other.hits);
    }
}

impl Functions {
    pub(super) fn all(&self) -> &[Function] {
        &self.all
    }

    pub(super) fn define(&mut self, name: &str, first_line: u32, last_line: Option<u32>) {
        let first_line = Some(first_line);
        self.all.push(Function { name: name.into(), first_line, last_line, hits: 0 });
    }

    /// Counts a function that was or will be defined.
    pub(super) fn count(&mut self, name: &str, hits: u64) {
        match self.all.get_mut(self.next).filter(|function| *function.name == *name) {
            Some(function) => {
                function.hits = function.hits.saturating_add(hits);
                self.next += 1;
            }
            None => {
                // `finish` finds its definition.
                self.all
                    .insert(self.next, Function { name: name.into(), hits, ..Function::default() });
                self.next += 1;
            }
        }
    }

    /// Puts the functions in order, and makes one of those that are the same.
    pub(super) fn finish(&mut self) {
        self.next = 0;
        let is_in_order = self.all.is_sorted_by(|a, b| a.key() < b.key());
        let is_defined = self.all.first().is_none_or(|function| function.first_line.is_some());
        if !(is_in_order && is_defined) {
            self.join(Vec::new());
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        let is_same = self.all.len() == other.all.len()
            && self.all.iter().zip(&other.all).all(|(mine, other)| mine.key() == other.key());
        if is_same {
            self.all.iter_mut().zip(&other.all).for_each(|(mine, other)| mine.add(other));
        } else {
            self.join(other.all);
        }
    }

    /// Adds functions. A function that is counted without a line is the first one of its name.
    fn join(&mut self, others: Vec<Function>) {
        let all = std::mem::take(&mut self.all);
        let (defined, counted): (Vec<_>, Vec<_>) =
            all.into_iter().chain(others).partition(|function| function.first_line.is_some());
        let mut known = BTreeMap::<(Option<u32>, Box<str>), Function>::new();
        let mut first = BTreeMap::<Box<str>, Option<u32>>::new();
        for function in defined {
            let line = first.entry(function.name.clone()).or_insert(function.first_line);
            *line = (*line).min(function.first_line);
            join_into(&mut known, function);
        }
        for mut function in counted {
            function.first_line = first.get(&function.name).copied().flatten();
            join_into(&mut known, function);
        }
        self.all = known.into_values().collect();
    }
}

fn join_into(known: &mut BTreeMap<(Option<u32>, Box<str>), Function>, function: Function) {
    let key = (function.first_line, function.name.clone());
    match known.get_mut(&key) {
        Some(same) => same.add(&function),
        None => drop(known.insert(key, function)),
    }
}
