//! Reads diffs. Each line of one version that is not changed is one line of the other version, in the
//! same order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::changes::{Diff, FileChange};

/// The lines that are mapped: those of a small file, and those around the edits.
const FIRST: i32 = 200;

fuzz_target!(|text: &[u8]| {
    let Ok(diff) = Diff::parse(text) else { return };
    for change in diff.files() {
        assert!(change.old_path().is_some() || change.new_path().is_some());
        check_edits(change);
        check_mapping(change);
    }
});

fn check_edits(change: &FileChange) {
    for edit in change.edits() {
        assert!(!edit.old.is_empty() || !edit.new.is_empty());
        assert!(edit.old.start > 0 && edit.new.start > 0);
    }
    for pair in change.edits().windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert!(before.old.end <= after.old.start && before.new.end <= after.new.start);
    }
}

fn check_mapping(change: &FileChange) {
    let around =
        change.edits().iter().take(20).flat_map(|edit| {
            [edit.old.start.saturating_sub(1).max(1), edit.old.start, edit.old.end]
        });
    let mut lines: Vec<i32> = (1..=FIRST).chain(around).collect();
    lines.sort_unstable();
    let mut last = 0;
    lines.dedup();
    for old in lines {
        let Some(new) = change.new_line(old) else { continue };
        assert!(new > last, "line {old}");
        assert_eq!(change.old_line(new), Some(old));
        last = new;
    }
}
