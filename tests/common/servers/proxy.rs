//! A network to a server that can be cut, slowed and mended: a TCP proxy on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// Runs on a thread of its own until it is dropped, which closes its connections.
pub struct Proxy {
    address: SocketAddr,
    traffic: watch::Sender<Traffic>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Traffic {
    Flows,
    /// Each piece waits this long.
    Delayed(Duration),
    /// Nothing passes, and nothing says so: bytes are held, connections stay open, new ones are never answered.
    Cut,
    /// Connections are reset, and new ones closed at once.
    Refused,
}

impl Proxy {
    /// Forwards to `server`, undisturbed at first.
    pub fn to(server: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (traffic, seen) = watch::channel(Traffic::Flows);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(accept(listener, server, seen));
        });
        Self { address, traffic }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `url` by way of this proxy.
    pub fn url(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    /// Stops forwarding without a word, as a network that drops every packet.
    pub fn cut(&self) {
        self.traffic.send_replace(Traffic::Cut);
    }

    /// Delays every piece on its way, in both directions.
    pub fn slow(&self, delay: Duration) {
        self.traffic.send_replace(Traffic::Delayed(delay));
    }

    /// Closes all connections, and each new one at once, as when nobody listens.
    pub fn refuse(&self) {
        self.traffic.send_replace(Traffic::Refused);
    }

    /// Forwards again, first what was held.
    pub fn resume(&self) {
        self.traffic.send_replace(Traffic::Flows);
    }
}

async fn accept(listener: std::net::TcpListener, server: SocketAddr, mut traffic: watch::Receiver<Traffic>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                tokio::spawn(serve(client, server, traffic.clone()));
            }
            changed = traffic.changed() => if changed.is_err() { return },
        }
    }
}

/// Ends with either side, with a refusal, or with the proxy.
async fn serve(client: TcpStream, server: SocketAddr, mut traffic: watch::Receiver<Traffic>) {
    let mut refused = traffic.clone();
    let forwarding = async {
        passes(&mut traffic).await;
        let Ok(server) = TcpStream::connect(server).await else { return };
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::join!(
            forward(&mut from_client, &mut to_server, traffic.clone()),
            forward(&mut from_server, &mut to_client, traffic.clone()),
        );
    };
    tokio::select! {
        () = forwarding => {}
        _ = refused.wait_for(|now| *now == Traffic::Refused) => {}
    }
}

/// Passes an end on, too: a close is a packet like any other.
async fn forward(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut traffic: watch::Receiver<Traffic>,
) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut piece).await.unwrap_or(0);
        passes(&mut traffic).await;
        if read == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

/// Waits until a piece may pass.
async fn passes(traffic: &mut watch::Receiver<Traffic>) {
    let now = traffic.wait_for(|now| *now != Traffic::Cut).await.map(|now| *now);
    if let Ok(Traffic::Delayed(delay)) = now {
        tokio::time::sleep(delay).await;
    }
}
