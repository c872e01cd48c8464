//! [`Region`]: where a slot is checked.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The label of a region, a part of every slot's key. The default has no label (`""`), and is so far the only region that
/// schedulers queue slots for.
///
/// The label stands in the value itself, which is copied with every slot: no allocation, and no table of labels that messages of
/// other programs could fill.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// Filled up with NUL, which no label has: so values are ordered as their labels are.
    bytes: [u8; Region::LONGEST],
    length: u8,
}

/// Why a text is no label of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRegion {
    /// Longer than [`Region::LONGEST`].
    #[error("is longer than {} characters", Region::LONGEST)]
    TooLong,
    /// Capitals among them: two regions that differ only in these would be one to people.
    #[error("has a character other than a-z, 0-9, `-`, `_` and `.`")]
    Character,
}

impl Region {
    /// Bytes of a label at most, which are characters as well.
    pub const LONGEST: usize = 31;

    /// Without a label.
    pub const DEFAULT: Self = Self { bytes: [0; Self::LONGEST], length: 0 };

    /// The label; empty for the default.
    pub fn as_str(&self) -> &str {
        // Labels are ASCII, so this never fails.
        self.bytes.get(..self.length.into()).and_then(|label| std::str::from_utf8(label).ok()).unwrap_or("")
    }

    /// Whether it is the region without a label.
    pub const fn is_default(&self) -> bool {
        self.length == 0
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FromStr for Region {
    type Err = NoRegion;

    fn from_str(label: &str) -> Result<Self, NoRegion> {
        let may_stand = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if !label.bytes().all(may_stand) {
            return Err(NoRegion::Character);
        }
        let mut region = Self::DEFAULT;
        region.bytes.get_mut(..label.len()).ok_or(NoRegion::TooLong)?.copy_from_slice(label.as_bytes());
        region.length = u8::try_from(label.len()).map_err(|_| NoRegion::TooLong)?;
        Ok(region)
    }
}

/// By the label alone: hashing the whole array would make each look-up of a slot dearer.
impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let label = String::deserialize(input)?;
        label.parse().map_err(|error| D::Error::custom(format_args!("the region {label:?} {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(label: &str) -> Region {
        label.parse().unwrap()
    }

    #[test]
    fn a_label_is_kept_as_it_is() {
        let longest = "a".repeat(Region::LONGEST);
        for label in ["", "eu", "eu-west_1.a", "0", longest.as_str()] {
            assert_eq!(region(label).as_str(), label);
            assert_eq!(region(label).is_default(), label.is_empty());
        }
        assert_eq!(region(""), Region::default());
    }

    #[test]
    fn what_two_people_could_write_in_two_ways_is_no_label() {
        for label in ["EU", "eu west", " ", "é", "a\0", "a\n", "eu/west"] {
            assert_eq!(label.parse::<Region>(), Err(NoRegion::Character), "{label:?}");
        }
        assert_eq!("a".repeat(Region::LONGEST + 1).parse::<Region>(), Err(NoRegion::TooLong));
        assert_eq!("a".repeat(300).parse::<Region>(), Err(NoRegion::TooLong));
    }

    #[test]
    fn regions_are_ordered_as_databases_order_their_labels() {
        let labels = ["", "a", "a-", "a.", "aa", "ab", "b", "ba"];
        assert!(labels.is_sorted() && labels.map(region).is_sorted());
    }

    #[test]
    fn a_slot_has_room_for_its_region_without_an_allocation() {
        assert_eq!(size_of::<Region>(), 32);
        assert!(!std::mem::needs_drop::<crate::model::Slot>());
    }
}
