//! Colors the lines of one buffer, as an editor does. The buffer need not be saved, or be a file.
//!
//!     cargo run -p pulpcov-core --features report --example editor -- DATA_FILE SOURCE_PATH < BUFFER
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::error::Error;
use std::io::Read;

use pulpcov_core::formats::DataFile;
use pulpcov_core::python::{AnalyzeOptions, PythonSource};
use pulpcov_core::results::Analysis;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data_file, path] = args.as_slice() else {
        return Err("two arguments, please: DATA_FILE SOURCE_PATH".into());
    };
    let mut buffer = Vec::new();
    std::io::stdin().read_to_end(&mut buffer)?;

    // Read once, and keep: each change of the buffer needs only what follows.
    let data = DataFile::open(data_file)?.read()?.data;
    let lines = data.lines(path).ok_or_else(|| format!("{data_file} has no rows of {path}"))?;

    let source = PythonSource::decode(buffer)?;
    let facts = source.analyze(&AnalyzeOptions::new()?)?;
    let analysis = match data.arcs(path) {
        Some(arcs) if data.has_arcs() => Analysis::of_arcs(&facts, lines.iter(), arcs.iter()),
        _ => Analysis::of_lines(&facts, lines.iter()),
    };
    let branches = analysis.branch_stats();
    for (line, text) in (1..).zip(source.text().lines()) {
        let statement = facts.first_line(line);
        let mark = match branches.get(&statement) {
            _ if analysis.missing().contains(&statement) => '!',
            _ if !analysis.statements().contains(&statement) => ' ',
            Some((possible, taken)) if taken < possible => '~',
            _ => '>',
        };
        println!("{mark} {text}");
    }
    Ok(())
}
