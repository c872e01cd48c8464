//! What supervision promises, one test a promise, each on real threads with injected faults.
//!
//! Waiting is always for a condition with a deadline. The pauses and timeouts of the policies are short, those of the
//! deadlines long, so that a slow machine makes the tests slow and not red.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the verdict"
)]

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::time::Duration;

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message, WrapFuture};
use log::kv::{Key, VisitSource};
use tokio::sync::Notify;
use uptime_monitor::clock::Clock;
use uptime_monitor::supervisor::{
    Cause, ChildStatus, Ending, Fault, Handle, Life, Policy, Running, Supervisor, Unavailable,
};

const DEADLINE: Duration = Duration::from_secs(30);
const AN_HOUR: Duration = Duration::from_secs(3_600);
/// Long enough for a starved thread to show that it lives, short enough to wait for.
const SOON: Duration = Duration::from_millis(400);

/// Restarts at once and as often as needed; nothing hangs for it.
fn patient() -> Policy {
    Policy {
        max_restarts: 100_000,
        window: AN_HOUR,
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(2),
        healthy_after: AN_HOUR,
        heartbeat: Duration::from_millis(10),
        hang_timeout: AN_HOUR,
        stall: AN_HOUR,
        max_zombies: 100,
    }
}

/// Like [`patient`], and takes silence for a hang soon.
fn strict() -> Policy {
    Policy { hang_timeout: SOON, ..patient() }
}

// ---- every fault: the child is back, the cause is counted, nobody else notices ----

#[actix::test]
async fn a_child_that_stops_comes_back() {
    assert_comes_back(Fault::Stop, patient(), "stopped").await;
}

#[actix::test]
async fn a_child_that_panics_in_a_handler_comes_back() {
    assert_comes_back(Fault::PanicInHandler, patient(), "panic").await;
}

#[actix::test]
async fn a_child_that_panics_in_a_spawned_future_comes_back() {
    assert_comes_back(Fault::PanicInFuture, patient(), "panic").await;
}

#[actix::test]
async fn a_child_whose_thread_dies_comes_back() {
    assert_comes_back(Fault::KillThread, patient(), "lost").await;
}

#[actix::test]
async fn a_child_that_waits_forever_comes_back() {
    assert_comes_back(Fault::HangAsync, strict(), "hang").await;
}

#[actix::test]
async fn a_child_that_blocks_its_thread_comes_back() {
    assert_comes_back(Fault::BlockThread(4 * SOON), strict(), "hang").await;
}

async fn assert_comes_back(fault: Fault, policy: Policy, kind: &'static str) {
    let (running, victim, sibling) = victim_and_sibling(policy).await;
    assert_eq!(victim.send(Add(7)).await, Ok(7));

    assert!(running.inject("victim", fault));
    until_async("the victim is back", async || {
        assert!(sibling.send(Add(1)).await.is_ok(), "the sibling stopped answering");
        victim.send(WhichGeneration).await == Ok(2)
    })
    .await;

    assert_eq!(victim.send(Add(1)).await, Ok(1), "the new incarnation starts from its factory");
    assert_eq!(status(&running, "victim").restarts, BTreeMap::from([(kind, 1)]));
    let sibling = status(&running, "sibling");
    assert_eq!((sibling.generation, sibling.restarts_total()), (1, 0));
}

#[actix::test]
async fn a_thousand_random_deaths_leave_the_child_answering() {
    let faults = [Fault::Stop, Fault::PanicInHandler, Fault::PanicInFuture, Fault::KillThread];
    let (running, victim, sibling) = victim_and_sibling(patient()).await;

    for death in 1..=1_000 {
        soon(victim.up()).await;
        running.inject("victim", fastrand::choice(faults).unwrap());
        until("the next incarnation", || status(&running, "victim").generation > death).await;
    }
    soon(victim.up()).await;

    assert_eq!(victim.send(Add(1)).await, Ok(1));
    assert_eq!(status(&running, "victim").restarts_total(), 1_000);
    assert_eq!(status(&running, "sibling").restarts_total(), 0);
    assert_eq!(sibling.send(Add(1)).await, Ok(1));
}

