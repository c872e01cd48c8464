//! Drills: faults that are injected into a child without its cooperation.
//!
//! They are compiled into every build, so that what is tested is what runs. Nothing of it is reachable from outside the
//! process; whoever holds [`Running`](super::Running) can drill.

use std::time::Duration;

use actix::fut::{ActorStreamExt, wrap_future, wrap_stream};
use actix::{Actor, ActorContext, Arbiter, AsyncContext, Context};
use futures_util::stream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::life::Life;

/// What can be done to a child in a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its context is stopped.
    Stop,
    /// A panic while its context runs, as in a message handler.
    PanicInHandler,
    /// A panic in a future of [`Life::spawn`].
    PanicInFuture,
    /// Its context waits for a future that never ends.
    HangAsync,
    /// Its thread sleeps for so long.
    BlockThread(Duration),
    /// Its thread ends.
    KillThread,
}

/// Makes a context obey the faults that arrive.
pub(super) fn listen<A>(ctx: &mut Context<A>, life: Life, mut faults: UnboundedReceiver<Fault>)
where
    A: Actor<Context = Context<A>>,
{
    let faults = stream::poll_fn(move |cx| faults.poll_recv(cx));
    ctx.spawn(wrap_stream::<_, A>(faults).map(move |fault, _, ctx| commit(fault, ctx, &life)).finish());
}

fn commit<A>(fault: Fault, ctx: &mut Context<A>, life: &Life)
where
    A: Actor<Context = Context<A>>,
{
    match fault {
        Fault::Stop => ctx.stop(),
        Fault::PanicInHandler => crash("drill: panic in a handler"),
        Fault::PanicInFuture => life.spawn(async { crash("drill: panic in a future") }),
        Fault::HangAsync => ctx.wait(wrap_future::<_, A>(std::future::pending())),
        Fault::BlockThread(time) => std::thread::sleep(time),
        Fault::KillThread => {
            Arbiter::current().stop();
        }
    }
}

#[expect(clippy::panic, reason = "a drill that did not panic would test nothing")]
fn crash(message: &'static str) {
    panic!("{message}")
}
