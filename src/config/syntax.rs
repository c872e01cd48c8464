//! What is wrong where a text is no TOML.

use std::borrow::Cow;

use toml::de::{DeTable, Error};

use super::document::{Lines, line_of};
use super::problem::{Problem, quoted};

/// An unclosed bracket breaks every line after it, and one telling is enough.
const SHOWN: usize = 10;

/// At this error the parser gives up and leaves the rest of the file unread; from all others it recovers.
const DEAD_END: &str = "key with no value";

pub(super) fn problem(error: &Error, lines: &Lines<'_>) -> Problem {
    let origin = lines.origin(start(error));
    let written = lines.text(&origin);
    let remedy = match error.message() {
        message if message.starts_with("duplicate key") => "keep one of the two",
        _ => "write key = \"text\", key = 1, key = true or key = [\"a\", \"b\"]",
    };
    let message = format!("is no valid TOML: {}", error.message().replace('\n', ", "));
    Problem::new(origin, message, remedy).about(quoted(written))
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
