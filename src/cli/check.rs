//! `uptime-monitor check`: one check now, for people or, with `--json`, as the result that would be stored.

use std::io::{self, Write};
use std::time::Duration;

use chrono::SubsecRound as _;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::model::{Certificate, CheckResult, SiteId, Status, Target, Timings};
use crate::probe::{Probe, ProbeSettings, Slot};

/// What to check and how to tell.
#[derive(Debug, Clone)]
pub struct Request {
    /// See [`target`].
    pub target: Target,
    /// `None` where no database knows the site.
    pub site_id: Option<SiteId>,
    /// Name of this machine.
    pub worker: String,
    /// One line of JSON instead of the text for people.
    pub json: bool,
    /// Colour in the text for people.
    pub colour: bool,
}

/// A URL that no check can request.
#[derive(Debug, thiserror::Error)]
#[error("check {url:?}: give an absolute URL such as https://example.com/")]
pub struct BadUrl {
    /// As typed.
    pub url: String,
}

/// A target as somebody types it.
pub fn target(url: &str, timeout: Duration, retries: u8) -> Result<Target, BadUrl> {
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {
            Ok(Target { url: url.to_owned(), timeout, retries, settings: None })
        }
        _ => Err(BadUrl { url: url.to_owned() }),
    }
}

/// Checks once, in a runtime of its own on this thread, writes the result to `out`, and returns the exit code.
pub fn run(settings: &ProbeSettings, request: &Request, out: &mut dyn Write) -> io::Result<u8> {
    let clock = Clock::system();
    let result = actix_rt::System::new().block_on(async {
        let probe = Probe::with_settings(settings, clock.clone());
        check_once(&probe, &request.target, request.site_id, &request.worker, &clock).await
    });
    if request.json {
        serde_json::to_writer(&mut *out, &result)?;
        writeln!(out)?;
    } else {
        render(&result, request.colour, out)?;
    }
    Ok(exit_code(result.status))
}

/// One check, for a slot that is now. All retries are made, for there is no next slot to be in the way.
pub async fn check_once(
    probe: &Probe,
    target: &Target,
    site_id: Option<SiteId>,
    worker: &str,
    clock: &Clock,
) -> CheckResult {
    const ENOUGH: Duration = Duration::from_secs(365 * 24 * 3600);
    let scheduled_at = clock.now().trunc_subsecs(0);
    let outcome = probe.check(target, Clock::instant() + ENOUGH).await;
    outcome.into_result(Slot { site_id, url: &target.url, scheduled_at, worker, attempt: 1 })
}

/// 0 when the site serves its users, 1 when it does not, 3 when we cannot tell.
pub fn exit_code(status: Status) -> u8 {
    match status {
        Status::Up | Status::Degraded => 0,
        Status::Down | Status::Missed => 1,
        Status::Unknown => 3,
    }
}

/// The result as text: the verdict, what was wrong, where the time went, and who answered.
pub fn render(result: &CheckResult, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let verdict = painted(result.status, colour);
    match result.reason {
        Some(reason) => writeln!(out, "{verdict} {} ({reason})", result.url)?,
        None => writeln!(out, "{verdict} {}", result.url)?,
    }
    if let Some(error) = &result.error {
        writeln!(out, "  {error}")?;
    }
    waterfall(&result.timings, out)?;
    facts(result, out)
}

fn painted(status: Status, colour: bool) -> String {
    let word = status.as_str().to_uppercase();
    let code = match status {
        Status::Up => 32,
        Status::Down => 31,
        Status::Degraded | Status::Missed | Status::Unknown => 33,
    };
    if colour { format!("\x1b[1;{code}m{word}\x1b[0m") } else { word }
}

/// Columns of the longest row of bars.
const WIDTH: u64 = 40;

/// A line per phase that happened, its bar beginning where the bar before ends.
fn waterfall(timings: &Timings, out: &mut dyn Write) -> io::Result<()> {
    let phases = [
        ("dns", timings.dns_us),
        ("connect", timings.connect_us),
        ("tls", timings.tls_us),
        ("wait", timings.ttfb_us),
        ("download", timings.download_us),
    ];
    let whole: u64 = phases.iter().filter_map(|(_, us)| *us).sum();
    let mut before = 0;
    for (name, us) in phases.iter().filter_map(|(name, us)| us.map(|us| (name, us))) {
        let start = columns(before, whole);
        let bar = columns(before + us, whole).saturating_sub(start).max(1);
        writeln!(out, "  {name:<11} {} {}{}", millis(us), " ".repeat(start), "█".repeat(bar))?;
        before += us;
    }
    match timings.total_us {
        Some(total) => writeln!(out, "  {:<11} {}", "total", millis(total)),
        None => Ok(()),
    }
}

fn columns(us: u64, whole: u64) -> usize {
    usize::try_from(us.saturating_mul(WIDTH) / whole.max(1)).unwrap_or_default()
}

fn millis(us: u64) -> String {
    format!("{:>7}.{} ms", us / 1000, us % 1000 / 100)
}

