//! `audit`.

use std::time::Duration;

use clap::Args;

use super::output::Output;
use super::range::RangeArgs;
use super::storage::Storage;
use super::{ANSWER_IS_NO, Answer, FINE};
use crate::api::{Audit, time, write_line};
use crate::config::Config;
use crate::report::{Listing, write_audit};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor audit
  uptime-monitor audit --last 10m --sites
  uptime-monitor audit --json --from 2026-11-24T00:00:00Z

Exit code 0: every slot is accounted for; 1: some are not.";

/// Prove that every slot was checked: count slots against results
///
/// Every slot of every site must have a result, lie in a declared gap (an outage of the scheduler, recorded by the next
/// start), or still wait in the queue. With Kafka it may also be on its way: the result is in the log, and nobody has read
/// as far. Whatever is left over is unaccounted for and must be 0. A slot counts once its site exists and is enabled, and
/// as long as it exists: sites that were removed are left out, with all their slots. So are slots younger than
/// worker.lease plus the site's timeout. "Now" is what the database's clock reads.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    range: RangeArgs,

    /// Write one JSON object
    #[arg(long)]
    json: bool,

    /// List every site, and not only those with missing slots
    #[arg(long, conflicts_with = "json")]
    sites: bool,
}

pub(super) fn run(args: &AuditArgs, config: &Config, output: &mut Output) -> Answer {
    let asked = args.range.parse()?;
    let storage = Storage::existing(&config.database)?;
    let range = asked.at(storage.wait(storage.history.now())?, storage.clock.now())?;
    let margin_s = whole_seconds(config.worker.lease);
    let audit = storage.wait(storage.history.audit(range, margin_s))?;
    if audit.range.from > range.from {
        let from = time(audit.range.from);
        log::warn!(from; "earlier results have been deleted by retention, so the audit begins later");
    }
    let listing = if args.sites { Listing::All } else { Listing::Missing };
    if args.json {
        write_line(&Audit::from(&audit), output)?;
    } else {
        write_audit(&audit, listing, output.page(), output)?;
    }
    Ok(if audit.unaccounted == 0 { FINE } else { ANSWER_IS_NO })
}

/// Rounded up: too young a slot must not be judged.
fn whole_seconds(duration: Duration) -> i64 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
        assert_eq!(whole_seconds(Duration::from_secs(30)), 30);
    }
}
