//! Turns data files into LCOV for an uploader, without Python. Run it where the sources are.
//!
//!     cargo run -p pulpcov-core --features report --example lcov -- DATA_FILE... > coverage.lcov
#![expect(clippy::print_stderr, reason = "that is where warnings go")]

use std::error::Error;

use pulpcov_core::CoverageData;
use pulpcov_core::formats::DataFile;
use pulpcov_core::paths::WorkingFolder;
use pulpcov_core::report::lcov;
use pulpcov_core::summarize::{DiskSources, Summarizer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut data = CoverageData::new();
    for data_file in std::env::args().skip(1) {
        data.merge(DataFile::open(data_file)?.read()?.data)?;
    }

    let folder = WorkingFolder::new(std::env::current_dir()?);
    let disk = DiskSources::new(folder.clone());
    let relative = data.files().all(|file| !file.path().as_str().starts_with('/'));
    let summarizer = Summarizer::new(&data, &disk).folder(folder).relative_files(relative);
    let summary = summarizer.ignore_errors(true).run()?;
    for warning in summary.warnings() {
        eprintln!("warning: {warning}");
    }
    lcov::write(&summary, &lcov::Options::new(), std::io::stdout().lock())?;
    Ok(())
}
