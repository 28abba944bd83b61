//! A combine that is killed at any step loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::Instant;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use super::inject::{calls, combine, with_fault};
use super::leftovers::{Leftovers, what_is_left};
use super::{TARGET, data, input_name, inputs, little_memory, restore, snapshot};
use crate::support::{Dir, Ran, Rows};

/// If a system call occurs more often than this, the kills are spread over the run.
const KILLS_PER_CALL: usize = 24;

/// Returns about [`KILLS_PER_CALL`] numbers from 1 to `count`.
fn spread(count: usize) -> impl Iterator<Item = usize> {
    let step = count.div_ceil(KILLS_PER_CALL).max(1);
    // The last calls write the result and delete inputs.
    (1..=count).filter(move |n| n % step == 0 || *n + KILLS_PER_CALL / 2 > count)
}

/// Kills `combine` at every step. Checks that nothing is lost, and that the same combine, run again,
/// finishes.
fn kill_at_every_step(
    combine: fn(&[&str]) -> Command,
    args: &[&str],
    old: Option<i32>,
) -> BTreeSet<Leftovers> {
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
    for call in calls(&dir, &combine(args)) {
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
            let call = format!("{call}:when={number}");
            let output = with_fault(&dir, &combine(args), &call, "signal=KILL");
            assert!(!output.status.success(), "not {at}");
            let left = what_is_left(&dir, &before, &after[TARGET], &at);
            seen.insert(left);
            let done = left == Leftovers::Deleted && dir.names() == [TARGET];
            let again = Ran::from(combine(args).current_dir(dir.path("")).output().unwrap());
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

/// The states that a killed combine can leave, if it deletes its inputs. The kills have to produce each of
/// them.
const EVERY_STEP: [Leftovers; 5] = [
    Leftovers::AsItWas,
    Leftovers::Temporary,
    Leftovers::Written,
    Leftovers::Deleting,
    Leftovers::Deleted,
];

#[test]
fn a_killed_combine_loses_nothing() {
    let seen = kill_at_every_step(combine, &[], None);
    assert_eq!(seen, EVERY_STEP.into());
}

#[test]
fn a_killed_combine_onto_an_older_result_loses_nothing() {
    let seen = kill_at_every_step(combine, &[], Some(90));
    assert_eq!(seen, EVERY_STEP.into());
}

#[test]
fn a_killed_append_loses_nothing() {
    let seen = kill_at_every_step(combine, &["--append"], Some(90));
    assert_eq!(seen, EVERY_STEP.into());
}

#[test]
fn a_killed_combine_that_keeps_its_inputs_loses_nothing() {
    let seen = kill_at_every_step(combine, &["--keep"], Some(90));
    assert_eq!(seen, [Leftovers::AsItWas, Leftovers::Temporary, Leftovers::Written].into());
}

/// Until the result exists, the inputs still have all rows that wait on disk.
#[test]
fn a_combine_killed_while_rows_wait_on_disk_loses_nothing() {
    let seen = kill_at_every_step(little_memory::combine, &[], Some(90));
    assert_eq!(seen, EVERY_STEP.into());
    let seen = kill_at_every_step(little_memory::combine, &["--append"], Some(90));
    assert_eq!(seen, EVERY_STEP.into());
}

/// Kills at any moment, on any thread, and not only between two system calls.
#[test]
fn a_combine_killed_at_any_moment_while_rows_wait_on_disk_loses_nothing() {
    println!("{}", kill_at_any_moment(little_memory::combine(&[])));
}

#[test]
fn a_combine_killed_at_any_moment_loses_nothing() {
    println!("{}", kill_at_any_moment(combine(&[])));
}

/// Kills the combine at many moments, and checks that nothing is lost. Returns a text that counts what the
/// kills left.
fn kill_at_any_moment(mut combine: Command) -> String {
    let kills = u32::try_from(crate::support::cases(12)).unwrap();
    let dir = Dir::new();
    inputs(&dir, 1..=8);
    for number in 10..26 {
        let mut large = CoverageData::new();
        for row in 0..2000 {
            let (file, context) = (format!("{}.py", row % 20), format!("test {}", row + number));
            large.add_lines(file, &context, &Numbits::from_iter([row, number])).unwrap();
        }
        store(&large, dir.path(input_name(number)), StoreFormat::Sqlite).unwrap();
    }
    combine.current_dir(dir.path("")).stdout(Stdio::null()).stderr(Stdio::null());
    store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    let before = snapshot(&dir);
    let begin = Instant::now();
    assert!(combine.status().unwrap().success());
    let mut takes = begin.elapsed();
    let after = snapshot(&dir);
    restore(&dir, &before);
    assert!(dir.pulpcov(["combine"]).status == 0 && snapshot(&dir) == after);

    let mut seen = BTreeMap::new();
    for kill in 0..kills {
        // A combine reads for most of its time. Half of the kills are near the end, where it writes and
        // deletes.
        let at = match kill % 2 {
            0 => takes * kill / kills,
            _ => takes * 3 / 4 + takes / 4 * kill / kills,
        };
        restore(&dir, &before);
        let mut child = combine.spawn().unwrap();
        std::thread::sleep(at);
        child.kill().unwrap();
        let killed = !child.wait().unwrap().success();
        // On a busy machine, the first combine may take much longer than the others.
        if !killed {
            takes = takes.min(at);
        }
        let left = what_is_left(&dir, &before, &after[TARGET], &format!("after {at:?}"));
        *seen.entry((killed, left)).or_insert(0) += 1;
        // The combine may have ended before the kill.
        if left != Leftovers::Deleted || dir.names() != [TARGET] {
            assert!(combine.status().unwrap().success(), "after {at:?}: {left:?}");
        }
        assert!(snapshot(&dir) == after, "after {at:?}: {left:?}");
    }
    let killed = seen.iter().filter(|((killed, _), _)| *killed).map(|(_, count)| count);
    assert!(killed.sum::<u32>() > kills / 4, "{seen:?}");
    format!("of {kills} kills, whether the combine was killed, and what it left: {seen:?}")
}

/// If there are many rows, two threads write the table and its index at the same time.
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
    // The other tables are small and take fewer calls. The large one takes 16 calls of a MiB each.
    for number in [11, 13, 15] {
        let output =
            with_fault(&dir, &combine(&[]), &format!("pwrite64:when={number}"), "signal=KILL");
        assert!(!output.status.success(), "not killed at {number}");
        assert_eq!(what_is_left(&dir, &before, &[], "killed"), Leftovers::Temporary, "{number}");
        restore(&dir, &before);
    }
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
}
