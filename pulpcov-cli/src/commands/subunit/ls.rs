//! `pulpcov subunit ls`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use pulpcov_core::Error;
use pulpcov_core::subunit::{AttachmentId, Chunks, Collector, Part};

use super::streams;
use crate::args::LsArgs;
use crate::commands::reporting::to_stdout;
use crate::exit::{Exit, Failure};
use crate::ui;

pub(super) fn run(args: &LsArgs) -> Result<Exit, Failure> {
    for stream in &args.streams {
        let files = files(stream)?;
        to_stdout(|out| {
            if args.streams.len() > 1 {
                writeln!(out, "{}:", ui::name(stream))?;
            }
            files.iter().try_for_each(|file| file.write(out))
        })?;
    }
    Ok(Exit::Success)
}

/// A file of a stream.
struct Listed {
    what: &'static str,
    size: u64,
    id: AttachmentId,
}

impl Listed {
    fn write(&self, out: &mut dyn Write) -> Result<(), Error> {
        Ok(writeln!(out, "{:<14}  {:>9}  {}", self.what, self.size, self.id)?)
    }
}

/// Returns the files of a stream in the order in which they end. Those without an end come last.
fn files(path: &Path) -> Result<Vec<Listed>, Failure> {
    let named = streams::naming(path);
    let mut chunks = Chunks::new(streams::open(path)?).map_err(&named)?;
    let mut collector = Collector::new();
    let mut listed = Vec::new();
    // The sizes of files that are no data files.
    let mut others: BTreeMap<AttachmentId, u64> = BTreeMap::new();
    while let Some(chunk) = chunks.next_chunk().map_err(&named)? {
        let (id, length) = (chunk.id(), chunk.content.len() as u64);
        match collector.add(&chunk).map_err(&named)? {
            Part::Complete(file) => {
                others.remove(&id);
                listed.push(Listed { what: "data file", size: file.content.len() as u64, id });
            }
            Part::Data => drop(others.remove(&id)),
            Part::Other if chunk.is_last => {
                let size = others.remove(&id).unwrap_or_default() + length;
                listed.push(Listed { what: "other file", size, id });
            }
            Part::Other | Part::Unknown => *others.entry(id).or_default() += length,
        }
    }
    streams::warn_of_damage(chunks.damaged());
    let cut = collector.incomplete().into_iter();
    listed.extend(cut.map(|file| Listed { what: "data file, cut", size: file.size, id: file.id }));
    let endless = others.into_iter();
    listed.extend(endless.map(|(id, size)| Listed { what: "other, no end", size, id }));
    Ok(listed)
}
