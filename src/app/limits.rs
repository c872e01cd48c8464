//! What the system lets this process do.

use log::warn;

/// Descriptors for the database, the runtime, listeners and standard streams.
const RESERVED: u64 = 64;

/// Raises the soft limit on file descriptors to the hard one, and returns how many checks may run at once: what is
/// configured, or fewer when they would run out of descriptors, for then checks would fail by our own fault.
pub(super) fn concurrency(configured: usize) -> usize {
    let wanted = configured as u64 * 3 / 2 + RESERVED;
    let limit = rlimit::increase_nofile_limit(wanted).unwrap_or(u64::MAX);
    // A check holds one socket, and now and then a second one for a name server or another address.
    let possible = (limit.saturating_sub(RESERVED) / 3 * 2).max(1);
    if possible < configured as u64 {
        warn!(configured, possible, descriptors = limit;
            "the limit on open files allows fewer checks at once than worker.concurrency; raise it with ulimit -n");
    }
    usize::try_from(possible).unwrap_or(usize::MAX).min(configured)
}
