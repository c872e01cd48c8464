//! What is wrong where a text is no TOML.

use std::borrow::Cow;

use toml::de::{DeTable, Error};

use super::REFERENCE;
use super::lines::{Lines, line_of};
use super::problem::Problem;
use super::quoted::quoted;

/// An unclosed bracket breaks every line after it, and one telling is enough.
const SHOWN: usize = 10;

/// At this error the parser gives up and leaves the rest of the file unread; from all others it recovers.
const DEAD_END: &str = "key with no value";

pub(super) fn problem(error: &Error, lines: &Lines<'_>) -> Problem {
    let origin = lines.origin(start(error));
    let remedy = match error.message() {
        message if message.starts_with("duplicate key") => "keep one of the two",
        _ => "write key = \"text\", key = 1, key = true or key = [\"a\", \"b\"]",
    };
    let written = lines.text(&origin);
    let message = format!("is no valid TOML: {}", said(error.message(), written));
    Problem::new(origin, message, remedy).about(shown(written))
}

/// What the parser says, unless it says what stands there: that may be a secret.
fn said(message: &str, written: &str) -> String {
    let quotes = message.split(['`', '"', '\'']).skip(1).step_by(2);
    let is_told =
        |quote: &str| quote.chars().any(char::is_alphanumeric) && written.contains(quote) && !is_name(quote);
    if quotes.into_iter().any(is_told) { "it cannot be read".to_owned() } else { message.replace('\n', ", ") }
}

/// The heading or the key of a line, and nothing that may be a value: that may be a secret, or a part of one.
fn shown(written: &str) -> String {
    if let Some(heading) = written.strip_prefix('[') {
        let name = heading.trim_start_matches('[').split(']').next().unwrap_or_default();
        return if is_name(name.trim()) { quoted(&format!("[{}", name.trim())) } else { String::new() };
    }
    let key = written.split(['=', ':']).next().unwrap_or_default().trim();
    if is_name(key) { quoted(key) } else { String::new() }
}

/// Whether the reference has a key or a section of this name.
fn is_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_word = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let key = format!("{last} =");
    let mut keys = REFERENCE.match_indices(&key).map(|(at, _)| &REFERENCE[..at]);
    let begins_there =
        |before: &str| !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    is_word && (REFERENCE.contains(&format!("[{name}]")) || keys.any(begins_there))
}

fn start(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// The first problem of each line, and not too many.
pub(super) fn first_per_line(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.origin.as_ref().map(line_of));
    problems.dedup_by(|later, earlier| later.origin == earlier.origin);
    problems.truncate(SHOWN);
    problems
}

/// The text with the lines blanked at which the parser would give up, and what is wrong with them. Offsets stay.
pub(super) fn without_dead_ends<'a>(text: &'a str, lines: &Lines<'_>) -> (Cow<'a, str>, Vec<Problem>) {
    let (mut readable, mut problems) = (Cow::Borrowed(text), Vec::new());
    while problems.len() < SHOWN {
        let (_, errors) = DeTable::parse_recoverable(&readable);
        let Some(error) = errors.iter().find(|error| error.message().starts_with(DEAD_END)) else { break };
        let at = start(error);
        problems.push(problem(error, lines));
        let from = readable[..at].rfind('\n').map_or(0, |before| before + 1);
        let to = readable[at..].find('\n').map_or(readable.len(), |after| at + after);
        if readable[from..to].trim().is_empty() {
            break;
        }
        readable.to_mut().replace_range(from..to, &" ".repeat(to - from));
    }
    (readable, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_key_or_heading_is_shown_and_nothing_that_may_be_a_value() {
        assert_eq!(shown("bearer_token = abc"), "\"bearer_token\"");
        assert_eq!(shown("[result_log.kafka"), "\"[result_log.kafka\"");
        for line in ["hunter2", "aGVsbG8=", "hunter = 2", "[hunter2", "passwrd = \"hunter2", "\"hunter2 = x"]
        {
            assert_eq!(shown(line), "", "{line}");
        }
    }
}
