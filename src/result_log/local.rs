//! The log inside one process: acknowledges when the store has committed.
//!
//! Nothing here survives the process. It need not: the jobs of unacknowledged results are still in the queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, oneshot};

use super::{Batch, Condition, LogError, LogReader, Position, ResultLog};
use crate::model::CheckResult;

/// [`ResultLog`] in memory, bounded by a number of results.
pub struct LocalResultLog {
    shared: Arc<Shared>,
    capacity: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something was appended.
    appended: Notify,
    /// Something was committed: there is room.
    committed: Notify,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Entry>,
    /// Position of the first entry.
    start: u64,
    /// Results in all entries.
    results: usize,
    /// Number of the newest reader.
    reader: u64,
}

struct Entry {
    group: Arc<Vec<CheckResult>>,
    stored: oneshot::Sender<()>,
}

impl Shared {
    /// A panic elsewhere can't leave the state half changed: every change is a single push or pop.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalResultLog {
    /// A log that holds up to `capacity` results that are not stored yet.
    pub fn new(capacity: usize) -> Self {
        Self { shared: Arc::default(), capacity }
    }

    /// Appends when there is room; one group always fits an empty log, however large it is.
    fn try_append(&self, group: &Arc<Vec<CheckResult>>) -> Option<oneshot::Receiver<()>> {
        let mut state = self.shared.state();
        if state.results > 0 && state.results + group.len() > self.capacity {
            return None;
        }
        let (stored, acknowledged) = oneshot::channel();
        state.results += group.len();
        state.entries.push_back(Entry { group: Arc::clone(group), stored });
        Some(acknowledged)
    }
}

#[async_trait]
impl ResultLog for LocalResultLog {
    async fn append(&self, results: Arc<Vec<CheckResult>>) -> Result<(), LogError> {
        let acknowledged = loop {
            let room = self.shared.committed.notified();
            if let Some(acknowledged) = self.try_append(&results) {
                break acknowledged;
            }
            room.await;
        };
        self.shared.appended.notify_one();
        acknowledged.await.map_err(|_| LogError::Closed)
    }

    fn reader(&self) -> Box<dyn LogReader> {
        let mut state = self.shared.state();
        state.reader += 1;
        let number = state.reader;
        let next = state.start;
        drop(state);
        // A reader that was replaced may be waiting; let it find that out.
        self.shared.appended.notify_waiters();
        Box::new(LocalReader { shared: Arc::clone(&self.shared), number, next })
    }

    fn depth(&self) -> usize {
        self.shared.state().results
    }

    /// Nobody else reads it.
    fn close(&self, _: Duration) {}

    fn condition(&self) -> Condition {
        Condition { trouble: None, lag: Some(self.depth() as u64), deleted_unread: 0 }
    }
}

struct LocalReader {
    shared: Arc<Shared>,
    number: u64,
    /// Position of the first entry that was not read.
    next: u64,
}

impl LocalReader {
    /// Results that wait to be read.
    fn waiting(&self) -> Result<usize, LogError> {
        let state = self.shared.state();
        if state.reader != self.number {
            return Err(LogError::Closed);
        }
        let read = (self.next - state.start) as usize;
        Ok(state.entries.iter().skip(read).map(|entry| entry.group.len()).sum())
    }

    async fn wait_for(&self, count: usize) -> Result<(), LogError> {
        loop {
            let appended = self.shared.appended.notified();
            if self.waiting()? >= count {
                return Ok(());
            }
            appended.await;
        }
    }

    fn take(&mut self, most: usize) -> Batch {
        let state = self.shared.state();
        let read = (self.next - state.start) as usize;
        let mut results = 0;
        let groups: Vec<_> = state
            .entries
            .iter()
            .skip(read)
            .take_while(|entry| {
                let first = results == 0;
                results += entry.group.len();
                first || results <= most
            })
            .map(|entry| Arc::clone(&entry.group))
            .collect();
        drop(state);
        self.next += groups.len() as u64;
        Batch { groups, end: Position::Local(self.next) }
    }
}

#[async_trait]
impl LogReader for LocalReader {
    async fn next(&mut self, most: usize, linger: Duration) -> Result<Batch, LogError> {
        self.wait_for(1).await?;
        if let Ok(Err(closed)) = tokio::time::timeout(linger, self.wait_for(most)).await {
            return Err(closed);
        }
        Ok(self.take(most))
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), LogError> {
        // A batch of another log is not ours to commit.
        let end = batch.end.local().ok_or(LogError::Closed)?;
        let mut state = self.shared.state();
        if state.reader != self.number {
            return Err(LogError::Closed);
        }
        while state.start < end {
            let Some(entry) = state.entries.pop_front() else { break };
            state.start += 1;
            state.results -= entry.group.len();
            // Nobody waits any more when the publisher has been replaced meanwhile.
            let _ = entry.stored.send(());
        }
        drop(state);
        self.shared.committed.notify_waiters();
        Ok(())
    }
}
