//! Errors for people, and what to do while a service is away.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// An error that tells whether trying again can help.
pub(crate) trait MayHeal {
    /// Whether the same attempt may succeed later, if need be after somebody has mended the service. If not, trying again is an
    /// endless loop.
    fn may_heal(&self) -> bool;
}

/// Tries until it works, with backoff: a service that is away is no failure of the actor, so trying counts as progress. Says once
/// that it fails, now and then that it still does, and once that it works again.
///
/// # Errors
/// The first error that waiting does not mend. What then is the caller's to decide.
pub(crate) async fn persevere<T, E: Error + MayHeal + 'static>(
    life: &Life,
    what: &str,
    attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    persevere_with(life, what, &Outage::default(), attempt).await
}

/// As [`persevere`], for many that wait for the same service: what is said of its `outage` is said once for all of them.
pub(crate) async fn persevere_with<T, E: Error + MayHeal + 'static>(
    life: &Life,
    what: &str,
    outage: &Outage,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut patience = Patience::new(what, outage);
    loop {
        life.progressed();
        match attempt().await {
            Ok(done) => {
                patience.rewarded();
                return Ok(done);
            }
            Err(error) if error.may_heal() => patience.tried(&error).await,
            Err(error) => return Err(error),
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
    let outage = Outage::default();
    let mut patience = Patience::new(what, &outage);
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

/// What was said of a service that is away: once when it goes, now and then while it lasts, once at its end.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Option<Said>>);

#[derive(Debug, Clone, Copy)]
struct Said {
    since: Instant,
    last: Instant,
}

impl Outage {
    fn said(&self) -> MutexGuard<'_, Option<Said>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that it fails, unless that was said lately.
    pub(crate) fn note(&self, what: &str, error: &(dyn Error + 'static)) {
        let now = Clock::instant();
        let mut said = self.said();
        if said.is_none_or(|said| now - said.last >= REMIND) {
            *said = Some(Said { since: said.map_or(now, |said| said.since), last: now });
            drop(said);
            warn!(what, error = chain(error); "fails and will be tried again");
        }
    }

    /// Says that it works again, where it was said that it failed.
    pub(crate) fn end(&self, what: &str) {
        if let Some(Said { since, .. }) = self.said().take() {
            info!(what, away_ms = millis(since); "works again");
        }
    }
}

/// Backoff, and what is said meanwhile.
struct Patience<'a> {
    what: &'a str,
    delays: Box<dyn Iterator<Item = Duration> + Send>,
    outage: &'a Outage,
    failed: bool,
}

impl<'a> Patience<'a> {
    fn new(what: &'a str, outage: &'a Outage) -> Self {
        Self { what, delays: Box::new(backoff()), outage, failed: false }
    }

    async fn tried(&mut self, error: &(dyn Error + 'static)) {
        self.failed = true;
        self.outage.note(self.what, error);
        tokio::time::sleep(self.delays.next().unwrap_or(REMIND)).await;
    }

    fn rewarded(&self) {
        if self.failed {
            self.outage.end(self.what);
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
