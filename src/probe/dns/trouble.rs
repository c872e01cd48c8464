//! What goes wrong between us and a name server.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::ResponseCode;

use crate::model::duration;

/// Why a name server was of no help with one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing came within this time.
    Silent(Duration),
    /// An error, such as SERVFAIL.
    Said(ResponseCode),
    /// It neither knows the name nor asks others for us.
    Lame,
    /// It sent what is no answer.
    Unreadable(String),
    /// It cannot be reached: no route, or nobody listens there.
    Unreachable(String),
    /// This machine is out of descriptors or buffers.
    NoSocket(String),
}

impl Trouble {
    /// Of the steps that concern this machine only. Everything but a missing address family is a shortage.
    pub(super) fn of_socket(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable => {
                Self::Unreachable(error.to_string())
            }
            _ => Self::NoSocket(error.to_string()),
        }
    }

    pub(super) fn of_network(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Unreachable("refused the question".to_owned()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(time) => write!(f, "was silent for {}", duration::text(*time)),
            Self::Said(code) => write!(f, "answered {}", mnemonic(*code)),
            Self::Lame => f.write_str("asks no others for us"),
            Self::Unreadable(why) => write!(f, "sent an answer that cannot be read ({why})"),
            Self::Unreachable(why) => write!(f, "cannot be asked ({why})"),
            Self::NoSocket(why) => write!(f, "was not asked ({why})"),
        }
    }
}

/// As administrators know it, from `dig` and from logs.
fn mnemonic(code: ResponseCode) -> String {
    match code {
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        code => format!("with the error {}", u16::from(code)),
    }
}

/// What each name server did that was of no help, in the order in which they were asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Troubles(Vec<(SocketAddr, Trouble)>);

impl Troubles {
    /// Adds `trouble` to what is known of `server`. Silence adds up.
    pub(super) fn note(&mut self, server: SocketAddr, trouble: Trouble) {
        match self.0.iter_mut().find(|(known, _)| *known == server) {
            Some((_, Trouble::Silent(before))) => match trouble {
                Trouble::Silent(more) => *before += more,
                // It was heard at last.
                other => self.set(server, other),
            },
            Some(_) => self.set(server, trouble),
            None => self.0.push((server, trouble)),
        }
    }

    fn set(&mut self, server: SocketAddr, trouble: Trouble) {
        for (known, before) in &mut self.0 {
            if *known == server {
                *before = trouble.clone();
            }
        }
    }

    /// Whether `server` has said or done something that asking it again would not change.
    pub(super) fn has_given_up(&self, server: SocketAddr) -> bool {
        self.0.iter().any(|(known, trouble)| *known == server && !matches!(trouble, Trouble::Silent(_)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// No server has said anything.
    pub(super) fn is_silence(&self) -> bool {
        self.0.iter().all(|(_, trouble)| matches!(trouble, Trouble::Silent(_)))
    }

    /// No server could be asked.
    pub(super) fn is_unreachable(&self) -> bool {
        self.0.iter().all(|(_, trouble)| matches!(trouble, Trouble::Unreachable(_)))
    }

    /// This machine was short of something.
    pub(super) fn is_shortage(&self) -> bool {
        self.0.iter().any(|(_, trouble)| matches!(trouble, Trouble::NoSocket(_)))
    }
}

impl fmt::Display for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (server, trouble)) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{server} {trouble}")?;
        }
        Ok(())
    }
}
