//! Killed at each step, a combine loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use super::inject::{calls, with_fault};
use super::left::{Left, what_is_left};
use super::{TARGET, data, inputs, restore, snapshot};
use crate::support::{Dir, Rows};

/// More kills than this at one system call are spread over the run.
const KILLS_PER_CALL: usize = 24;

/// Numbers from 1 to `count`, at most [`KILLS_PER_CALL`] of them.
fn spread(count: usize) -> impl Iterator<Item = usize> {
    let step = count.div_ceil(KILLS_PER_CALL).max(1);
    // The last ones are where results are written and inputs deleted.
    (1..=count).filter(move |n| n % step == 0 || *n + KILLS_PER_CALL / 2 > count)
}

/// Kill a combine at every step. Then nothing is lost, and the same combine run again completes it.
fn kill_at_every_step(args: &[&str], old: Option<u32>) -> BTreeSet<Left> {
    let dir = Dir::new();
    let mut expected = inputs(&dir, 1..=6);
    if let Some(old) = old {
        store(&data(old), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        if args.contains(&"--append") {
            expected = expected.union(Rows::of(&data(old)));
        }
    }
    let before = snapshot(&dir);
    let mut counts = BTreeMap::new();
    for call in calls(&dir, args) {
        let count = counts.entry(call.name).or_insert(0);
        *count = call.number.max(*count);
    }
    let after = snapshot(&dir);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);

    let mut seen = BTreeSet::new();
    for (call, count) in counts {
        for number in spread(count) {
            let at = format!("killed at {call} {number} of {count}, {args:?}");
            restore(&dir, &before);
            let output = with_fault(&dir, args, &format!("{call}:when={number}"), "signal=KILL");
            assert!(!output.status.success(), "not {at}");
            let left = what_is_left(&dir, &before, &after[TARGET], &at);
            seen.insert(left);
            let done = left == Left::Deleted && dir.names() == [TARGET];
            let again = dir.pulpcov([&["combine"], args].concat());
            match done {
                true => again.status(1).stderr("No data to combine"),
                false => again.status(0),
            };
            assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{at}: {left:?}");
            let names: Vec<_> = dir.names();
            assert_eq!(names, after.keys().cloned().collect::<Vec<_>>(), "{at}: {left:?}");
        }
    }
    seen
}

/// What a combine that deletes its inputs can leave, and must have left somewhere.
const EVERY_STEP: [Left; 5] =
    [Left::AsItWas, Left::Temporary, Left::Written, Left::Deleting, Left::Deleted];

#[test]
fn a_killed_combine_loses_nothing() {
    let seen = kill_at_every_step(&[], None);
    assert_eq!(seen, EVERY_STEP.into());
}

#[test]
fn a_killed_combine_onto_an_older_result_loses_nothing() {
    let seen = kill_at_every_step(&[], Some(90));
    assert_eq!(seen, EVERY_STEP.into());
}

#[test]
fn a_killed_append_loses_nothing() {
    let seen = kill_at_every_step(&["--append"], Some(90));
    assert_eq!(seen, EVERY_STEP.into());
}

#[test]
fn a_killed_combine_that_keeps_its_inputs_loses_nothing() {
    let seen = kill_at_every_step(&["--keep"], Some(90));
    assert_eq!(seen, [Left::AsItWas, Left::Temporary, Left::Written].into());
}

/// Of many rows, the table and its index are written at once, by two threads.
#[test]
fn a_combine_killed_while_two_threads_write_loses_nothing() {
    let dir = Dir::new();
    let mut large = CoverageData::new();
    for file in 0..20 {
        for context in 0..1000 {
            let lines = Numbits::from_iter([context, 6400 - file]);
            large.add_lines(format!("{file}.py"), &format!("test {context}"), &lines).unwrap();
        }
    }
    let expected = inputs(&dir, 1..=3).union(Rows::of(&large));
    store(&large, dir.path(".coverage.host.pid99.Xabcdefx"), StoreFormat::Sqlite).unwrap();
    let before = snapshot(&dir);
    // The other tables are small, and take fewer calls; the large one takes 16, a MiB each.
    for number in [11, 13, 15] {
        let output = with_fault(&dir, &[], &format!("pwrite64:when={number}"), "signal=KILL");
        assert!(!output.status.success(), "not killed at {number}");
        assert_eq!(what_is_left(&dir, &before, &[], "killed"), Left::Temporary, "{number}");
        restore(&dir, &before);
    }
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
}
