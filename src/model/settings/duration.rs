//! A duration as people write it: `14d`, `1s 500ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(super) fn serialize<S: Serializer>(value: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
    value.map(crate::model::duration::text).serialize(out)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let text: Option<String> = Option::deserialize(input)?;
    text.map(|text| crate::model::duration::parse(&text).map_err(de::Error::custom)).transpose()
}
