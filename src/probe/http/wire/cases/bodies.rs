//! Bodies: none, by length, to the end of the connection, in chunks, coded; and how an answer ends.

use super::*;

pub(super) fn without_body() -> Vec<Case> {
    vec![
        case("204 with bytes of body", "HTTP/1.1 204 No Content\r\n\r\nhello", Whole(204, 0)),
        case(
            "204 with a length, held open",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
            Whole(204, 0),
        )
        .stays(),
        case(
            "204 with chunks announced, held open",
            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
            Whole(204, 0),
        )
        .stays(),
        case(
            "304 with a length, held open",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
            Whole(304, 0),
        )
        .stays(),
        case("304 in HTTP/1.0, held open", "HTTP/1.0 304 Not Modified\r\n\r\n", Whole(304, 0)).stays(),
        case("HEAD with a length, held open", ok("Content-Length: 1000\r\n", ""), Whole(200, 0))
            .of_head()
            .stays(),
        case("HEAD with chunks announced, held open", chunked(""), Whole(200, 0)).of_head().stays(),
        case("HEAD without a length, held open", ok("", ""), Whole(200, 0)).of_head().stays(),
        case("HEAD with a body all the same", ok(LENGTH, "hello"), Whole(200, 0)).of_head(),
        case("length 0, held open", ok("Content-Length: 0\r\n", ""), Whole(200, 0)).stays(),
        case(
            "205 with length 0, held open",
            "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
            Whole(205, 0),
        )
        .stays(),
    ]
}

pub(super) fn lengths() -> Vec<Case> {
    let broken = |why| Fault("protocol", why);
    vec![
        case("a length", ok(LENGTH, "hello"), HELLO),
        case("a length, held open", ok("Connection: keep-alive\r\nContent-Length: 5\r\n", "hello"), HELLO)
            .stays(),
        case("bytes behind the length", ok(LENGTH, "hello and more"), HELLO),
        case(
            "5 of 100 bytes",
            ok("Content-Length: 100\r\n", "hello"),
            broken("it ends after 5 of 100 bytes"),
        ),
        case("0 of 100 bytes", ok("Content-Length: 100\r\n", ""), broken("it ends after 0 of 100 bytes")),
        case("two equal lengths", ok("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), HELLO),
        case("a list of equal lengths", ok("Content-Length: 5, 5\r\n", "hello"), HELLO),
        case(
            "different lengths",
            ok("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
            broken("several Content-Lengths"),
        ),
        case(
            "a list of different lengths",
            ok("Content-Length: 5, 6\r\n", "hello"),
            broken("several Content-Lengths"),
        ),
        case("length +5", ok("Content-Length: +5\r\n", "hello"), broken("Content-Length is no number")),
        case("length -1", ok("Content-Length: -1\r\n", "hello"), broken("Content-Length is no number")),
        case("length 0x5", ok("Content-Length: 0x5\r\n", "hello"), broken("Content-Length is no number")),
        case("length 5.0", ok("Content-Length: 5.0\r\n", "hello"), broken("Content-Length is no number")),
        case("an empty length", ok("Content-Length:\r\n", "hello"), broken("Content-Length is no number")),
        case(
            "a length of 21 digits",
            ok("Content-Length: 184467440737095516160\r\n", "hello"),
            broken("Content-Length is no number"),
        ),
        case(
            "the largest length there is",
            ok("Content-Length: 18446744073709551615\r\n", "hello"),
            broken("it ends after 5 of 18446744073709551615 bytes"),
        ),
        case("a length with zeros before it", ok("Content-Length: 0005\r\n", "hello"), HELLO),
        case("a length with blanks around it", ok("Content-Length: \t 5 \t\r\n", "hello"), HELLO),
        case(
            "300 KB with a length",
            ok("Content-Length: 300000\r\n", &"x".repeat(300_000)),
            Whole(200, 300_000),
        ),
    ]
}

pub(super) fn until_close() -> Vec<Case> {
    vec![
        case("until the end", ok("", "hello world"), Whole(200, 11)),
        case(
            "until the end, and keep-alive",
            ok("Connection: keep-alive\r\n", "hello world"),
            Whole(200, 11),
        ),
        case("until the end, empty", ok("", ""), Whole(200, 0)),
        case("until the end, in HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", HELLO),
        case("identity, until the end", ok("Transfer-Encoding: identity\r\n", "hello"), HELLO),
        case("HTTP/1.0 with a length", format!("HTTP/1.0 200 OK\r\n{LENGTH}\r\nhello"), HELLO),
        case(
            "HTTP/1.0, 5 of 9 bytes",
            "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhello",
            Fault("protocol", "it ends after 5 of 9 bytes"),
        ),
        case(
            "HTTP/1.0 keep-alive, held open",
            format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{LENGTH}\r\nhello"),
            HELLO,
        )
        .stays(),
        case(
            "an upgrade that is none, with a length",
            ok("Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n", "hello"),
            HELLO,
        )
        .stays(),
    ]
}

pub(super) fn chunks() -> Vec<Case> {
    let odd: String = (1..800).map(|size| format!("{size:x}\r\n{}\r\n", "x".repeat(size))).collect();
    vec![
        case("chunks, held open", chunked("5\r\nhello\r\n0\r\n\r\n"), HELLO).stays(),
        case(
            "chunks with extensions and trailers",
            chunked("5;a=b;c=\"d\"\r\nhello\r\n6 ; e\r\n world\r\n0\r\nTrailer: yes\r\nMore: \r\n\r\n"),
            Whole(200, 11),
        ),
        case("no chunk but the last", chunked("0\r\n\r\n"), Whole(200, 0)).stays(),
        case("zeros before a size", chunked("000005\r\nhello\r\n000\r\n\r\n"), HELLO),
        case(
            "sizes in both cases",
            chunked("A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"),
            Whole(200, 21),
        ),
        case("bytes behind the last chunk", chunked("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n"), HELLO),
        case("chunks of odd sizes, 300 KB", chunked(&format!("{odd}0\r\n\r\n")), Whole(200, 319_600)),
    ]
}

pub(super) fn bad_chunks() -> Vec<Case> {
    vec![
        case("chunks cut before the last", chunked("5\r\nhello\r\n"), BODY_CUT),
        case(
            "chunks cut inside of data",
            chunked("5\r\nhel"),
            Fault("protocol", "it ends after 3 bytes, before its last chunk"),
        ),
        case("chunks cut inside of a size", chunked("5\r\nhello\r\n1"), BODY_CUT),
        case("chunks cut behind the last size", chunked("5\r\nhello\r\n0\r\n"), BODY_CUT),
        case("chunks cut inside of trailers", chunked("5\r\nhello\r\n0\r\nTrail"), BODY_CUT),
        case(
            "chunks cut before any",
            chunked(""),
            Fault("protocol", "it ends after 0 bytes, before its last chunk"),
        ),
        case("chunk size zz", chunked("5\r\nhello\r\nzz\r\n"), Fault("protocol", "a chunk has no size")),
        case(
            "chunk size 0x5",
            chunked("0x5\r\nhello\r\n0\r\n\r\n"),
            Fault("protocol", "the size of a chunk is no number"),
        ),
        case("chunk size -5", chunked("-5\r\nhello\r\n0\r\n\r\n"), Fault("protocol", "a chunk has no size")),
        case(
            "a blank before a chunk size",
            chunked(" 5\r\nhello\r\n0\r\n\r\n"),
            Fault("protocol", "a chunk has no size"),
        ),
        case(
            "a chunk size of 17 digits",
            chunked("11111111111111111\r\nhello"),
            Fault("protocol", "too many digits"),
        ),
        case("a chunk size of 16 digits, and little data", chunked("ffffffffffffffff\r\nhello"), BODY_CUT),
        case(
            "a chunk longer than its size",
            chunked("3\r\nhello\r\n0\r\n\r\n"),
            Fault("protocol", "a chunk is longer than its size"),
        ),
        case(
            "300 KB of chunk extensions",
            chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300_000))),
            Fault("protocol", "extensions and trailers are too long"),
        ),
        case(
            "300 KB of trailers",
            chunked(&format!("5\r\nhello\r\n0\r\n{}\r\n", "Trailer: yes\r\n".repeat(21_500))),
            Fault("protocol", "extensions and trailers are too long"),
        ),
        case("chunk lines that end with LF alone", chunked("5\nhello\n0\n\n"), BAD_CHUNK),
        case("a CR without LF behind a size", chunked("5\rXhello\r\n0\r\n\r\n"), BAD_CHUNK),
    ]
}

