//! SQLite connections that are safe for hostile databases.

use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::from_sqlite;
use super::snapshot::{Snapshot, is_wal};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::limits::MAX_NUMBITS;

/// An open database, and the private folder that it may be in.
pub(super) struct Source {
    pub(super) connection: Connection,
    /// The size of the database and its companion in bytes. It limits how many rows and bytes can be read.
    pub(super) size: u64,
    // Declared after the connection, so that it is dropped after the connection.
    _folder: Option<TempDir>,
}

impl Source {
    pub(super) fn open(snapshot: Snapshot) -> Result<Self> {
        let size = (snapshot.bytes.len() + snapshot.companion.as_ref().map_or(0, |c| c.bytes.len()))
            as u64;
        let (connection, folder) = match snapshot.companion {
            None => (from_bytes(&snapshot.bytes)?, None),
            Some(_) => {
                let folder = recovery_folder(&snapshot)?;
                (from_file(&folder.path().join("data"))?, Some(folder))
            }
        };
        defend(&connection).map_err(from_sqlite)?;
        Ok(Self { connection, size, _folder: folder })
    }
}

/// Opens a database from memory.
fn from_bytes(bytes: &[u8]) -> Result<Connection> {
    let mut connection = Connection::open_in_memory().map_err(from_sqlite)?;
    // A database in memory cannot have a write-ahead log. This database's log is empty or absent, so the
    // header can name a rollback journal instead.
    let mut head = bytes.get(..20).unwrap_or(bytes).to_vec();
    if is_wal(&head) {
        head.truncate(18);
        head.extend([1, 1]);
    }
    let rest = bytes.get(head.len()..).unwrap_or_default();
    connection
        .deserialize_read_exact("main", head.as_slice().chain(rest), bytes.len(), true)
        .map_err(from_sqlite)?;
    Ok(connection)
}

/// Creates a private folder with the database and its companion, for SQLite to recover there.
fn recovery_folder(snapshot: &Snapshot) -> Result<TempDir> {
    let trouble = |err: std::io::Error| {
        Error::new(ErrorKind::Io, format!("cannot make a private copy: {err}"))
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix("pulpcov-recover-");
    // The default is a folder that everybody may enter. Nobody else may read the copy of a private data file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let folder = builder.tempdir().map_err(trouble)?;
    std::fs::write(folder.path().join("data"), &snapshot.bytes).map_err(trouble)?;
    if let Some(companion) = &snapshot.companion {
        std::fs::write(folder.path().join(format!("data{}", companion.suffix)), &companion.bytes)
            .map_err(trouble)?;
    }
    Ok(folder)
}

fn from_file(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(from_sqlite)
}

/// Applies what <https://www.sqlite.org/security.html> recommends for databases from untrusted sources.
fn defend(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 2 * MAX_NUMBITS as i32)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_COLUMN, 100)?;
    connection.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 50)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_may_enter_the_folder_of_a_copy() {
        let snapshot = Snapshot { bytes: Vec::new(), companion: None };
        let folder = recovery_folder(&snapshot).unwrap();
        let mode = folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
