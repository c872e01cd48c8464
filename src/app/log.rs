//! Opens the result log that the configuration names.

use std::sync::Arc;

use super::Parts;
use crate::config::{ResultLogConfig, ResultLogKind};
use crate::failure::wait_for;
use crate::result_log::local::LocalResultLog;
use crate::result_log::{LogError, ResultLog};

/// Opens it, and waits for a cluster that is away. A role without results gets one that costs nothing.
pub(super) async fn open(parts: Parts, config: &ResultLogConfig) -> Result<Arc<dyn ResultLog>, LogError> {
    match config.kind {
        _ if !parts.use_log() => Ok(Arc::new(LocalResultLog::new(1))),
        ResultLogKind::Local => Ok(Arc::new(LocalResultLog::new(config.capacity))),
        ResultLogKind::Kafka => {
            let what = format!("reach Kafka at {}", config.kafka.server());
            wait_for(&what, async || open_kafka(config).await, LogError::may_heal).await
        }
    }
}

#[cfg(feature = "kafka")]
async fn open_kafka(config: &ResultLogConfig) -> Result<Arc<dyn ResultLog>, LogError> {
    use crate::result_log::kafka::KafkaResultLog;

    Ok(Arc::new(KafkaResultLog::open(config.kafka.clone()).await?))
}

/// The configuration refuses this kind in such a build.
#[cfg(not(feature = "kafka"))]
async fn open_kafka(_: &ResultLogConfig) -> Result<Arc<dyn ResultLog>, LogError> {
    Err(LogError::Closed)
}
