//! Looks for data files in archives, and in archives in them.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ContainerError;
use super::limits::Limits;
use super::meter::{Meter, read_bounded};
use super::packed::{Layer, Packed};
use super::place::Place;
use super::shared_bytes::SharedBytes;
use super::tar::{Gauge, Whole, is_file, stored_size};
use super::zip::Directory;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::{FileKind, HEAD_LEN, stranger_error};
use crate::subunit::{Attachment, AttachmentId, Attachments, Incomplete};

/// How many files with other names are examined, to tell the user that data files have other names.
const OTHERS: usize = 200;

/// Looks for data files in an archive or in a compressed file.
///
/// In an archive, these are the files whose name is the base name, or the base name, a dot and any suffix, in any folder. Archives,
/// compressed files and subunit streams in it are looked into if they have such a name, or one [of
/// archives](crate::discover::is_archive_name). In a subunit stream, these are all attached files whose content is that of a data file.
/// What is searched itself is looked into whatever its name is, and is passed on if it is a data file.
///
/// # Examples
///
/// See the [module](super).
#[derive(Clone, Debug)]
pub struct Search {
    base: String,
    limits: Limits,
}

/// A data file in an archive.
pub struct Member {
    path: PathBuf,
    route: Option<String>,
    test_id: Option<String>,
    content: MemberContent,
    limit: u64,
}

enum MemberContent {
    /// It can be unpacked whenever it is wanted.
    Packed(Packed),
    /// It was unpacked when the stream came to it.
    Read(Vec<u8>),
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Member {
    /// Returns where the file is, for messages: `shard-3.zip!/.coverage.web`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::containers::Search;
    ///
    /// let file = b"!coverage.py: This is a private format, don't read it directly!{}";
    /// let mut tar = tar::Builder::new(Vec::new());
    /// let mut header = tar::Header::new_ustar();
    /// header.set_size(file.len() as u64);
    /// tar.append_data(&mut header, "shards/.coverage.3", &file[..])?;
    ///
    /// let mut found = Vec::new();
    /// Search::new(".coverage").stream(&*tar.into_inner()?, "all.tar", |member| found.push(member))?;
    /// assert_eq!(found.remove(0)?.path(), Path::new("all.tar!/shards/.coverage.3"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the route in a subunit stream, by which the file came from another machine.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::containers::Search;
    /// use pulpcov_core::subunit::{FilePart, Packet};
    ///
    /// let content = b"!coverage.py: This is a private format, don't read it directly!{}";
    /// let file = Some(FilePart { name: "data", content });
    /// let packet = Packet { test_id: Some("test_add"), route: Some("0/3"), file, is_eof: true, ..Packet::default() };
    ///
    /// let mut found = Vec::new();
    /// Search::new(".coverage").stream(&*packet.encode()?, "run", |member| found.push(member))?;
    /// let member = found.remove(0)?;
    /// assert_eq!((member.route(), member.test_id()), (Some("0/3"), Some("test_add")));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// Returns the test that the file is attached to in a subunit stream.
    ///
    /// # Examples
    ///
    /// See [`route`](Self::route).
    pub fn test_id(&self) -> Option<&str> {
        self.test_id.as_deref()
    }

    /// Reads the bytes of the file into the memory of `buffer`.
    ///
    /// # Errors
    ///
    /// Returns an error that names the file. Its kind is:
    ///
    /// - [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are damaged or missing;
    /// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if there are more than the [`Limits`] allow.
    ///
    /// # Examples
    ///
    /// See the [module](super).
    pub fn read(self, buffer: Vec<u8>) -> Result<Vec<u8>> {
        match self.content {
            MemberContent::Read(bytes) => Ok(bytes),
            MemberContent::Packed(packed) => read_bounded(packed.reader(), self.limit, buffer)
                .map_err(|err| Error::from(err).with_path(&self.path)),
        }
    }
}

impl Search {
    /// Creates a search for data files with this base name, such as `.coverage`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into(), limits: Limits::default() }
    }

