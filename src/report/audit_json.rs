//! The audit as JSON: one object on one line.

use std::io::{self, Write};

use serde::Serialize;

use super::{json_line, slot_time, time};
use crate::store::Range;
use crate::store::accounting::{Audit, GapCount};

/// From inclusive, to exclusive, as ranges are given: the store's gaps are the other way round.
pub(super) fn bounds(gap: &GapCount, range: Range) -> (i64, i64) {
    (gap.from + 1, (gap.to + 1).min(range.to.timestamp()))
}

#[derive(Serialize)]
struct AuditJson {
    from: String,
    to: String,
    sites: usize,
    expected: u64,
    recorded: u64,
    missing: u64,
    on_its_way: u64,
    unaccounted: u64,
    gaps: Vec<GapJson>,
    lag_ms: LagJson,
}

#[derive(Serialize)]
struct GapJson {
    from: String,
    to: String,
    slots: u64,
}

#[derive(Serialize)]
struct LagJson {
    p50: Option<u64>,
    p99: Option<u64>,
    max: Option<u64>,
}

/// Writes the audit as one line of JSON. Gaps are like the range: `from` inclusive, `to` exclusive.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_audit_json(audit: &Audit, out: &mut impl Write) -> io::Result<()> {
    let gap = |gap: &GapCount| {
        let (from, to) = bounds(gap, audit.range);
        GapJson { from: slot_time(from), to: slot_time(to), slots: gap.slots }
    };
    let lag = audit.lag_ms;
    let json = AuditJson {
        from: time(audit.range.from),
        to: time(audit.range.to),
        sites: audit.sites.len(),
        expected: audit.expected,
        recorded: audit.recorded,
        missing: audit.missing(),
        on_its_way: audit.on_its_way,
        unaccounted: audit.unaccounted,
        gaps: audit.gaps.iter().map(gap).collect(),
        lag_ms: LagJson {
            p50: lag.map(|lag| lag.p50),
            p99: lag.map(|lag| lag.p99),
            max: lag.map(|lag| lag.max),
        },
    };
    json_line(&json, out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::audit::tests::{audit, site};
    use super::super::samples::{day, text};
    use super::*;

    #[test]
    fn the_json_audit_has_exactly_the_documented_keys() {
        let written =
            text(|out| write_audit_json(&audit(vec![site("a", 10, 5, 2), site("b", 1, 1, 0)]), out));

        let expected = json!({
            "from": "1970-01-01T00:00:00Z", "to": "1970-01-02T00:00:00Z", "sites": 2,
            "expected": 11, "recorded": 6, "missing": 5, "on_its_way": 0, "unaccounted": 2,
            "gaps": [{"from": "1970-01-01T00:01:00Z", "to": "1970-01-01T00:02:00Z", "slots": 3}],
            "lag_ms": {"p50": 12, "p99": 80, "max": 1200},
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), expected);
    }

    #[test]
    fn without_checks_the_lag_is_null() {
        let nothing = Audit { lag_ms: None, ..audit(Vec::new()) };

        let written = text(|out| write_audit_json(&nothing, out));

        assert!(written.contains(r#""lag_ms":{"p50":null,"p99":null,"max":null}"#), "{written}");
    }

    #[test]
    fn a_gap_never_reaches_out_of_the_range() {
        let to_the_end = GapCount { from: -1, to: 86_400, slots: 1 };

        assert_eq!(bounds(&to_the_end, day()), (0, 86_400));
    }
}
