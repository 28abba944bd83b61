//! English sentences about arcs that were not taken.

use super::Arc;
use super::starts::Cause;
use crate::text::py_repr;

/// What an arc does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Action {
    /// Go to a line, or leave a function.
    Jump,
    ReturnFrom(Box<str>),
    ExceptFrom(Box<str>),
    ExitClass(Box<str>),
    ExitModule,
}

impl Action {
    fn describe(&self, to: i32) -> String {
        match self {
            Self::Jump if to < 0 => "jump to the function exit".to_owned(),
            Self::Jump => format!("jump to line {to}"),
            Self::ReturnFrom(name) => format!("return from function {}", py_repr(name)),
            Self::ExceptFrom(name) => format!("except from function {}", py_repr(name)),
            Self::ExitClass(name) => format!("exit class {}", py_repr(name)),
            Self::ExitModule => "exit the module".to_owned(),
        }
    }
}

/// One reason for an arc to be possible.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "report", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Fragment {
    pub(super) arc: Arc,
    pub(super) cause: Option<Cause>,
    pub(super) action: Action,
}

/// The fragments of all arcs; an arc has one for every way to take it.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "report", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Descriptions(Vec<Fragment>);

impl Descriptions {
    pub(super) fn new(mut fragments: Vec<Fragment>) -> Self {
        fragments.sort_by_key(|fragment| fragment.arc);
        Self(fragments)
    }

    fn of(&self, arc: Arc) -> &[Fragment] {
        let first = self.0.partition_point(|fragment| fragment.arc < arc);
        let rest = self.0.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|fragment| fragment.arc == arc).count();
        rest.get(..count).unwrap_or_default()
    }

    pub(super) fn missing(&self, arc: Arc) -> String {
        let (from, to) = arc;
        let sentence = |action: &Action, cause: Option<Cause>| {
            let action = action.describe(to);
            match cause {
                None => format!("line {from} didn't {action}"),
                Some(cause) => {
                    format!("line {from} didn't {action} because {}", cause.describe(from))
                }
            }
        };
        match self.of(arc) {
            [] => sentence(&Action::Jump, None),
            ways => {
                let ways = ways.iter().map(|way| sentence(&way.action, way.cause));
                ways.collect::<Vec<_>>().join(" or ")
            }
        }
    }

    pub(super) fn action(&self, arc: Arc) -> String {
        self.of(arc).first().map_or(&Action::Jump, |way| &way.action).describe(arc.1)
    }
}
