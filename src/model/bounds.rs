//! What a result keeps of the texts and dates that come from outside.
//!
//! A server, a redirect or another program makes them as long and as odd as it likes. Every result passes
//! [`CheckResult::bounded`] where it is finished and where it is read, so that it fits in a message of any log and in a row of any
//! database: with the worst of all texts (six bytes of JSON for each) it stays below 800 KB.

use chrono::{DateTime, Datelike as _};

use super::{Certificate, CheckResult, Evidence, Hop, Status};
use crate::clock::Timestamp;

// Bytes of UTF-8, more than an honest result has. What is longer ends in `…`.

/// A URL: the configured one, the last one, and that of a hop.
pub const URL: usize = 8 * 1024;

/// The sentences about what was wrong.
pub const ERROR: usize = 8 * 1024;

/// A distinguished name in a certificate.
pub const DISTINGUISHED_NAME: usize = 1024;

/// A host name or an address in a certificate, of which 20 are kept. The longest name of DNS has 253.
pub const NAME: usize = 256;

/// See [`NAME`].
pub const NAMES: usize = 20;

/// A word: the worker's name, the version of HTTP, a fingerprint.
pub const WORD: usize = 256;

/// All failed expectations of the evidence together.
pub const FAILED: usize = 8 * 1024;

/// Addresses that a host resolved to.
pub const ADDRESSES: usize = 64;

/// All headers of the evidence together, names and values.
pub const HEADERS: usize = 12 * 1024;

/// All lines that were no header lines together.
pub const SKIPPED: usize = 2 * 1024;

/// The body of the evidence: 4 KiB, each byte of which may have become a U+FFFD.
pub const BODY: usize = 12 * 1024;

/// Requests of one try: as many as `max_redirects` allows at most, and the first.
pub const HOPS: usize = 101;

/// All texts of hops together. Past it their certificates go, and then all but the beginning of their URLs.
pub const HOP_TEXTS: usize = 48 * 1024;

/// That beginning.
const HOP_URL: usize = HOP_TEXTS / HOPS;

/// A text in a result that has to be small.
const ESSENTIAL: usize = 512;

/// What an item of a list costs besides its texts.
const ITEM: usize = 8;

/// 0001-01-01T00:00:00Z: every database knows it, and RFC 3339 writes it with four digits.
const EARLIEST_S: i64 = -62_135_596_800;

/// 9999-12-31T23:59:59Z, which is also how a certificate says that it never expires (RFC 5280, section 4.1.2.5).
const LATEST_S: i64 = 253_402_300_799;

impl CheckResult {
    /// The same result with every text and every date within its bounds. Changes nothing in a result that was bounded before.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let words = [Some(&mut self.worker), self.http_version.as_mut()];
        words.into_iter().flatten().for_each(|word| cut(word, WORD));
        let urls = [Some(&mut self.url), self.final_url.as_mut()];
        urls.into_iter().flatten().for_each(|url| cut(url, URL));
        self.error.iter_mut().for_each(|error| cut(error, ERROR));
        self.certificate.iter_mut().for_each(Certificate::bound);
        self.evidence.iter_mut().for_each(|evidence| evidence.bound());
        bound_hops(&mut self.hops);
        self.started_at = possible(self.started_at);
        self
    }

    /// What a person has to know of the slot, in less than a kilobyte, or 20 KB of the worst of all texts: for a log that takes no more.
    #[must_use]
    pub fn essence(&self) -> Self {
        let mut essence =
            Self { hops: Vec::new(), evidence: None, final_url: None, ..self.clone() }.bounded();
        let texts = [Some(&mut essence.url), essence.error.as_mut(), Some(&mut essence.worker)];
        texts.into_iter().flatten().for_each(|text| cut(text, ESSENTIAL));
        if let Some(certificate) = &mut essence.certificate {
            certificate.names.clear();
            cut(&mut certificate.subject, ESSENTIAL);
            cut(&mut certificate.issuer, ESSENTIAL);
        }
        essence
    }

    /// The verdict with no text and no date from outside: for a database that refuses one of them.
    #[must_use]
    pub fn verdict_alone(&self) -> Self {
        let error = "what was found is not kept: the database refused it".to_owned();
        let mut verdict = self.essence();
        verdict.certificate = None;
        verdict.error = (self.status != Status::Up).then_some(error);
        verdict.worker.retain(|ch| ch.is_ascii_graphic());
        verdict
    }

    /// The first date, the slot's aside, that no database and no reader can be expected to take, and its year.
    pub fn impossible_date(&self) -> Option<(&'static str, i32)> {
        let of_hops = self.hops.iter().filter_map(|hop| hop.certificate.as_ref());
        let of_certificates = self.certificate.iter().chain(of_hops).flat_map(|certificate| {
            let Certificate { not_before, not_after, chain_not_after, .. } = certificate;
            [("not_before", *not_before), ("not_after", *not_after), ("chain_not_after", *chain_not_after)]
        });
        let mut dates = std::iter::once(("started_at", self.started_at)).chain(of_certificates);
        dates.find(|(_, at)| possible(*at) != *at).map(|(name, at)| (name, at.year()))
    }
}

