//! What goes wrong over HTTP/2, as reasons and sentences. The reasons are those of HTTP/1 for what a person would call the same.

use h2::Reason as Code;

use super::AT_ONCE;
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::http::wire::error::WireError;
use crate::probe::http::wire::head::MAX_HEAD;

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// There is no final head.
    Head,
    Body(Told),
}

/// What is known of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) got: u64,
    /// By `content-length`.
    pub(super) want: Option<u64>,
}

/// The connection broke, for the reason that `failure` gives. Inside of a body that is a broken body, as in HTTP/1.
pub(super) fn broken(failure: &Failure, stage: Stage) -> Failure {
    match stage {
        Stage::Head => failure.clone(),
        Stage::Body(_) => body(&failure.error),
    }
}

/// An error that h2 tells of. `ended`: the server has closed the connection, after it had sent so many bytes (`came`).
pub(super) fn explain(error: &h2::Error, stage: Stage, ended: bool, came: u64, peer: &str) -> Failure {
    let code = error.reason().unwrap_or(Code::NO_ERROR);
    match stage {
        Stage::Head if error.is_remote() => refused(error, code, peer),
        Stage::Head if error.is_library() => violated(error, code, came, peer),
        Stage::Head if ended && came == 0 => WireError::NoAnswer.failure(peer),
        Stage::Head if ended => WireError::HeadCut.failure(peer),
        Stage::Body(told) if error.is_remote() => {
            let how = how(error);
            body(&format!("{peer} {how} after {} bytes{}", told.got, called(code)))
        }
        Stage::Body(told) if error.is_library() => misframed(error, code, told, peer),
        Stage::Body(told) if ended => cut(told),
        _ => Failure::internal(format!("HTTP/2 with {peer} failed: {error}")),
    }
}

/// The server has said that it will not answer.
fn refused(error: &h2::Error, code: Code, peer: &str) -> Failure {
    let (how, why) = (how(error), called(code));
    match code {
        Code::HTTP_1_1_REQUIRED => Failure::new(
            Reason::Protocol,
            format!("{peer} chose HTTP/2, and wants this request over HTTP/1.1{why}"),
        ),
        Code::PROTOCOL_ERROR
        | Code::FLOW_CONTROL_ERROR
        | Code::SETTINGS_TIMEOUT
        | Code::STREAM_CLOSED
        | Code::FRAME_SIZE_ERROR
        | Code::COMPRESSION_ERROR
        | Code::INADEQUATE_SECURITY => {
            Failure::new(Reason::Protocol, format!("{peer} {how} before it answered, and blames us{why}"))
        }
        _ => Failure::new(Reason::Connect, format!("{peer} {how} before it answered{why}")),
    }
}

fn how(error: &h2::Error) -> &'static str {
    if error.is_go_away() { "ended the connection" } else { "reset the stream" }
}

/// The answer is no HTTP/2, or has no proper head. Of a body behind the head no more can have come than is read at once.
fn violated(error: &h2::Error, code: Code, came: u64, peer: &str) -> Failure {
    let is_large = came > (MAX_HEAD + AT_ONCE) as u64 || code == Code::ENHANCE_YOUR_CALM;
    match error.is_reset() {
        _ if is_large => WireError::HeadTooLarge.failure(peer),
        true => {
            let error = format!("{peer} sends an answer with a broken head{}", called(code));
            Failure::new(Reason::Protocol, error)
        }
        false => Failure::new(Reason::Protocol, format!("{peer} breaks the rules of HTTP/2{}", called(code))),
    }
}

/// The frames are no part of the body that the head has announced.
fn misframed(error: &h2::Error, code: Code, told: Told, peer: &str) -> Failure {
    match told.want {
        Some(want) if error.is_reset() && told.got != want => {
            body(&format!("it does not have the {want} bytes that its content-length says"))
        }
        // More of it, or trailers that are none.
        Some(want) if error.is_reset() => {
            body(&format!("it goes on wrongly after the {want} bytes that its content-length says"))
        }
        _ => body(&format!("after {} bytes, {peer} breaks the rules of HTTP/2{}", told.got, called(code))),
    }
}

fn cut(told: Told) -> Failure {
    match told.want {
        Some(want) => body(&format!("it ends after {} of {want} bytes", told.got)),
        None => body(&format!("it ends after {} bytes, before the end of its stream", told.got)),
    }
}

fn body(why: &str) -> Failure {
    Failure::new(Reason::Protocol, format!("the body is broken: {why}"))
}

/// The code as the RFC names it, which is the same in every tool.
fn called(code: Code) -> String {
    match u32::from(code) {
        0 => " (NO_ERROR)".to_owned(),
        1..=13 => format!(" ({code:?})"),
        other => format!(" (error {other:#x})"),
    }
}
