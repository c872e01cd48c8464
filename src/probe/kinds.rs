//! What makes the checks of each kind, for one thread.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::connector::Connector;
use super::failure::Failure;
use super::http::Http;
use super::kind::Kind;
use super::plan::Plan;
use super::settings::Settings;
use super::tcp::{self, Tcp};
use super::trace::Trace;
use crate::clock::Clock;
use crate::model::Target;

/// A client per kind. Clones are cheap.
#[derive(Clone)]
pub(super) struct Kinds {
    http: Http,
    tcp: Tcp,
}

impl Kinds {
    pub(super) fn new(settings: &Arc<Settings>, clock: Clock) -> Self {
        let connector = Connector::new(Arc::clone(settings));
        let tcp = Tcp::new(connector.clone(), settings.body_limit);
        let http = Http::new(connector, Arc::clone(settings), clock);
        Self { http, tcp }
    }

    /// One try within the target's timeout.
    pub(super) async fn try_once(
        &self,
        target: &Target,
        plan: &Plan,
        trace: &Rc<Trace>,
    ) -> Result<(), Failure> {
        let (url, limit): (&str, Duration) = (&target.url, target.timeout);
        match &plan.kind {
            Kind::Http(http) => {
                let ended =
                    tokio::time::timeout(limit, self.http.follow(url, http, &plan.access, trace)).await;
                ended.unwrap_or_else(|_| Err(trace.timed_out(limit)))
            }
            Kind::Tcp(tcp) => {
                // In a box, for it would make every check larger.
                let talk = Box::pin(self.tcp.talk(url, tcp, &plan.access, trace));
                let ended = tokio::time::timeout(limit, talk).await;
                ended.unwrap_or_else(|_| tcp::timed_out(tcp, trace, limit))
            }
        }
    }
}
