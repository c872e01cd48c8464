//! What is sent over a connection and what is expected of the answer, compiled.

use std::time::Duration;

use bytes::Bytes;

use super::expect::TcpExpect;
use crate::model::secret::SHORTEST_SECRET;
use crate::model::settings::{CheckSettings, Expectations, RequestSettings, TcpSettings};
use crate::probe::expect::{Verdict, escaped};
use crate::probe::notes::Notes;
use crate::probe::plan_error::PlanError;

/// Lines of `send` that are secrets by themselves. A text with more of them is no login, and each takes time with every result.
const LINES: usize = 256;

/// `send` and `expect` of a site with a URL of `tcp` or `tls`.
pub(in crate::probe) struct TcpPlan {
    /// Empty: nothing is sent.
    pub(super) send: Bytes,
    pub(super) expect: TcpExpect,
}

impl TcpPlan {
    pub(in crate::probe) fn compile(tcp: &TcpSettings, settings: &CheckSettings) -> Result<Self, PlanError> {
        if !is_fit(settings) {
            return Err(PlanError::Useless("settings of HTTP for a connection without it".to_owned()));
        }
        Ok(Self {
            send: Bytes::copy_from_slice(tcp.send.as_deref().unwrap_or_default().as_bytes()),
            expect: TcpExpect::compile(&settings.expect)?,
        })
    }

    /// Every expectation of what came. A try that took its timeout, or a second for an objection, may have waited for what never had
    /// to come: its time is the one up to the last that happened.
    pub(in crate::probe) fn judge(&self, notes: &Notes, took: Duration) -> Vec<Verdict> {
        self.expect.judge(&notes.body, notes.complete_after.unwrap_or(took))
    }
}

/// Nothing is said that only HTTP could keep to.
fn is_fit(settings: &CheckSettings) -> bool {
    let RequestSettings { ip, hide, .. } = &settings.request;
    let Expectations { body, response_time, .. } = &settings.expect;
    let request = RequestSettings { ip: *ip, hide: hide.clone(), ..RequestSettings::default() };
    let expect =
        Expectations { body: body.clone(), response_time: *response_time, ..Expectations::default() };
    settings.request == request && settings.expect == expect
}

/// Texts that nobody is to see again, longest first: servers echo what they do not understand, as a whole, or by line, or the
/// argument alone. A text with a line break or the like stands a second time as errors write it.
pub(in crate::probe) fn secrets(tcp: &TcpSettings, hide: &[String]) -> Vec<String> {
    let sent = tcp.send.as_deref().unwrap_or_default();
    let parts = sent.lines().flat_map(|line| line.split('\r')).take(LINES).flat_map(parts);
    let plain = parts.chain([sent.trim()]).chain(hide.iter().map(String::as_str));
    let plain = plain.filter(|secret| secret.len() >= SHORTEST_SECRET);
    let mut all: Vec<String> =
        plain.flat_map(|secret| [secret.to_owned(), escaped(secret, usize::MAX)]).collect();
    all.sort_unstable();
    all.dedup();
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all
}

/// A line, and its last word, which is where a login has its password, with and without quotes.
fn parts(line: &str) -> [&str; 3] {
    let is_gap = |letter: char| letter.is_whitespace() || letter.is_control();
    let line = line.trim_matches(is_gap);
    let word = line.rsplit(is_gap).next().unwrap_or_default();
    [line, word, word.trim_matches(['"', '\'', ';'])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(send: &str, hide: &[&str]) -> Vec<String> {
        let hide: Vec<String> = hide.iter().map(|text| (*text).to_owned()).collect();
        secrets(&TcpSettings { send: Some(send.to_owned()) }, &hide)
    }

    #[test]
    fn lines_and_their_last_words_are_secrets_and_the_longest_comes_first() {
        assert_eq!(of("PING\r\n", &[]), ["PING"]);
        assert_eq!(of("", &["t0ps3cret"]), ["t0ps3cret"]);
        assert_eq!(of("AUTH t0ps3cret\r\n", &["t0ps3cret"]), ["AUTH t0ps3cret", "t0ps3cret"]);
        assert_eq!(
            of("USER a\r\nPASS \"hunter2\";\r\n", &[]),
            [
                "USER a\\r\\nPASS \"hunter2\";",
                "USER a\r\nPASS \"hunter2\";",
                "PASS \"hunter2\";",
                "\"hunter2\";",
                "hunter2",
                "USER a"
            ]
        );
        assert_eq!(of("a\tb c\0", &[]), ["a\\tb c\\u{0}", "a\tb c\0", "a\\tb c", "a\tb c"]);
    }

    #[test]
    fn a_long_text_does_not_make_a_result_costly() {
        let long: String = (0..10_000).map(|line| format!("SET {line} value{line}\n")).collect();

        let secrets = of(&long, &[]);

        assert!(secrets.len() <= 2 * LINES + 2, "{}", secrets.len());
        assert_eq!(secrets[1], long.trim());
    }
}
