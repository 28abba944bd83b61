//! Writes a JSON report about data and source code in memory. Reads no files.
//!
//!     cargo run -p pulpcov-core --features report --example json_report

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use pulpcov_core::CoverageData;
use pulpcov_core::report::json;
use pulpcov_core::summarize::Summarizer;

fn main() -> Result<(), Box<dyn Error>> {
    let mut data = CoverageData::new();
    data.add_arcs("cart.py", "test_empty", [(-1, 1), (1, -1), (-1, 2), (2, 4), (4, -1)])?;
    let text = "def total(items):\n    if items:\n        return sum(items)\n    return 0\n";
    let files = HashMap::from([(Path::new("cart.py"), text)]);

    let sources = |path: &Path| Ok(files.get(path).map(|text| text.as_bytes().to_vec()));
    let summary = Summarizer::new(&data, &sources).run()?;
    let options = json::Options::new().pretty_print(true).show_contexts(true);
    json::write(&summary, &options, std::io::stdout().lock())?;
    Ok(())
}
