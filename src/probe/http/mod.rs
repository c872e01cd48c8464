//! What is of HTTP alone: requests to the byte, redirects and cookies, and answers by the RFCs.
//!
//! `wire` speaks it on a connection of the frame's, and takes nothing for an answer that is none (ADR 19).

mod body;
mod cookies;
mod decode;
mod expect;
mod plan;
mod redirect;
mod request;
mod wire;

use std::rc::Rc;
use std::sync::Arc;

pub(super) use self::plan::HttpPlan;
use self::redirect::Route;
pub(super) use self::request::secrets;
use self::wire::{Client, Conversation};
use crate::clock::Clock;
use crate::probe::connector::Connector;
use crate::probe::failure::Failure;
use crate::probe::order::{Access, Order};
use crate::probe::settings::Settings;
use crate::probe::stopwatch::Phase;
use crate::probe::trace::Trace;

/// Makes the requests of a thread's checks. Clones are cheap.
#[derive(Clone)]
pub(super) struct Http {
    settings: Arc<Settings>,
    connector: Connector,
    client: Client,
    clock: Clock,
}

impl Http {
    pub(super) fn new(connector: Connector, settings: Arc<Settings>, clock: Clock) -> Self {
        Self { settings, connector, client: Client::new(), clock }
    }

    /// Goes where redirects lead and reads the last answer.
    pub(super) async fn follow(
        &self,
        url: &str,
        plan: &HttpPlan,
        access: &Access,
        trace: &Rc<Trace>,
    ) -> Result<(), Failure> {
        let mut route = Route::new(url, &plan.request, self.clock.now())?;
        let (mut conversation, head) = loop {
            let mut conversation = self.ask(&route, access, trace).await?;
            let head = Rc::new(conversation.head().await?);
            trace.answered(Rc::clone(&head));
            if !route.follows(&head)? {
                break (conversation, head);
            }
            trace.redirected();
        };
        let limit = self.settings.body_limit;
        body::read(&mut conversation, &head, plan.body_limit(limit), plan.kept(limit), trace).await
    }

    /// Makes the request of the current hop, on a new connection.
    async fn ask(
        &self,
        route: &Route<'_>,
        access: &Access,
        trace: &Rc<Trace>,
    ) -> Result<Conversation, Failure> {
        trace.begin_hop(route.url());
        let order = Order { url: route.url(), is_foreign: route.is_foreign(), access };
        let transport = self.connector.connect(&order, trace).await?;
        trace.enter(Phase::Wait);
        let request = route.request(&self.settings.user_agent);
        self.client.send(transport, &request, trace).await
    }
}
