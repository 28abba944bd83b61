//! Defines where arcs start, and why they may not be taken.

/// A line that an arc leaves, and the reason if that arc is never taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ArcStart {
    pub(super) line: i32,
    pub(super) cause: Cause,
}

impl ArcStart {
    pub(super) fn new(line: i32, cause: Cause) -> Self {
        Self { line, cause }
    }

    /// Creates a start without a reason, for a line that does not choose between arcs.
    pub(super) fn plain(line: i32) -> Self {
        Self::new(line, Cause::Unknown)
    }
}

/// The starts of the arcs that leave a node.
///
/// Nearly all nodes have exactly one start, so the first is stored without a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Exits {
    first: Option<ArcStart>,
    others: Vec<ArcStart>,
}

impl Exits {
    pub(super) fn one(start: ArcStart) -> Self {
        Self { first: Some(start), others: Vec::new() }
    }

    pub(super) fn add(&mut self, start: ArcStart) {
        match self.first {
            None => self.first = Some(start),
            Some(_) => self.others.push(start),
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
        } else {
            self.others.extend(other.first);
            self.others.extend(other.others);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns each start once, sorted. In coverage.py, the order is that of a set, which depends
    /// on hashes.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = ArcStart> {
        let Self { mut first, mut others } = self;
        if !others.is_empty() {
            others.extend(first.take());
            others.sort_unstable();
            others.dedup();
        }
        first.into_iter().chain(others)
    }
}

/// Why an arc was not taken.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(super) enum Cause {
    Unknown,
    BreakNotExecuted,
    ContinueNotExecuted,
    RaiseNotExecuted,
    ReturnNotExecuted,
    LoopNeverStarted,
    LoopDidNotComplete,
    NeverTrue,
    AlwaysTrue,
    AlwaysMatched,
    NeverMatched,
    NotRaised,
}

impl Cause {
    /// Returns the cause in coverage.py's words, for an arc from `line`.
    pub(super) fn describe(self, line: i32) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::BreakNotExecuted => format!("the break on line {line} wasn't executed"),
            Self::ContinueNotExecuted => format!("the continue on line {line} wasn't executed"),
            Self::RaiseNotExecuted => format!("the raise on line {line} wasn't executed"),
            Self::ReturnNotExecuted => format!("the return on line {line} wasn't executed"),
            Self::LoopNeverStarted => format!("the loop on line {line} never started"),
            Self::LoopDidNotComplete => format!("the loop on line {line} didn't complete"),
            Self::NeverTrue => format!("the condition on line {line} was never true"),
            Self::AlwaysTrue => format!("the condition on line {line} was always true"),
            Self::AlwaysMatched => format!("the pattern on line {line} always matched"),
            Self::NeverMatched => format!("the pattern on line {line} never matched"),
            Self::NotRaised => format!("the exception caught by line {line} didn't happen"),
        }
    }
}
