//! Inputs in archives and in streams.
//!
//! A thread of its own looks into one archive after the other, and passes the data files in them on. The workers merge them while
//! it goes on. A file of a zip archive, or one that is compressed alone, is unpacked by the worker that takes it. What is in a
//! compressed tar can only be unpacked in its order, so the thread does that.
//!
//! Archives are read after all other inputs, in the order of their names, and their files in the order of the archive. So the
//! result depends on no thread.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use super::gather::Label;
use super::worker::Scope;
use crate::containers::{Member, Search};
use crate::data::stored_text::StoredText;
use crate::data::{Authors, FilePath};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::Entry;
use crate::formats::{DataFile, FileIdentity, Input, Origin, READ_BITS};
use crate::paths::PathAliases;
use crate::subunit::RoutePattern;

/// Bytes that no file has, such as those of standard input.
pub(super) struct Stream<'a> {
    /// For messages only.
    pub(super) name: PathBuf,
    pub(super) authors: Authors,
    pub(super) reader: Box<dyn Read + Send + 'a>,
}

/// What is needed to read inputs in archives and streams.
pub(super) struct Inside<'a> {
    /// How many of the other inputs the user has named, or have the name of a data file. The rest may be archives without data.
    pub(super) named: usize,
    /// Whether inputs that are archives are looked into. Streams always are.
    pub(super) archives: bool,
    pub(super) streams: Vec<Stream<'a>>,
    pub(super) search: Search,
    pub(super) routes: Option<LoadRoutes<'a>>,
    /// Whether data without contexts gets the ids of its tests.
    pub(super) test_ids: bool,
}

/// Returns the aliases for data that came by routes. It is called if any data did.
pub(super) type LoadRoutes<'a> =
    Box<dyn FnOnce() -> Result<Vec<(RoutePattern, PathAliases)>> + Send + 'a>;

/// The aliases of routes, by scope. The thread that finds data adds them, and the workers use them in their turns.
#[derive(Clone, Default)]
pub(super) struct Scopes(Arc<Mutex<Vec<PathAliases>>>);

impl Scopes {
    /// Maps a path by a rule of a scope. Returns `None` if none fits.
    pub(super) fn map(&self, scope: usize, path: StoredText<'_>) -> Result<Option<FilePath>> {
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        scopes.get_mut(scope).map_or(Ok(None), |aliases| aliases.map_stored_by_rule(path))
    }
}

/// Finds what is known of a data file besides its bytes.
pub(super) struct Labels<'a> {
    load: Option<LoadRoutes<'a>>,
    patterns: Vec<RoutePattern>,
    scopes: Scopes,
    test_ids: bool,
}

impl<'a> Labels<'a> {
    pub(super) fn new(load: Option<LoadRoutes<'a>>, scopes: Scopes, test_ids: bool) -> Self {
        Self { load, patterns: Vec::new(), scopes, test_ids }
    }

    fn of(&mut self, member: &Member) -> Result<Label> {
        let scope = match member.route() {
            Some(route) => self.scope_of(route)?,
            None => None,
        };
        let context = member.test_id().filter(|_| self.test_ids).map(str::to_owned);
        Ok(Label { scope, context })
    }

    fn scope_of(&mut self, route: &str) -> Result<Scope> {
        if let Some(load) = self.load.take() {
            let (patterns, scopes): (_, Vec<_>) = load()?.into_iter().unzip();
            self.patterns = patterns;
            *self.scopes.0.lock().unwrap_or_else(PoisonError::into_inner) = scopes;
        }
        Ok(RoutePattern::best(&self.patterns, route))
    }
}