// ---- causes ----

#[actix::test]
async fn a_reported_error_is_the_cause() {
    let (mut running, victim, _) = victim_and_sibling(Policy { max_restarts: 0, ..patient() }).await;

    victim.try_send(Fail { from_future: false }).unwrap();

    assert_eq!(last_cause(&soon(running.ended()).await), Cause::Error("disk full".to_owned()));
}

#[actix::test]
async fn an_error_in_a_spawned_future_ends_the_child_too() {
    let (mut running, victim, _) = victim_and_sibling(Policy { max_restarts: 0, ..patient() }).await;

    victim.try_send(Fail { from_future: true }).unwrap();

    assert_eq!(last_cause(&soon(running.ended()).await), Cause::Error("disk full".to_owned()));
}

#[actix::test]
async fn the_message_of_a_panic_is_kept() {
    let (mut running, victim, _) = victim_and_sibling(Policy { max_restarts: 0, ..patient() }).await;

    assert_eq!(victim.send(Explode).await, Err(Unavailable));

    assert_eq!(last_cause(&soon(running.ended()).await), Cause::Panicked("toy: exploded".to_owned()));
}

#[actix::test]
async fn a_factory_that_panics_is_tried_again() {
    quiet();
    let tried = AtomicBool::new(false);
    let mut supervisor = Supervisor::new(patient());
    let victim = supervisor.supervise("victim", move |life| {
        assert!(tried.swap(true, Ordering::SeqCst), "toy: not at the first try");
        Counter::new(life)
    });
    let running = supervisor.start();

    soon(victim.up()).await;

    assert_eq!(victim.send(WhichGeneration).await, Ok(2));
    assert_eq!(status(&running, "victim").restarts, BTreeMap::from([("panic", 1)]));
}

#[actix::test]
async fn work_without_progress_is_a_stall() {
    let (running, victim, _) = victim_and_sibling(Policy { stall: SOON, ..patient() }).await;

    victim.send(GetStuck).await.unwrap();
    until("the stall is noticed", || status(&running, "victim").restarts.contains_key("stall")).await;

    soon(victim.up()).await;
    assert_eq!(victim.send(WhichGeneration).await, Ok(2));
    assert_eq!(status(&running, "sibling").restarts_total(), 0, "no work and no progress is fine");
}

#[actix::test]
async fn time_in_which_the_supervisor_did_not_look_proves_nothing() {
    let (_running, victim, _) = victim_and_sibling(strict()).await;
    let (release, blocked) = mpsc::channel();
    victim.try_send(BlockUntil(blocked)).unwrap();

    // Both are held, as when the whole process is stopped for a while; then the supervisor is the first to go on.
    std::thread::sleep(2 * SOON);
    let looks = 5 * strict().heartbeat;
    tokio::time::sleep(looks).await;
    drop(release);

    assert_eq!(soon(victim.send(WhichGeneration)).await, Ok(1));
}

#[actix::test]
async fn every_restart_is_logged_once_with_its_cause() {
    let (running, victim) = only_child("logged once", patient()).await;

    for (fault, generation) in [(Fault::PanicInHandler, 2), (Fault::Stop, 3)] {
        assert!(running.inject("logged once", fault));
        until("the next incarnation", || status(&running, "logged once").generation == generation).await;
        soon(victim.up()).await;
    }

    let logged: Vec<_> = restarts_logged("logged once").into_iter().map(|r| (r.cause, r.restarts)).collect();
    let expected =
        [("panicked: drill: panic in a handler".to_owned(), 1), ("stopped by itself".to_owned(), 2)];
    assert_eq!(logged, expected);
}

// ---- addressing ----

