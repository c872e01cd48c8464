//! What the system lets this process do.

use log::{Level, log};

/// Descriptors for the database, the actors other than checkers, listeners and standard streams.
const RESERVED: u64 = 64;

/// Descriptors of the event loop that each thread has.
const PER_THREAD: u64 = 4;

/// A thread for fewer checks at once is not worth the file descriptors that it takes.
pub(super) const CHECKS_PER_THREAD: u64 = 8;

/// A check holds one socket, now and then a second one for another address, and its part of [`questions`].
const PER_CHECK: u64 = 2;

/// Raises the soft limit on file descriptors to the hard one, and returns how many checks may run at once: what is
/// configured, or fewer when they would run out of descriptors, for then checks would fail by our own fault.
pub(super) fn concurrency(configured: usize, threads: usize) -> usize {
    let wanted = configured as u64 * PER_CHECK + threads as u64 * PER_THREAD + RESERVED;
    let limit = rlimit::increase_nofile_limit(wanted).unwrap_or(u64::MAX);
    let possible = possible(limit, threads as u64);
    if possible < configured as u64 {
        log!(level(possible, configured as u64), configured, possible, descriptors = limit;
            "the limit on open files allows fewer checks at once than worker.concurrency; raise it with ulimit -n");
    }
    usize::try_from(possible).unwrap_or(usize::MAX).min(configured)
}

/// The default is more than most sites need, so where half of it is possible, that is worth a word and no warning.
fn level(possible: u64, configured: u64) -> Level {
    if possible < configured / 2 { Level::Warn } else { Level::Info }
}

/// Questions to name servers that may be under way at once, of all checks together: a check that has asked holds no other
/// socket, but a question may outlive its check. With half as many as checks, a slow name server is no reason to run out.
pub(super) fn questions(concurrency: usize) -> usize {
    (concurrency / 2).max(2)
}

/// Checks that `limit` descriptors are enough for.
fn possible(limit: u64, threads: u64) -> u64 {
    let left = limit.saturating_sub(RESERVED);
    let with_all_threads = left.saturating_sub(threads * PER_THREAD) / PER_CHECK;
    // Where there are too few checks for all threads, there will be fewer threads, too.
    let with_few_threads = left * CHECKS_PER_THREAD / (PER_CHECK * CHECKS_PER_THREAD + PER_THREAD);
    with_all_threads.max(with_few_threads).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_missed_by_a_hair_is_no_warning() {
        assert_eq!(level(possible(20_000, 16), 10_000), Level::Info);
        assert_eq!(level(possible(1_024, 16), 10_000), Level::Warn);
    }

    #[test]
    fn checks_and_threads_together_stay_below_the_limit() {
        for (limit, threads) in [(256, 1), (256, 2), (256, 64), (1_024, 64), (1_024, 1_024), (20_000, 16)] {
            let checks = possible(limit, threads);
            let threads = threads.min((checks / CHECKS_PER_THREAD).max(1));

            let held = RESERVED + threads * PER_THREAD + checks * PER_CHECK;
            assert!(held <= limit && held * 10 > limit * 9, "{limit}: {threads} threads, {checks} checks");
        }
    }
}
