//! A group of messages: counted as they are settled, whether brokers have them or not, and answered once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use tokio::sync::oneshot;

use super::{Context, Settled, take};

/// Messages that are sent together and settled together.
pub(in crate::result_log::kafka) struct Group {
    /// Not settled yet.
    open: AtomicUsize,
    failure: OnceLock<KafkaError>,
    done: Mutex<Option<oneshot::Sender<KafkaResult<()>>>>,
    depth: Arc<AtomicUsize>,
}

impl Group {
    pub(super) fn new(count: usize, depth: Arc<AtomicUsize>) -> (Arc<Self>, Settled) {
        let (done, settled) = oneshot::channel();
        depth.fetch_add(count, Ordering::Relaxed);
        let (open, failure) = (AtomicUsize::new(count), OnceLock::new());
        (Arc::new(Self { open, failure, done: Mutex::new(Some(done)), depth }), settled)
    }

    pub(super) fn settle(&self, count: usize) {
        self.depth.fetch_sub(count, Ordering::Relaxed);
        if self.open.fetch_sub(count, Ordering::AcqRel) > count {
            return;
        }
        if let Some(done) = take(&self.done) {
            // Nobody waits any more when the append was given up.
            let _ = done.send(self.failure.get().cloned().map_or(Ok(()), Err));
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Group>;

    fn delivery(&self, outcome: &DeliveryResult<'_>, group: Arc<Group>) {
        match outcome {
            Ok(_) => self.health().worked(),
            Err((error, _)) => {
                self.undelivered(error);
                // The first reason is the one that is told.
                let _ = group.failure.set(error.clone());
            }
        }
        group.settle(1);
    }
}

/// What was not handed to the library yet. Given up, also by a future that is dropped, it counts as settled.
pub(super) struct Rest {
    pub(super) group: Arc<Group>,
    pub(super) count: usize,
}

impl Drop for Rest {
    fn drop(&mut self) {
        if self.count > 0 {
            self.group.settle(self.count);
        }
    }
}