pub(super) fn codings() -> Vec<Case> {
    let hello = "5\r\nhello\r\n0\r\n\r\n";
    let with = |fields: &str| ok(fields, hello);
    vec![
        case(
            "a length and chunks: chunks win",
            with("Content-Length: 50\r\nTransfer-Encoding: chunked\r\n"),
            HELLO,
        )
        .stays(),
        case("CHUNKED", with("Transfer-Encoding: CHUNKED\r\n"), HELLO).stays(),
        case("`chunked,` with an empty element", with("Transfer-Encoding: chunked,\r\n"), HELLO).stays(),
        case("identity, chunked", with("Transfer-Encoding: identity, chunked\r\n"), HELLO).stays(),
        case(
            "gzip, chunked: never asked for",
            with("Transfer-Encoding: gzip, chunked\r\n"),
            Fault("protocol", "not asked for"),
        ),
        case(
            "chunked twice in one header",
            with("Transfer-Encoding: chunked, chunked\r\n"),
            Fault("protocol", "on top of chunked"),
        ),
        case(
            "chunked in two headers",
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            Fault("protocol", "on top of chunked"),
        ),
        case(
            "chunked, identity",
            with("Transfer-Encoding: chunked, identity\r\n"),
            Fault("protocol", "on top of chunked"),
        ),
        case(
            "chunks in HTTP/1.0",
            format!("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{hello}"),
            Fault("protocol", "in HTTP/1.0"),
        ),
    ]
}

pub(super) fn ends() -> Vec<Case> {
    vec![
        case("the end before any byte", "", NO_ANSWER),
        case("nothing but an empty line", "\r\n", HEAD_CUT),
        case("the end inside of the status line", "HTTP/1.1 20", HEAD_CUT),
        case("the end inside of the head", "HTTP/1.1 200 OK\r\nServer: x\r\n", HEAD_CUT),
        case("a reset before any byte", "", Fault("connect", "connection reset by")).resets(),
        case(
            "a reset inside of a length",
            ok("Content-Length: 100\r\n", "hello"),
            Fault("protocol", "the body is broken: connection reset by"),
        )
        .resets(),
        case(
            "a reset inside of chunks",
            chunked("5\r\nhello\r\n"),
            Fault("protocol", "the body is broken: connection reset by"),
        )
        .resets(),
        case(
            "a reset instead of the end",
            ok("", "hello"),
            Fault("protocol", "the body is broken: connection reset by"),
        )
        .resets(),
        case("a whole body, then a reset", ok(LENGTH, "hello"), HELLO).resets(),
        case("whole chunks, then a reset", chunked("5\r\nhello\r\n0\r\n\r\n"), HELLO).resets(),
    ]
}
