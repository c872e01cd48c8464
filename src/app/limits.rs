//! What the system lets this process do.

use log::warn;

use super::settings::CHECKS_PER_THREAD;

/// Descriptors for the database, the actors other than checkers, listeners and standard streams.
const RESERVED: u64 = 64;

/// Descriptors of the event loop that each thread has.
const PER_THREAD: u64 = 4;

/// Raises the soft limit on file descriptors to the hard one, and returns how many checks may run at once: what is
/// configured, or fewer when they would run out of descriptors, for then checks would fail by our own fault.
pub(super) fn concurrency(configured: usize, threads: usize) -> usize {
    let wanted = configured as u64 * 3 / 2 + threads as u64 * PER_THREAD + RESERVED;
    let limit = rlimit::increase_nofile_limit(wanted).unwrap_or(u64::MAX);
    let possible = possible(limit, threads as u64);
    if possible < configured as u64 {
        warn!(configured, possible, descriptors = limit;
            "the limit on open files allows fewer checks at once than worker.concurrency; raise it with ulimit -n");
    }
    usize::try_from(possible).unwrap_or(usize::MAX).min(configured)
}

/// Checks that `limit` descriptors are enough for. A check holds one socket, and now and then a second one for a name
/// server or another address.
fn possible(limit: u64, threads: u64) -> u64 {
    let left = limit.saturating_sub(RESERVED);
    let with_all_threads = left.saturating_sub(threads * PER_THREAD) / 3 * 2;
    // Where there are too few checks for all threads, there will be fewer threads, too.
    let with_few_threads = left * 2 * CHECKS_PER_THREAD / (3 * CHECKS_PER_THREAD + 2 * PER_THREAD);
    with_all_threads.max(with_few_threads).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_and_threads_together_stay_below_the_limit() {
        for (limit, threads) in [(256, 1), (256, 2), (256, 64), (1_024, 64), (1_024, 1_024), (20_000, 16)] {
            let checks = possible(limit, threads);
            let threads = threads.min((checks / CHECKS_PER_THREAD).max(1));

            let held = RESERVED + threads * PER_THREAD + checks * 3 / 2;
            assert!(held <= limit && held * 10 > limit * 9, "{limit}: {threads} threads, {checks} checks");
        }
    }
}
