//! The style sheet and the script; both are in the crate.

pub(super) const STYLE: &str = include_str!("../../templates/report.css");
pub(super) const SCRIPT: &str = include_str!("../../templates/report.js");
/// What loads a page again when the report has changed.
pub(super) const LIVE: &str = include_str!("../../templates/live.js");

/// A name that changes with the content, so that no cache gives an old one.
pub(super) fn asset_name(stem: &str, content: &[u8], extension: &str) -> String {
    let hash = blake3::hash(content).to_hex();
    format!("{stem}_{}.{extension}", hash.get(..8).unwrap_or_default())
}
