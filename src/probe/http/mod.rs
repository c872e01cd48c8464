//! What is of HTTP alone: requests to the byte, redirects and cookies, and answers by RFC 9112.
//!
//! awc runs the exchange. What it reads and writes goes through `wire`, which takes nothing for an answer that is none (ADR 19).

mod client;
mod connector;
mod cookies;
mod decode;
mod expect;
mod plan;
mod redirect;
mod request;
mod wire;

use std::sync::Arc;

use self::connector::HttpConnector;
pub(super) use self::plan::HttpPlan;
use self::redirect::Route;
pub(super) use self::request::{Message, secrets};
pub(super) use self::wire::Head;
use crate::clock::Clock;
use crate::probe::connector::Connector;
use crate::probe::failure::Failure;
use crate::probe::settings::Settings;
use crate::probe::trace::Trace;

/// Makes the requests of a thread's checks. Clones are cheap.
#[derive(Clone)]
pub(super) struct Http {
    settings: Arc<Settings>,
    client: awc::Client,
    clock: Clock,
}

impl Http {
    pub(super) fn new(connector: Connector, settings: Arc<Settings>, clock: Clock) -> Self {
        Self { settings, client: client::new(HttpConnector(connector)), clock }
    }

    /// Goes where redirects lead and reads the last answer.
    pub(super) async fn follow(&self, url: &str, plan: &HttpPlan, trace: &Trace) -> Result<(), Failure> {
        let mut route = Route::new(url, &plan.request, self.clock.now())?;
        let answer = loop {
            let message = route.request(&self.settings.user_agent);
            let answer = client::send(&self.client, route.url(), message, trace).await?;
            let head = trace.head().ok_or_else(|| Failure::internal("an answer without a head"))?;
            if !route.follows(&head)? {
                break answer;
            }
            trace.redirected();
        };
        let limit = self.settings.body_limit;
        client::read_body(answer, plan.body_limit(limit), plan.kept(limit), trace).await
    }
}
