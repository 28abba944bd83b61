//! Measures each stage of combining and reporting on its own. The stages run on one core, except
//! that large tables are written on two.
//!
//! ```sh
//! cargo bench -p pulpcov --bench stages                  # all of it
//! cargo bench -p pulpcov --bench stages -- read/sqlite   # what has this in its name
//! ```
//!
//! The data is made up, in the proportions that users report: see `data`.

mod aliases;
mod data;
mod merge;
mod python;
mod read;
mod report;
mod write;

use criterion::Criterion;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    read::bench(&mut criterion)?;
    merge::bench(&mut criterion)?;
    write::bench(&mut criterion)?;
    aliases::bench(&mut criterion)?;
    python::bench(&mut criterion)?;
    report::bench(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
