//! A name server on loopback: every name has one IPv4 address, ours, and none of IPv6.

use std::net::UdpSocket;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::{A, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Seconds that answers hold, also those that say that there is none: what many zones say.
pub const TTL: u32 = 300;

/// Answers until the process ends.
pub fn serve(socket: &UdpSocket) {
    let mut query = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut query) {
        let Ok(query) = Message::from_vec(&query[..length]) else { continue };
        let reply = reply_to(&query).to_vec().expect("a message");
        socket.send_to(&reply, from).expect("a packet");
    }
}

fn reply_to(query: &Message) -> Message {
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_available = true;
    for asked in &query.queries {
        reply.add_query(asked.clone());
        if asked.query_type() == RecordType::A {
            reply.add_answer(record(asked.name(), RData::A(A::new(127, 0, 0, 1))));
        } else {
            // How long "there is none" holds (RFC 2308, section 5).
            let soa = SOA::new(asked.name().clone(), asked.name().clone(), 1, 3_600, 600, 86_400, TTL);
            reply.add_authority(record(asked.name(), RData::SOA(soa)));
        }
    }
    reply
}

fn record(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), TTL, data)
}
