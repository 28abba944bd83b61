//! `pulpcov convert`

use pulpcov_core::combine::{StoreFormat, store_new};
use pulpcov_core::formats::DataFile;

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
    store_new(&data, &args.into, format)?;
    Ok(Exit::Success)
}
