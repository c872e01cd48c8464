//! Content codings: taken off when they are known, told when they are broken, and never a way to make us use memory.

use std::io::Write as _;

use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt as _;
use uptime_monitor::model::Reason;

use crate::server::Exchange;
use crate::table::{Case, Want, down, run, up};

#[actix_rt::test]
async fn every_case() {
    run("content codings", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [known(), stacked(), unknown(), parts(), broken(), bombs()].into_iter().flatten().collect()
}

const TEXT: &str = "hello hello hello hello hello hello world";

macro_rules! encoder {
    ($name:ident, $encoder:ident) => {
        fn $name(data: &[u8]) -> Vec<u8> {
            // In memory, so nothing has to be waited for.
            futures_util::FutureExt::now_or_never(async {
                let mut encoder = $encoder::new(Vec::new());
                encoder.write_all(data).await.unwrap();
                encoder.shutdown().await.unwrap();
                encoder.into_inner()
            })
            .unwrap()
        }
    };
}

encoder!(gzip, GzipEncoder);
encoder!(zlib, ZlibEncoder);
encoder!(raw_deflate, DeflateEncoder);
encoder!(brotli, BrotliEncoder);
encoder!(zstd, ZstdEncoder);

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn text() -> Json {
    json!({"expect": {"body": {"matches": ["^(hello )+world$"]}}})
}

/// A body that is [`TEXT`] once `coding` is taken off.
fn plain(name: &str, coding: &str, body: &[u8]) -> Case {
    Case::answer(name, encoded(coding, body), up().bytes(TEXT.len() as u64)).with(text())
}

fn known() -> Vec<Case> {
    let text = TEXT.as_bytes();
    vec![
        plain("gzip", "gzip", &gzip(text)),
        plain("x-gzip", "x-gzip", &gzip(text)),
        plain("GZIP", "GZIP", &gzip(text)),
        plain("deflate in zlib", "deflate", &zlib(text)),
        plain("deflate without zlib", "deflate", &raw_deflate(text)),
        plain("br", "br", &brotli(text)),
        plain("zstd", "zstd", &zstd(text)),
        plain("identity", "identity", text),
        plain("no coding named", "", text),
        plain("gzip of two members", "gzip", &[gzip(&text[..12]), gzip(&text[12..])].concat()),
        plain("zstd of two frames", "zstd", &[zstd(&text[..12]), zstd(&text[12..])].concat()),
        Case::answer("gzip in chunks", chunked(&gzip(text)), up().bytes(text.len() as u64))
            .with(self::text()),
        Case::answer(
            "gzip until the end",
            [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".as_slice(), &gzip(text)].concat(),
            up(),
        )
        .with(self::text()),
        Case::answer("gzip of nothing", encoded("gzip", &gzip(b"")), up().bytes(0)),
        Case::answer("gzip, but no body", encoded("gzip", b""), up().bytes(0)),
        Case::answer(
            "204 with gzip",
            "HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n",
            up().bytes(0),
        ),
        Case::answer(
            "HEAD with gzip",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n",
            up().bytes(0),
        )
        .with(json!({"request": {"method": "HEAD"}})),
        Case::answer(
            "a size is that of the text",
            encoded("gzip", &gzip(&[b'x'; 5000])),
            down(Reason::TooLarge).bytes(100),
        )
        .with(json!({"expect": {"body": {"max_bytes": 100}}})),
        Case::answer(
            "sizes on the wire are those on the wire",
            encoded("gzip", &gzip(&[b'x'; 5000])),
            up().bytes(5000),
        )
        .also(|outcome, _| assert!(outcome.wire_bytes < 300, "{}", outcome.wire_bytes)),
    ]
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut wire =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(7) {
        write!(wire, "{:x}\r\n", chunk.len()).unwrap();
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

fn stacked() -> Vec<Case> {
    let text = TEXT.as_bytes();
    let two = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: br\r\n\r\n";
    vec![
        plain("gzip, then br", "gzip, br", &brotli(&gzip(text))),
        plain("gzip and identity", "identity, gzip", &gzip(text)),
        plain("gzip twice", "gzip, gzip", &gzip(&gzip(text))),
        plain("three codings", "deflate, zstd, gzip", &gzip(&zstd(&zlib(text)))),
        plain("an empty element", "gzip, ", &gzip(text)),
        Case::answer("in two headers", [two.as_bytes(), &brotli(&gzip(text))].concat(), up())
            .with(self::text()),
    ]
}

/// What is not known, and has not been asked for, is taken as it is.
fn unknown() -> Vec<Case> {
    let text = TEXT.as_bytes();
    let four = gzip(&gzip(&gzip(&gzip(text))));
    vec![
        plain("a coding that nobody knows", "klingon", text),
        plain("compress", "compress", text),
        Case::answer(
            "gzip under a coding that nobody knows",
            encoded("gzip, klingon", &gzip(text)),
            up().bytes(gzip(text).len() as u64),
        ),
        Case::answer(
            "more codings than anybody needs",
            encoded("gzip, gzip, gzip, gzip", &four),
            up().bytes(four.len() as u64),
        ),
    ]
}

/// A 206 of a coded page is a piece out of the middle: Twisted's `File` sends it of a page that lies there in gzip, and apache 2.4.71's
/// mod_deflate of any page, when a range and gzip are asked for.
fn parts() -> Vec<Case> {
    let whole = gzip(TEXT.as_bytes());
    let part = |fields: &str, body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 206 Partial Content\r\n{fields}Content-Length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let coded = |range: &str| format!("Content-Encoding: gzip\r\nContent-Range: bytes {range}\r\n");
    let first = part(&coded(&format!("0-9/{}", whole.len())), &whole[..10]);
    let middle = part(&coded(&format!("5-14/{}", whole.len())), &whole[5..15]);
    let all = part(&coded(&format!("0-{}/{}", whole.len() - 1, whole.len())), &whole);
    let several = part(
        "Content-Encoding: gzip\r\nContent-Type: multipart/byteranges; boundary=x\r\n",
        b"--x\r\nContent-Range: bytes 0-3/99\r\n\r\n\x1f\x8b\x08\x00\r\n--x--\r\n",
    );
    let expecting = |expect: Json| json!({"request": {"headers": {"Range": "bytes=0-9"}}, "expect": expect});
    let unread = || down(Reason::Body).tells("body is a part of a coded one, which cannot be read alone");
    vec![
        Case::answer("apache 2.4.71: the beginning in gzip", first.clone(), up().http(206).bytes(10))
            .with(expecting(json!({}))),
        Case::answer("Twisted: the middle in gzip", middle, up().http(206).bytes(10))
            .with(expecting(json!({"status": [206]}))),
        Case::answer("several parts of a page in gzip", several, up().http(206)),
        Case::answer(
            "a part without its range",
            part("Content-Encoding: gzip\r\n", &whole[..10]),
            up().http(206).bytes(10),
        ),
        Case::answer(
            "a part of a page in x-gzip and br",
            part("Content-Encoding: x-gzip, br\r\n", &whole[..10]),
            up().http(206),
        ),
        Case::answer("a part that is all of it", all, up().http(206).bytes(TEXT.len() as u64)).with(text()),
        Case::answer(
            "a part of a page that is not coded",
            part("Content-Range: bytes 0-4/9\r\n", b"hello"),
            up().http(206),
        )
        .with(expecting(json!({"body": {"contains": ["hello"]}}))),
        Case::answer("a text in a part of a page in gzip", first.clone(), unread())
            .with(expecting(json!({"body": {"contains": ["hello"]}}))),
        Case::answer("no text in a part of a page in gzip", first.clone(), unread())
            .with(expecting(json!({"body": {"not_contains": ["error"]}}))),
        Case::answer(
            "JSON in a part of a page in gzip",
            first.clone(),
            down(Reason::Json).tells("the body is a part of a coded one"),
        )
        .with(expecting(json!({"json": [{"path": "$.a", "exists": false}]}))),
        Case::answer(
            "the size of a part of a page in gzip",
            first.clone(),
            down(Reason::TooLarge).tells("at most 9"),
        )
        .with(expecting(json!({"body": {"max_bytes": 9}}))),
        Case::answer("a header of a part of a page in gzip", first, up())
            .with(expecting(json!({"headers": [{"name": "content-encoding", "equals": "gzip"}]}))),
    ]
}

fn wrong(tells: &str) -> Want {
    down(Reason::Protocol).tells("the body is broken").tells(tells)
}

fn broken() -> Vec<Case> {
    let text = TEXT.as_bytes();
    let cut = |body: Vec<u8>| body[..body.len() - 6].to_vec();
    let mut corrupt = gzip(text);
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0xff;
    let mut wrong_sum = gzip(text);
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 0xff;
    let framed_short = {
        let mut wire = encoded("gzip", &gzip(text));
        wire.truncate(wire.len() - 6);
        wire
    };
    vec![
        Case::answer("gzip cut", encoded("gzip", &cut(gzip(text))), wrong("")),
        Case::answer("zlib cut", encoded("deflate", &cut(zlib(text))), wrong("")),
        Case::answer("br cut", encoded("br", &cut(brotli(text))), wrong("")),
        Case::answer("zstd cut", encoded("zstd", &cut(zstd(text))), wrong("")),
        Case::answer("gzip cut by the connection", framed_short, wrong("it ends after")),
        Case::answer(
            "chunks of gzip cut before the last",
            cut(chunked(&gzip(text))),
            wrong("before its last chunk"),
        ),
        Case::answer("gzip corrupt", encoded("gzip", &corrupt), wrong("")),
        Case::answer("gzip with a wrong checksum", encoded("gzip", &wrong_sum), wrong("")),
        Case::answer("text that says gzip", encoded("gzip", text), wrong("")),
        Case::answer("gzip that says br", encoded("br", &gzip(text)), wrong("")),
        Case::answer("gzip that says zstd", encoded("zstd", &gzip(text)), wrong("")),
        Case::answer("br that says gzip", encoded("gzip", &brotli(text)), wrong("")),
        Case::answer("one byte of gzip", encoded("gzip", b"\x1f"), wrong("")),
        Case::answer(
            "noise behind gzip",
            encoded("gzip", &[gzip(text), b"noise".to_vec()].concat()),
            wrong(""),
        ),
        Case::answer(
            "an error page, corrupt",
            String::from_utf8_lossy(&encoded("gzip", text)).replace("200 OK", "500 X"),
            down(Reason::Protocol).http(500),
        ),
    ]
}

/// A gigabyte of zeros in about a megabyte, written in pieces: a member of gzip after the other.
fn bomb(mut exchange: Exchange) {
    let piece = gzip(&vec![0; 1 << 20]);
    exchange.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    for _ in 0..1024 {
        if exchange.tcp.write_all(&piece).is_err() {
            return;
        }
    }
}

fn bombs() -> Vec<Case> {
    let limit = 1024 * 1024;
    let quick = 0..=1_500;
    // Made by the server's thread: the one that checks must not be held up.
    let zeros = |coding: &'static str, encode: fn(&[u8]) -> Vec<u8>| {
        move |mut exchange: Exchange| exchange.send(encoded(coding, &encode(&vec![0; 2 << 20])))
    };
    let stops = |outcome: &uptime_monitor::probe::Outcome, _: &_| assert!(outcome.body_truncated);
    vec![
        Case::serving("1 GB of zeros in gzip", bomb, up().bytes(limit).within(quick.clone())).also(stops),
        Case::serving(
            "2 MB of zeros in gzip in gzip",
            zeros("gzip, gzip", |data| gzip(&gzip(data))),
            up().bytes(limit),
        )
        .also(stops),
        Case::serving("2 MB of zeros in br", zeros("br", brotli), up().bytes(limit)).also(stops),
        Case::serving("2 MB of zeros in zstd", zeros("zstd", zstd), up().bytes(limit)).also(stops),
        Case::serving("1 GB of zeros, at most 1000", bomb, down(Reason::TooLarge).bytes(1000).within(quick))
            .with(json!({"expect": {"body": {"max_bytes": 1000}}})),
    ]
}
