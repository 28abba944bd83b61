//! Writes English sentences about arcs that were not taken.

use super::Arc;
use super::starts::Cause;
use crate::text::py_repr;

/// What an arc does. The line that it goes to tells which function or class it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Action {
    /// Goes to a line, or to the exit of a function.
    Jump,
    Return,
    Raise,
    ExitClass,
    ExitModule,
}

/// A way to take an arc: why it may not be taken, and what it does.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Fragment {
    pub(super) arc: Arc,
    pub(super) cause: Cause,
    pub(super) action: Action,
}

/// The fragments of all arcs. An arc has a fragment for each way to take it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Descriptions {
    fragments: Vec<Fragment>,
    /// The lines that functions and classes start on, sorted, and their names.
    names: Vec<(i32, Box<str>)>,
}

impl Descriptions {
    pub(super) fn new(mut fragments: Vec<Fragment>, mut names: Vec<(i32, Box<str>)>) -> Self {
        fragments.sort_by_key(|fragment| fragment.arc);
        names.sort_unstable();
        Self { fragments, names }
    }

    /// Returns the arcs that have fragments, sorted. An arc is repeated for each of its fragments.
    pub(super) fn arcs(&self) -> impl Iterator<Item = Arc> {
        self.fragments.iter().map(|fragment| fragment.arc)
    }

    fn describe(&self, action: Action, to: i32) -> String {
        match action {
            Action::Jump if to < 0 => "jump to the function exit".to_owned(),
            Action::Jump => format!("jump to line {to}"),
            Action::Return => format!("return from function {}", self.name(to)),
            Action::Raise => format!("except from function {}", self.name(to)),
            Action::ExitClass => format!("exit class {}", self.name(to)),
            Action::ExitModule => "exit the module".to_owned(),
        }
    }

    /// Returns the name of the function or class whose exit is `to`, as Python's `repr` writes it.
    fn name(&self, to: i32) -> String {
        let found = self.names.binary_search_by_key(&to.saturating_neg(), |(start, _)| *start);
        let name = found.ok().and_then(|at| self.names.get(at));
        py_repr(name.map_or("", |(_, name)| name))
    }

    fn fragments_of(&self, arc: Arc) -> &[Fragment] {
        let first = self.fragments.partition_point(|fragment| fragment.arc < arc);
        let rest = self.fragments.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|fragment| fragment.arc == arc).count();
        rest.get(..count).unwrap_or_default()
    }

    pub(super) fn describe_missing(&self, arc: Arc) -> String {
        let (from, to) = arc;
        let sentence = |action| format!("line {from} didn't {}", self.describe(action, to));
        match self.fragments_of(arc) {
            [] => sentence(Action::Jump),
            ways => {
                let ways = ways.iter().map(|way| {
                    format!("{} because {}", sentence(way.action), way.cause.describe(from))
                });
                ways.collect::<Vec<_>>().join(" or ")
            }
        }
    }

    pub(super) fn describe_action(&self, arc: Arc) -> String {
        let action = self.fragments_of(arc).first().map_or(Action::Jump, |way| way.action);
        self.describe(action, arc.1)
    }
}
