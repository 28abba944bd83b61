//! `pulpcov convert`

use std::fs::File;
use std::io;

use pulpcov_core::CoverageData;
use pulpcov_core::combine::{StoreFormat, store_new};
use pulpcov_core::formats::DataFile;

use super::reporting;
use crate::args::{ConvertArgs, Format};
use crate::exit::{Exit, Failure};
use crate::ui;

pub(crate) fn run(args: &ConvertArgs) -> Result<Exit, Failure> {
    let decoded = DataFile::open(&args.from)?.read()?;
    if decoded.orphan_rows > 0 {
        let rows = decoded.orphan_rows;
        ui::warning(&format!(
            "{}: {rows} rows name a file or a context that it does not have",
            ui::name(&args.from)
        ));
    }
    let mut data = decoded.data;
    if args.drop_contexts {
        data.drop_contexts();
    }
    let format = match args.to {
        Format::Json => StoreFormat::Json4,
        Format::Sqlite => StoreFormat::Sqlite,
    };
    if reporting::is_standard_output(&args.into) {
        return to_standard_output(&data, format);
    }
    store_new(&data, &args.into, format)?;
    Ok(Exit::Success)
}

/// Writes the data to standard output. It is written to a temporary file first, since SQLite needs one.
fn to_standard_output(data: &CoverageData, format: StoreFormat) -> Result<Exit, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::Output)?;
    let file = folder.path().join("data");
    store_new(data, &file, format)?;
    let mut bytes = File::open(file).map_err(Failure::Output)?;
    reporting::to_stdout(|out| Ok(io::copy(&mut bytes, out)?))?;
    Ok(Exit::Success)
}
