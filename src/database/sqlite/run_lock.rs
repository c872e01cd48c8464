//! One `run` has a file.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::database::DatabaseError;
use crate::private;

/// The right to be the one `run` on a database. Given back by the kernel however the process ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the right for the database at `path`, by a lock on a file beside it with `.lock` appended. A file that has several
    /// names, by symbolic links, is one database.
    pub fn take(path: &Path) -> Result<Self, DatabaseError> {
        let failed =
            |source: std::io::Error| DatabaseError::Open { path: path.to_owned(), source: source.into() };
        private::make_folder_of(path).map_err(failed)?;
        let mut name = behind_links(path).map_err(failed)?.into_os_string();
        name.push(".lock");
        let file = private::options().create(true).append(true).open(&name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                refuse_read_only(path).map_err(failed)?;
                warn_of_readers(path);
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The file that SQLite opens at `path`, also where it is still to be made.
fn behind_links(path: &Path) -> std::io::Result<PathBuf> {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize()?;
    Ok(path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name)))
}

/// A database from before it was made for its owner alone, or one whose permissions somebody has widened.
fn warn_of_readers(path: &Path) {
    if private::is_open_to_others(path) {
        let file = path.display();
        log::warn!(file:%; "other users of this machine can read the database, which holds the sites' passwords; chmod 600 it, and its -wal and -shm");
    }
}

/// SQLite opens a file that may only be read, and fails at the first change. Must not be called while a connection of
/// this process is open, for closing the file gives up the locks of that connection, too.
fn refuse_read_only(path: &Path) -> std::io::Result<()> {
    match File::options().append(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_database_with_two_names_has_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink("uptime.db", path("link.db")).unwrap();
        symlink(folder.path(), path("folder")).unwrap();
        std::fs::create_dir(path("other")).unwrap();
        symlink("../link.db", path("other/far.db")).unwrap();

        let held = RunLock::take(&path("link.db")).unwrap();

        for name in ["uptime.db", "link.db", "folder/uptime.db", "other/far.db", "other/../uptime.db"] {
            let refused = RunLock::take(&path(name));
            assert!(matches!(refused, Err(DatabaseError::InUse { .. })), "{name}");
        }
        assert!(path("uptime.db.lock").exists());
        drop(held);
        RunLock::take(&path("other/far.db")).unwrap();
    }
}
