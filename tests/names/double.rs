//! Name servers on loopback, over UDP and TCP, that answer byte by byte as a test says, and remember what they were asked.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Types of records (RFC 1035, section 3.2.2; RFC 3596).
pub(crate) const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
pub(crate) const AAAA: u16 = 28;
const OPT: u16 = 41;

/// A question as it came.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// In small letters, without a final dot; empty for the root.
    pub(crate) name: String,
    pub(crate) kind: u16,
    pub(crate) tcp: bool,
    pub(crate) edns: bool,
    id: [u8; 2],
    question: Vec<u8>,
}

impl Query {
    fn read(bytes: &[u8], tcp: bool) -> Self {
        let mut labels = Vec::new();
        let mut at = 12;
        while bytes[at] != 0 {
            let end = at + 1 + usize::from(bytes[at]);
            labels.push(String::from_utf8(bytes[at + 1..end].to_vec()).unwrap().to_lowercase());
            at = end;
        }
        let kind = u16::from_be_bytes([bytes[at + 1], bytes[at + 2]]);
        let rest = &bytes[at + 5..];
        let edns = rest.len() > 2 && u16::from_be_bytes([rest[1], rest[2]]) == OPT;
        let question = bytes[12..at + 5].to_vec();
        Self { name: labels.join("."), kind, tcp, edns, id: [bytes[0], bytes[1]], question }
    }
}

/// A message in answer to a query.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    code: u8,
    delay: Duration,
    truncated: bool,
    wrong_id: bool,
    other_question: bool,
    without_question: bool,
    from_other_port: bool,
    answers: Vec<Vec<u8>>,
    authorities: Vec<Vec<u8>>,
}

impl Reply {
    pub(crate) fn code(code: u8) -> Self {
        Self {
            code,
            delay: Duration::ZERO,
            truncated: false,
            wrong_id: false,
            other_question: false,
            without_question: false,
            from_other_port: false,
            answers: Vec::new(),
            authorities: Vec::new(),
        }
    }

    /// NODATA, until records are added.
    pub(crate) fn empty() -> Self {
        Self::code(0)
    }

    pub(crate) fn no_such_name() -> Self {
        Self::code(3)
    }

    /// 127.0.0.1 or ::1, as asked.
    pub(crate) fn loopback(query: &Query, ttl: u32) -> Self {
        match query.kind {
            A => Self::empty().address(&query.name, "127.0.0.1", ttl),
            AAAA => Self::empty().address(&query.name, "::1", ttl),
            _ => Self::empty(),
        }
    }

    pub(crate) fn address(mut self, name: &str, ip: &str, ttl: u32) -> Self {
        let (kind, data) = match ip.parse().unwrap() {
            IpAddr::V4(ip) => (A, ip.octets().to_vec()),
            IpAddr::V6(ip) => (AAAA, ip.octets().to_vec()),
        };
        self.answers.push(record(name, kind, ttl, &data));
        self
    }

    pub(crate) fn alias(mut self, name: &str, target: &str, ttl: u32) -> Self {
        self.answers.push(record(name, CNAME, ttl, &encoded(target)));
        self
    }

    /// How long "there is none" holds.
    pub(crate) fn soa(mut self, ttl: u32, minimum: u32) -> Self {
        let numbers = [1, 2, 3, 4, minimum].map(u32::to_be_bytes).concat();
        let data = [encoded("ns.test"), encoded("admin.test"), numbers].concat();
        self.authorities.push(record("test", SOA, ttl, &data));
        self
    }

    pub(crate) fn after(mut self, ms: u64) -> Self {
        self.delay = Duration::from_millis(ms);
        self
    }

    pub(crate) fn truncated(mut self) -> Self {
        self.truncated = true;
        self
    }

    pub(crate) fn with_wrong_id(mut self) -> Self {
        self.wrong_id = true;
        self
    }

    pub(crate) fn for_another_question(mut self) -> Self {
        self.other_question = true;
        self
    }

    pub(crate) fn without_question(mut self) -> Self {
        self.without_question = true;
        self
    }

    pub(crate) fn answering_from_another_port(mut self) -> Self {
        self.from_other_port = true;
        self
    }

