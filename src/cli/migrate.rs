//! `migrate`.

use std::io::Write as _;

use super::output::Output;
use super::storage::wait;
use super::{Answer, FINE};
use crate::app;
use crate::config::{Config, hide_password};

pub(super) fn run(config: &Config, output: &mut Output) -> Answer {
    let applied = wait(app::migrate(&config.database))?;
    for migration in &applied {
        writeln!(output, "applied {migration}")?;
    }
    writeln!(output, "{} is up to date", hide_password(name(config)))?;
    Ok(FINE)
}

fn name(config: &Config) -> &str {
    config.database.sqlite_path().and_then(|path| path.to_str()).unwrap_or(&config.database.url)
}
