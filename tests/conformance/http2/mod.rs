//! Answers over HTTP/2, good and bad: frames as they stand in RFC 9113, and what must not be in them.

mod answers;
mod any;
mod ends;
pub(crate) mod frames;
mod requests;
mod rules;
pub(crate) mod served;
mod versions;

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use self::frames::{Peer, serve};
use crate::table::{Case, Want, down, run};
use crate::trust::at_localhost;

#[actix_rt::test]
async fn every_case() {
    run("HTTP/2", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    let rows = [answers::cases(), ends::cases(), rules::cases(), versions::cases(), requests::cases()];
    rows.into_iter().flatten().collect()
}

/// A site that expects HTTP/2.
pub(crate) fn http2() -> Json {
    json!({"expect": {"http_version": ["HTTP/2"]}})
}

/// `act` goes on where the request has come.
pub(crate) fn row(name: &str, act: impl Fn(Peer) + Send + Sync + Clone + 'static, want: Want) -> Case {
    Case::new(name, move || at_localhost(serve(act.clone())), want).with(http2())
}

/// These frames are the answer, and then the connection ends.
pub(crate) fn sends(name: &str, frames: impl IntoIterator<Item = Vec<u8>>, want: Want) -> Case {
    let bytes: Vec<u8> = frames.into_iter().flatten().collect();
    row(
        name,
        move |mut peer| {
            peer.send(&bytes);
            peer.close();
        },
        want,
    )
}

/// These frames are the answer, and then nothing more happens.
pub(crate) fn held(name: &str, frames: impl IntoIterator<Item = Vec<u8>>, want: Want) -> Case {
    let bytes: Vec<u8> = frames.into_iter().flatten().collect();
    row(
        &format!("{name}, held open"),
        move |mut peer| {
            peer.send(&bytes);
            peer.hang();
        },
        want,
    )
}

pub(crate) fn no() -> Want {
    down(Reason::Protocol)
}