#[actix::test]
async fn a_message_to_a_child_that_is_down_is_refused() {
    let policy = Policy { backoff_min: AN_HOUR, backoff_max: AN_HOUR, ..patient() };
    let (running, victim, _) = victim_and_sibling(policy).await;

    running.inject("victim", Fault::Stop);
    until("it is down", || !status(&running, "victim").alive).await;

    assert_eq!(victim.send(Add(1)).await, Err(Unavailable));
    assert_eq!(victim.try_send(Add(1)), Err(Add(1)));
    assert!(victim.current().is_none());
    assert!(!running.inject("victim", Fault::Stop), "it cannot be drilled either");
}

#[actix::test]
async fn who_waits_for_a_blocked_child_is_told_when_it_is_given_up() {
    let (running, victim, _) = victim_and_sibling(strict()).await;
    let (release, blocked) = mpsc::channel();

    let answer = soon(victim.send(BlockUntil(blocked))).await;

    assert_eq!(answer, Err(Unavailable));
    assert_eq!(status(&running, "victim").zombies, 1, "its thread is blocked still");
    drop(release);
}

#[actix::test]
async fn a_full_mailbox_gives_the_message_back() {
    let (_running, victim, _) = victim_and_sibling(patient()).await;
    let gate = Arc::new(Notify::new());
    victim.send(PauseUntil(Arc::clone(&gate))).await.unwrap();

    let taken = (0..10_000).take_while(|_| victim.clone().try_send(Add(1)).is_ok()).count();
    assert!((2..1_000).contains(&taken), "took {taken}");

    gate.notify_one();
    until("there is room again", || victim.try_send(Add(1)).is_ok()).await;
}

#[actix::test]
async fn an_incarnation_that_was_given_up_while_starting_never_becomes_the_child() {
    quiet();
    let (release, blocked) = mpsc::channel::<()>();
    let (blocked, born) = (Mutex::new(blocked), Arc::new(Mutex::new(Vec::new())));
    let births = Arc::clone(&born);
    let mut supervisor = Supervisor::new(strict());
    let victim = supervisor.supervise("victim", move |life: Life| {
        if life.generation() == 1 {
            let _ = blocked.lock().unwrap().recv();
        }
        Counter { births: Arc::clone(&births), ..Counter::new(life) }
    });
    let running = supervisor.start();
    soon(victim.up()).await;

    drop(release);
    until("the zombie is gone", || status(&running, "victim").zombies == 0).await;

    assert_eq!(victim.send(WhichGeneration).await, Ok(2));
    assert_eq!(*born.lock().unwrap(), [2], "the first one never started");
}

#[test]
fn a_handle_may_go_to_any_thread_although_its_actor_may_not() {
    fn assert_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn assert_sendable(_: impl Future + Send) {}

    let handle = Supervisor::new(patient()).supervise("homebound", |_| Homebound(Rc::default()));

    assert_shared(&handle);
    assert_sendable(handle.send(Add(1)));
    assert_sendable(handle.up());
}

// ---- what an incarnation leaves behind ----

#[actix::test]
async fn spawned_futures_are_gone_before_the_next_incarnation_is_made() {
    quiet();
    let (running_futures, overlaps) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, overlap) = (Arc::clone(&running_futures), Arc::clone(&overlaps));
    let mut supervisor = Supervisor::new(patient());
    let victim = supervisor.supervise("victim", move |life: Life| {
        overlap.fetch_add(count.load(Ordering::SeqCst), Ordering::SeqCst);
        (0..20).for_each(|_| life.spawn(count_while_running(Arc::clone(&count))));
        Counter::new(life)
    });
    let running = supervisor.start();

    for (fault, generation) in [(Fault::Stop, 2), (Fault::PanicInHandler, 3), (Fault::PanicInFuture, 4)] {
        soon(victim.up()).await;
        until("its futures run", || running_futures.load(Ordering::SeqCst) == 20).await;
        running.inject("victim", fault);
        until("the next incarnation", || status(&running, "victim").generation == generation).await;
    }
    soon(victim.up()).await;
    running.shutdown(DEADLINE).await;

    assert_eq!(overlaps.load(Ordering::SeqCst), 0);
    assert_eq!(running_futures.load(Ordering::SeqCst), 0, "none outlives the supervisor");
}

