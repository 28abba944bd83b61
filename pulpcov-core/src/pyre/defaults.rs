//! coverage.py's default patterns. They are the defaults in config files and in the analysis.

/// Patterns of lines that coverage.py excludes by default (`DEFAULT_EXCLUDE` in `config.py`).
pub const DEFAULT_EXCLUDE: [&str; 3] = [
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)",
    r"^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)",
    r"^\s*if (typing\.)?TYPE_CHECKING:",
];

/// Patterns of lines whose partial branches coverage.py accepts by default (`DEFAULT_PARTIAL`).
pub const DEFAULT_PARTIAL: [&str; 1] = [r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(branch|BRANCH)"];

/// Patterns of branches that can go one way only (`DEFAULT_PARTIAL_ALWAYS`).
pub const DEFAULT_PARTIAL_ALWAYS: [&str; 2] =
    [r"^\s*while (True|1|False|0):", r"^\s*if (True|1|False|0):"];
