//! The two ends of supervision that its owner holds: before it starts, and while it runs.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Message};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::child::Child;
use super::fault::Fault;
use super::handle::{AddressBook, Handle};
use super::incarnation::Factory;
use super::life::Life;
use super::policy::Policy;
use super::report::{ChildStatus, Ending, panic_message};
use super::tree::{Die, Inject, Retire, Tree};

/// Below this, looking after the children would be all the work.
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(1);

/// A supervisor that has not started yet: it is told of its children.
pub struct Supervisor {
    policy: Policy,
    children: Vec<Child>,
}

impl Supervisor {
    /// A supervisor without children.
    pub fn new(policy: Policy) -> Self {
        let heartbeat = policy.heartbeat.max(SHORTEST_HEARTBEAT);
        Self { policy: Policy { heartbeat, ..policy }, children: Vec::new() }
    }

    /// Adds a child with a name of its own. `factory` makes each incarnation, on the thread that it will live on; a panic in
    /// it counts as the child's.
    ///
    /// Children start in the order in which they were added. The handle may be given to other children's factories.
    pub fn supervise<A, F>(&mut self, name: impl Into<String>, factory: F) -> Handle<A>
    where
        A: Actor<Context = Context<A>>,
        F: Fn(Life) -> A + Send + Sync + 'static,
    {
        let (book, handle) = AddressBook::new();
        let factory = Factory { make: Arc::new(factory), book };
        self.children.push(Child::new(name.into(), Box::new(factory)));
        handle
    }

    /// Starts the children, each on a thread of its own, and supervises them from the present thread.
    ///
    /// # Panics
    /// Outside of an actix `System`.
    pub fn start(self) -> Running {
        let (board, status) = watch::channel(self.children.iter().map(Child::status).collect());
        let (give_up, ending) = watch::channel(None);
        let tree = Context::new().into_future(Tree::new(self.policy, self.children, board, give_up));
        Running {
            tree: tree.address(),
            task: actix_rt::spawn(tree),
            board: Board(status),
            ending,
            died: None,
        }
    }
}

/// The children's status, at any time. Clones read the same.
#[derive(Debug, Clone)]
pub struct Board(watch::Receiver<Vec<ChildStatus>>);

impl Board {
    /// The children, in the order in which they were added.
    pub fn status(&self) -> Vec<ChildStatus> {
        self.0.borrow().clone()
    }
}

/// Supervision at work. Dropping it ends it, and every child with it.
pub struct Running {
    tree: Addr<Tree>,
    task: JoinHandle<()>,
    board: Board,
    ending: watch::Receiver<Option<Ending>>,
    /// The end of `task`, which tells it only once.
    died: Option<Ending>,
}

impl Running {
    /// Waits until supervision has ended by itself, and tells why, as often as it is asked. It may be dropped and called
    /// again.
    ///
    /// Once it has given up nothing is restarted, and what still runs can be stopped in order.
    pub async fn ended(&mut self) -> Ending {
        if let Some(died) = &self.died {
            return died.clone();
        }
        tokio::select! {
            biased;
            ending = given_up(&mut self.ending) => ending,
            end = &mut self.task => self.died.insert(cause_of_death(end)).clone(),
        }
    }

    /// The children, in the order in which they were added.
    pub fn status(&self) -> Vec<ChildStatus> {
        self.board.status()
    }

    /// The same, for somebody else to look at.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Injects a fault into a child. False when there is no such child or it is down.
    pub fn inject(&self, child: &str, fault: Fault) -> bool {
        let is_up = self.board.0.borrow().iter().any(|status| status.name == child && status.alive);
        is_up && self.order(Inject { child: child.to_owned(), fault })
    }

    /// Makes the supervisor itself panic, which ends everything. False when it is gone already.
    pub fn inject_supervisor_panic(&self) -> bool {
        self.order(Die)
    }

    /// Ends a child for good, without a restart. Returns when it is gone, after `within` at the latest.
    ///
    /// Its context is stopped, so its `stopping` may still delay the end; when the time is over it is ended by force.
    pub async fn stop(&self, child: &str, within: Duration) {
        self.retire(Some(child), within).await;
    }

    /// Ends all children and the supervisor. Returns when they are gone, after `within` at the latest.
    pub async fn shutdown(self, within: Duration) {
        self.retire(None, within).await;
    }

    async fn retire(&self, name: Option<&str>, within: Duration) {
        let order = Retire { child: name.map(str::to_owned), within };
        let mut board = self.board.0.clone();
        let gone = async {
            // An error means that the supervisor is gone, and every child with it.
            if self.tree.send(order).await.is_ok() {
                let concerns = |child: &ChildStatus| name.is_none_or(|name| name == child.name);
                let _ = board.wait_for(|all| !all.iter().any(|child| child.alive && concerns(child))).await;
            }
        };
        let _ = tokio::time::timeout(within, gone).await;
    }

    fn order<M>(&self, order: M) -> bool
    where
        Tree: actix::Handler<M>,
        M: Message<Result = ()> + Send + 'static,
    {
        self.tree.do_send(order);
        self.tree.connected()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until the supervisor gives up. When it dies instead, its task tells.
async fn given_up(ending: &mut watch::Receiver<Option<Ending>>) -> Ending {
    let ending = ending.wait_for(Option::is_some).await.ok().and_then(|ending| ending.clone());
    match ending {
        Some(ending) => ending,
        None => std::future::pending().await,
    }
}

fn cause_of_death(end: Result<(), JoinError>) -> Ending {
    let reason = match end.map_err(JoinError::try_into_panic) {
        Ok(()) => "it stopped".to_owned(),
        Err(Ok(payload)) => format!("it panicked: {}", panic_message(&*payload)),
        Err(Err(_)) => "its thread is ending".to_owned(),
    };
    Ending::SupervisorDied(reason)
}
