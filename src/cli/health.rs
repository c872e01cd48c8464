//! `health`.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use url::Url;

use super::error::CliError;
use super::output::Output;
use super::{ANSWER_IS_NO, Answer, FINE};
use crate::api::Health;
use crate::config::{Config, hide_password};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor health
  uptime-monitor health --url http://10.0.0.7:9180 --json

In a container: HEALTHCHECK CMD [\"uptime-monitor\", \"health\"]";

/// The process may itself wait three seconds for its database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ask a running process how it is
///
/// It has to have an address for that: web.listen in the configuration, UPTIME__WEB__LISTEN in the environment. Exit code
/// 0 when database, result log and all actors work, 1 when one of them does not, 3 when nobody answers.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct HealthArgs {
    /// Where it listens [default: web.listen]
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Everything it tells, as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &HealthArgs, config: &Config, output: &mut Output) -> Answer {
    let base = match (&args.url, config.web.listen) {
        (Some(url), _) => base(url)?,
        (None, Some(address)) => format!("http://{}", reachable(address)),
        (None, None) => {
            let usage = "web.listen is not set, so no process answers; set it, for example to \"127.0.0.1:9180\", or give --url";
            return Err(CliError::Usage(usage.to_owned()));
        }
    };
    let health = actix::System::new().block_on(ask(&format!("{base}/health")))?;
    if args.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&health).map_err(std::io::Error::from)?)?;
    } else {
        write!(output, "{}", health.line())?;
    }
    Ok(if health.ready { FINE } else { ANSWER_IS_NO })
}

/// The address that was typed, unless nothing could ever answer there.
fn base(url: &str) -> Result<String, CliError> {
    let is_base = Url::parse(url).is_ok_and(|url| url.scheme() == "http" && url.has_host());
    if !is_base {
        let url = hide_password(url);
        let message =
            format!("--url {url:?} is no address of a process; write for example http://127.0.0.1:9180");
        return Err(CliError::Usage(message));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// An address to listen on everywhere is no address to connect to.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(url: &str) -> Result<Health, CliError> {
    let no_answer = |why: &dyn std::fmt::Display| CliError::NotAnswering {
        url: hide_password(url).into_owned(),
        why: why.to_string(),
    };
    let client = awc::Client::builder().timeout(PATIENCE).finish();
    let mut answer = client.get(url).send().await.map_err(|error| no_answer(&error))?;
    let body = answer.body().await.map_err(|error| no_answer(&error))?;
    serde_json::from_slice(&body)
        .map_err(|_| no_answer(&format_args!("status {} and no report of ours", answer.status())))
}
