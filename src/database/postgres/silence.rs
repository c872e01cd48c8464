//! Whether a server that is long in answering is at work, or frozen or cut off.
//!
//! A report may honestly take minutes, and a frozen server says as little as one that computes. So length is not limited here
//! but silence: while an answer is waited for, the server is asked something else now and then, on a connection of its own.
//! Any byte from it, on any connection, is a sign of life, also a refusal.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::connect::Connector;
use crate::clock::Clock;

/// Without a sign of life for so long, nothing more is waited for. Commands end within 30 s because of it.
pub(super) const SILENCE: Duration = Duration::from_secs(20);

/// After so much of it, and so often, the server is asked for a sign of life.
const ASK_EVERY: Duration = Duration::from_secs(4);

/// Ends when nothing has come from the server for [`SILENCE`], counted from now at the earliest.
pub(super) async fn falls(connector: &Connector) {
    let begun = Clock::instant();
    let silent_for = || connector.pulse().silent_for().min(begun.elapsed());
    let mut asked = begun;
    while silent_for() < SILENCE {
        sleep(Duration::from_millis(500)).await;
        if silent_for() >= ASK_EVERY && asked.elapsed() >= ASK_EVERY {
            asked = Clock::instant();
            // Whatever comes of it, the pulse tells.
            let _ = timeout(SILENCE.saturating_sub(silent_for()).min(ASK_EVERY), connector.raw()).await;
        }
    }
}
