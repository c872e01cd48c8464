//! What is of HTTP alone: requests to the byte, redirects and cookies, and answers by RFC 9112.

mod client;
mod connector;
mod cookies;
mod decode;
mod redirect;
mod request;
mod wire;

use std::rc::Rc;
use std::sync::Arc;

use self::connector::HttpConnector;
pub(super) use self::decode::is_coded_part;
use self::redirect::Route;
pub(super) use self::request::{Message, RequestPlan};
pub(super) use self::wire::Head;
use crate::clock::Clock;
use crate::probe::connector::Connector;
use crate::probe::evidence;
use crate::probe::failure::Failure;
use crate::probe::plan::Plan;
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
    pub(super) async fn follow(&self, url: &str, trace: &Trace) -> Result<(), Failure> {
        let plan = Rc::clone(&trace.plan);
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
        client::read_body(answer, self.body_limit(&plan), kept(&plan, self.settings.body_limit), trace).await
    }

    /// As far as a body is read. What a site expects to be at most so large need not be read further.
    fn body_limit(&self, plan: &Plan) -> u64 {
        let most = plan.expect.max_bytes().unwrap_or(u64::MAX);
        self.settings.body_limit.min(most)
    }
}

/// As much of a body as somebody will look at.
fn kept(plan: &Plan, limit: u64) -> usize {
    if plan.expect.needs_body() { usize::try_from(limit).unwrap_or(usize::MAX) } else { evidence::KEPT }
}