impl Certificate {
    fn bound(&mut self) {
        cut(&mut self.subject, DISTINGUISHED_NAME);
        cut(&mut self.issuer, DISTINGUISHED_NAME);
        cut(&mut self.fingerprint, WORD);
        self.names.truncate(NAMES);
        self.names.iter_mut().for_each(|name| cut(name, NAME));
        for date in [&mut self.not_before, &mut self.not_after, &mut self.chain_not_after] {
            *date = possible(*date);
        }
    }

    fn bytes(&self) -> usize {
        let names = self.names.iter().map(String::len).sum::<usize>();
        self.subject.len() + self.issuer.len() + self.fingerprint.len() + names
    }
}

impl Evidence {
    fn bound(&mut self) {
        keep_within(&mut self.failed, FAILED, String::len, cut);
        self.addresses.truncate(ADDRESSES);
        let size = |(name, value): &(String, String)| name.len() + value.len();
        keep_within(&mut self.headers, HEADERS, size, |(name, value), limit| {
            cut(name, limit / 2);
            cut(value, limit - name.len());
        });
        keep_within(&mut self.skipped, SKIPPED, String::len, cut);
        self.body.iter_mut().for_each(|body| cut(body, BODY));
    }
}

fn bound_hops(hops: &mut Vec<Hop>) {
    fn bytes(hops: &[Hop]) -> usize {
        hops.iter().map(|hop| hop.url.len() + hop.certificate.as_ref().map_or(0, Certificate::bytes)).sum()
    }
    hops.truncate(HOPS);
    for hop in hops.iter_mut() {
        cut(&mut hop.url, URL);
        hop.certificate.iter_mut().for_each(Certificate::bound);
    }
    if bytes(hops) > HOP_TEXTS {
        hops.iter_mut().for_each(|hop| hop.certificate = None);
    }
    if bytes(hops) > HOP_TEXTS {
        hops.iter_mut().for_each(|hop| cut(&mut hop.url, HOP_URL));
    }
}

/// Keeps the first items that are no larger than `limit` together, and what fits of the next one.
fn keep_within<T>(items: &mut Vec<T>, limit: usize, size: fn(&T) -> usize, cut: fn(&mut T, usize)) {
    let mut left = limit;
    let mut kept = 0;
    for item in items.iter_mut() {
        if left <= ITEM {
            break;
        }
        left -= ITEM;
        if size(item) > left {
            cut(item, left);
        }
        left -= size(item);
        kept += 1;
    }
    items.truncate(kept);
}

/// Leaves at most `limit` bytes, between two characters, and says that something is missing.
fn cut(text: &mut String, limit: usize) {
    const SIGN: char = '…';
    if text.len() <= limit {
        return;
    }
    match limit.checked_sub(SIGN.len_utf8()) {
        Some(kept) => {
            text.truncate(text.floor_char_boundary(kept));
            text.push(SIGN);
        }
        None => text.clear(),
    }
}

/// The nearest date that every database and every reader takes.
pub(crate) fn possible(at: Timestamp) -> Timestamp {
    let seconds = at.timestamp().clamp(EARLIEST_S, LATEST_S);
    if seconds == at.timestamp() { at } else { DateTime::from_timestamp(seconds, 0).unwrap_or_default() }
}

#[cfg(test)]
mod tests;
