//! The report as CSV: the keys of the JSON report as columns, a row per site.

use std::io::{self, Write};

use crate::api::SiteRow;
use crate::store::SiteStatistics;

const HEADER: [&str; 15] = [
    "site_id",
    "name",
    "url",
    "status",
    "since",
    "checks",
    "up",
    "degraded",
    "down",
    "missed",
    "unknown",
    "uptime_percent",
    "p50_ms",
    "p95_ms",
    "p99_ms",
];

/// Writes a header and a row per site; what was not measured is empty.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_csv(sites: &[SiteStatistics], out: &mut impl Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    // By hand, so that a report without sites has its header too.
    rows.write_record(HEADER).map_err(plain)?;
    for site in sites {
        rows.serialize(SiteRow::from(site)).map_err(plain)?;
    }
    rows.flush()
}

/// The error of the writer itself, so that a closed pipe is still seen to be one.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{measured, text, unmeasured};
    use super::*;

    #[test]
    fn a_csv_report_has_a_header_and_empty_cells_for_what_was_not_measured() {
        let written = text(|out| write_csv(&[measured("a,b", 3, 1), unmeasured("new")], out));

        let expected = "\
site_id,name,url,status,since,checks,up,degraded,down,missed,unknown,uptime_percent,p50_ms,p95_ms,p99_ms
7,\"a,b\",\"https://a,b.example/health\",up,1970-01-01T00:01:00Z,4,3,0,1,2,1,75.0,65.9,120.0,1200.45
7,new,https://new.example/health,,,0,0,0,0,0,0,,,,
";
        assert_eq!(written, expected);
    }

    #[test]
    fn a_closed_pipe_is_seen_to_be_one() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sites = vec![measured("shop", 3, 1); 1_000];

        assert_eq!(write_csv(&sites, &mut Closed).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_csv_report_without_sites_still_names_its_columns() {
        assert_eq!(text(|out| write_csv(&[], out)), HEADER.join(",") + "\n");
    }
}
