//! The style sheet and the scripts of the report, which are compiled into the crate.

pub(super) const STYLE: &str = include_str!("../../templates/report.css");
pub(super) const SCRIPT: &str = include_str!("../../templates/report.js");
/// The script that reloads a live page when the report has changed.
pub(super) const LIVE: &str = include_str!("../../templates/live.js");

/// Returns a file name that contains a hash of the content, so that browsers never show a stale
/// copy from their cache.
pub(super) fn asset_name(stem: &str, content: &[u8], extension: &str) -> String {
    let hash = blake3::hash(content).to_hex();
    format!("{stem}_{}.{extension}", hash.get(..8).unwrap_or_default())
}
