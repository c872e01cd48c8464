//! `uptime-monitor check`: one check now, for people or, with `--json`, as the result that would be stored.

mod render;

use std::io::{self, Write};
use std::time::Duration;

use chrono::SubsecRound as _;

use crate::clock::{Clock, Timestamp};
use crate::model::{Region, SiteId, Status, Target};
use crate::probe::{Outcome, Probe, ProbeSettings, Slot};
use crate::report::Page;

/// What to check and how to tell.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) target: Target,
    /// `None` where no database knows the site.
    pub(super) site_id: Option<SiteId>,
    /// Name of this machine.
    pub(super) worker: String,
    /// Where it stands.
    pub(super) region: Region,
    /// One line of JSON instead of the text for people.
    pub(super) json: bool,
    /// Where the text for people goes.
    pub(super) page: Page,
}

/// Checks once, in a runtime of its own on this thread, writes what was found to `out`, and returns the exit code.
pub(super) fn run(settings: &ProbeSettings, request: &Request, out: &mut dyn Write) -> io::Result<u8> {
    let clock = Clock::system();
    let scheduled_at = clock.now().trunc_subsecs(0);
    let outcome = actix_rt::System::new().block_on(async {
        let probe = Probe::with_settings(settings, clock.clone());
        check_once(&probe, &request.target).await
    });
    let code = exit_code(outcome.status);
    if request.json {
        write_result(outcome, request, scheduled_at, out)?;
    } else {
        render::outcome(&request.target.shown_url(), &outcome, request.page, out)?;
    }
    Ok(code)
}

/// All retries are made, for there is no next slot to be in the way.
async fn check_once(probe: &Probe, target: &Target) -> Outcome {
    const ENOUGH: Duration = Duration::from_secs(365 * 24 * 3600);
    probe.check(target, Clock::instant() + ENOUGH).await
}

/// As a worker would send it, for a slot that is now.
fn write_result(
    outcome: Outcome,
    request: &Request,
    scheduled_at: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Request { target, site_id, worker, region, .. } = request;
    let url = &target.shown_url();
    let slot = Slot { site_id: *site_id, url, scheduled_at, region: *region, worker, attempt: 1 };
    serde_json::to_writer(&mut *out, &outcome.into_result(slot))?;
    writeln!(out)
}

/// 0 when the site serves its users, 1 when it does not, 3 when we cannot tell.
fn exit_code(status: Status) -> u8 {
    match status {
        Status::Up | Status::Degraded => 0,
        Status::Down | Status::Missed => 1,
        Status::Unknown => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CheckResult, Reason};

    #[test]
    fn a_check_of_a_closed_port_prints_one_line_of_json_and_exits_with_1() {
        let holder = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", holder.local_addr().unwrap());
        let config = crate::probe::ProbeConfig { deny_targets: Vec::new(), ..Default::default() };
        let target = Target { url: url.clone(), timeout: Duration::from_secs(5), retries: 0, settings: None };
        let page = Page { width: None, colour: false };
        let request = Request {
            target,
            site_id: None,
            worker: "here".to_owned(),
            region: Region::DEFAULT,
            json: true,
            page,
        };
        let mut out = Vec::new();

        let code = run(&ProbeSettings::load(&config).unwrap(), &request, &mut out).unwrap();

        let text = String::from_utf8(out).unwrap();
        let read: CheckResult = serde_json::from_str(&text).unwrap();
        assert_eq!((code, text.lines().count()), (1, 1));
        assert_eq!((read.reason, read.url, read.attempt), (Some(Reason::Connect), url, 1));
        assert_eq!(read.scheduled_at.timestamp_subsec_nanos(), 0);
    }

    #[test]
    fn the_exit_code_tells_down_from_cannot_tell() {
        let codes: Vec<u8> = Status::ALL.iter().map(|&status| exit_code(status)).collect();

        assert_eq!(codes, [0, 0, 1, 1, 3]);
    }
}