    fn bytes(&self, query: &Query) -> Vec<u8> {
        let id = if self.wrong_id { [query.id[0] ^ 1, query.id[1]] } else { query.id };
        let mut question = query.question.clone();
        if self.other_question {
            question[1] ^= 1;
        }
        let flags = [0x81 | u8::from(self.truncated) << 1, 0x80 | self.code];
        let counts =
            [u16::from(!self.without_question), self.answers.len() as u16, self.authorities.len() as u16, 0];
        let mut bytes = [id, flags].concat();
        bytes.extend(counts.map(u16::to_be_bytes).concat());
        if !self.without_question {
            bytes.extend(question);
        }
        bytes.extend(self.answers.concat());
        bytes.extend(self.authorities.concat());
        bytes
    }
}

fn encoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn record(name: &str, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = encoded(name);
    bytes.extend([kind, 1].map(u16::to_be_bytes).concat());
    bytes.extend(ttl.to_be_bytes());
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}

/// A name server for the rest of the process.
pub(crate) struct NameServer {
    pub(crate) addr: SocketAddr,
    asked: Arc<Mutex<Vec<Query>>>,
}

type Act = Arc<dyn Fn(&Query) -> Vec<Reply> + Send + Sync>;

impl NameServer {
    /// Sends what `act` says, nothing for an empty list. Who serves the root, it knows by itself.
    pub(crate) fn new(act: impl Fn(&Query) -> Vec<Reply> + Send + Sync + 'static) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0), move |query| match query.name.as_str() {
            "" => vec![Reply::empty()],
            _ => act(query),
        })
    }

    /// Knows every name.
    pub(crate) fn good() -> Self {
        Self::new(|query| vec![Reply::loopback(query, 300)])
    }

    /// At this address, and for the root, too, only what `act` says.
    pub(crate) fn at(
        at: impl Into<SocketAddr>,
        act: impl Fn(&Query) -> Vec<Reply> + Send + Sync + 'static,
    ) -> Self {
        let (udp, tcp) = bind(at.into());
        let addr = udp.local_addr().unwrap();
        let (asked, act): (Arc<Mutex<Vec<Query>>>, Act) = (Arc::default(), Arc::new(act));
        let (udp_asked, udp_act) = (Arc::clone(&asked), Arc::clone(&act));
        std::thread::spawn(move || serve_udp(udp, &udp_asked, &udp_act));
        let tcp_asked = Arc::clone(&asked);
        std::thread::spawn(move || serve_tcp(&tcp, &tcp_asked, &act));
        Self { addr, asked }
    }

    /// Questions so far, without those for the root.
    pub(crate) fn asked(&self) -> Vec<Query> {
        self.all_asked().into_iter().filter(|query| !query.name.is_empty()).collect()
    }

    pub(crate) fn all_asked(&self) -> Vec<Query> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked for `kind` of `name`.
    pub(crate) fn count(&self, name: &str, kind: u16) -> usize {
        self.asked().iter().filter(|query| query.name == name && query.kind == kind).count()
    }
}

/// One port over UDP and TCP.
fn bind(at: SocketAddr) -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind(at).unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
    unreachable!("no port is free for both");
}

fn serve_udp(socket: UdpSocket, asked: &Mutex<Vec<Query>>, act: &Act) {
    let socket = Arc::new(socket);
    let mut bytes = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut bytes) {
        let query = Query::read(&bytes[..length], false);
        asked.lock().unwrap().push(query.clone());
        for reply in act(&query) {
            let (socket, query) = (Arc::clone(&socket), query.clone());
            let is_at_once = reply.delay.is_zero();
            let send = move || {
                std::thread::sleep(reply.delay);
                let other = UdpSocket::bind("127.0.0.1:0").unwrap();
                let socket = if reply.from_other_port { &other } else { &*socket };
                // Who asked may have gone.
                let _ = socket.send_to(&reply.bytes(&query), from);
            };
            if is_at_once { send() } else { drop(std::thread::spawn(send)) }
        }
    }
}

fn serve_tcp(listener: &TcpListener, asked: &Mutex<Vec<Query>>, act: &Act) {
    for tcp in listener.incoming() {
        let mut tcp = tcp.unwrap();
        let mut length = [0; 2];
        if tcp.read_exact(&mut length).is_err() {
            continue;
        }
        let mut bytes = vec![0; u16::from_be_bytes(length).into()];
        tcp.read_exact(&mut bytes).unwrap();
        let query = Query::read(&bytes, true);
        asked.lock().unwrap().push(query.clone());
        for reply in act(&query) {
            std::thread::sleep(reply.delay);
            let bytes = reply.bytes(&query);
            let _ = tcp.write_all(&[&(bytes.len() as u16).to_be_bytes(), bytes.as_slice()].concat());
        }
    }
}
