//! Data sets like those of real deployments. They are the same on every machine.

use std::path::Path;

use pulpcov_core::formats::{json, sqlite};
use pulpcov_core::{CoverageData, LineArc, Measurement, Numbits, Result};

/// The size of the data that one process or test run writes.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    measurement: Measurement,
    /// The number of source files of the project.
    sources: u64,
    /// The percentage of the source files that a context touches.
    touched: u64,
    /// The number of test contexts. If it is 0, all data is in the unnamed context.
    contexts: u64,
}

/// One of about a hundred processes of a service.
pub(crate) const LINES: Shape = Shape {
    name: "lines",
    measurement: Measurement::Lines,
    sources: 300,
    touched: 60,
    contexts: 0,
};

/// One of a hundred shards of a test run with branch coverage.
pub(crate) const ARCS: Shape =
    Shape { name: "arcs", measurement: Measurement::Arcs, sources: 600, touched: 50, contexts: 0 };

/// One of several shards of a test run in which each test is a context.
pub(crate) const CONTEXTS: Shape = Shape {
    name: "contexts",
    measurement: Measurement::Lines,
    sources: 400,
    touched: 25,
    contexts: 300,
};

/// One of several shards of a test run with branch coverage in which each test is a context.
pub(crate) const ARC_CONTEXTS: Shape = Shape {
    name: "arc-contexts",
    measurement: Measurement::Arcs,
    sources: 300,
    touched: 12,
    contexts: 100,
};

impl Shape {
    /// Returns the data of process number `process`. Other processes have the same source files,
    /// but ran other lines.
    pub(crate) fn data(&self, process: u64) -> Result<CoverageData> {
        let mut random = Random(process);
        let mut data = CoverageData::new();
        let contexts = match self.contexts {
            0 => vec![String::new()],
            count => (0..count)
                .map(|n| format!("tests/test_{}.py::test_{process}_{n}|run", n % 97))
                .collect(),
        };
        for context in &contexts {
            for source in 0..self.sources {
                if random.below(100) >= self.touched {
                    continue;
                }
                let lines = lines_that_ran(&mut random, source);
                match self.measurement {
                    Measurement::Lines => {
                        let lines: Numbits = lines.iter().copied().collect();
                        data.add_lines(path(source).as_bytes(), context, &lines)?;
                    }
                    Measurement::Arcs => {
                        data.add_arcs(path(source).as_bytes(), context, arcs(&lines, &mut random))?;
                    }
                }
            }
        }
        Ok(data)
    }
}

/// Returns the path of a source file.
pub(crate) fn path(source: u64) -> String {
    format!("/home/ci/work/shop/app/pkg{:02}/part{}/module_{source:04}.py", source % 23, source % 7)
}

/// Returns a few runs of consecutive lines of a file. The length of the file depends only on
/// `source`.
fn lines_that_ran(random: &mut Random, source: u64) -> Vec<i32> {
    let mut of_source = Random(!source);
    let length = 20 + of_source.below(40) * of_source.below(25);
    let mut lines = Vec::new();
    for _ in 0..=random.below(5) {
        let start = 1 + random.below(length);
        lines.extend((start..length.min(start + 3 + random.below(40))).map(|line| line as i32));
    }
    lines.push(1);
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Returns arcs from each line to the next, an entry and an exit, and a branch every six lines.
fn arcs(lines: &[i32], random: &mut Random) -> Vec<LineArc> {
    let mut arcs: Vec<LineArc> = lines.windows(2).map(|pair| (pair[0], pair[1])).collect();
    arcs.extend([(-1, lines[0]), (lines[lines.len() - 1], -1)]);
    for line in lines.iter().step_by(6) {
        arcs.push((*line, lines[random.below(lines.len() as u64) as usize]));
    }
    arcs
}

/// Returns the bytes of a SQLite data file with `data`, written in `folder`.
pub(crate) fn sqlite_file(data: &CoverageData, folder: &Path) -> Result<Vec<u8>, Error> {
    let file = folder.join("data");
    sqlite::write(data, &file)?;
    let bytes = std::fs::read(&file)?;
    std::fs::remove_file(&file)?;
    Ok(bytes)
}

/// Returns the bytes of a JSON data file of coverage.py 4.x with `data`.
pub(crate) fn json_file(data: &CoverageData) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    json::write(data, &mut bytes)?;
    Ok(bytes)
}

pub(crate) type Error = Box<dyn std::error::Error>;

/// A SplitMix64 random number generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