    /// Sets what one archive may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Looks into a file. Calls `visit` with each data file in it, in the order of the archive, and with an error for each that
    /// cannot be read. `path` is for messages.
    ///
    /// # Errors
    ///
    /// Returns an error that names the place. Its kind is:
    ///
    /// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if there is no data file in it;
    /// - [`ErrorKind::NotADataFile`](crate::ErrorKind::NotADataFile) if it is neither an archive nor a data file;
    /// - [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the archive is damaged. What was found before was visited.
    /// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if the archive exceeds the [`Limits`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::fs::File;
    ///
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::containers::Search;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("shard.zip");
    /// // An archive without files.
    /// std::fs::write(&path, [&b"PK\x05\x06"[..], &[0; 18]].concat())?;
    /// let err = Search::new(".coverage").file(File::open(&path)?, &path, |_| ()).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NoData);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file(
        &self,
        file: File,
        path: &Path,
        mut visit: impl FnMut(Result<Member>),
    ) -> Result<()> {
        let bytes = SharedBytes::of_file(file).map_err(|err| Error::io(path, err))?;
        let meter = Meter::new(self.limits.total_bytes);
        let content = Content::Packed(Packed::new(bytes, Vec::new(), &meter));
        self.walk(content, Place::named(path), meter, &mut visit)
    }

    /// Looks into a stream, as [`file`](Self::file) does. Archives in tar are read as they come. A zip archive is held in memory,
    /// because its directory is at its end.
    ///
    /// # Errors
    ///
    /// Those of [`file`](Self::file).
    ///
    /// # Examples
    ///
    /// See the [module](super).
    pub fn stream(
        &self,
        stream: impl Read,
        name: impl AsRef<Path>,
        mut visit: impl FnMut(Result<Member>),
    ) -> Result<()> {
        let meter = Meter::new(self.limits.total_bytes);
        let content = Content::Stream(Box::new(meter.count(stream)));
        self.walk(content, Place::named(name.as_ref()), meter, &mut visit)
    }

    fn walk(
        &self,
        content: Content<'_>,
        place: Place,
        meter: Arc<Meter>,
        visit: &mut dyn FnMut(Result<Member>),
    ) -> Result<()> {
        let mut walk = Walk { search: self, meter, files: 0, visited: 0, other: None, visit };
        walk.look(&place, content)?;
        match walk.visited {
            0 => {
                let (base, other) = (self.base.clone(), walk.other);
                let nothing = ContainerError::NothingFound { base, other };
                Err(Error::from(nothing).with_path(place.path()))
            }
            _ => Ok(()),
        }
    }
}

/// What is looked into.
enum Content<'c> {
    /// It can be read again.
    Packed(Packed),
    /// It is read once.
    Stream(Box<dyn Read + 'c>),
}

impl<'c> Content<'c> {
    /// Returns the first bytes, and the content with them.
    fn peek(self) -> Result<(Vec<u8>, Self), ContainerError> {
        let head = |reader: &mut dyn Read| {
            let mut head = Vec::with_capacity(HEAD_LEN);
            reader.take(HEAD_LEN as u64).read_to_end(&mut head).map(|_| head)
        };
        match self {
            Self::Packed(packed) => Ok((head(&mut *packed.reader())?, Self::Packed(packed))),
            Self::Stream(mut stream) => {
                let head = head(&mut *stream)?;
                let whole = Cursor::new(head.clone()).chain(stream);
                Ok((head, Self::Stream(Box::new(whole))))
            }
        }
    }

    fn reader(self) -> Box<dyn Read + 'c> {
        match self {
            Self::Packed(packed) => packed.reader(),
            Self::Stream(stream) => stream,
        }
    }

    /// Returns what is in a layer.
    fn inside(self, layer: Layer, meter: &Arc<Meter>) -> Self {
        match self {
            Self::Packed(packed) => Self::Packed(packed.inside(layer)),
            Self::Stream(stream) => Self::Stream(layer.unpack(stream, meter)),
        }
    }

    /// Returns bytes that can be read at any place.
    fn bytes(self, limit: u64) -> Result<SharedBytes, ContainerError> {
        match &self {
            Self::Packed(packed) if let Some(bytes) = packed.plain() => Ok(bytes.clone()),
            _ => read_bounded(self.reader(), limit, Vec::new()).map(SharedBytes::in_memory),
        }
    }
}

