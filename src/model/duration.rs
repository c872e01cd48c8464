//! Writes durations the way people write them, such that they read back identically.

use std::time::Duration;

const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// For example `1m30s`. Without months and years, whose length is anybody's guess.
pub fn text(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (unit, nanos) in UNITS {
        if rest >= nanos {
            text += &format!("{}{unit}", rest / nanos);
            rest %= nanos;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_duration_is_written_as_people_write_it_and_reads_back() {
        for text in ["0s", "1ms", "1m", "1m30s", "1h", "31d", "1d12h", "1s500ms"] {
            let parsed = humantime::parse_duration(text).unwrap();
            assert_eq!(super::text(parsed), text);
        }
    }
}