async fn count_while_running(count: Arc<AtomicUsize>) {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            // Cleaning up takes longer than the pause before a restart.
            std::thread::sleep(patient().backoff_max);
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    count.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(count);
    std::future::pending().await
}

#[actix::test]
async fn a_zombie_counts_until_its_thread_wakes_up() {
    let (running, victim, _) = victim_and_sibling(strict()).await;
    let (release, blocked) = mpsc::channel();
    victim.try_send(BlockUntil(blocked)).unwrap();
    until("it is given up", || status(&running, "victim").zombies == 1).await;
    soon(victim.up()).await;
    assert_eq!(victim.send(Add(1)).await, Ok(1), "the child does not wait for it");

    drop(release);

    until("the zombie is gone", || status(&running, "victim").zombies == 0).await;
    assert_eq!(status(&running, "victim").restarts_total(), 1, "its end is not another failure");
}

#[actix::test]
async fn a_context_that_hangs_leaves_no_zombie() {
    let (running, victim, _) = victim_and_sibling(strict()).await;

    running.inject("victim", Fault::HangAsync);
    until("it is restarted", || status(&running, "victim").generation == 2).await;
    soon(victim.up()).await;

    until("its thread is gone", || status(&running, "victim").zombies == 0).await;
}

// ---- pauses ----

#[actix::test]
async fn the_pause_grows_with_each_failure() {
    let policy = Policy { backoff_min: Duration::from_millis(8), backoff_max: AN_HOUR, ..patient() };

    let pauses = pauses_ms_after_four_failures("pauses grow", policy).await;

    let bounds = [4..=8, 8..=16, 16..=32, 32..=64];
    assert!(pauses.iter().zip(bounds).all(|(pause, bounds)| bounds.contains(pause)), "{pauses:?}");
}

#[actix::test]
async fn a_healthy_life_brings_the_pause_back_to_the_shortest() {
    let at_once = Duration::ZERO;
    let policy = Policy { backoff_min: Duration::from_millis(8), healthy_after: at_once, ..patient() };

    let pauses =
        pauses_ms_after_four_failures("pauses reset", Policy { backoff_max: AN_HOUR, ..policy }).await;

    assert!(pauses.iter().all(|pause| (4..=8).contains(pause)), "{pauses:?}");
}

async fn pauses_ms_after_four_failures(name: &str, policy: Policy) -> Vec<u64> {
    let (running, victim) = only_child(name, policy).await;
    for generation in 2..=5 {
        running.inject(name, Fault::Stop);
        until("the next incarnation", || status(&running, name).generation == generation).await;
        soon(victim.up()).await;
    }
    let pauses: Vec<_> = restarts_logged(name).into_iter().map(|restart| restart.delay_ms).collect();
    assert_eq!(pauses.len(), 4);
    pauses
}

// ---- giving up ----

#[actix::test]
async fn giving_up_names_the_child_and_the_cause() {
    let policy = Policy { max_restarts: 3, window: Duration::from_secs(60), ..patient() };
    let (mut running, victim, _) = victim_and_sibling(policy).await;

    for generation in 1..=4 {
        until("the next incarnation", || status(&running, "victim").generation == generation).await;
        soon(victim.up()).await;
        assert_eq!(victim.send(Explode).await, Err(Unavailable));
    }

    let ending = soon(running.ended()).await;
    let sentence =
        "gave up on actor victim after 3 restarts within 60s: this time it panicked: toy: exploded";
    assert_eq!(ending.to_string(), sentence);
    assert_eq!(soon(running.ended()).await, ending, "it can be asked again");
}

