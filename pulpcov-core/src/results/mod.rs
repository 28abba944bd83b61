//! Which lines and branches ran: facts about a source file, compared with its data.
//!
//! - [`Analysis`]: executed, missing and excluded lines of a file, and its branches;
//! - [`RegionSplitter`]: the same for each function or class;
//! - [`Numbers`]: counts and percentages, which can be summed over files;
//! - [`should_fail_under`]: whether a total is too low, as coverage.py compares it;
//! - [`Floor`]: a percentage that counts are compared with exactly.
//!
//! A port of coverage.py's results.py.

mod analysis;
mod floor;
mod lines;
mod numbers;
mod percent;
mod region_splitter;

pub use analysis::Analysis;
pub use floor::Floor;
pub use lines::format_lines;
pub use numbers::Numbers;
pub use percent::{
    Precision, display_covered, display_covered_below, fail_under_message, should_fail_under,
};
pub use region_splitter::RegionSplitter;
