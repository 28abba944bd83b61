//! Merges data files in memory, and counts the lines that ran. Writes and deletes nothing.
//!
//!     cargo run -p pulpcov-core --example merge_in_memory -- DATA_FILE...
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::error::Error;

use pulpcov_core::CoverageData;
use pulpcov_core::formats::DataFile;

fn main() -> Result<(), Box<dyn Error>> {
    let mut all = CoverageData::new();
    for data_file in std::env::args().skip(1) {
        all.merge(DataFile::open(data_file)?.read()?.data)?;
    }
    for file in all.files() {
        let lines = all.lines(file.path()).unwrap_or_default();
        println!("{}: {} lines", file.path(), lines.len());
    }
    Ok(())
}