#[actix::test]
async fn after_giving_up_nothing_is_restarted_and_the_rest_goes_on() {
    let (mut running, victim, sibling) = victim_and_sibling(Policy { max_restarts: 1, ..patient() }).await;

    for generation in 1..=2 {
        until("the next incarnation", || status(&running, "victim").generation == generation).await;
        soon(victim.up()).await;
        victim.try_send(Explode).unwrap();
    }
    soon(running.ended()).await;
    assert_eq!(sibling.send(Add(1)).await, Ok(1));

    running.inject("sibling", Fault::Stop);
    until("the sibling is down", || !status(&running, "sibling").alive).await;
    assert_eq!(status(&running, "sibling").restarts_total(), 0);
    assert!(!status(&running, "victim").alive);
}

#[actix::test]
async fn too_many_blocked_threads_are_a_reason_to_give_up() {
    let (mut running, victim, _) = victim_and_sibling(Policy { max_zombies: 1, ..strict() }).await;
    let gates: Vec<_> = (0..2).map(|_| mpsc::channel()).collect();
    let (releases, blocked): (Vec<_>, Vec<_>) = gates.into_iter().unzip();

    for gate in blocked {
        soon(victim.up()).await;
        assert_eq!(soon(victim.send(BlockUntil(gate))).await, Err(Unavailable));
    }

    assert_eq!(
        soon(running.ended()).await,
        Ending::ThreadsBlocked { child: "victim".to_owned(), threads: 2 }
    );
    drop(releases);
}

#[actix::test]
async fn a_supervisor_that_dies_says_so_and_takes_its_children_with_it() {
    let (mut running, victim, sibling) = victim_and_sibling(patient()).await;
    let incarnations = [victim.current().unwrap(), sibling.current().unwrap()];

    assert!(running.inject_supervisor_panic());

    let expected = Ending::SupervisorDied("it panicked: drill: panic in the supervisor".to_owned());
    assert_eq!(soon(running.ended()).await, expected);
    assert_eq!(soon(running.ended()).await, expected, "it can be asked again");
    assert!(victim.current().is_none());
    until_gone(&incarnations).await;
    running.stop("victim", AN_HOUR).await;
    running.shutdown(AN_HOUR).await;
}

#[actix::test]
async fn waiting_for_the_end_may_be_interrupted() {
    let (mut running, _, _) = victim_and_sibling(patient()).await;

    assert!(tokio::time::timeout(Duration::from_millis(1), running.ended()).await.is_err());
    running.inject_supervisor_panic();

    assert!(matches!(soon(running.ended()).await, Ending::SupervisorDied(_)));
}

// ---- ending ----

#[actix::test]
async fn a_child_that_is_stopped_stays_down() {
    let (running, victim, sibling) = victim_and_sibling(patient()).await;

    running.stop("victim", DEADLINE).await;

    assert!(!status(&running, "victim").alive);
    assert_eq!(victim.send(Add(1)).await, Err(Unavailable));
    // A restart would have come before as many restarts of another.
    for generation in 2..=20 {
        running.inject("sibling", Fault::Stop);
        until("the sibling is back", || status(&running, "sibling").generation == generation).await;
        soon(sibling.up()).await;
    }
    let victim = status(&running, "victim");
    assert_eq!((victim.generation, victim.alive, victim.restarts_total()), (1, false, 0));
}

#[actix::test]
async fn a_child_that_is_stopped_during_its_pause_stays_down() {
    let pause = Duration::from_millis(100);
    let (running, victim, _) =
        victim_and_sibling(Policy { backoff_min: pause, backoff_max: pause, ..patient() }).await;
    running.inject("victim", Fault::Stop);
    until("it is down", || !status(&running, "victim").alive).await;

    running.stop("victim", DEADLINE).await;

    assert!(tokio::time::timeout(2 * pause, victim.up()).await.is_err(), "it came back");
}

