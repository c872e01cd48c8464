//! What is of a bare connection alone: something may be sent, and what comes is read until it is as expected.

mod conversation;
mod expect;
mod plan;

use std::time::Duration;

use url::Url;

use self::conversation::Conversation;
pub(super) use self::plan::{TcpPlan, secrets};
use crate::model::Kind;
use crate::pattern;
use crate::probe::connector::Connector;
use crate::probe::expect::quoted;
use crate::probe::failure::Failure;
use crate::probe::order::{Access, Order};
use crate::probe::stopwatch::Phase;
use crate::probe::trace::Trace;

/// Characters of what came before the time was over.
const SHOWN: usize = 200;

/// Makes the connections of a thread's checks. Clones are cheap.
#[derive(Clone)]
pub(super) struct Tcp {
    connector: Connector,
    /// Bytes of an answer that are read at most.
    limit: u64,
}

impl Tcp {
    pub(super) fn new(connector: Connector, limit: u64) -> Self {
        Self { connector, limit }
    }

    /// Connects, sends, and reads until every condition is settled. Without conditions nothing is read.
    pub(super) async fn talk(
        &self,
        url: &str,
        plan: &TcpPlan,
        access: &Access,
        trace: &Trace,
    ) -> Result<(), Failure> {
        let url = place(url)?;
        trace.begin_hop(&url);
        let order = Order { url: &url, is_foreign: false, access };
        let transport = self.connector.connect(&order, trace).await?;
        trace.pause();
        let mut conversation = Conversation::new(transport, plan.send.clone(), trace);
        if plan.expect.listens() {
            trace.enter(Phase::Wait);
            conversation.listen(&plan.expect, plan.expect.limit(self.limit)).await?;
            trace.complete();
        } else {
            conversation.send().await?;
            conversation.accepted().await?;
        }
        conversation.close().await;
        Ok(())
    }
}

/// What a try has come to that its timeout ended.
pub(super) fn timed_out(plan: &TcpPlan, trace: &Trace, after: Duration) -> Result<(), Failure> {
    if !trace.is_open() {
        return Err(trace.timed_out(after));
    }
    let peer = trace.peer();
    trace.look(|body| match (plan.expect.listens(), plan.expect.awaited(&body.kept)) {
        (false, _) if trace.is_complete() => Ok(()),
        (false, _) => {
            Err(Failure::timeout(after, &format!("connected to {peer}, which takes no more of what is sent")))
        }
        // Many a server says what it has to say, and waits for more. What it has said by now is all that there is.
        (true, None) if !body.kept.is_empty() => Ok(()),
        (true, awaited) => {
            let awaited = awaited.unwrap_or_else(|| "answer to begin".to_owned());
            let came = match body.kept.is_empty() {
                true => "nothing came".to_owned(),
                false => format!("this came: {}", quoted(&String::from_utf8_lossy(&body.kept), SHOWN)),
            };
            let waiting = format!("connected to {peer} and waiting for the {awaited}; {came}");
            Err(Failure::timeout(after, &waiting))
        }
    })
}

fn place(url: &str) -> Result<Url, Failure> {
    let unfit = |why: &str| Failure::internal(format!("{url} cannot be checked: {why}"));
    if Kind::of(url) != Some(Kind::Tcp) {
        return Err(unfit("it is neither tcp nor tls"));
    }
    pattern::connection(url).map_err(|why| unfit(&why.to_string()))
}
