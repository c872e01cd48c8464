//! Errors for people, and what to do while a service is away.

use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

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
    let mut patience = Patience::new(what);
    loop {
        life.progressed();
        match attempt().await {
            Ok(done) => {
                patience.rewarded();
                return done;
            }
            Err(error) => patience.tried(&error).await,
        }
    }
}

/// Tries until it works or cannot heal, for what is needed before any actor lives.
///
/// # Errors
/// The first error that waiting does not mend.
pub(crate) async fn wait_for<T, E: Error + 'static>(
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
    may_heal: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut patience = Patience::new(what);
    loop {
        match attempt().await {
            Ok(done) => {
                patience.rewarded();
                return Ok(done);
            }
            Err(error) if may_heal(&error) => patience.tried(&error).await,
            Err(error) => return Err(error),
        }
    }
}

/// Backoff, and what is said meanwhile.
struct Patience<'a> {
    what: &'a str,
    delays: Box<dyn Iterator<Item = Duration> + Send>,
    failing_since: Option<Instant>,
    last_said: Option<Instant>,
}

impl<'a> Patience<'a> {
    fn new(what: &'a str) -> Self {
        Self { what, delays: Box::new(backoff()), failing_since: None, last_said: None }
    }

    async fn tried(&mut self, error: &(dyn Error + 'static)) {
        let now = Clock::instant();
        self.failing_since.get_or_insert(now);
        if self.last_said.is_none_or(|said| now - said >= REMIND) {
            warn!(what = self.what, error = chain(error); "fails and will be tried again");
            self.last_said = Some(now);
        }
        tokio::time::sleep(self.delays.next().unwrap_or(REMIND)).await;
    }

    fn rewarded(&self) {
        if let Some(since) = self.failing_since {
            info!(what = self.what, away_ms = millis(since); "works again");
        }
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

fn millis(since: Instant) -> u64 {
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
