//! Prints the contexts in which a line ran. Reads one data file of any format.
//!
//!     cargo run -p pulpcov-core --example who_ran_it -- DATA_FILE SOURCE_PATH LINE
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::error::Error;

use pulpcov_core::formats::DataFile;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data_file, source, line] = args.as_slice() else {
        return Err("three arguments, please: DATA_FILE SOURCE_PATH LINE".into());
    };
    let data = DataFile::open(data_file)?.read()?.data;
    let by_line = data.contexts_by_line(source);
    for context in by_line.get(&line.parse()?).into_iter().flatten() {
        println!("{}", if context.is_empty() { "(no context)" } else { context });
    }
    Ok(())
}
