//! The errors of data that contradicts other data.

use super::{FilePath, Measurement};
use crate::error::{Error, ErrorKind};
use crate::text::{printable, py_repr};

/// Makes the error for rows of one measurement that are `added` to rows of the other.
pub(super) fn mixed_data(added: Measurement) -> Error {
    // The messages are coverage.py's (sqldata.py, _choose_lines_or_arcs).
    let message = match added {
        Measurement::Lines => "Can't add line measurements to existing branch data",
        Measurement::Arcs => "Can't add branch measurements to existing line data",
    };
    Error::new(ErrorKind::MixedData, message)
}

/// Makes the error for a file that two plugins traced.
pub(super) fn tracer_conflict(path: &FilePath, own: &str, other: &str) -> Error {
    let message = format!(
        "Conflicting file tracer name for {}: {} vs {}",
        py_repr(&printable(path.as_str())),
        py_repr(own),
        py_repr(other)
    );
    Error::new(ErrorKind::TracerConflict, message)
}