/// An archive or a stream.
pub(super) enum Container<'i, 'a> {
    Archive {
        entry: &'i Entry,
        /// Whether the user has named it, or its name is that of a data file.
        is_named: bool,
    },
    Stream(Stream<'a>),
}

/// What is found in an archive.
pub(super) enum FoundInside {
    Member {
        member: Member,
        origin: Arc<Origin>,
        label: Label,
    },
    /// It cannot be read, or there is nothing.
    Failed(Error),
}

impl FoundInside {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Member { member, .. } => member.path(),
            Self::Failed(err) => err.path().unwrap_or(Path::new("")),
        }
    }

    /// Returns what is known of the data file besides its bytes.
    pub(super) fn label(&self) -> Label {
        match self {
            Self::Member { label, .. } => label.clone(),
            Self::Failed(_) => Label::default(),
        }
    }

    /// Opens the data file, and reads it into `buffer`.
    pub(super) fn open(self, buffer: Vec<u8>) -> Result<DataFile> {
        match self {
            Self::Member { member, origin, .. } => {
                let path = member.path().to_owned();
                DataFile::of_bytes(&path, member.read(buffer)?, &origin)
            }
            Self::Failed(err) => Err(err),
        }
    }
}

/// Looks into all containers, and sends what is found.
///
/// # Errors
///
/// Those of loading the aliases of routes.
pub(super) fn send_members(
    containers: Vec<Container<'_, '_>>,
    search: &Search,
    mut labels: Labels<'_>,
    sender: SyncSender<FoundInside>,
) -> Result<()> {
    let mut loaded = Ok(());
    // If nobody receives any more, a worker has panicked, and the panic goes on there.
    let send = |found| drop(sender.send(found));
    for container in containers {
        let (path, is_named) = match &container {
            Container::Archive { entry, is_named } => (entry.path().to_owned(), *is_named),
            Container::Stream(stream) => (stream.name.clone(), true),
        };
        let looked = look_into(container, search, |member, origin| match member {
            Ok(member) => {
                let label = labels.of(&member).unwrap_or_else(|err| {
                    loaded = Err(err);
                    Label::default()
                });
                let origin = Arc::clone(origin);
                send(FoundInside::Member { member, origin, label });
            }
            Err(err) => send(FoundInside::Failed(err)),
        });
        match looked {
            Ok(()) => {}
            // Who names an archive, or gives it the name of a data file, expects data in it.
            Err(err) if err.kind() == ErrorKind::NoData && is_named => {
                let failed = Error::new(ErrorKind::NotADataFile, err.reason());
                send(FoundInside::Failed(failed.with_path(path)));
            }
            Err(err) => send(FoundInside::Failed(err)),
        }
    }
    loaded
}

/// Calls `visit` with each data file in a container.
fn look_into(
    container: Container<'_, '_>,
    search: &Search,
    mut visit: impl FnMut(Result<Member>, &Arc<Origin>),
) -> Result<()> {
    match container {
        Container::Archive { entry, .. } => {
            let named = |err: Error| err.with_path(entry.path());
            let input = Input::open(entry).map_err(named)?;
            let file = input.file().try_clone().map_err(|err| Error::io(entry.path(), err))?;
            let origin = Arc::new(Origin {
                identity: input.identity().clone(),
                authors: input.authors(),
                read_bits: input.read_bits(),
            });
            search.file(file, entry.path(), |member| visit(member, &origin))
        }
        Container::Stream(Stream { name, authors, reader }) => {
            let identity = FileIdentity::of_stream();
            let origin = Arc::new(Origin { identity, authors, read_bits: READ_BITS });
            search.stream(reader, &name, |member| visit(member, &origin))
        }
    }
}

/// Calls `visit` with the data files of an archive that can be read.
pub(super) fn for_each_in(entry: &Entry, search: &Search, mut visit: impl FnMut(&Path, Vec<u8>)) {
    let container = Container::Archive { entry, is_named: true };
    // What cannot be read is reported by the one who reads it first.
    let _ = look_into(container, search, |member, _| {
        let Ok(member) = member else { return };
        let path = member.path().to_owned();
        if let Ok(bytes) = member.read(Vec::new()) {
            visit(&path, bytes);
        }
    });
}

/// Members that arrive, numbered from `first`.
pub(super) struct Arriving {
    state: Mutex<(usize, Receiver<FoundInside>)>,
}

impl Arriving {
    pub(super) fn new(first: usize, receiver: Receiver<FoundInside>) -> Self {
        Self { state: Mutex::new((first, receiver)) }
    }

    /// Waits for the next one. Returns `None` if there are no more.
    pub(super) fn next(&self) -> Option<(usize, FoundInside)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.1.recv().ok()?;
        state.0 += 1;
        Some((state.0 - 1, found))
    }
}