#[actix::test]
async fn stopping_a_blocked_child_takes_no_longer_than_it_may() {
    let (running, victim, _) = victim_and_sibling(patient()).await;
    let (release, blocked) = mpsc::channel();
    victim.try_send(BlockUntil(blocked)).unwrap();

    let began = Clock::instant();
    running.stop("victim", SOON).await;

    assert!(began.elapsed() < DEADLINE);
    until("it is given up", || !status(&running, "victim").alive).await;
    assert_eq!(status(&running, "victim").zombies, 1);
    drop(release);
    until("the zombie is gone", || status(&running, "victim").zombies == 0).await;
}

#[actix::test]
async fn a_shutdown_ends_every_child() {
    let (running, victim, sibling) = victim_and_sibling(patient()).await;
    let incarnations = [victim.current().unwrap(), sibling.current().unwrap()];

    running.shutdown(DEADLINE).await;

    assert!(incarnations.iter().all(|addr| !addr.connected()), "it came back too early");
}

#[actix::test]
async fn a_shutdown_does_not_wait_for_a_child_that_hangs() {
    let (running, victim, sibling) = victim_and_sibling(patient()).await;
    let incarnations = [victim.current().unwrap(), sibling.current().unwrap()];
    running.inject("victim", Fault::HangAsync);

    let began = Clock::instant();
    running.shutdown(SOON).await;

    assert!(began.elapsed() < DEADLINE);
    until_gone(&incarnations).await;
}

#[actix::test]
async fn dropping_the_supervisor_ends_every_child() {
    let (running, victim, sibling) = victim_and_sibling(patient()).await;
    let incarnations = [victim.current().unwrap(), sibling.current().unwrap()];

    drop(running);

    until_gone(&incarnations).await;
    assert!(victim.current().is_none());
    assert!(sibling.current().is_none());
}

// ---- toys ----

/// Counts, and does what it is told.
struct Counter {
    life: Life,
    count: u64,
    /// The generations that came as far as `started`.
    births: Arc<Mutex<Vec<u64>>>,
}

impl Counter {
    fn new(life: Life) -> Self {
        Self { life, count: 0, births: Arc::default() }
    }
}

impl Actor for Counter {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.births.lock().unwrap().push(self.life.generation());
    }
}

#[derive(Message, Debug, PartialEq)]
#[rtype(result = "u64")]
struct Add(u64);

impl Handler<Add> for Counter {
    type Result = u64;

