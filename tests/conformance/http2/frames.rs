//! HTTP/2 on the server's side, frame by frame as a row says (RFC 9113), over TLS. Plain threads, like all servers of the table.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::{Arc, LazyLock};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::authority::{self, TlsStream, VALID};
use crate::server::{LOOPBACK, Server};
use crate::table::AUTHORITY;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

/// What a client begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Speaks TLS for `localhost`, and HTTP/2 over it.
pub(crate) static TLS: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| speaking(&["h2"]));

/// Speaks TLS for `localhost`, and knows these protocols (ALPN).
pub(crate) fn speaking(protocols: &[&str]) -> Arc<ServerConfig> {
    let identity = AUTHORITY.leaf(&["localhost"], VALID);
    let mut config = Arc::unwrap_or_clone(authority::config(identity, rustls::ALL_VERSIONS, None));
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that is in no table (RFC 7541, section 6.2.2).
pub(crate) fn field(name: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [vec![0], length(name.len()), name.as_bytes().to_vec(), length(value.len()), value.to_vec()].concat()
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn length(length: usize) -> Vec<u8> {
    if length < 127 {
        return vec![length as u8];
    }
    let (mut bytes, mut rest) = (vec![127], length - 127);
    while rest >= 128 {
        bytes.push(rest as u8 | 128);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

pub(crate) fn block(status: u16, fields: &[(&str, &str)]) -> Vec<u8> {
    let status = field(":status", status.to_string());
    std::iter::once(status).chain(fields.iter().map(|(name, value)| field(name, value))).flatten().collect()
}

/// A whole head, and the stream goes on.
pub(crate) fn head(status: u16, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, block(status, fields))
}

/// A head, and nothing after it.
pub(crate) fn only_head(status: u16, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, block(status, fields))
}

pub(crate) fn data(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    frame(DATA, 0, 1, bytes)
}

/// The last piece of a body.
pub(crate) fn last(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    frame(DATA, END_STREAM, 1, bytes)
}

pub(crate) fn reset(code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, 1, code.to_be_bytes())
}

/// The last stream that is answered, and why no more are.
pub(crate) fn go_away(stream: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, [stream.to_be_bytes(), code.to_be_bytes()].concat())
}

/// A client's connection.
pub(crate) struct Peer {
    stream: TlsStream,
}

/// A frame that the client has sent.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
}

impl Peer {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The probe may have gone already, which is its right.
        let _ = self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush());
    }

    /// `None`: the client is gone.
    pub(crate) fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.stream.read_exact(&mut payload).ok()?;
        Some(Frame { kind: head[3], flags: head[4] })
    }

    /// Reads until the client has sent such a frame. Whether it has.
    pub(crate) fn await_frame(&mut self, kind: u8, flags: u8) -> bool {
        while let Some(frame) = self.read() {
            if frame.kind == kind && frame.flags & flags == flags {
                return true;
            }
        }
        false
    }

    /// Ends with close_notify, as TLS wants it.
    pub(crate) fn close(mut self) {
        self.stream.conn.send_close_notify();
        let _ = self.stream.flush();
        self.cut();
    }

    /// Ends without it. What the client has still to send is read, for a socket that is closed before resets the connection.
    pub(crate) fn cut(mut self) {
        let _ = self.stream.sock.shutdown(Shutdown::Write);
        self.hang();
    }

    /// Keeps the connection until the client closes it.
    pub(crate) fn hang(&mut self) {
        let _ = self.stream.sock.read_to_end(&mut Vec::new());
    }

    /// Resets the connection: there is something unread.
    pub(crate) fn reset(mut self) {
        self.send(frame(PING, 0, 0, [0; 8]));
        let _ = self.stream.sock.peek(&mut [0]);
    }
}

/// Serves one stream for each connection: `act` goes on where a request's head has come.
pub(crate) fn serve(act: impl Fn(Peer) + Send + Sync + 'static) -> Server {
    serve_raw(move |mut peer, _| {
        peer.send(frame(SETTINGS, 0, 0, []));
        if peer.await_frame(HEADERS, END_HEADERS) {
            act(peer);
        }
    })
}

/// `act` goes on behind the client's preface, with the number of the connection from 1; nothing has been sent.
pub(crate) fn serve_raw(act: impl Fn(Peer, usize) + Send + Sync + 'static) -> Server {
    Server::raw(LOOPBACK, move |tcp, number| {
        tcp.set_nodelay(true).unwrap();
        let stream = StreamOwned::new(ServerConnection::new(Arc::clone(&TLS)).unwrap(), tcp);
        let (mut peer, mut preface) = (Peer { stream }, vec![0; PREFACE.len()]);
        if peer.stream.read_exact(&mut preface).is_ok() {
            assert_eq!(preface, PREFACE);
            act(peer, number);
        }
    })
}
