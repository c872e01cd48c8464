//! Errors for people, and what to do while a service is away.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use log::{info, warn};

use crate::clock::Clock;
use crate::supervisor::Life;

/// While a service stays away, it is said again this often.
const REMIND: Duration = Duration::from_secs(30);

/// The error and all its causes, each once, as one line: `failed to store: database is locked`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// Tries until it works, with backoff, for work that must not be given up: a service that is away is no failure
/// of the actor, so trying counts as progress. Says once that it fails, now and then that it still does, and once that it works again.
pub(crate) async fn persevere<T, E: Error>(
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
