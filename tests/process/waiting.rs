//! Waiting for a condition, with a deadline.

use std::time::Duration;

use uptime_monitor::clock::Clock;

/// For what has to happen sooner or later, on a machine that may be busy with other tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds; fails after [`DEADLINE`], saying what was waited for.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    within(DEADLINE, what, || condition().then_some(()));
}

/// Waits for something to be there; fails after `deadline`, saying what was waited for.
pub(crate) fn within<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Clock::instant();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < deadline, "not within {deadline:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
