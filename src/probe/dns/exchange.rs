//! One question to one name server: over UDP, and over TCP when the answer does not fit.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, UdpSocket};

use super::question::Question;
use super::trouble::Trouble;

/// Larger than any answer over UDP that we ask for; some servers send more than that.
const DATAGRAM: usize = 4096;

/// How to ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// With EDNS (RFC 6891), until a server does not know it.
    pub(super) edns: bool,
    /// Over TCP from the start.
    pub(super) tcp: bool,
}

/// A conversation with one server about one question.
pub(super) struct Exchange<'a> {
    server: SocketAddr,
    question: &'a Question,
    manner: Manner,
    /// The query that was sent over UDP. Kept while the server is silent: a late answer to it still counts.
    sent: Option<Datagram>,
    /// The beginning of an answer that was cut, for the case that TCP does not give us the whole.
    cut: Option<Message>,
}

struct Datagram {
    /// Connected, so that only this server is heard. Its port is the system's choice, and random.
    socket: UdpSocket,
    id: u16,
    bytes: Vec<u8>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(server: SocketAddr, question: &'a Question, manner: Manner) -> Self {
        Self { server, question, manner, sent: None, cut: None }
    }

    pub(super) fn server(&self) -> SocketAddr {
        self.server
    }

    /// Asks, or asks again, and waits for `patience`. An answer to an earlier time counts.
    pub(super) async fn ask(&mut self, patience: Duration) -> Result<Message, Trouble> {
        let answer = tokio::time::timeout(patience, self.answer()).await;
        let answer = answer.unwrap_or(Err(Trouble::Silent(patience)));
        answer.or_else(|trouble| self.cut.take().ok_or(trouble))
    }

    async fn answer(&mut self) -> Result<Message, Trouble> {
        loop {
            let message = if self.manner.tcp { self.over_tcp().await? } else { self.over_udp().await? };
            let head = &message.metadata;
            if head.truncation && !self.manner.tcp {
                self.manner.tcp = true;
                self.sent = None;
                self.cut = Some(message).filter(|message| !message.answers.is_empty());
            } else if self.manner.edns && does_not_know_edns(head.response_code) {
                self.manner.edns = false;
                self.sent = None;
            } else {
                return Ok(message);
            }
        }
    }

    async fn over_udp(&mut self) -> Result<Message, Trouble> {
        let sent = match &mut self.sent {
            Some(sent) => sent,
            none => none.insert(Datagram::open(self.server, self.question, self.manner).await?),
        };
        sent.socket.send(&sent.bytes).await.map_err(|error| Trouble::of_network(&error))?;
        let mut buffer = vec![0; DATAGRAM];
        loop {
            let length = sent.socket.recv(&mut buffer).await.map_err(|error| Trouble::of_network(&error))?;
            let bytes = &buffer[..length];
            if !bytes.starts_with(&sent.id.to_be_bytes()) {
                continue;
            }
            let message = read(bytes)?;
            if self.question.is_answered_by(&message, sent.id) {
                return Ok(message);
            }
        }
    }

    async fn over_tcp(&mut self) -> Result<Message, Trouble> {
        let query = self.question.message(self.manner.edns);
        let id = query.metadata.id;
        let bytes = written(&query)?;
        let socket = match self.server {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        };
        let socket = socket.map_err(|error| Trouble::of_socket(&error))?;
        let answer = async {
            let mut tcp = socket.connect(self.server).await?;
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            tcp.write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat()).await?;
            let mut answer = vec![0; tcp.read_u16().await?.into()];
            tcp.read_exact(&mut answer).await?;
            Ok(answer)
        };
        let message = read(&answer.await.map_err(|error| Trouble::of_network(&error))?)?;
        if self.question.is_answered_by(&message, id) {
            Ok(message)
        } else {
            Err(Trouble::Unreadable("it is for another question".to_owned()))
        }
    }
}

impl Datagram {
    async fn open(server: SocketAddr, question: &Question, manner: Manner) -> Result<Self, Trouble> {
        let any = match server {
            SocketAddr::V4(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
            SocketAddr::V6(_) => SocketAddr::from(([0u16; 8], 0)),
        };
        let query = question.message(manner.edns);
        let bytes = written(&query)?;
        let socket = UdpSocket::bind(any).await.map_err(|error| Trouble::of_socket(&error))?;
        socket.connect(server).await.map_err(|error| Trouble::of_network(&error))?;
        Ok(Self { socket, id: query.metadata.id, bytes })
    }
}

/// Servers from before EDNS call it a fault of form, or answer in a version of it that we do not speak.
fn does_not_know_edns(code: ResponseCode) -> bool {
    matches!(
        code,
        ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS | ResponseCode::BADSIG
    )
}

fn read(bytes: &[u8]) -> Result<Message, Trouble> {
    Message::from_vec(bytes).map_err(|error| Trouble::Unreadable(error.to_string()))
}

fn written(query: &Message) -> Result<Vec<u8>, Trouble> {
    query.to_vec().map_err(|error| Trouble::Unreadable(error.to_string()))
}
