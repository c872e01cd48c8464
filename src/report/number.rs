//! Numbers as people and programs read them. Uptime is never rounded up: 100 % means that nothing was down.

/// Uptime in percent with three digits, cut off rather than rounded, or `100`; `-` when nothing was measured.
pub(super) fn percent(available: u64, checks: u64) -> String {
    if checks == 0 {
        return "-".to_owned();
    }
    if available == checks {
        return "100".to_owned();
    }
    let thousandths = u128::from(available) * 100_000 / u128::from(checks);
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// Milliseconds with one digit, which is what a fast network needs.
pub(super) fn ms(us: u32) -> String {
    let tenths = (u64::from(us) + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// `1 site`, `2 sites`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_cut_off_and_never_rounded_up_to_100() {
        assert_eq!(percent(99_995, 100_000), "99.995");
        assert_eq!(percent(999_999, 1_000_000), "99.999");
        assert_eq!(percent(u64::MAX - 1, u64::MAX), "99.999");
        assert_eq!(percent(1, 2), "50.000");
        assert_eq!(percent(0, 3), "0.000");
    }

    #[test]
    fn only_a_site_that_was_never_down_has_100_percent() {
        assert_eq!(percent(5, 5), "100");
    }

    #[test]
    fn nothing_measured_is_no_uptime() {
        assert_eq!(percent(0, 0), "-");
    }

    #[test]
    fn milliseconds_have_one_digit() {
        assert_eq!(
            [ms(0), ms(49), ms(50), ms(65_949), ms(1_200_450)],
            ["0.0", "0.0", "0.1", "65.9", "1200.5"]
        );
    }
}
