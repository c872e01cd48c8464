//! Dates of cookies, which are read in whatever order and spelling they come (RFC 6265, section 5.1.1).

use chrono::{NaiveDate, NaiveTime};

use crate::clock::Timestamp;

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// The moment that `text` names. A zone is not looked at: all of them are taken for UTC.
pub(super) fn parse(text: &[u8]) -> Option<Timestamp> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = time_of(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1..=2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_of(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2..=4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        short @ 70..=99 => 1900 + short,
        short @ 0..=69 => 2000 + short,
        year => year,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year >= 1601)?, month?, day?)?;
    let (hours, minutes, seconds) = time?;
    Some(date.and_time(NaiveTime::from_hms_opt(hours, minutes, seconds)?).and_utc())
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// The digits at the beginning of a token, as many as are allowed; what follows is no digit.
fn number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits.contains(&count).then(|| std::str::from_utf8(&token[..count]).ok()?.parse().ok())?
}

fn month_of(token: &[u8]) -> Option<u32> {
    let start = token.get(..3)?;
    let month = (1..).zip(MONTHS).find(|(_, month)| start.eq_ignore_ascii_case(month));
    month.map(|(number, _)| number)
}

/// `1:02:3`, and whatever comes behind it.
fn time_of(token: &[u8]) -> Option<(u32, u32, u32)> {
    let mut parts = token.splitn(3, |byte| *byte == b':');
    let mut whole = || {
        let part = parts.next()?;
        number(part, 1..=2).filter(|_| part.iter().all(u8::is_ascii_digit))
    };
    let (hours, minutes) = (whole()?, whole()?);
    Some((hours, minutes, number(parts.next()?, 1..=2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|at| at.format("%Y-%m-%dT%H:%M:%S").to_string())
    }

    #[test]
    fn a_date_is_read_in_every_spelling() {
        for text in [
            "Wed, 09 Jun 2021 10:18:14 GMT",
            "Wed, 09-Jun-2021 10:18:14 GMT",
            "Wednesday, 09-Jun-21 10:18:14 UTC",
            "Wed Jun  9 10:18:14 2021",
            "wed, 9 JUN 2021 10:18:14",
            "9 June 2021 10:18:14 +0200",
            "2021 Jun 09 10:18:14 EST",
            "Jun/9/2021/10:18:14",
            "10:18:14 9 jun 21",
        ] {
            assert_eq!(date(text).as_deref(), Some("2021-06-09T10:18:14"), "{text}");
        }
        assert_eq!(date("1 Jan 70 0:0:0").as_deref(), Some("1970-01-01T00:00:00"));
        assert_eq!(date("31-Dec-69 1:2:3 GMT").as_deref(), Some("2069-12-31T01:02:03"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "09 Jun 2021",
            "10:18:14",
            "32 Jan 2021 00:00:00",
            "31 Feb 2021 00:00:00",
            "0 Jan 2021 00:00:00",
            "1 Jan 1600 00:00:00",
            "1 Jan 2021 24:00:00",
            "1 Jan 2021 00:60:00",
            "1 Foo 2021 00:00:00",
            "1 Jan 20211 00:00:00",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
