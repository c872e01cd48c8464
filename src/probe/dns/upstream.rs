//! The name servers, asked in their order as resolv.conf(5) says: the next one after silence or failure.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::answer::{Answer, Reading, read};
use super::exchange::Exchange;
use super::question::Question;
use super::resolv_conf::ResolvConf;
use super::trouble::{Trouble, Troubles};

/// Names that an alias may lead to one after the other where the server leaves that to us.
const MOST_ALIASES: usize = 8;

/// The servers and how they are asked.
pub(super) struct Upstream {
    pub(super) conf: ResolvConf,
    /// With `options rotate`: who is asked first.
    turn: AtomicUsize,
}

/// An answer and how long it holds; `None`: only for those who wait for it.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) ttl: Option<Duration>,
}

impl Upstream {
    pub(super) fn new(conf: ResolvConf) -> Self {
        Self { conf, turn: AtomicUsize::new(0) }
    }

    /// Asks until some server has an answer. `tell` hears of each step: who is asked, and what went wrong before.
    pub(super) async fn ask(&self, mut question: Question, tell: impl Fn(SocketAddr, &Troubles)) -> Reply {
        let mut longest = Duration::MAX;
        for _ in 0..MOST_ALIASES {
            let (troubles, reading) = self.ask_in_order(&question, &tell).await;
            let reply =
                |answer, ttl: Option<Duration>| Reply { answer, ttl: ttl.map(|ttl| ttl.min(longest)) };
            match reading {
                Reading::Addresses(addresses, ttl) => {
                    return reply(Answer::Addresses(addresses), Some(ttl));
                }
                Reading::NoSuchName(ttl) => return reply(Answer::NoSuchName(troubles), ttl),
                Reading::NoAddress(ttl) => return reply(Answer::NoAddress(troubles), ttl),
                Reading::Useless(_) => return reply(Answer::Failed(troubles), None),
                Reading::Alias(name, ttl) => {
                    longest = longest.min(ttl);
                    question.name = name;
                }
            }
        }
        let mut troubles = Troubles::default();
        if let Some(&server) = self.conf.servers.first() {
            troubles.note(server, Trouble::Unreadable("its aliases lead nowhere".to_owned()));
        }
        Reply { answer: Answer::Failed(troubles), ttl: None }
    }

    /// The first useful answer, and what went wrong on the way to it.
    async fn ask_in_order(
        &self,
        question: &Question,
        tell: impl Fn(SocketAddr, &Troubles),
    ) -> (Troubles, Reading) {
        let mut troubles = Troubles::default();
        let mut last: Option<Exchange<'_>> = None;
        for server in self.order() {
            if troubles.has_given_up(server) {
                continue;
            }
            tell(server, &troubles);
            let mut exchange = match last.take() {
                Some(exchange) if exchange.server() == server => exchange,
                _ => Exchange::new(server, question, self.conf.manner),
            };
            let trouble = match exchange.ask(self.conf.timeout).await {
                Ok(message) => match read(question, &message) {
                    Reading::Useless(trouble) => trouble,
                    reading => return (troubles, reading),
                },
                Err(trouble) => trouble,
            };
            let ours = matches!(trouble, Trouble::NoSocket(_));
            troubles.note(server, trouble);
            if ours {
                break;
            }
            last = Some(exchange);
        }
        (troubles, Reading::Useless(Trouble::Lame))
    }

    /// Every server in its order, as often as there are attempts.
    fn order(&self) -> impl Iterator<Item = SocketAddr> {
        let servers = &self.conf.servers;
        let first = if self.conf.rotate { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let all = (0..self.conf.attempts as usize * servers.len()).map(move |step| first.wrapping_add(step));
        all.map(move |step| servers[step % servers.len()])
    }
}
