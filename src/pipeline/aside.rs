//! Puts aside what neither the log nor the store takes.

use log::error;

use crate::failure::{chain, persevere};
use crate::model::CheckResult;
use crate::result_log::{ResultLog, essence};
use crate::supervisor::Life;

/// Puts a result aside, where a person finds it. What the log does not even keep so goes into the program's own log: nothing is
/// tried for ever, and nothing goes without a word.
pub(super) async fn set_aside(life: &Life, log: &dyn ResultLog, result: &CheckResult, why: &str) {
    let kept = persevere(life, "put a result aside", async || log.set_aside(result, why).await).await;
    if let Err(error) = kept {
        error!(error = chain(&error), why, result = essence(result); "a result is put aside here, because the result log does not take it even so");
    }
}
