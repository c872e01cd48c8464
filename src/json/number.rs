//! Numbers of any size, compared by their value.

use std::cmp::Ordering;
use std::fmt;

/// A number as it is written in JSON.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    text: Box<str>,
    exact: Exact,
}

/// `0.DIGITS × 10^exponent`, without zeros at either end of the digits. Zero has none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exact {
    is_negative: bool,
    digits: Box<[u8]>,
    exponent: i64,
}

impl Number {
    /// The number that `text` is, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let length = literal(text.as_bytes())?;
        (length == text.len()).then(|| Self { text: text.into(), exact: Exact::of(text) })
    }

    /// Its size by comparison with `other`: whole ones to the last digit, others as 64-bit floating point, as those who wrote them
    /// had them, unless they are too large for that.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        if !(self.exact.is_whole() && other.exact.is_whole()) {
            let (a, b) = (self.to_f64(), other.to_f64());
            if let Some(order) = a.partial_cmp(&b).filter(|_| a.is_finite() && b.is_finite()) {
                return order;
            }
        }
        self.exact.order(&other.exact)
    }

    fn to_f64(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        let text = number.to_string();
        Self { exact: Exact::of(&text), text: text.into() }
    }
}

/// How many bytes at the beginning of `text` are a number (RFC 8259, section 6).
pub(super) fn literal(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || whole > 1 && text[at] == b'0' {
        return None;
    }
    at += whole;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}

impl Exact {
    /// Of a text that is a number.
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_negative = whole.starts_with('-');
        let whole = whole.trim_start_matches('-');
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let zeros = all.iter().take_while(|digit| **digit == b'0').count();
        let end = all.iter().rposition(|digit| *digit != b'0').map_or(zeros, |at| at + 1);
        let digits: Box<[u8]> = all[zeros..end].into();
        let shift = i64::try_from(whole.len()).unwrap_or(i64::MAX) - i64::try_from(zeros).unwrap_or(i64::MAX);
        let exponent = match exponent.parse::<i64>() {
            Ok(exponent) => exponent.saturating_add(shift),
            // Beyond all that could be told apart.
            Err(_) if exponent.starts_with('-') => i64::MIN,
            Err(_) => i64::MAX,
        };
        match digits.is_empty() {
            true => Self { is_negative: false, digits, exponent: 0 },
            false => Self { is_negative, digits, exponent },
        }
    }

    fn is_whole(&self) -> bool {
        i64::try_from(self.digits.len()).is_ok_and(|length| self.exponent >= length)
    }

    fn order(&self, other: &Self) -> Ordering {
        let by_sign = self.sign().cmp(&other.sign());
        let by_size = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        by_sign.then_with(|| if self.is_negative { by_size().reverse() } else { by_size() })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}
