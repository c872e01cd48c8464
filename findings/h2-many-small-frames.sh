#!/bin/sh
# h2 0.4.20 gives up a whole, valid answer of many small DATA frames when the program comes for it a moment later.
#
# A server may send a body in frames of any size (RFC 9113, section 6.1), and one that streams lines does send thousands of some bytes each.
# h2's client counts the small ones that nobody has taken yet, and ends the connection with ENHANCE_YOUR_CALM when they are too many,
# although the windows of the stream and of the connection, 1 MiB here, have room for all of them. Here a body of 50,000 bytes is read
# half a second after its head, while a task of its own drives the connection, as the documentation has it: in 100 frames of 500 bytes it
# arrives, in 5,000 frames of 10 bytes it breaks off.
#
# Needs: Rust. Takes a minute.
set -eu

work=$(mktemp -d /tmp/finding.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"

cargo init -q --vcs none --name finding .
cargo add -q h2@=0.4.20 http@=1.4.0 bytes@=1.11.0
cargo add -q tokio@1 --features net,rt,macros,time
cat >src/main.rs <<'END'
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};

/// Answers one request with `count` frames of a body, of `size` bytes each.
async fn serve(listener: TcpListener, count: usize, size: usize) {
    let (socket, _) = listener.accept().await.unwrap();
    let mut connection = h2::server::handshake(socket).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
        for _ in 0..count {
            stream.send_data(Bytes::from(vec![b'x'; size]), false).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    }
}

/// Reads the answer half a second after its head, and tells what came of it.
async fn read(count: usize, size: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, count, size));
    let socket = TcpStream::connect(at).await.unwrap();
    let (mut sender, connection) = h2::client::Builder::new()
        .initial_window_size(1 << 20)
        .initial_connection_window_size(1 << 20)
        .handshake::<_, Bytes>(socket)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("http://{at}/")).body(()).unwrap();
    let (response, _) = sender.send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut bytes = 0;
    while let Some(piece) = body.data().await {
        match piece {
            Ok(piece) => {
                bytes += piece.len();
                let _ = body.flow_control().release_capacity(piece.len());
            }
            Err(error) => return format!("broken: {:?}", error.reason().unwrap()),
        }
    }
    format!("{bytes} bytes")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (count, size) in [(100, 500), (5_000, 10)] {
        println!("{count} frames of {size} bytes: {}", read(count, size).await);
    }
}
END
cargo run -q >seen
cat seen
cat >expected <<'END'
100 frames of 500 bytes: 50000 bytes
5000 frames of 10 bytes: broken: ENHANCE_YOUR_CALM
END
if cmp -s seen expected; then
    echo "h2 0.4.20: a valid answer in many small frames is given up when it is read a moment later"
else
    echo "h2 behaves otherwise now"
    exit 1
fi
