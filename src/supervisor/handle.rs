//! How others address a child, across its restarts.

use std::fmt;

use actix::{Actor, Addr, Context, Handler, Message};
use tokio::sync::watch;

/// The child is down, or it died before it answered. Whether it acted on the message is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the actor is not available")]
pub struct Unavailable;

/// Addresses a child, whichever incarnation of it is alive. Keep this, and never an `Addr` taken from it.
pub struct Handle<A: Actor> {
    entry: watch::Receiver<Entry<A>>,
}

impl<A: Actor<Context = Context<A>>> Handle<A> {
    /// The address of the present incarnation, or `None` while the child is down.
    ///
    /// Each clone of an `Addr` may put one message more into a full mailbox, so don't loop over this: use
    /// [`try_send`](Self::try_send) where the bound matters.
    pub fn current(&self) -> Option<Addr<A>> {
        self.entry.borrow().live().cloned()
    }

    /// Sends a message and waits for the answer: one try, to the incarnation that is alive now.
    ///
    /// A full mailbox does not refuse it. What bounds the mailbox is that each sender waits.
    ///
    /// # Errors
    /// [`Unavailable`] when the child is down, when it dies before answering, or when it is found to hang.
    pub async fn send<M>(&self, msg: M) -> Result<M::Result, Unavailable>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let (generation, addr) = self.entry.borrow().live_incarnation().ok_or(Unavailable)?;
        tokio::select! {
            biased;
            answer = addr.send(msg) => answer.map_err(|_| Unavailable),
            () = self.replaced(generation) => Err(Unavailable),
        }
    }

    /// Leaves a message without waiting for an answer.
    ///
    /// # Errors
    /// The message, when the child is down or its mailbox is full.
    pub fn try_send<M>(&self, msg: M) -> Result<(), M>
    where
        A: Handler<M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        // All handles share the entry's own `Addr`: the bound of a mailbox holds for each `Addr` by itself, so a clone
        // for each message would not be bound at all.
        match self.entry.borrow().live() {
            Some(addr) => addr.try_send(msg).map_err(actix::dev::SendError::into_inner),
            None => Err(msg),
        }
    }

    /// Waits until there is a live incarnation; returns at once when there is one. Forever, if there will be none.
    pub async fn up(&self) {
        let mut entry = self.entry.clone();
        if entry.wait_for(|entry| entry.live().is_some()).await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until the incarnation is no longer the present one. Its own mailbox does not tell when its thread is blocked.
    async fn replaced(&self, generation: u64) {
        let mut entry = self.entry.clone();
        // An error means that the supervisor is gone, and all its children with it.
        let _ = entry.wait_for(|entry| entry.generation != generation || entry.addr.is_none()).await;
    }
}

impl<A: Actor> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self { entry: self.entry.clone() }
    }
}

impl<A: Actor> fmt::Debug for Handle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({}, {})", std::any::type_name::<A>(), self.entry.borrow().generation)
    }
}

/// The present incarnation, as the address book has it.
struct Entry<A: Actor> {
    /// The only incarnation that may enter its address; 0 when none may.
    generation: u64,
    addr: Option<Addr<A>>,
}

impl<A: Actor> Entry<A> {
    /// The address, unless its actor has died and the supervisor has not heard of it yet: then nobody should try again
    /// before the next one is entered.
    fn live(&self) -> Option<&Addr<A>> {
        self.addr.as_ref().filter(|addr| addr.connected())
    }

    fn live_incarnation(&self) -> Option<(u64, Addr<A>)> {
        Some((self.generation, self.live()?.clone()))
    }
}

/// Where the incarnations of one child enter their address, one after another.
pub(super) struct AddressBook<A: Actor>(watch::Sender<Entry<A>>);

impl<A: Actor> AddressBook<A> {
    pub(super) fn new() -> (Self, Handle<A>) {
        let (book, entry) = watch::channel(Entry { generation: 0, addr: None });
        (Self(book), Handle { entry })
    }

    /// Admits this incarnation and no other.
    pub(super) fn admit(&self, generation: u64) {
        self.0.send_replace(Entry { generation, addr: None });
    }

    /// Enters the address. False for an incarnation that was given up while it was still starting.
    pub(super) fn enter(&self, generation: u64, addr: Addr<A>) -> bool {
        self.0.send_if_modified(|entry| {
            let admitted = entry.generation == generation;
            if admitted {
                entry.addr = Some(addr);
            }
            admitted
        })
    }

    /// Strikes the present incarnation out.
    pub(super) fn close(&self) {
        self.0.send_replace(Entry { generation: 0, addr: None });
    }
}

impl<A: Actor> Clone for AddressBook<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
