//! What the name servers' messages mean.

use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData};
use smallvec::SmallVec;

use super::question::Question;
use super::trouble::{Trouble, Troubles};

/// Longer TTLs are cut: a week (RFC 8767, section 4), and three hours for "there is none" (RFC 2308, section 5).
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
const LONGEST_NEGATIVE: Duration = Duration::from_secs(3 * 3600);

/// Addresses of one name that are used. A check tries them one after the other; nobody waits for the last of these.
const MOST_ADDRESSES: usize = 64;

/// Aliases that are followed within one message.
const LONGEST_CHAIN: usize = 16;

/// Most names have one or two.
pub(super) type Addresses = SmallVec<[IpAddr; 2]>;

/// What a name has in each family; `None` where nobody asked, or nobody waited.
pub(super) type Answers = [Option<Answer>; 2];

/// What is known of one name in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// At least one.
    Addresses(Addresses),
    /// NXDOMAIN, and what went wrong with the servers that were asked before.
    NoSuchName(Troubles),
    /// NODATA: the name is there, without an address of this family.
    NoAddress(Troubles),
    /// No server was of help.
    Failed(Troubles),
    /// Too many other questions are under way.
    NoTurn,
}

impl Answer {
    pub(super) fn addresses(&self) -> &[IpAddr] {
        match self {
            Answer::Addresses(addresses) => addresses,
            _ => &[],
        }
    }

    /// A name server has answered.
    pub(super) fn is_from_server(&self) -> bool {
        !matches!(self, Answer::Failed(_) | Answer::NoTurn)
    }
}

/// What one message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Addresses, and how long they hold.
    Addresses(Addresses, Duration),
    /// NXDOMAIN, and for how long it holds; `None` where the message does not say.
    NoSuchName(Option<Duration>),
    /// NODATA, and for how long.
    NoAddress(Option<Duration>),
    /// The name is an alias, and this server leaves it to us to ask for the other name.
    Alias(Name, Duration),
    /// Another server may do better.
    Useless(Trouble),
}

/// Reads the answer to `question`.
pub(super) fn read(question: &Question, message: &Message) -> Reading {
    match message.metadata.response_code {
        ResponseCode::NXDomain => return Reading::NoSuchName(negative_ttl(message)),
        ResponseCode::NoError => {}
        code => return Reading::Useless(Trouble::Said(code)),
    }
    let Some((name, chain_ttl)) = end_of_chain(question, message) else {
        return Reading::Useless(Trouble::Unreadable("its aliases lead in a circle".to_owned()));
    };
    let (addresses, ttl) = addresses(question, &name, message);
    if !addresses.is_empty() {
        return Reading::Addresses(addresses, ttl.min(chain_ttl));
    }
    let negative = negative_ttl(message);
    match negative {
        None if is_lame(message) => Reading::Useless(Trouble::Lame),
        None if name != question.name => Reading::Alias(name, chain_ttl),
        _ => Reading::NoAddress(negative.map(|ttl| ttl.min(chain_ttl))),
    }
}

/// Where the aliases lead that the message has, in whatever order. `None`: in a circle, or too far.
fn end_of_chain(question: &Question, message: &Message) -> Option<(Name, Duration)> {
    let mut name = question.name.clone();
    let mut ttl = LONGEST;
    for _ in 0..LONGEST_CHAIN {
        let alias = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == name => Some((target.0.clone(), record.ttl)),
            _ => None,
        });
        match alias {
            Some((target, alias_ttl)) => {
                name = target;
                ttl = ttl.min(seconds(alias_ttl));
            }
            None => return Some((name, ttl)),
        }
    }
    None
}

fn addresses(question: &Question, name: &Name, message: &Message) -> (Addresses, Duration) {
    let mut ttl = LONGEST;
    let mut addresses = Addresses::new();
    for record in &message.answers {
        if record.name != *name || record.record_type() != question.kind {
            continue;
        }
        if let Some(address) = record.data.ip_addr() {
            ttl = ttl.min(seconds(record.ttl));
            addresses.push(address);
        }
    }
    addresses.truncate(MOST_ADDRESSES);
    (addresses, ttl)
}

/// The lesser of the SOA record's own TTL and its MINIMUM (RFC 2308, section 5). Without one nothing may be kept.
fn negative_ttl(message: &Message) -> Option<Duration> {
    message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(seconds(record.ttl.min(soa.minimum)).min(LONGEST_NEGATIVE)),
        _ => None,
    })
}

/// Neither an answer nor an authority, nor somebody who would ask others for us. glibc goes on to the next server, too.
fn is_lame(message: &Message) -> bool {
    let head = &message.metadata;
    message.answers.is_empty()
        && message.additionals.is_empty()
        && !head.authoritative
        && !head.recursion_available
}

/// A TTL with the highest bit set counts as 0 (RFC 2181, section 8).
fn seconds(ttl: u32) -> Duration {
    let ttl = if ttl > i32::MAX as u32 { 0 } else { ttl };
    Duration::from_secs(ttl.into()).min(LONGEST)
}
