//! The command line as typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::audit::AuditArgs;
use super::completions::CompletionsArgs;
use super::config::ConfigArgs;
use super::health::HealthArgs;
use super::once::CheckArgs;
use super::report::ReportArgs;
use super::sites::SitesArgs;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor check https://example.com/        is it up now?
  uptime-monitor sites add https://example.com/    watch a site, every minute
  uptime-monitor                                   check all sites until stopped
  uptime-monitor report --last 1h                  uptime and latency
  uptime-monitor audit                             was every slot checked?
  uptime-monitor config show                       every setting, and its source

--log takes a level (off, error, warn, info, debug, trace), or levels per
module: info,uptime_monitor::probe=debug. It wins over $RUST_LOG, which wins
over log.level in the configuration. Commands that end by themselves log only
warnings and errors unless told otherwise by one of the first two.

Exit codes: 0 fine, 1 the answer is no (a check is down, an audit has gaps),
2 wrong usage or configuration, 3 a service could not be reached or gave up.";

/// Heading over the options that every command has.
const GLOBAL: &str = "Global options";

const RUN_EXAMPLES: &str = "\
Examples:
  uptime-monitor run
  uptime-monitor -c uptime.toml --log debug run
  UPTIME__DATABASE__URL=sqlite:///var/lib/uptime.db uptime-monitor run

Ctrl-C or SIGTERM: finishes what is in flight and stops; a second one stops at once.
SIGHUP: reads the sites of the configuration file again.";

const ROLE_EXAMPLES: &str = "\
Example: the three roles on one machine, each in a terminal of its own:
  export UPTIME__DATABASE__URL=postgres://uptime:secret@db/uptime
  export UPTIME__RESULT_LOG__KIND=kafka
  export UPTIME__RESULT_LOG__KAFKA__BROKERS=kafka-1:9092,kafka-2:9092
  uptime-monitor scheduler
  uptime-monitor worker
  uptime-monitor consumer

A service that is away is waited for. Signals are those of `run`.";

const MIGRATE_EXAMPLES: &str = "\
Example: with `migrate = false` under [database], once per new version:
  uptime-monitor migrate && uptime-monitor run";

/// Watches many websites on schedule and loses no result.
///
/// Checks websites on schedule and keeps what it found, in a database of its own that needs no server. `run` does the
/// work until it is stopped; the other commands work beside it, at any time. On several machines, `scheduler`, `worker`
/// and `consumer` share the work over PostgreSQL and Kafka.
#[derive(Debug, Parser)]
#[command(name = "uptime-monitor", version, after_help = EXAMPLES, max_term_width = 110)]
pub(super) struct Arguments {
    /// Configuration file [default: $UPTIME_CONFIG, ./uptime.toml or ./config/uptime.toml]
    #[arg(short, long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(super) config: Option<PathBuf>,

    /// What is logged to stderr, for example debug
    #[arg(long, global = true, value_name = "FILTER", help_heading = GLOBAL)]
    pub(super) log: Option<String>,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check all sites on schedule until stopped (the default)
    #[command(after_help = RUN_EXAMPLES)]
    Run,
    /// Queue the slots that become due, for any number of workers
    ///
    /// Needs PostgreSQL. One is enough; a second one, elsewhere, takes over when the first dies. It also reconciles the sites
    /// of the configuration file, so all schedulers are given the same one.
    #[command(after_help = ROLE_EXAMPLES)]
    Scheduler,
    /// Claim due jobs and check them; start as many as you need
    ///
    /// Needs PostgreSQL. What it finds goes to Kafka with `result_log.kind = "kafka"`, and otherwise straight to the database.
    #[command(after_help = ROLE_EXAMPLES)]
    Worker,
    /// Store what workers have written into Kafka; start as many as you need
    ///
    /// Needs PostgreSQL and Kafka. Also removes results that are older than `retention.results`.
    #[command(after_help = ROLE_EXAMPLES)]
    Consumer,
    Check(CheckArgs),
    Sites(SitesArgs),
    Report(ReportArgs),
    Audit(AuditArgs),
    /// Bring the database up to date with this version
    ///
    /// `run`, `sites add` and the others do this by themselves, unless `migrate = false` stands under [database].
    /// Running it twice, or on several machines at once, does no harm.
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate,
    Health(HealthArgs),
    Config(ConfigArgs),
    Completions(CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Arguments::command().debug_assert();
    }
}
