//! Which file counts.

use std::path::{Path, PathBuf};

use super::lines::file_origin;
use super::problem::{Problem, Problems};
use super::value::Origin;

/// The variable that names a file where no flag does.
const VARIABLE: &str = "UPTIME_CONFIG";

/// Where a file is looked for, the first that is there.
const NAMES: [&str; 2] = ["uptime.toml", "config/uptime.toml"];

/// `explicit` (from `-c`), else `$UPTIME_CONFIG`, else `./uptime.toml`, else `./config/uptime.toml`, else none: the
/// built-in defaults count. An empty file counts, too.
///
/// # Errors
/// A file that was named is missing.
pub fn find_file(explicit: Option<&Path>, env: &[(String, String)]) -> Result<Option<PathBuf>, Problems> {
    find_file_in(Path::new(""), explicit, env)
}

/// [`find_file`] from another working directory.
///
/// # Errors
/// A file that was named is missing.
pub fn find_file_in(
    folder: &Path,
    explicit: Option<&Path>,
    env: &[(String, String)],
) -> Result<Option<PathBuf>, Problems> {
    if let Some(path) = explicit {
        return existing(folder.join(path), Origin::Flag("-c".into()), "name an existing file after -c")
            .map(Some);
    }
    if let Some((_, path)) = env.iter().find(|(name, value)| name == VARIABLE && !value.is_empty()) {
        let remedy = "name an existing file, or unset the variable";
        return existing(folder.join(path), Origin::Env(VARIABLE.into()), remedy).map(Some);
    }
    Ok(NAMES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file()))
}

fn existing(path: PathBuf, named_by: Origin, remedy: &str) -> Result<PathBuf, Problems> {
    // Not `is_file`: a pipe such as /dev/stdin or <(…) is fine.
    if path.exists() && !path.is_dir() {
        return Ok(path);
    }
    let message = format!("there is no file {}", file_origin(&path));
    Err(Problem::new(named_by, message, remedy).into())
}
