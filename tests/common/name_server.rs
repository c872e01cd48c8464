//! A name server on loopback that answers as the name in the question says.

use std::net::{SocketAddr, UdpSocket};

/// A name server: the first label of a name says how it answers.
pub(crate) fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(reply) = reply_to(&query[..length]) {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
    addr
}

/// RFC 1035, section 4.1: the query's id and question, with flags and perhaps an A record of 127.0.0.1, or for `dual` an AAAA
/// record of ::1 too.
fn reply_to(query: &[u8]) -> Option<Vec<u8>> {
    let question_end = 12 + query[12..].iter().position(|&byte| byte == 0)? + 5;
    let label = &query[13..13 + usize::from(query[12])];
    let kind = query[question_end - 3];
    let (code, data): (u8, &[u8]) = match (label.to_ascii_lowercase().as_slice(), kind) {
        (b"silent", _) => return None,
        (b"missing", _) => (3, &[]),
        (b"broken", _) => (2, &[]),
        (b"refused", _) => (5, &[]),
        (b"web" | b"web-" | b"a_b" | b"_a_b" | b"www" | b"dual", 1) => (0, &[127, 0, 0, 1]),
        (b"dual", 28) => (0, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        _ => (0, &[]),
    };
    let mut reply = query[..question_end].to_vec();
    reply[2..12].copy_from_slice(&[0x81, 0x80 | code, 0, 1, 0, u8::from(!data.is_empty()), 0, 0, 0, 0]);
    if !data.is_empty() {
        reply.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
        reply.extend(data);
    }
    Some(reply)
}
