//! Words for what came of a slot, as databases and results have them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word that stands in the database and in results.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord(word.to_owned())),
                }
            }
        }
    };
}

/// A word that is no status and no reason, for example from a newer version's database.
#[derive(Debug, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

words! {
    /// What came of one slot.
    Status {
        /// As expected.
        Up = "up",
        /// Answers, but slowly or with a warning such as an expiring certificate.
        Degraded = "degraded",
        /// Not as expected.
        Down = "down",
        /// Nobody checked in time.
        Missed = "missed",
        /// We could not tell: our own fault, not the site's.
        Unknown = "unknown",
    }
}

impl Status {
    /// What stands in the database. A word that this version does not know, for a newer one has written it, counts as
    /// [`Status::Unknown`]: it must not take the known ones with it.
    pub fn of_word(word: &str) -> Self {
        word.parse().unwrap_or(Self::Unknown)
    }
}

impl Status {
    /// The verdict on the site; `None` where the status is about us.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Up => Some(Verdict::Up),
            Self::Degraded => Some(Verdict::Degraded),
            Self::Down => Some(Verdict::Down),
            Self::Missed | Self::Unknown => None,
        }
    }
}

words! {
    /// A [`Status`] that is about the site.
    Verdict {
        /// As expected.
        Up = "up",
        /// Answers, but slowly or with a warning.
        Degraded = "degraded",
        /// Not as expected.
        Down = "down",
    }
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Up => Self::Up,
            Verdict::Degraded => Self::Degraded,
            Verdict::Down => Self::Down,
        }
    }
}

words! {
    /// Whether a site's verdict is of its newest slot, and why not. Our own failures never change the verdict.
    Freshness {
        /// No result has come yet.
        Waiting = "waiting",
        /// The newest slot has a verdict.
        Fresh = "fresh",
        /// Nobody checked the newest slot in time.
        Missed = "missed",
        /// The newest check could not tell: our own fault.
        Unknown = "unknown",
    }
}

impl Freshness {
    /// The status of the newest slot, where it is no verdict.
    pub fn fault(self) -> Option<Status> {
        match self {
            Self::Waiting | Self::Fresh => None,
            Self::Missed => Some(Status::Missed),
            Self::Unknown => Some(Status::Unknown),
        }
    }
}

impl From<Status> for Freshness {
    fn from(status: Status) -> Self {
        match status {
            Status::Up | Status::Degraded | Status::Down => Self::Fresh,
            Status::Missed => Self::Missed,
            Status::Unknown => Self::Unknown,
        }
    }
}

words! {
    /// Why a check is not up.
    Reason {
        /// The name does not resolve.
        Dns = "dns",
        /// Refused, unreachable, reset, or closed before a whole head.
        Connect = "connect",
        /// Handshake or certificate.
        Tls = "tls",
        /// Not finished within the site's timeout.
        Timeout = "timeout",
        /// Not HTTP, or a body that is cut or badly framed.
        Protocol = "protocol",
        /// Too many hops, a loop, or a `Location` that is missing or unusable.
        Redirect = "redirect",
        /// Not an expected status.
        Status = "status",
        /// A header is not as expected.
        Header = "header",
        /// The body is not as expected.
        Body = "body",
        /// A JSON value is not as expected.
        Json = "json",
        /// Slower than allowed.
        Slow = "slow",
        /// Head or body over its limit.
        TooLarge = "too_large",
        /// The target guard forbids the address.
        Blocked = "blocked",
        /// Our own fault.
        Internal = "internal",
    }
}
