//! A web server on loopback that answers at once, late, or never, and counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Runs on a thread of its own for as long as the test process lives.
#[derive(Clone)]
pub struct Target {
    pub addr: SocketAddr,
    requests: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
}

impl Target {
    /// Answers `/…` with 200, `/slow/MS` after that time, `/hang` never.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("non-blocking mode");
        let addr = listener.local_addr().expect("an address");
        let target = Self { addr, requests: Arc::default(), at_once: Arc::default() };
        let serving = target.clone();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serving.serve(listener));
        });
        target
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    async fn serve(self, listener: std::net::TcpListener) {
        let listener = TcpListener::from_std(listener).expect("a listener");
        while let Ok((stream, _)) = listener.accept().await {
            let this = self.clone();
            tokio::spawn(async move {
                this.at_once.fetch_add(1, Ordering::Relaxed);
                // A monitor that was killed closes without a word.
                let _ = this.answer(stream).await;
                this.at_once.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = [0; 2048];
        let read = stream.read(&mut head).await?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let head = String::from_utf8_lossy(&head[..read]);
        let path = head.split(' ').nth(1).unwrap_or("/");
        if path.starts_with("/hang") {
            // Ends when the other side does.
            return stream.read(&mut [0; 1]).await.map(|_| ());
        }
        if let Some(ms) = path.strip_prefix("/slow/").and_then(|rest| rest.split('/').next()?.parse().ok()) {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await?;
        stream.shutdown().await
    }
}
