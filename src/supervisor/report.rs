//! What the supervisor tells: why a child ended, how the children are, why the supervisor gave up.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Why an incarnation of a child ended. Its text completes "the child …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Its context was stopped, and no error was reported.
    Stopped,
    /// It reported an error with [`Life::fail`](super::Life::fail), or it could not be started.
    Error(String),
    /// The actor, its factory, or a future of [`Life::spawn`](super::Life::spawn) panicked with this message.
    Panicked(String),
    /// Its thread ended.
    Lost,
    /// It was alive and did nothing.
    Hung(Hang),
}

impl Cause {
    /// One stable word, for counting: `stopped`, `error`, `panic`, `lost`, `hang` or `stall`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Error(_) => "error",
            Self::Panicked(_) => "panic",
            Self::Lost => "lost",
            Self::Hung(Hang::Silent) => "hang",
            Self::Hung(Hang::Stalled) => "stall",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped by itself"),
            Self::Error(error) => write!(f, "failed: {error}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Lost => f.write_str("lost its thread"),
            Self::Hung(hang) => write!(f, "hung: {hang}"),
        }
    }
}

/// How a child hung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hang {
    /// No sign of life for [`Policy::hang_timeout`](super::Policy::hang_timeout): its thread is blocked, or its context
    /// waits for something that does not come.
    Silent,
    /// Work and no progress for [`Policy::stall`](super::Policy::stall).
    Stalled,
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "no sign of life",
            Self::Stalled => "no progress although there is work",
        })
    }
}

/// Why supervision ended. Its text is a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// One child kept failing.
    GaveUp {
        /// The child's name.
        child: String,
        /// Its restarts within `window`, before the failure that was one too many.
        restarts: u32,
        /// The policy's window.
        window: Duration,
        /// Why it ended the last time.
        last: Cause,
    },
    /// One child kept blocking its threads, which cannot be killed.
    ThreadsBlocked {
        /// The child's name.
        child: String,
        /// Its threads that are blocked now.
        threads: u32,
    },
    /// The supervisor itself died, of this.
    SupervisorDied(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GaveUp { child, restarts, window, last } => write!(
                f,
                "gave up on actor {child} after {restarts} restarts within {window:?}: this time it {last}"
            ),
            Self::ThreadsBlocked { child, threads } => {
                write!(
                    f,
                    "gave up on actor {child}: {threads} of its threads are blocked and cannot be ended"
                )
            }
            Self::SupervisorDied(reason) => write!(f, "the supervisor of the actors died: {reason}"),
        }
    }
}

/// One child, as [`Running::status`](super::Running::status) sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildStatus {
    /// The name it was given.
    pub name: String,
    /// The number of the present incarnation, or of the last one. The first is 1.
    pub generation: u64,
    /// Whether an incarnation runs. It may still be starting.
    pub alive: bool,
    /// Restarts since the start, by [`Cause::kind`].
    pub restarts: BTreeMap<&'static str, u64>,
    /// Hung incarnations whose thread has not ended yet.
    pub zombies: u32,
}

impl ChildStatus {
    /// Restarts since the start, of any cause.
    pub fn restarts_total(&self) -> u64 {
        self.restarts.values().sum()
    }
}

/// The message of a panic.
pub(super) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
