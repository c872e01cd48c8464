//! Errors for people, and what to do while a service is away.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use log::{info, warn};

use crate::clock::Clock;
use crate::supervisor::Life;

/// While a service stays away, it is said again this often.
const REMIND: Duration = Duration::from_secs(30);

/// An error and all its causes, each once, on one line: some errors repeat their cause in their own text.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            // Writing to a string does not fail.
            let _ = write!(text, "{}{cause}", if text.is_empty() { "" } else { ": " });
        }
    }
    text
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Tries until it works, with backoff, for work that must not be given up: a service that is away is no failure
/// of the actor, so trying counts as progress. Says once that it fails, now and then that it still does, and once that it works again.
pub(crate) async fn persevere<T, E: Error + 'static>(
    life: &Life,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let mut delays = backoff();
    let mut failing_since = None;
    let mut last_said = None;
    loop {
        life.progressed();
        let error = match attempt().await {
            Ok(done) => {
                if let Some(since) = failing_since {
                    info!(actor = life.name(), what, away_ms = millis(since); "works again");
                }
                return done;
            }
            Err(error) => error,
        };
        let now = Clock::instant();
        failing_since.get_or_insert(now);
        if last_said.is_none_or(|said| now - said >= REMIND) {
            warn!(actor = life.name(), what, error = chain(&error); "fails and will be tried again");
            last_said = Some(now);
        }
        tokio::time::sleep(delays.next().unwrap_or(REMIND)).await;
    }
}

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
        .build()
}

fn millis(since: std::time::Instant) -> u64 {
    (Clock::instant() - since).as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn link(text: &'static str, source: Option<Link>) -> Link {
        Link { text, source: source.map(Box::new) }
    }

    #[test]
    fn every_cause_is_told_once() {
        let error = link("failed to open", Some(link("no such folder", Some(link("no such folder", None)))));

        assert_eq!(chain(&error), "failed to open: no such folder");
    }
}
