//! The files that an interrupted combine leaves.

use std::collections::BTreeMap;

use super::{TARGET, snapshot};
use crate::support::Dir;

/// What an interrupted combine has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leftovers {
    /// Inputs and target as they were.
    AsItWas,
    /// Inputs and target as they were, and a temporary file.
    Temporary,
    /// The new target, and all inputs.
    Written,
    /// The new target, and some inputs.
    Deleting,
    /// The new target only.
    Deleted,
}

/// Checks that nothing is lost, and returns what is left. `at` names the moment for messages.
pub(super) fn what_is_left(
    dir: &Dir,
    before: &BTreeMap<String, Vec<u8>>,
    result: &[u8],
    at: &str,
) -> Leftovers {
    let mut now = snapshot(dir);
    let target = now.remove(TARGET);
    let extra = now.keys().filter(|name| !before.contains_key(*name)).count();
    now.retain(|name, _| before.contains_key(name));
    let mut inputs = before.clone();
    let old = inputs.remove(TARGET);
    assert!(now.iter().all(|(name, bytes)| inputs[name] == *bytes), "an input changed: {at}");
    let all_inputs = now.len() == inputs.len();
    if target == old {
        assert!(all_inputs, "an input is gone, and the result is not there: {at}");
        return if extra > 0 { Leftovers::Temporary } else { Leftovers::AsItWas };
    }
    assert_eq!(target.as_deref(), Some(result), "neither the old nor the new target: {at}");
    match now.len() {
        0 => Leftovers::Deleted,
        _ if all_inputs => Leftovers::Written,
        _ => Leftovers::Deleting,
    }
}
