//! Records coverage as a test runner does: while tests run, one data file per process, one context per test.
//!
//!     cargo run -p pulpcov-core --features report --example test_runner -- FOLDER
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::error::Error;
use std::path::PathBuf;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::python::{AnalyzeOptions, PythonSource};
use pulpcov_core::{CoverageData, Numbits};

const SOURCE: &str = "\
def total(items):
    if not items:
        return 0
    return sum(
        items)
";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("one argument, please: FOLDER")?);

    // The lines that could run. A trace function may report any line of a statement: `first_line` is the one
    // that coverage.py counts.
    let facts = PythonSource::decode(SOURCE.as_bytes())?.analyze(&AnalyzeOptions::new()?)?;
    println!("statements: {:?}", facts.statements());

    // After each test: add its lines, and write the data file again. The old one stays until the new one is
    // complete, so a killed run leaves all tests that ended.
    let data_file = folder.join(format!(".coverage.{}.{}.Xabcdefx", "host", std::process::id()));
    let mut data = CoverageData::new();
    for (test, traced) in
        [("test_cart.py::test_empty", [1, 2, 3]), ("test_cart.py::test_sum", [1, 2, 5])]
    {
        let lines: Numbits = traced.into_iter().map(|line| facts.first_line(line)).collect();
        data.add_lines("src/cart.py", test, &lines)?;
        store(&data, &data_file, StoreFormat::Sqlite)?;
    }
    println!("{}: {} contexts", data_file.display(), data.contexts().len());
    Ok(())
}
