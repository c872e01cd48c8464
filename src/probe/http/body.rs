//! The body of the last answer: decoded, counted, and as much of it kept as somebody will look at.

use std::io;
use std::pin::pin;

use futures_util::stream;

use super::decode;
use super::wire::Conversation;
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::head::Head;
use crate::probe::trace::Trace;

/// Reads it up to `limit` bytes, of which the first `keep` are kept.
pub(super) async fn read(
    conversation: &mut Conversation,
    head: &Head,
    limit: u64,
    keep: usize,
    trace: &Trace,
) -> Result<(), Failure> {
    let codings = decode::codings(head);
    if !codings.is_empty() {
        let pieces = pin!(stream::try_unfold(conversation, |conversation| async move {
            let piece = conversation.piece().await.map_err(io::Error::other)?;
            Ok(piece.map(|piece| (piece, conversation)))
        }));
        let decoded = decode::decode(pieces, &codings, |data| trace.read(data, limit, keep)).await;
        return decoded.map_err(failure);
    }
    while let Some(piece) = conversation.piece().await? {
        if !trace.read(&piece, limit, keep) {
            break;
        }
    }
    Ok(())
}

/// Of the conversation, which decoders hand on as it is, or of a decoder.
fn failure(error: io::Error) -> Failure {
    let broken = |error| Failure::new(Reason::Protocol, format!("the body is broken: {error}"));
    error.downcast::<Failure>().unwrap_or_else(broken)
}
