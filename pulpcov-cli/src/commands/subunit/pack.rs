//! `pulpcov subunit pack`

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use pulpcov_core::combine::{StoreFormat, store_new};
use pulpcov_core::discover;
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::DataFile;
use pulpcov_core::subunit::{FilePart, Packet};
use pulpcov_core::{Error, ErrorKind};

use super::streams;
use crate::args::PackArgs;
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

/// How many bytes of a file a packet has, at most.
const CHUNK: usize = 1 << 20;

const MIME_TYPE: &str = "application/octet-stream";

pub(super) fn run(args: &PackArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let data_file = settings::data_file(args.data_file.clone(), &config);
    let places = if args.paths.is_empty() { places_of(&data_file) } else { args.paths.clone() };
    let found = discover::find(&places, data_file.file_name().unwrap_or_default())?;
    let mut output = streams::standard_output()?;
    let mut left_out = found.left_out;
    let mut packed = 0;
    for entry in &found.files {
        match content(entry) {
            Ok(content) => {
                pack(entry, &content, args, &mut output)?;
                packed += 1;
            }
            Err(err) => left_out.push(err.with_path(entry.path())),
        }
    }
    left_out.iter().for_each(|err| ui::warning(&format!("left out: {err}")));
    match (packed, left_out.is_empty()) {
        (0, _) => Err(Failure::Refused("there is no data file to pack".to_owned())),
        (_, true) => Ok(Exit::Success),
        (_, false) => Ok(Exit::LeftOut),
    }
}

/// Returns the folder of a data file, and the data file if there is one.
fn places_of(data_file: &Path) -> Vec<PathBuf> {
    let folder = data_file.parent().unwrap_or(Path::new("")).join(".");
    let is_there = data_file.symlink_metadata().is_ok();
    [folder].into_iter().chain(is_there.then(|| data_file.to_owned())).collect()
}

/// Returns the bytes of a data file. They hold all its rows, even if some are still in a journal or a write-ahead log.
fn content(entry: &Entry) -> Result<Vec<u8>, Error> {
    let file = DataFile::open_entry(entry)?;
    let Some(digest) = file.digest() else { return content_again(file) };
    let mut content = Vec::new();
    let read = entry.open()?.read_to_end(&mut content);
    read.map_err(|err| Error::new(ErrorKind::Io, err))?;
    if blake3::hash(&content) == *digest {
        Ok(content)
    } else {
        Err(Error::new(
            ErrorKind::Busy,
            "the file changes while it is read: pack it when its process has ended",
        ))
    }
}

/// Returns the bytes of a new data file with the same rows.
fn content_again(file: DataFile) -> Result<Vec<u8>, Error> {
    let io = |err| Error::new(ErrorKind::Io, err);
    let data = file.read()?.data;
    let folder = tempfile::tempdir().map_err(io)?;
    let path = folder.path().join("data");
    store_new(&data, &path, StoreFormat::Sqlite)?;
    fs::read(path).map_err(io)
}

fn pack(
    entry: &Entry,
    content: &[u8],
    args: &PackArgs,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let name = entry.name().to_string_lossy();
    let mut left = content.len();
    for content in content.chunks(CHUNK) {
        left -= content.len();
        let packet = Packet {
            test_id: args.test_id.as_deref(),
            route: args.route.as_deref(),
            mime_type: Some(MIME_TYPE),
            file: Some(FilePart { name: &name, content }),
            is_eof: left == 0,
            ..Packet::default()
        };
        output.write_all(&packet.encode()?).map_err(Failure::Output)?;
    }
    Ok(())
}
