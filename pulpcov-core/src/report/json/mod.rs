//! The JSON report, for programs.
//!
//! A port of coverage.py's jsonreport.py, format 3.
//!
//! | module | content |
//! |---|---|
//! | `options` | the options of the report |
//! | `write` | the whole report |
//! | `file` | a file of the report |
//! | `regions` | the functions and classes of a file |
//! | `counts` | the counts of a file, of a region, or of the whole report |
//! | `branches` | the branches of a file or of a region |
//! | `contexts` | the contexts that ran each line |
//! | `settings` | settings for a file and for all regions in it |
//! | `format` | JSON as Python writes it |

mod branches;
mod contexts;
mod counts;
mod file;
mod format;
mod options;
mod other_languages;
mod regions;
mod settings;
mod write;

pub use contexts::size_of_contexts;
pub(crate) use counts::Counts;
pub(crate) use format::write_value;
pub use options::Options;
pub(crate) use write::Meta;
pub use write::write;
