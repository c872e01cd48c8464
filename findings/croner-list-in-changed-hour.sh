#!/bin/sh
# croner 4.0.3 leaves out a nightly job with two minutes when clocks skip its hour, and runs it twice when they repeat it.
#
# Its README says that a job with "specific numerical values" for its minute and hour is a fixed-time job, which runs right after the
# skipped hour and only once in the repeated one, as in Vixie cron. `30 2 * * *` does. `0,30 2 * * *` and `30 2,3 * * *` have
# numbers only, yet a list counts as a wildcard: on the day on which clocks skip 02:00 to 03:00 the first runs not at all, and on the
# day on which they show it twice it runs four times. In Vixie cron, and in cronie and Debian's cron after it, only a star makes a
# job a wildcard job (the flags MIN_STAR and HR_STAR).
#
# Needs: Rust. Takes a minute.
set -eu

work=$(mktemp -d /tmp/finding.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"

cargo init -q --vcs none --name finding .
cargo add -q croner@=4.0.3 chrono@=0.4.45 chrono-tz@=0.10.4
cat >src/main.rs <<'END'
use chrono::TimeZone;
use chrono_tz::Europe::Berlin;

fn main() {
    for (year, month, day) in [(2026, 3, 28), (2026, 10, 24)] {
        let noon = Berlin.with_ymd_and_hms(year, month, day, 12, 0, 0).unwrap();
        let next_noon = Berlin.with_ymd_and_hms(year, month, day + 1, 12, 0, 0).unwrap();
        for text in ["30 2 * * *", "0,30 2 * * *", "30 2,3 * * *"] {
            let cron: croner::Cron = text.parse().unwrap();
            let runs = cron.iter_after(noon).take_while(|at| *at < next_noon);
            let runs: Vec<String> = runs.map(|at| at.format("%H:%M%:z").to_string()).collect();
            println!("{text} on 2026-{month:02}-{:02}: {}", day + 1, runs.join(" "));
        }
    }
}
END
cargo run -q >seen
cat seen
cat >expected <<'END'
30 2 * * * on 2026-03-29: 03:00+02:00
0,30 2 * * * on 2026-03-29: 
30 2,3 * * * on 2026-03-29: 03:30+02:00
30 2 * * * on 2026-10-25: 02:30+02:00
0,30 2 * * * on 2026-10-25: 02:00+02:00 02:30+02:00 02:00+01:00 02:30+01:00
30 2,3 * * * on 2026-10-25: 02:30+02:00 02:30+01:00 03:30+01:00
END
if cmp -s seen expected; then
    echo "croner 4.0.3: a list of minutes or hours is no fixed time where clocks change"
else
    echo "croner behaves otherwise now"
    exit 1
fi