/// One search.
struct Walk<'w> {
    search: &'w Search,
    meter: Arc<Meter>,
    /// How many files there were, data files or not.
    files: u64,
    /// How many data files were passed on, and how many errors.
    visited: u64,
    /// A data file with another name.
    other: Option<String>,
    visit: &'w mut dyn FnMut(Result<Member>),
}

impl Walk<'_> {
    /// Looks into what is at a place. Every error names a place.
    fn look(&mut self, place: &Place, content: Content<'_>) -> Result<()> {
        let named = |err: ContainerError| Error::from(err).with_path(place.path());
        let (head, content) = content.peek().map_err(named)?;
        let kind = FileKind::of(&head);
        if kind.is_container() && !place.is_searched(&self.search.base) {
            return Ok(());
        }
        if kind.is_container() && place.depth >= self.search.limits.depth {
            return Err(named(ContainerError::TooDeep(self.search.limits.depth)));
        }
        match kind {
            FileKind::Zip => {
                let bytes = content.bytes(self.search.limits.file_bytes).map_err(named)?;
                self.look_into_zip(place, &bytes)
            }
            FileKind::Tar => self.look_into_tar(place, content.reader()),
            FileKind::Subunit => self.look_into_subunit(place, content.reader()),
            FileKind::Gzip => {
                self.look(&place.unpacked(), content.inside(Layer::Gzip, &self.meter))
            }
            FileKind::Zstd => {
                self.look(&place.unpacked(), content.inside(Layer::Zstd, &self.meter))
            }
            // Text may come before the first packet.
            FileKind::Unknown if place.may_be_stream() => {
                let is_none = |err: &Error| err.kind() == ErrorKind::NotADataFile;
                match self.look_into_subunit(place, content.reader()) {
                    Err(err) if is_none(&err) => Err(stranger_error(kind).with_path(place.path())),
                    looked => looked,
                }
            }
            _ => self.file(place, kind, content).map_err(named),
        }
    }

    fn look_into_zip(&mut self, place: &Place, bytes: &SharedBytes) -> Result<()> {
        let named = |err: ContainerError| Error::from(err).with_path(place.path());
        let mut directory = Directory::open(bytes).map_err(named)?;
        let mut others = 0;
        while let Some(entry) = directory.next().map_err(named)? {
            self.count_file().map_err(named)?;
            let inner = place.inside(&entry.name);
            let is_other = !inner.is_searched(&self.search.base);
            others += usize::from(is_other);
            // Others are only examined to name one if nothing else is found.
            if !entry.is_file()
                || is_other && (self.visited > 0 || self.other.is_some() || others > OTHERS)
            {
                continue;
            }
            let packed = directory.packed(&entry, &self.meter);
            let looked = packed
                .map_err(|err| Error::from(err).with_path(inner.path()))
                .and_then(|packed| self.look(&inner, Content::Packed(packed)));
            if let Err(err) = looked
                && !is_other
            {
                self.pass_on(Err(err));
            }
        }
        Ok(())
    }

    fn look_into_tar(&mut self, place: &Place, reader: Box<dyn Read + '_>) -> Result<()> {
        let named = |err: ContainerError| Error::from(err).with_path(place.path());
        let (gauge, state) = Gauge::new(reader);
        let mut archive = tar::Archive::new(gauge);
        let mut entries = archive.entries().map_err(|err| named(err.into()))?;
        let mut left = 0;
        // An error that may be of one file, or of the whole archive.
        let mut failed = None;
        loop {
            state.bound(left);
            let entry = match entries.next() {
                Some(Ok(entry)) => entry,
                // The first error of a damaged archive says where the damage is.
                Some(Err(err)) => return Err(failed.unwrap_or_else(|| named(err.into()))),
                None => break,
            };
            state.unbound();
            if let Some(err) = failed.take() {
                self.pass_on(Err(err));
            }
            self.count_file().map_err(named)?;
            left = stored_size(&entry);
            let kind = entry.header().entry_type();
            let inner = place.inside(&entry.path_bytes());
            if is_file(kind) {
                let whole = Whole::new(entry);
                // Holes of a file are nowhere else counted.
                let content: Box<dyn Read> = match kind {
                    tar::EntryType::GNUSparse => Box::new(self.meter.count(whole)),
                    _ => Box::new(whole),
                };
                failed = self.look(&inner, Content::Stream(content)).err();
            }
        }
        if let Some(err) = failed {
            self.pass_on(Err(err));
        }
        if state.has_ended() {
            return Err(named(ContainerError::Truncated));
        }
        // A checksum may follow, and so may empty blocks.
        let mut rest = archive.into_inner();
        state.unbound();
        if has_more_than_zeros(&mut rest).map_err(|err| named(err.into()))? {
            self.pass_on(Err(named(ContainerError::MoreBehind)));
        }
        Ok(())
    }

    /// Passes on all data files of a subunit stream, whatever their names are.
    fn look_into_subunit(&mut self, place: &Place, reader: Box<dyn Read + '_>) -> Result<()> {
        let named = |err: Error| err.with_path(place.path());
        let limit = self.search.limits.file_bytes;
        let mut files = Attachments::new(reader).map_err(named)?.limit(limit);
        for file in &mut files {
            let Attachment { id, content } = file.map_err(named)?;
            self.count_file().map_err(|err| named(err.into()))?;
            let path = place.inside(id.to_string().as_bytes()).path().to_owned();
            let AttachmentId { route, test_id, .. } = id;
            let content = MemberContent::Read(content);
            self.pass_on(Ok(Member { path, route, test_id, content, limit }));
        }
        if files.damaged() > 0 {
            self.pass_on(Err(named(ContainerError::DamagedPackets(files.damaged()).into())));
        }
        for Incomplete { id, size } in files.incomplete() {
            let cut = Error::from(ContainerError::CutOff(size));
            self.pass_on(Err(cut.with_path(place.inside(id.to_string().as_bytes()).path())));
        }
        Ok(())
    }

    /// Passes a data file on, if it is wanted.
    fn file(
        &mut self,
        place: &Place,
        kind: FileKind,
        content: Content<'_>,
    ) -> Result<(), ContainerError> {
        if !place.is_wanted(&self.search.base) {
            if kind.is_data() {
                self.other.get_or_insert_with(|| place.name().to_owned());
            }
            return Ok(());
        }
        if place.is_companion() && !kind.is_data() {
            let has_changes = matches!(kind, FileKind::SqliteJournal | FileKind::SqliteWal);
            return if has_changes { Err(ContainerError::HasChanges) } else { Ok(()) };
        }
        if !kind.is_data() {
            self.pass_on(Err(stranger_error(kind).with_path(place.path())));
            return Ok(());
        }
        let limit = self.search.limits.file_bytes;
        let content = match content {
            Content::Packed(packed) => MemberContent::Packed(packed),
            Content::Stream(stream) => {
                MemberContent::Read(read_bounded(stream, limit, Vec::new())?)
            }
        };
        let path = place.path().to_owned();
        self.pass_on(Ok(Member { path, route: None, test_id: None, content, limit }));
        Ok(())
    }

    fn pass_on(&mut self, found: Result<Member>) {
        self.visited += 1;
        (self.visit)(found);
    }

    fn count_file(&mut self) -> Result<(), ContainerError> {
        self.files += 1;
        let most = self.search.limits.files;
        if self.files > most { Err(ContainerError::TooManyFiles(most)) } else { Ok(()) }
    }
}
/// Reads to the end. Returns whether anything but zeros comes.
fn has_more_than_zeros(reader: &mut impl Read) -> std::io::Result<bool> {
    let (mut buffer, mut has_more) = ([0; 1 << 13], false);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(has_more),
            Ok(read) => {
                has_more |= buffer.get(..read).unwrap_or_default().iter().any(|byte| *byte != 0);
            }
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
}
