//! Is any name server there at all? Asked when a name takes long, for then the silence can be the name's or ours.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::UdpSocket;

/// Between two questions to the same server: datagrams get lost.
const AGAIN: Duration = Duration::from_millis(500);

/// "Who serves the root?" (RFC 1035, section 4.1): every name server has an answer, or a refusal, at once. Not asked through
/// the resolver, whose cache would answer for a server that is gone.
const QUESTION: [u8; 17] = [0x55, 0x70, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

/// Returns when one of `servers` answers anything, or false when none can be asked. Goes on asking otherwise.
pub(super) async fn sings(servers: impl Iterator<Item = SocketAddr>) -> bool {
    let mut asked: FuturesUnordered<_> = servers.map(answers).collect();
    while let Some(answered) = asked.next().await {
        if answered.is_ok() {
            return true;
        }
    }
    false
}

async fn answers(server: SocketAddr) -> io::Result<()> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
        SocketAddr::V6(_) => SocketAddr::from(([0u16; 8], 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    loop {
        socket.send(&QUESTION).await?;
        if let Ok(received) = tokio::time::timeout(AGAIN, socket.recv(&mut [0; 512])).await {
            return received.map(drop);
        }
    }
}
