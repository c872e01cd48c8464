//! One lookup: the names that a short name may stand for, and both families side by side (RFC 8305).

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::answer::{Answer, Answers};
use super::canary::Verdict;
use super::explain;
use super::question::{Family, Question};
use super::resolv_conf::ResolvConf;
use super::resolver::{Progress, Resolver};
use crate::clock::Clock;
use crate::model::Reason;
use crate::model::settings::IpFamily;
use crate::probe::failure::Failure;

/// How long the second family may take once the first has addresses (RFC 8305, section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// How long a lookup may take before we ask whether any name server is there. Most take a tenth of that.
const BEFORE_DOUBT: Duration = Duration::from_millis(200);

/// Between two such questions.
const DOUBT_AGAIN: Duration = Duration::from_millis(500);

/// What a name leads to.
pub(in crate::probe) struct Found {
    pub(in crate::probe) addresses: Vec<IpAddr>,
    /// The family whose addresses were not waited for. They are on their way, and join the others once they come.
    pub(in crate::probe) late: Option<Late>,
}

/// The question for the family that was not waited for. It is about the very name that has the addresses of the other family,
/// which a search list may have completed.
pub(in crate::probe) struct Late {
    asking: Rc<Asking>,
    name: Arc<str>,
    family: Family,
}

impl Late {
    /// Waits for its answer. Empty where it has no addresses, for whatever reason.
    pub(in crate::probe) async fn addresses(self) -> Vec<IpAddr> {
        self.asking.answer(&self.name, self.family).await.addresses().to_vec()
    }
}

/// The families to ask for.
pub(super) fn families(wanted: IpFamily, conf: &ResolvConf) -> &'static [Family] {
    match wanted {
        IpFamily::V4 => &[Family::V4],
        IpFamily::V6 => &[Family::V6],
        IpFamily::Any if conf.no_aaaa => &[Family::V4],
        IpFamily::Any => &Family::BOTH,
    }
}

/// The addresses of a name that needs no question to anybody, when there are any.
pub(super) fn at_hand(resolver: &Resolver, name: &str, families: &[Family]) -> Option<Found> {
    let known = resolver.known(name);
    let has_all = families.iter().all(|family| known[family.index()].is_some());
    let addresses = addresses(&known);
    (has_all && !addresses.is_empty()).then_some(Found { addresses, late: None })
}

/// Asks for `host` and for what it may stand for. `begun` gets the lookup.
pub(super) async fn resolve(
    resolver: &Arc<Resolver>,
    host: &str,
    families: &'static [Family],
    begun: impl FnOnce(Rc<Asking>),
) -> Result<Found, Failure> {
    if Question::addresses(host, Family::V4).is_none() {
        return Err(Failure::new(Reason::Dns, format!("{host} is not a valid name")));
    }
    let asking = Rc::new(Asking::new(Arc::clone(resolver)));
    begun(Rc::clone(&asking));
    tokio::select! {
        biased;
        found = search(&asking, host, families) => found,
        never = asking.doubt() => match never {},
    }
}

/// As glibc searches: the next candidate after "no such name" and "no address", and not after a failure, which may hide the
/// name that is meant. What is said in the end is about the name as it was given.
async fn search(asking: &Rc<Asking>, host: &str, families: &'static [Family]) -> Result<Found, Failure> {
    let as_it_is = host.trim_end_matches('.');
    let mut said: Answers = [None, None];
    for name in candidates(host, &asking.resolver.upstream.conf) {
        let answers = ask(asking, &name, families).await;
        let addresses = addresses(&answers);
        if !addresses.is_empty() {
            let late = families.iter().find(|family| answers[family.index()].is_none());
            let late = late.map(|&family| Late { asking: Rc::clone(asking), name, family });
            return Ok(Found { addresses, late });
        }
        let is_failure = !answers.iter().flatten().any(Answer::is_from_server);
        if *name == *as_it_is || said == [None, None] {
            said = answers;
        }
        if is_failure {
            break;
        }
    }
    let verdict = match explain::needs_verdict(&said) {
        true => asking.resolver.verdict().await,
        false => Verdict::Works,
    };
    Err(explain::failure(as_it_is, families, &said, verdict))
}

