//! `migrate`.

use std::io::Write as _;
use std::path::Path;

use super::output::Output;
use super::{Answer, FINE};
use crate::config::Config;
use crate::database::sqlite::migrate;

pub(super) fn run(config: &Config, output: &mut Output) -> Answer {
    let path = config.database.sqlite_path();
    let applied = migrate(Path::new(path))?;
    for migration in &applied {
        writeln!(output, "applied {migration}")?;
    }
    writeln!(output, "{path} is up to date")?;
    Ok(FINE)
}
