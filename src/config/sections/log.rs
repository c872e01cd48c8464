//! `[log]`: what is logged, and how.

use crate::config::fault::Fault;
use crate::config::parse::unknown_word;
use crate::config::quoted::quoted;
use crate::config::reader::Reader;
use crate::config::suggest::nearest;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// In `env_logger`'s filter syntax.
    pub level: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object per line.
    Json,
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self { level: reader.text("level", filter), format: reader.choice("format", format) }
    }
}

fn format(word: &str) -> Result<LogFormat, Fault> {
    match word {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(unknown_word(word, &["text", "json"])),
    }
}

/// `level`, `module` or `module=level`, comma-separated, and perhaps `/` and a pattern.
///
/// A lone word that is nearly a level is refused: `env_logger` would take `inof` for a module and log nothing else.
fn filter(filter: &str) -> Result<String, Fault> {
    let directives = filter.split('/').next().unwrap_or_default();
    for directive in directives.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (level, must_be_level) = match directive.split_once('=') {
            Some((_, level)) => (level.trim(), true),
            None => (directive, false),
        };
        let known = LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known));
        let near = nearest(&level.to_ascii_lowercase(), LEVELS.iter().copied());
        if !known && (must_be_level || near.is_some()) {
            let fault = unknown_word(&level.to_ascii_lowercase(), &LEVELS);
            return Err(Fault::new(format!("has the unknown level {}", quoted(level)), fault.remedy));
        }
    }
    Ok(filter.to_owned())
}
