//! The patterns that coverage.py uses unless told otherwise: settings start with them, and so does analysis.

/// What coverage.py excludes unless told otherwise (`DEFAULT_EXCLUDE`, config.py).
pub const DEFAULT_EXCLUDE: [&str; 3] = [
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)",
    r"^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)",
    r"^\s*if (typing\.)?TYPE_CHECKING:",
];

/// What coverage.py takes for a partial branch unless told otherwise (`DEFAULT_PARTIAL`).
pub const DEFAULT_PARTIAL: [&str; 1] = [r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(branch|BRANCH)"];

/// Branches that cannot go both ways (`DEFAULT_PARTIAL_ALWAYS`).
pub const DEFAULT_PARTIAL_ALWAYS: [&str; 2] =
    [r"^\s*while (True|1|False|0):", r"^\s*if (True|1|False|0):"];
