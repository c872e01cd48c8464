//! What a name server is asked, and which messages answer that.

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

/// Bytes of an answer over UDP that pass every network in one piece (the advice of the DNS Flag Day 2020).
const PAYLOAD: u16 = 1232;

/// Which addresses are asked for: A or AAAA records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::probe) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) const BOTH: [Family; 2] = [Family::V4, Family::V6];

    pub(super) fn index(self) -> usize {
        self as usize
    }

    pub(super) fn record_type(self) -> RecordType {
        match self {
            Family::V4 => RecordType::A,
            Family::V6 => RecordType::AAAA,
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// A name and the type of its records that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) kind: RecordType,
}

impl Question {
    /// The addresses of `name`, which is complete with or without a final dot. `None`: that is no name.
    pub(super) fn addresses(name: &str, family: Family) -> Option<Self> {
        let mut name = Name::from_ascii(name).ok()?;
        name.set_fqdn(true);
        Some(Self { name, kind: family.record_type() })
    }

    /// "Who serves the root?": every resolver has an answer, or a refusal, at once.
    pub(super) fn root() -> Self {
        Self { name: Name::root(), kind: RecordType::NS }
    }

    /// A query with a random id.
    pub(super) fn message(&self, edns: bool) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.kind));
        if edns {
            let mut edns = Edns::new();
            edns.set_max_payload(PAYLOAD);
            message.set_edns(edns);
        }
        message
    }

    /// Whether `message` answers this question and no other. Name servers that cannot read a question send it not back.
    pub(super) fn is_answered_by(&self, message: &Message, id: u16) -> bool {
        let head = &message.metadata;
        let asked = match message.queries.as_slice() {
            [query] => query.query_type() == self.kind && *query.name() == self.name,
            [] => !matches!(head.response_code, ResponseCode::NoError | ResponseCode::NXDomain),
            _ => false,
        };
        asked && head.id == id && head.message_type == MessageType::Response
    }
}
