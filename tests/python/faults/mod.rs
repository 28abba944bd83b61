//! Nothing is lost when a combine is disturbed, or when its inputs are damaged.
//!
//! | Module | What happens |
//! |---|---|
//! | [`kills`] | the command is killed at each step |
//! | [`in_place`] | the data file cannot be replaced: it is a mount point, or its folder is not writable |
//! | [`refusals`] | the system refuses each step; a disk is full |
//! | [`outputs`] | the system refuses each step of a report |
//! | [`permissions`] | the user may not read or write folders and inputs |
//! | [`changes`] | inputs are locked, written or changed; files are created where a result is written |
//! | [`damage`] | bits are flipped, files are cut short |
//! | [`text`] | text is not UTF-8, or contains a NUL |
//! | [`odd_rows`] | rows are valid, but coverage.py never records them |
//! | [`flips`] | bits are flipped, and coverage.py uses the result |
//! | [`concurrency`] | many combines and writers run at the same time |
//!
//! Kills and refusals are tried on the command, and on a combine that
//! [stores its rows on disk](little_memory).

mod changes;
mod concurrency;
mod damage;
mod flips;
mod in_place;
mod inject;
mod kills;
mod leftovers;
mod little_memory;
mod odd_rows;
mod outputs;
mod permissions;
mod refusals;
mod results;
mod text;

use std::collections::BTreeMap;
use std::fs;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use crate::support::{Dir, Rows};

const TARGET: &str = ".coverage";

/// Returns data with some rows that no other number has.
fn data(number: i32) -> CoverageData {
    let mut data = CoverageData::new();
    let lines = [1, number + 2, number * 3 + 40].into_iter();
    data.add_lines("common.py", "", &Numbits::from_iter(lines)).unwrap();
    data.add_lines(
        format!("own{number}.py"),
        &format!("context {number}"),
        &Numbits::from_iter([number + 1]),
    )
    .unwrap();
    data
}

/// Writes inputs of both formats. Returns the rows that a combine of them has to have.
fn inputs(dir: &Dir, numbers: impl IntoIterator<Item = i32>) -> Rows {
    let mut rows = Rows::default();
    for number in numbers {
        let mut data = data(number);
        let format = if number % 4 == 3 { StoreFormat::Json4 } else { StoreFormat::Sqlite };
        if format == StoreFormat::Json4 {
            data.drop_contexts();
        }
        rows = rows.union(Rows::of(&data));
        store(&data, dir.path(input_name(number)), format).unwrap();
    }
    rows
}

fn input_name(number: i32) -> String {
    format!(".coverage.host.pid{number}.Xabcdefx")
}

/// Returns whether `rows` has all rows that are `wanted`.
fn has_rows(rows: &Rows, wanted: &Rows) -> bool {
    rows.clone().union(wanted.clone()) == *rows
}

/// Returns the bytes of all files in the folder, by name.
fn snapshot(dir: &Dir) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| (name.clone(), fs::read(dir.path(&name)).unwrap());
    dir.names().into_iter().map(read).collect()
}

fn restore(dir: &Dir, files: &BTreeMap<String, Vec<u8>>) {
    dir.names().iter().for_each(|name| fs::remove_file(dir.path(name)).unwrap());
    files.iter().for_each(|(name, bytes)| drop(dir.write(name, bytes)));
}
