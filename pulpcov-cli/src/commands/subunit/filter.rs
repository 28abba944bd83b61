//! `pulpcov subunit filter`

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use pulpcov_core::output::WholeFile;
use pulpcov_core::subunit::{
    Attachment, AttachmentId, Chunk, Collector, Decoder, Packet, Part, Piece, Version,
};
use pulpcov_core::text::plural;

use super::streams::{self, cut_file};
use crate::args::FilterArgs;
use crate::exit::{Exit, Failure};
use crate::{settings, trust, ui};

/// The number of bytes that tell the version of a stream, at most.
const HEAD: usize = 512;

/// The host in the names of data files without a route.
const NO_ROUTE: &str = "subunit";

/// The longest host in the name of a data file. A name can have 255 bytes.
const LONGEST_HOST: usize = 100;

pub(super) fn run(args: &FilterArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let data_file = settings::data_file(args.data_file.clone(), &config);
    let base = data_file.file_name().unwrap_or_default();
    let mut filter = Filter {
        output: Output { file: streams::standard_output()?, error: None },
        files: Collector::new(),
        held: BTreeMap::new(),
        target: args.into.join(base),
        taken: 0,
        failure: None,
    };
    // A stream must not be lost because its data files cannot be kept.
    fs::create_dir_all(&args.into).map_err(|err| {
        Failure::Refused(format!("{}: this folder cannot be made: {err}", ui::name(&args.into)))
    })?;
    let named = streams::naming(&args.stream);
    let mut has_packets = false;
    let mut decoder = Decoder::new(of_version_2(streams::open(&args.stream)?, &args.stream)?);
    while let Some(piece) = decoder.next_piece().map_err(&named)? {
        match piece {
            Piece::Other(bytes) => filter.output.write(bytes),
            Piece::Packet { bytes, packet } => {
                has_packets = true;
                filter.add(bytes, &packet, &named)?;
            }
        }
    }
    if !has_packets {
        ui::warning(&format!("{}: this has no packets of subunit", ui::name(&args.stream)));
    }
    let damaged = decoder.damaged();
    filter.finish(&args.into, damaged)
}

/// Reads the beginning of a stream, and refuses version 1. What comes first is enough to tell, and nothing must wait for more.
fn of_version_2(mut stream: Box<dyn Read>, path: &Path) -> Result<impl Read, Failure> {
    let mut head = vec![0; HEAD];
    let read = stream.read(&mut head).map_err(|err| Failure::reading(path, &err))?;
    head.truncate(read);
    if Version::of(&head) == Some(Version::V1) {
        return Err(Failure::Refused(format!(
            "{}: this is a stream of version 1, which is not filtered: convert it with subunit-1to2 first",
            ui::name(path)
        )));
    }
    Ok(Cursor::new(head).chain(stream))
}

struct Filter {
    output: Output,
    files: Collector,
    /// The packets of files of which too little is known.
    held: BTreeMap<AttachmentId, Vec<Vec<u8>>>,
    /// The folder and the beginning of the names of data files.
    target: PathBuf,
    /// How many data files were written.
    taken: usize,
    /// Why the first data file that could not be written was not.
    failure: Option<Failure>,
}

impl Filter {
    fn add(
        &mut self,
        bytes: &[u8],
        packet: &Packet<'_>,
        named: impl Fn(pulpcov_core::Error) -> Failure,
    ) -> Result<(), Failure> {
        let Some(chunk) = Chunk::of(packet) else {
            // It may end a test, and attachments after the end are lost.
            self.release_all();
            self.output.write(bytes);
            return Ok(());
        };
        let id = chunk.id();
        match self.files.add(&chunk).map_err(named)? {
            Part::Unknown => self.held.entry(id).or_default().push(bytes.to_owned()),
            Part::Other => {
                let held = self.held.remove(&id).unwrap_or_default();
                held.iter().for_each(|bytes| self.output.write(bytes));
                self.output.write(bytes);
            }
            Part::Data => self.take(&id, bytes)?,
            Part::Complete(file) => {
                self.take(&id, bytes)?;
                // The results of tests behind it matter more.
                if self.failure.is_none() {
                    self.failure = self.store(&file).err();
                }
            }
        }
        Ok(())
    }

    fn release_all(&mut self) {
        let held = std::mem::take(&mut self.held);
        held.into_values().flatten().for_each(|bytes| self.output.write(&bytes));
    }

    /// Takes packets with parts of a data file out. What else is in them is passed on.
    fn take(&mut self, id: &AttachmentId, bytes: &[u8]) -> Result<(), Failure> {
        let held = self.held.remove(id).unwrap_or_default();
        for bytes in held.iter().map(Vec::as_slice).chain([bytes]) {
            if let Some(rest) = Packet::decode(bytes).and_then(without_file) {
                self.output.write(&rest.encode()?);
            }
        }
        Ok(())
    }

    fn store(&mut self, file: &Attachment) -> Result<(), Failure> {
        let path = self.new_name(file.id.route.as_deref())?;
        trust::check_output(&path)?;
        WholeFile::at(&path).write(|out| Ok(out.write_all(&file.content)?))?;
        self.taken += 1;
        Ok(())
    }

    /// Returns a new name, such as `.coverage.ROUTE.pid71.XaB3dE9x`. Nothing of the stream but letters and digits is in it.
    fn new_name(&self, route: Option<&str>) -> Result<PathBuf, Failure> {
        let host: String = route
            .filter(|route| !route.is_empty())
            .unwrap_or(NO_ROUTE)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(LONGEST_HOST)
            .collect();
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|err| Failure::Input(io::Error::other(err)))?;
        let random = u64::from_ne_bytes(random);
        let mut path = self.target.clone().into_os_string();
        path.push(format!(".{host}.pid{}.X{random:016x}x", std::process::id()));
        Ok(path.into())
    }

    fn finish(mut self, folder: &Path, damaged: u64) -> Result<Exit, Failure> {
        self.release_all();
        let cut = self.files.incomplete();
        cut.iter().for_each(|file| ui::warning(&format!("left out: {}", cut_file(file))));
        streams::warn_of_damage(damaged);
        let taken = plural(self.taken, "data file");
        ui::message(&format!("Took {taken} out of the stream, into {}", ui::name(folder)));
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        match self.output.error {
            Some(err) => Err(Failure::Output(err)),
            None if cut.is_empty() && damaged == 0 => Ok(Exit::Success),
            None => Ok(Exit::LeftOut),
        }
    }
}

/// Returns what a packet says besides a part of a file.
fn without_file(packet: Packet<'_>) -> Option<Packet<'_>> {
    let says_more = packet.status.is_some() || !packet.tags.is_empty();
    says_more.then_some(Packet { file: None, mime_type: None, is_eof: false, ..packet })
}

/// Where the rest of the stream goes. If that ends, the data files are still taken out.
struct Output {
    file: File,
    error: Option<io::Error>,
}

impl Output {
    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.file.write_all(bytes).err();
        }
    }
}
