//! A file that others replace, rewrite, remove and bring back while we run.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use log::warn;
use xxhash_rust::xxh3::xxh3_64;

/// A file up to this size is read at every look: two changes within one tick of a file system's clock look alike.
const SMALL: u64 = 64 * 1024;

/// A file, and what it was when we last looked.
pub(super) struct Watched {
    path: PathBuf,
    /// What messages call it.
    what: &'static str,
    stamp: Option<Stamp>,
    content: Option<u64>,
    trouble: Option<io::ErrorKind>,
}

/// Device, inode, size, and the times of the last change: another file at this path, or another content, differs in one.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Watched {
    pub(super) fn new(path: PathBuf, what: &'static str) -> Self {
        Self { path, what, stamp: None, content: None, trouble: None }
    }

    /// The content, when it is another than at the last look; of a missing file it is empty. A file that cannot be read
    /// counts as unchanged: being short of descriptors must not make us forget the name servers.
    pub(super) fn changed(&mut self) -> Option<Vec<u8>> {
        let content = match self.read() {
            Ok(Some(content)) => content,
            Ok(None) => return None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.stamp = None;
                Vec::new()
            }
            Err(error) => {
                self.complain(&error);
                return None;
            }
        };
        self.trouble = None;
        let print = xxh3_64(&content);
        (self.content.replace(print) != Some(print)).then_some(content)
    }

    /// `None`: it is the same as before.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let metadata = fs::metadata(&self.path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let stamp = stamp_of(&metadata);
        if self.stamp == Some(stamp) && self.content.is_some() && metadata.len() > SMALL {
            return Ok(None);
        }
        let content = fs::read(&self.path)?;
        self.stamp = Some(stamp);
        Ok(Some(content))
    }

    /// Once for each kind of trouble, and not with every look.
    fn complain(&mut self, error: &io::Error) {
        if self.trouble.replace(error.kind()) != Some(error.kind()) {
            warn!(path:% = self.path.display(), error:%; "cannot read {}", self.what);
        }
    }
}

fn stamp_of(metadata: &Metadata) -> Stamp {
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.dev(), metadata.ino(), metadata.len(), modified, changed)
}