    fn handle(&mut self, add: Add, _: &mut Self::Context) -> u64 {
        self.count += add.0;
        self.life.progressed();
        self.count
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
struct WhichGeneration;

impl Handler<WhichGeneration> for Counter {
    type Result = u64;

    fn handle(&mut self, _: WhichGeneration, _: &mut Self::Context) -> u64 {
        self.life.generation()
    }
}

/// Reports an error, and stops where it can.
#[derive(Message, Debug)]
#[rtype(result = "()")]
struct Fail {
    from_future: bool,
}

impl Handler<Fail> for Counter {
    type Result = ();

    fn handle(&mut self, fail: Fail, ctx: &mut Self::Context) {
        let life = self.life.clone();
        if fail.from_future {
            self.life.spawn(async move { life.fail("disk full") });
        } else {
            life.fail("disk full");
            ctx.stop();
        }
    }
}

#[derive(Message, Debug)]
#[rtype(result = "()")]
struct Explode;

impl Handler<Explode> for Counter {
    type Result = ();

    fn handle(&mut self, _: Explode, _: &mut Self::Context) {
        panic!("toy: exploded")
    }
}

/// Has work from now on, and gets nowhere.
#[derive(Message)]
#[rtype(result = "()")]
struct GetStuck;

impl Handler<GetStuck> for Counter {
    type Result = ();

    fn handle(&mut self, _: GetStuck, _: &mut Self::Context) {
        self.life.set_busy(true);
    }
}

/// Blocks the thread until the other end is dropped.
#[derive(Message, Debug)]
#[rtype(result = "()")]
struct BlockUntil(mpsc::Receiver<()>);

impl Handler<BlockUntil> for Counter {
    type Result = ();

    fn handle(&mut self, block: BlockUntil, _: &mut Self::Context) {
        let _ = block.0.recv();
    }
}

/// Handles no message until notified.
#[derive(Message)]
#[rtype(result = "()")]
struct PauseUntil(Arc<Notify>);

impl Handler<PauseUntil> for Counter {
    type Result = ();

    fn handle(&mut self, pause: PauseUntil, ctx: &mut Self::Context) {
        ctx.wait(async move { pause.0.notified().await }.into_actor(self));
    }
}

/// An actor that cannot leave its thread.
struct Homebound(#[expect(dead_code, reason = "only its type matters")] Rc<()>);

impl Actor for Homebound {
    type Context = Context<Self>;
}

impl Handler<Add> for Homebound {
    type Result = u64;

    fn handle(&mut self, _: Add, _: &mut Self::Context) -> u64 {
        0
    }
}

async fn victim_and_sibling(policy: Policy) -> (Running, Handle<Counter>, Handle<Counter>) {
    quiet();
    let mut supervisor = Supervisor::new(policy);
    let victim = supervisor.supervise("victim", Counter::new);
    let sibling = supervisor.supervise("sibling", Counter::new);
    let running = supervisor.start();
    soon(victim.up()).await;
    soon(sibling.up()).await;
    (running, victim, sibling)
}

async fn only_child(name: &str, policy: Policy) -> (Running, Handle<Counter>) {
    quiet();
    let mut supervisor = Supervisor::new(policy);
    let child = supervisor.supervise(name, Counter::new);
    let running = supervisor.start();
    soon(child.up()).await;
    (running, child)
}

fn status(running: &Running, name: &str) -> ChildStatus {
    running.status().into_iter().find(|child| child.name == name).unwrap()
}

fn last_cause(ending: &Ending) -> Cause {
    match ending {
        Ending::GaveUp { last, .. } => last.clone(),
        other => panic!("{other}"),
    }
}

/// What must come, and must not keep the tests waiting for it when it does not.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, event).await.expect("waited in vain")
}

async fn until_gone(incarnations: &[Addr<Counter>]) {
    until("every incarnation is gone", || incarnations.iter().all(|addr| !addr.connected())).await;
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    until_async(what, async || condition()).await;
}

async fn until_async(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "waited in vain: {what}");
}

// ---- what is logged ----

/// A restart, as it was logged.
#[derive(Debug, Clone, Default)]
struct Restart {
    actor: String,
    cause: String,
    restarts: u64,
    delay_ms: u64,
}

static LOGGED: Mutex<Vec<Restart>> = Mutex::new(Vec::new());

fn restarts_logged(actor: &str) -> Vec<Restart> {
    LOGGED.lock().unwrap().iter().filter(|restart| restart.actor == actor).cloned().collect()
}

struct Recorder;

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        if record.args().to_string() == "actor restarts" {
            let mut restart = Restart::default();
            record.key_values().visit(&mut restart).unwrap();
            LOGGED.lock().unwrap().push(restart);
        }
    }

    fn flush(&self) {}
}

impl<'kvs> VisitSource<'kvs> for Restart {
    fn visit_pair(&mut self, key: Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        match key.as_str() {
            "actor" => self.actor = value.to_string(),
            "cause" => self.cause = value.to_string(),
            "restarts" => self.restarts = value.to_u64().unwrap(),
            "delay_ms" => self.delay_ms = value.to_u64().unwrap(),
            other => panic!("unexpected key {other}"),
        }
        Ok(())
    }
}

/// Records restarts, and keeps the panics that are meant to happen off the screen.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Recorder).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or_default();
            if !message.starts_with("drill:") && !message.starts_with("toy:") {
                default(info);
            }
        }));
    });
}
