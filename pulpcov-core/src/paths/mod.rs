//! `[paths]` aliases, include and omit patterns.
