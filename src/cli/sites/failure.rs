//! The last result of a site that was not up, for people.
//!
//! Most of it comes from a server, which may send what it likes: people get the beginning, without control characters.

use std::io::{self, Write};

use crate::api::time;
use crate::model::Hop;
use crate::store::{Failure, Seen};

/// Lines of one kind.
const LINES: usize = 12;

/// Characters of one line.
const WIDTH: usize = 200;

pub(super) fn write_failure(failure: &Failure, out: &mut impl Write) -> io::Result<()> {
    let status = match failure.reason {
        Some(reason) => format!("{} ({reason})", failure.status),
        None => failure.status.to_string(),
    };
    writeln!(out, "\nlast failure")?;
    lines("slot", [time(failure.scheduled_at)], out)?;
    lines("status", [status], out)?;
    lines("error", &failure.error, out)?;
    match &failure.evidence {
        Some(seen) => write_seen(seen, failure.error.as_deref(), out),
        None => Ok(()),
    }
}

fn write_seen(seen: &Seen, error: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    let Seen { evidence, hops, tries } = seen;
    lines("tries", tries.map(|tries| tries.to_string()), out)?;
    // A single one is the error.
    lines("failed", evidence.failed.iter().filter(|failed| error != Some(failed.as_str())), out)?;
    lines("addresses", evidence.addresses.iter().map(ToString::to_string), out)?;
    lines("hops", hops.iter().map(hop), out)?;
    lines("headers", evidence.headers.iter().map(|(name, value)| format!("{name}: {value}")), out)?;
    lines("body", evidence.body.iter().flat_map(|body| body.lines()), out)
}

fn hop(hop: &Hop) -> String {
    let status = hop.http_status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    match hop.remote_addr {
        Some(address) => format!("{status} {} at {address}", hop.url),
        None => format!("{status} {}", hop.url),
    }
}

/// The first of `values`, a line each, under one key.
fn lines(
    key: &str,
    values: impl IntoIterator<Item = impl AsRef<str>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut values = values.into_iter();
    for (number, value) in values.by_ref().take(LINES).enumerate() {
        let key = if number == 0 { key } else { "" };
        writeln!(out, "  {key:<10} {}", shown(value.as_ref()))?;
    }
    match values.count() {
        0 => Ok(()),
        more => writeln!(out, "  {:<10} … and {more} more, see --json", ""),
    }
}

/// The beginning of a text, as safe for a terminal as it is readable.
fn shown(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter });
    let mut shown: String = letters.by_ref().take(WIDTH).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::model::{Evidence, Reason, Status};

    fn failure() -> Failure {
        let hop = |url: &str, http_status| Hop {
            url: url.to_owned(),
            http_status,
            remote_addr: Some("192.0.2.7:443".parse().unwrap()),
            timings: crate::model::Timings::default(),
            certificate: None,
        };
        let evidence = Evidence {
            failed: vec!["status 503, expected 2xx".to_owned(), "no \"ok\" in the body".to_owned()],
            addresses: vec!["192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap()],
            skipped: Vec::new(),
            headers: vec![("server".to_owned(), "test".to_owned())],
            body: Some("<h1>\nso sorry\n".to_owned()),
        };
        let hops = vec![hop("https://a.example/", Some(302)), hop("https://b.example/", None)];
        Failure {
            scheduled_at: DateTime::from_timestamp(60, 0).unwrap(),
            status: Status::Down,
            reason: Some(Reason::Status),
            error: Some("status 503, expected 2xx; no \"ok\" in the body".to_owned()),
            evidence: Some(Seen { evidence, hops, tries: Some(2) }),
        }
    }

    fn text(failure: &Failure) -> String {
        let mut out = Vec::new();
        write_failure(failure, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_is_told_from_the_verdict_to_the_body() {
        let expected = "
last failure
  slot       1970-01-01T00:01:00Z
  status     down (status)
  error      status 503, expected 2xx; no \"ok\" in the body
  tries      2
  failed     status 503, expected 2xx
             no \"ok\" in the body
  addresses  192.0.2.7
             192.0.2.8
  hops       302 https://a.example/ at 192.0.2.7:443
             no answer https://b.example/ at 192.0.2.7:443
  headers    server: test
  body       <h1>
             so sorry
";
        assert_eq!(text(&failure()), expected);
    }

    #[test]
    fn what_a_server_sends_is_shown_in_bounds_and_moves_no_cursor() {
        let mut failure = failure();
        let body = format!("\u{1b}[2J\u{7}{}\n{}", "x".repeat(1_000), "line\n".repeat(1_000));
        failure.evidence =
            Some(Seen { evidence: Evidence { body: Some(body), ..Evidence::default() }, ..Seen::default() });

        let told = text(&failure);

        assert!(!told.contains(['\u{1b}', '\u{7}']), "{told:?}");
        assert!(told.lines().all(|line| line.chars().count() < WIDTH + 20), "{told}");
        assert!(told.ends_with("… and 989 more, see --json\n"), "{told}");
    }

    #[test]
    fn where_nobody_checked_there_is_little_to_tell() {
        let failure = Failure {
            status: Status::Missed,
            reason: None,
            error: Some("late".to_owned()),
            evidence: None,
            ..failure()
        };

        assert!(text(&failure).ends_with("  status     missed\n  error      late\n"));
    }
}
