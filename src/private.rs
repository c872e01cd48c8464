//! Files and folders for their owner alone, from the first byte on: sites may have passwords.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// How a new file is made. One that exists keeps its permissions.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes an empty file where there is none.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_file(path: &Path) -> io::Result<()> {
    match options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folder of `path`, and those above it, where they are missing.
///
/// # Errors
/// One of them cannot be made.
pub(crate) fn make_folder_of(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Whether others than its owner may read the file and get at it through its folder.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    const READABLE: u32 = 0o044;
    const PASSABLE: u32 = 0o011;
    let mode = |path: &Path| path.metadata().map(|data| data.permissions().mode()).unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    mode(path) & READABLE != 0 && mode(folder) & PASSABLE != 0
}
