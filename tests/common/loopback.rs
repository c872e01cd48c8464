//! Servers that do exactly what a test says. Plain threads: what they do does not depend on the runtime under test.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Any free port of this machine.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A connection and the request that came over it.
pub(crate) struct Exchange {
    pub(crate) tcp: TcpStream,
    /// The request's head.
    pub(crate) request: String,
    /// 1 for the first connection.
    pub(crate) number: usize,
}

impl Exchange {
    pub(crate) fn path(&self) -> &str {
        self.request.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The probe may have gone already, which is its right.
        let _ = self.tcp.write_all(bytes.as_ref());
    }

    /// The request's body, of the length that its head says.
    pub(crate) fn read_body(&mut self) -> Vec<u8> {
        let length = self.request.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.tcp.read_exact(&mut body).unwrap();
        body
    }

    /// Keeps the connection open until the other side closes it.
    pub(crate) fn hang(mut self) {
        let _ = self.tcp.read_to_end(&mut Vec::new());
    }
}

/// A server for the rest of the process.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Sends `answer` to every request and closes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |mut exchange| exchange.send(&answer))
    }

    /// Reads each request, then lets `act` go on.
    pub(crate) fn new(act: impl Fn(Exchange) + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut server = Self::raw(LOOPBACK, move |mut tcp, number| {
            let request = read_head(&mut tcp);
            seen.lock().unwrap().push(request.clone());
            act(Exchange { tcp, request, number });
        });
        server.requests = requests;
        server
    }

    /// Hands each new connection to `act`, on a thread of its own, with its number from 1.
    pub(crate) fn raw(at: SocketAddr, act: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counter, act) = (Arc::clone(&connections), Arc::new(act));
        std::thread::spawn(move || {
            for tcp in listener.incoming() {
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let act = Arc::clone(&act);
                std::thread::spawn(move || act(tcp.unwrap(), number));
            }
        });
        Self { addr, connections, requests: Arc::default() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Up to the blank line, or what came before the end.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// An answer with `status` (and reason phrase) and `body`.
pub(crate) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// A port where connection attempts wait for ever: nobody accepts, and once the queue is full Linux lets them hang.
pub(crate) async fn hanging() -> (Vec<tokio::net::TcpStream>, tokio::net::TcpListener) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(LOOPBACK).unwrap();
    let full = socket.listen(0).unwrap();
    let addr = full.local_addr().unwrap();
    let mut queue = Vec::new();
    let patience = std::time::Duration::from_millis(100);
    while let Ok(queued) = tokio::time::timeout(patience, tokio::net::TcpStream::connect(addr)).await {
        queue.push(queued.unwrap());
    }
    (queue, full)
}

/// A port that refuses connections for as long as the socket lives: bound, never listened on.
pub(crate) fn refusing() -> (tokio::net::TcpSocket, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(LOOPBACK).unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}