/// The names to ask for, in their order: as it is before the search list where it has enough dots, otherwise after it.
fn candidates(host: &str, conf: &ResolvConf) -> Vec<Arc<str>> {
    if let Some(complete) = host.strip_suffix('.') {
        return vec![complete.into()];
    }
    let mut names: Vec<Arc<str>> =
        conf.search.iter().map(|domain| format!("{host}.{domain}").into()).collect();
    let has_enough_dots = host.bytes().filter(|&byte| byte == b'.').count() >= conf.ndots;
    names.insert(if has_enough_dots { 0 } else { names.len() }, host.into());
    names
}

/// One name, in all families that are wanted.
async fn ask(asking: &Asking, name: &Arc<str>, families: &'static [Family]) -> Answers {
    let one = async |family: Family| asking.answer(name, family).await;
    let mut answers: Answers = [None, None];
    let &[v4, v6] = families else {
        for &family in families {
            answers[family.index()] = Some(one(family).await);
        }
        return answers;
    };
    // A family that failed a short while ago is left alone while the other one has addresses.
    let failed = |family: Family, known: &Answers| matches!(known[family.index()], Some(Answer::Failed(_)));
    let known = asking.resolver.known(name);
    if failed(v4, &known) != failed(v6, &known) {
        let (first, second) = if failed(v4, &known) { (v6, v4) } else { (v4, v6) };
        let answer = one(first).await;
        if answer.addresses().is_empty() {
            answers[second.index()] = Some(one(second).await);
        } else {
            answers[second.index()].clone_from(&known[second.index()]);
        }
        answers[first.index()] = Some(answer);
        return answers;
    }
    both(asking, name).await
}

/// Whichever answers first; the other one has [`RESOLUTION_DELAY`] once there are addresses, and all its time otherwise.
async fn both(asking: &Asking, name: &Arc<str>) -> Answers {
    let (v4, v6) = (pin!(asking.answer(name, Family::V4)), pin!(asking.answer(name, Family::V6)));
    let (family, first, rest) = match select(v4, v6).await {
        Either::Left((first, rest)) => (Family::V4, first, rest),
        Either::Right((first, rest)) => (Family::V6, first, rest),
    };
    // Some name servers say of AAAA that there is no such name, where A has addresses (RFC 4074, section 4.2): not so final.
    let is_final =
        matches!((&first, family), (Answer::Addresses(_), _) | (Answer::NoSuchName(_), Family::V4));
    let second = match is_final {
        true => tokio::time::timeout(RESOLUTION_DELAY, rest).await.ok(),
        false => Some(rest.await),
    };
    match family {
        Family::V4 => [Some(first), second],
        Family::V6 => [second, Some(first)],
    }
}

fn addresses(answers: &Answers) -> Vec<IpAddr> {
    answers.iter().flatten().flat_map(Answer::addresses).copied().collect()
}

/// A lookup under way: whom it waits for, and what is known of the name servers meanwhile.
pub(in crate::probe) struct Asking {
    pub(super) resolver: Arc<Resolver>,
    began: Instant,
    /// The name servers answer other questions.
    works: Cell<bool>,
    news: RefCell<Vec<watch::Receiver<Progress>>>,
}

impl Asking {
    fn new(resolver: Arc<Resolver>) -> Self {
        Self { resolver, began: Clock::instant(), works: Cell::new(false), news: RefCell::default() }
    }

    async fn answer(&self, name: &Arc<str>, family: Family) -> Answer {
        self.resolver.answer(name, family, |news| self.news.borrow_mut().push(news)).await
    }

    /// Runs beside a lookup and, when that takes long, finds out whether any name server is there.
    async fn doubt(&self) -> Infallible {
        tokio::time::sleep(BEFORE_DOUBT).await;
        while self.resolver.verdict().await != Verdict::Works {
            tokio::time::sleep(DOUBT_AGAIN).await;
        }
        self.works.set(true);
        std::future::pending().await
    }

    /// The failure of a try that ended before the name was resolved.
    pub(in crate::probe) fn timed_out(&self, after: Duration) -> Failure {
        let waits: Vec<Progress> = self.news.borrow().iter().map(|news| news.borrow().clone()).collect();
        let works = self.works.get() || self.resolver.was_heard_since(self.began);
        explain::timed_out(after, &waits, works)
    }
}
