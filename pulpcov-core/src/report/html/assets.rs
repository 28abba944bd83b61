//! The style sheet and the scripts of the report, which are compiled into the crate.

pub(super) const STYLE: &str = include_str!("../../templates/report.css");
/// The parts of the script share one scope, which is not that of the page.
pub(super) const SCRIPT: &str = concat!(
    "// The HTML report of pulpcov. It runs from file://, asks nobody for anything but files of the report, and puts\n",
    "// names and source into pages as text only.\n",
    "\"use strict\";\n(() => {\n",
    include_str!("../../templates/script/dom.js"),
    include_str!("../../templates/script/data.js"),
    include_str!("../../templates/script/place.js"),
    include_str!("../../templates/script/grid.js"),
    include_str!("../../templates/script/history.js"),
    include_str!("../../templates/script/languages.js"),
    include_str!("../../templates/script/lists.js"),
    include_str!("../../templates/script/folders.js"),
    include_str!("../../templates/script/map.js"),
    include_str!("../../templates/script/contexts.js"),
    include_str!("../../templates/script/tests.js"),
    include_str!("../../templates/script/copy.js"),
    include_str!("../../templates/script/lines.js"),
    include_str!("../../templates/script/source.js"),
    include_str!("../../templates/script/changes.js"),
    include_str!("../../templates/script/search.js"),
    include_str!("../../templates/script/keys.js"),
    include_str!("../../templates/script/start.js"),
    "})();\n",
);
/// The script that reloads a live page when the report has changed.
pub(super) const LIVE: &str = include_str!("../../templates/live.js");

/// Returns a file name that contains a hash of the content, so that browsers never show a stale
/// copy from their cache.
pub(super) fn asset_name(stem: &str, content: &[u8], extension: &str) -> String {
    let hash = blake3::hash(content).to_hex();
    format!("{stem}_{}.{extension}", hash.get(..8).unwrap_or_default())
}