fn facts(result: &CheckResult, out: &mut dyn Write) -> io::Result<()> {
    if let Some(status) = result.http_status {
        let version = result.http_version.as_deref().unwrap_or("HTTP");
        let more = if result.body_truncated { ", and more that was not read" } else { "" };
        writeln!(out, "  {:<11} {version} {status}, {} bytes of body{more}", "answer", result.body_bytes)?;
    }
    if let Some(addr) = result.remote_addr {
        writeln!(out, "  {:<11} {addr}", "address")?;
    }
    if result.redirects > 0 {
        let url = result.final_url.as_deref().unwrap_or_default();
        writeln!(out, "  {:<11} {}, the last to {url}", "redirects", result.redirects)?;
    }
    match &result.certificate {
        Some(certificate) => certified(certificate, result.started_at, out),
        None => Ok(()),
    }
}

fn certified(certificate: &Certificate, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let Certificate { subject, issuer, not_after, chain_not_after, .. } = certificate;
    writeln!(out, "  {:<11} {subject}, issued by {issuer}", "certificate")?;
    writeln!(out, "  {:<11} {}", "", expiry(*not_after, now))?;
    if chain_not_after < not_after {
        writeln!(out, "  {:<11} its chain {}", "", expiry(*chain_not_after, now))?;
    }
    Ok(())
}

fn expiry(not_after: Timestamp, now: Timestamp) -> String {
    let date = not_after.format("%Y-%m-%d %H:%M UTC");
    match (not_after - now).num_days() {
        days if not_after < now => format!("expired {} days ago, {date}", -days),
        days => format!("expires in {days} days, {date}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reason;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn result() -> CheckResult {
        CheckResult {
            v: CheckResult::VERSION,
            site_id: None,
            url: "https://shop.test/".to_owned(),
            scheduled_at: at("2026-01-01T00:00:00Z"),
            started_at: at("2026-01-01T00:00:00.5Z"),
            status: Status::Down,
            reason: Some(Reason::Status),
            error: Some("status 404 Not Found, expected 2xx".to_owned()),
            http_status: Some(404),
            http_version: Some("HTTP/1.1".to_owned()),
            remote_addr: Some(([192, 0, 2, 7], 443).into()),
            redirects: 1,
            final_url: Some("https://www.shop.test/".to_owned()),
            body_bytes: 12,
            wire_bytes: 180,
            body_truncated: false,
            timings: Timings {
                dns_us: None,
                connect_us: Some(10_000),
                tls_us: Some(20_000),
                ttfb_us: Some(10_000),
                download_us: Some(10),
                total_us: Some(41_260),
            },
            certificate: Some(Certificate {
                not_before: at("2025-01-01T00:00:00Z"),
                not_after: at("2026-02-01T00:00:00Z"),
                subject: "CN=shop.test".to_owned(),
                issuer: "CN=the authority".to_owned(),
                chain_not_after: at("2025-12-30T00:00:00Z"),
                names: vec!["example.com".to_owned()],
                fingerprint: "00".repeat(32),
            }),
            hops: Vec::new(),
            tries: 1,
            evidence: None,
            worker: "here".to_owned(),
            attempt: 1,
        }
    }

    fn rendered(result: &CheckResult, colour: bool) -> String {
        let mut out = Vec::new();
        render(result, colour, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_person_reads_the_verdict_the_error_the_phases_and_the_certificate() {
        let text = rendered(&result(), false);

        let bars = |from: usize, width: usize| format!("{}{}", " ".repeat(from), "█".repeat(width));
        let expected = [
            "DOWN https://shop.test/ (status)".to_owned(),
            "  status 404 Not Found, expected 2xx".to_owned(),
            format!("  connect          10.0 ms {}", bars(0, 9)),
            format!("  tls              20.0 ms {}", bars(9, 20)),
            format!("  wait             10.0 ms {}", bars(29, 10)),
            format!("  download          0.0 ms {}", bars(39, 1)),
            "  total            41.2 ms".to_owned(),
            "  answer      HTTP/1.1 404, 12 bytes of body".to_owned(),
            "  address     192.0.2.7:443".to_owned(),
            "  redirects   1, the last to https://www.shop.test/".to_owned(),
            "  certificate CN=shop.test, issued by CN=the authority".to_owned(),
            "              expires in 30 days, 2026-02-01 00:00 UTC".to_owned(),
            "              its chain expired 2 days ago, 2025-12-30 00:00 UTC".to_owned(),
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn colour_comes_only_when_asked_for() {
        assert!(!rendered(&result(), false).contains('\x1b'));
        assert!(rendered(&result(), true).starts_with("\x1b[1;31mDOWN\x1b[0m "));
    }

    #[test]
    fn a_result_without_an_answer_has_no_empty_lines() {
        let nothing = CheckResult {
            http_status: None,
            remote_addr: None,
            redirects: 0,
            certificate: None,
            timings: Timings::default(),
            ..result()
        };

        assert_eq!(rendered(&nothing, false).lines().count(), 2);
    }

    #[test]
    fn only_absolute_web_urls_are_targets() {
        assert!(target("https://shop.test/health", Duration::from_secs(1), 0).is_ok());
        for url in ["shop.test", "/health", "ftp://shop.test/", "http://", ""] {
            let error = target(url, Duration::from_secs(1), 0).unwrap_err();
            assert!(error.to_string().contains(&format!("{url:?}")));
        }
    }

    #[test]
    fn a_check_of_a_closed_port_prints_one_line_of_json_and_exits_with_1() {
        let holder = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", holder.local_addr().unwrap());
        let config = crate::probe::ProbeConfig { deny_targets: Vec::new(), ..Default::default() };
        let request = Request {
            target: target(&url, Duration::from_secs(5), 0).unwrap(),
            site_id: None,
            worker: "here".to_owned(),
            json: true,
            colour: false,
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
