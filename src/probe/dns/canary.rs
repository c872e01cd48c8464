//! Is it the name or our resolver? One question that every resolver can answer, on behalf of all checks of the process.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use hickory_proto::op::ResponseCode;
use tokio::sync::{Mutex, MutexGuard};

use super::exchange::Exchange;
use super::question::Question;
use super::upstream::Upstream;
use crate::clock::Clock;

/// Between two questions to the same server: datagrams get lost.
const AGAIN: Duration = Duration::from_millis(500);
const TIMES: usize = 3;

/// How long an outcome stands for those who come later.
const STANDS: Duration = Duration::from_secs(1);

/// Longer than anybody may ask: who still asks then hangs on a thread that is stuck, and is not waited for.
const STUCK: Duration = Duration::from_secs(4);

/// Servers that are asked at once; a socket each.
const AT_ONCE: usize = 3;

/// What the name servers are like, whatever the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One at least resolves names: a name that does not resolve has itself to blame.
    Works,
    /// They answer, and what they answer is SERVFAIL, REFUSED or another error.
    Refuses,
    /// Nobody answers anything.
    Silent,
}

/// The latest outcome. One caller asks at a time; when it is dropped while it asks, the next one begins anew.
#[derive(Default)]
pub(super) struct Canary {
    latest: Mutex<Option<(Instant, Verdict)>>,
}

impl Canary {
    /// Asks the servers, or takes the outcome that others have just had. `proof` is a question that they have answered once:
    /// a resolver for internal names only may refuse to speak of the root.
    pub(super) async fn verdict(
        &self,
        upstream: &Upstream,
        proof: impl FnOnce() -> Option<Question>,
    ) -> Verdict {
        let mut latest: Option<MutexGuard<'_, _>> =
            tokio::time::timeout(STUCK, self.latest.lock()).await.ok();
        if let Some(Some((at, verdict))) = latest.as_deref()
            && Clock::instant() - *at < STANDS
        {
            return *verdict;
        }
        let mut verdict = ask(upstream, &Question::root()).await;
        if verdict != Verdict::Works
            && let Some(proof) = proof()
        {
            verdict = match ask(upstream, &proof).await {
                Verdict::Silent => verdict,
                heard => heard,
            };
        }
        if let Some(latest) = latest.as_deref_mut() {
            *latest = Some((Clock::instant(), verdict));
        }
        verdict
    }
}

/// The best that any server says to `question`.
async fn ask(upstream: &Upstream, question: &Question) -> Verdict {
    let servers = upstream.conf.servers.iter();
    let asked = servers.map(|&server| said(Exchange::new(server, question, upstream.conf.manner)));
    let mut answers = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    let mut verdict = Verdict::Silent;
    while let Some(code) = answers.next().await {
        match code {
            Some(ResponseCode::NoError | ResponseCode::NXDomain) => return Verdict::Works,
            Some(_) => verdict = Verdict::Refuses,
            None => {}
        }
    }
    verdict
}

async fn said(mut exchange: Exchange<'_>) -> Option<ResponseCode> {
    for _ in 0..TIMES {
        let asked = Clock::instant();
        if let Ok(message) = exchange.ask(AGAIN).await {
            return Some(message.metadata.response_code);
        }
        // A refusal comes at once, and by the next time the server may be back.
        tokio::time::sleep(AGAIN.saturating_sub(Clock::instant() - asked)).await;
    }
    None
}
