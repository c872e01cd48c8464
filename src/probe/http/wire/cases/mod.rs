//! Answers as servers send them, good and bad, and what each is. One list for two uses: the parser is tested with every split
//! of each, here, and the whole probe with each over TCP and TLS, in `tests/conformance`. Therefore no word of either crate.

use Is::{Fault, Whole};

/// An answer and what follows it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The request's method is HEAD.
    pub(crate) to_head: bool,
    pub(crate) then: Then,
    pub(crate) is: Is,
}

/// What the server does when it has sent everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Closes,
    Resets,
    /// Keeps the connection open, for another request that never comes.
    Stays,
}

/// How an answer is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    /// Complete, with this status and so many bytes of body.
    Whole(u16, u64),
    /// Wrong, for this reason; the error tells this.
    Fault(&'static str, &'static str),
}

fn case(name: &'static str, bytes: impl Into<Vec<u8>>, is: Is) -> Case {
    Case { name, bytes: bytes.into(), to_head: false, then: Then::Closes, is }
}

/// `200 OK` with `fields`, each with its line end, and `body`.
fn ok(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}")
}

/// A chunked answer: `body` with its framing.
fn chunked(body: &str) -> String {
    ok("Transfer-Encoding: chunked\r\n", body)
}

impl Case {
    fn of_head(self) -> Self {
        Self { to_head: true, ..self }
    }

    fn stays(self) -> Self {
        Self { then: Then::Stays, ..self }
    }

    fn resets(self) -> Self {
        Self { then: Then::Resets, ..self }
    }
}

const HEAD_CUT: Is = Fault("connect", "closed the connection before a whole answer");
const NO_ANSWER: Is = Fault("connect", "closed the connection before it answered");
const HEAD_TOO_LARGE: Is = Fault("too_large", "a head that is too large");
const BODY_CUT: Is = Fault("protocol", "the body is broken: it ends after 5 bytes, before its last chunk");
const NOT_HTTP: Is = Fault("protocol", "does not answer in HTTP/1");
const BAD_HEAD: Is = Fault("protocol", "an answer with a broken head: ");
const ABOUT_LENGTH: Is = Fault("protocol", "a broken head: a line that may be about its length");
const BAD_CHUNK: Is = Fault("protocol", "the body is broken: ");
const HELLO: Is = Whole(200, 5);
const LENGTH: &str = "Content-Length: 5\r\n";

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [
        interim(),
        without_body(),
        lengths(),
        until_close(),
        chunks(),
        bad_chunks(),
        codings(),
        heads(),
        odd_lines(),
        lines_about_length(),
        line_ends(),
        limits(),
        other(),
        ends(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn interim() -> Vec<Case> {
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    let hello = ok(LENGTH, "hello");
    vec![
        case("103 before 200", format!("{hint}{hello}"), HELLO),
        case("100 unasked, then 200", format!("{go_on}{hello}"), HELLO),
        case(
            "100, 102, 103, 103, then 200",
            format!("{go_on}HTTP/1.1 102 Processing\r\n\r\n{hint}{hint}{hello}"),
            HELLO,
        ),
        case("103, 103, then chunks", format!("{hint}{hint}{}", chunked("5\r\nhello\r\n0\r\n\r\n")), HELLO),
        case("199, then 200", format!("HTTP/1.1 199 Odd\r\n\r\n{hello}"), HELLO),
        case(
            "103 with a length, which means nothing",
            format!("HTTP/1.1 103 Early Hints\r\n{LENGTH}\r\n{hello}"),
            HELLO,
        ),
        case("103 in HTTP/1.0, then 200", format!("HTTP/1.0 103 Early Hints\r\n\r\n{hello}"), HELLO),
        case("only a 103, then the end", hint, HEAD_CUT),
        case("a 103 and half a head", format!("{hint}HTTP/1.1 200 OK\r\nServer"), HEAD_CUT),
        case("a 103, then noise", format!("{hint}hello"), NOT_HTTP),
        case("5000 times 103", hint.repeat(5000), HEAD_TOO_LARGE),
        case("101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", Whole(101, 0))
            .stays(),
        case("103 before the answer to HEAD", format!("{hint}{}", ok(LENGTH, "")), Whole(200, 0))
            .of_head()
            .stays(),
    ]
}

fn without_body() -> Vec<Case> {
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

fn lengths() -> Vec<Case> {
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

fn until_close() -> Vec<Case> {
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

fn chunks() -> Vec<Case> {
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

fn bad_chunks() -> Vec<Case> {
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

fn codings() -> Vec<Case> {
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

fn heads() -> Vec<Case> {
    vec![
        case("lines that end with LF alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", HELLO),
        case("no reason phrase and no blank", format!("HTTP/1.1 200\r\n{LENGTH}\r\nhello"), HELLO),
        case("an empty reason phrase", format!("HTTP/1.1 200 \r\n{LENGTH}\r\nhello"), HELLO),
        case("names in lower case, no blank", ok("content-length:5\r\n", "hello"), HELLO),
        case("a blank before a colon", ok("Content-Length : 5\r\n", "hello"), HELLO),
        case(
            "a value over several lines",
            ok("X-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 5\r\n", "hello"),
            HELLO,
        ),
        case("two Host headers", ok("Host: a\r\nHost: b\r\nContent-Length: 5\r\n", "hello"), HELLO),
        case("an empty line before it", format!("\r\n{}", ok(LENGTH, "hello")), HELLO),
        case("three empty lines before it", format!("\r\n\n\r\n{}", ok(LENGTH, "hello")), HELLO),
        case(
            "a header in Latin-1",
            [b"HTTP/1.1 200 OK\r\nX: Gr\xfc\xdfe\r\nContent-Length: 5\r\n\r\nhello".as_slice()].concat(),
            HELLO,
        ),
        case("a header without a value", ok("X-Empty:\r\nContent-Length: 5\r\n", "hello"), HELLO),
        case("status 999", format!("HTTP/1.1 999 Odd\r\n{LENGTH}\r\nhello"), Whole(999, 5)),
        case("status 099", "HTTP/1.1 099 Odd\r\n\r\n", Fault("protocol", "status 099")),
        case("status 20", "HTTP/1.1 20 OK\r\n\r\n", BAD_HEAD),
        case("status 2000", "HTTP/1.1 2000 OK\r\n\r\n", BAD_HEAD),
        case("a status in words", "HTTP/1.1 OK\r\n\r\n", BAD_HEAD),
        case("two blanks in the status line", format!("HTTP/1.1  200  OK\r\n{LENGTH}\r\nhello"), HELLO),
        case("a control character in the reason", format!("HTTP/1.1 200 O\x08K\r\n{LENGTH}\r\nhello"), HELLO),
        // RFC 9110, section 2.5: read as the highest version of the same kind that is known.
        case("HTTP/1.2", format!("HTTP/1.2 200 OK\r\n{LENGTH}\r\nhello"), HELLO),
        case("HTTP/1.9 without a reason", format!("HTTP/1.9 200\r\n{LENGTH}\r\nhello"), HELLO),
        case("HTTP/1.2 in chunks", chunked("5\r\nhello\r\n0\r\n\r\n").replace("/1.1", "/1.2"), HELLO).stays(),
        case("HTTP/1.11", "HTTP/1.11 200 OK\r\n\r\nhello", BAD_HEAD),
        case("HTTP/1.x", "HTTP/1.x 200 OK\r\n\r\nhello", BAD_HEAD),
    ]
}

/// Lines that are no header lines, each before one that is. 184 of the million most visited sites had one when Chromium
/// counted them.
fn odd_lines() -> Vec<Case> {
    let lines: [(&str, &[u8]); 17] = [
        ("a blank in a name", b"My Header: x"),
        ("brackets in a name", b"[X-Debug]: x"),
        ("a parenthesis in a name", b"X(1): x"),
        ("quotes around a name", b"\"X-Old\": x"),
        ("a slash in a name", b"X/Y: x"),
        ("an at sign in a name", b"X@Y: x"),
        ("a name in UTF-8", "X-Größe: x".as_bytes()),
        ("a name in Latin-1", b"X-Gr\xf6\xdfe: x"),
        ("a control character in a name", b"X\x01Y: x"),
        ("DEL in a value", b"X: a\x7fb"),
        ("BS in a value", b"X: a\x08b"),
        ("ESC in a value", b"X: \x1b[1mbold"),
        ("VT and FF in a value", b"X: a\x0b\x0cb"),
        ("a line without a colon", b"this is no header"),
        ("an empty name", b": x"),
        ("only a colon", b":"),
        ("a status line among the headers", b"HTTP/1.1 200 OK"),
    ];
    let with = |line: &[u8], rest: &str| {
        [b"HTTP/1.1 200 OK\r\nServer: x\r\n", line, b"\r\n", rest.as_bytes(), b"\r\nhello"].concat()
    };
    let mut cases: Vec<Case> =
        lines.map(|(name, line)| case(name, with(line, LENGTH), HELLO).stays()).into_iter().collect();
    cases.extend(oddly_placed(&with));
    cases
}

/// Odd lines at other places than in the middle of a head, and in other company.
fn oddly_placed(with: &dyn Fn(&[u8], &str) -> Vec<u8>) -> Vec<Case> {
    let interim = "HTTP/1.1 103 Early Hints\r\nMy Link: </a>\r\n\r\n";
    vec![
        case("a blank before the first name", ok(" X: 1\r\nContent-Length: 5\r\n", "hello"), HELLO).stays(),
        case(
            "a tab before the first two names",
            ok("\tX: 1\r\n\tY: 2\r\nContent-Length: 5\r\n", "hello"),
            HELLO,
        )
        .stays(),
        case("an odd line over three lines", with(b"My Header: a\r\n b\r\n\tc: d", LENGTH), HELLO).stays(),
        case("a fold with a control character", with(b"X: a\r\n b\x7fc", LENGTH), HELLO).stays(),
        case(
            "an odd line and a length with a fold",
            with(b"My Header: a", "Content-Length:\r\n 5\r\n"),
            HELLO,
        )
        .stays(),
        case(
            "odd lines that end with LF alone",
            "HTTP/1.1 200 OK\nMy Header: x\nContent-Length: 5\n\nhello",
            HELLO,
        )
        .stays(),
        case("an odd line alone", ok("My Header: x\r\n", "hello"), HELLO),
        case("an odd line last", ok("Content-Length: 5\r\nMy Header: x\r\n", "hello"), HELLO).stays(),
        case("1000 odd lines", with("My Header: x\r\n".repeat(1000).trim_end().as_bytes(), LENGTH), HELLO)
            .stays(),
        case(
            "an odd line before chunks",
            ok("My Header: x\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            HELLO,
        )
        .stays(),
        case("an odd line in an interim answer", format!("{interim}{}", ok(LENGTH, "hello")), HELLO).stays(),
        case("an odd trailer", chunked("5\r\nhello\r\n0\r\nX: a\x7fb\r\nMy Sum: 1\r\n\r\n"), HELLO).stays(),
    ]
}

/// Lines that somebody might take for a length, and others not.
fn lines_about_length() -> Vec<Case> {
    let lines: [(&str, &[u8]); 12] = [
        ("a length without a colon", b"Content-Length"),
        ("a length without a colon, with its number", b"Content-Length 5"),
        ("a length with a blank inside", b"Content- Length: 5"),
        ("a length with a blank before it", b"X: y\x7f\r\n Content-Length: 5"),
        ("a length behind a word", b"My Content-Length: 5"),
        ("a length with a control character before it", b"\x0bContent-Length: 5"),
        ("a length with a control character behind it", b"Content-Length\x01: 5"),
        ("a length in brackets", b"[Content-Length]: 5"),
        ("a length of which the number has a control character", b"Content-Length: 5\x7f"),
        ("a length that goes on with a control character", b"Content-Length: 5\r\n \x08"),
        ("a coding with a blank inside", b"Transfer Encoding: chunked"),
        ("a coding with a control character", b"Transfer-Encoding: chunked\x0b"),
    ];
    let with = |line: &[u8]| [b"HTTP/1.1 200 OK\r\n", line, b"\r\n\r\nhello"].concat();
    let mut cases: Vec<Case> =
        lines.map(|(name, line)| case(name, with(line), ABOUT_LENGTH).stays()).into_iter().collect();
    cases.extend([
        case("a blank before the first name, a length", ok(" Content-Length: 5\r\n", "hello"), ABOUT_LENGTH),
        case(
            "a blank before the first name, a coding",
            ok("\ttransfer-encoding: chunked\r\n", "hello"),
            ABOUT_LENGTH,
        ),
        case(
            "an odd line, then different lengths",
            ok("My Header: x\r\nContent-Length: 5\r\nContent-Length : 6\r\n", "hello"),
            Fault("protocol", "several Content-Lengths"),
        ),
    ]);
    cases
}

/// What is a line end for one and none for another.
fn line_ends() -> Vec<Case> {
    vec![
        // lighttpd 1.4.69, mod_proxy: trailers of an application that come before the head is sent.
        case(
            "lighttpd 1.4.69: a line that ends in CR CR LF",
            ok("X-Sum: 1\r\r\nContent-Length: 5\r\n", "hello"),
            HELLO,
        )
        .stays(),
        case("a length that ends in CR CR LF", ok("Content-Length: 5\r\r\n", "hello"), HELLO).stays(),
        case("a line that ends in CR CR CR LF", ok("Content-Length: 5\r\nX: 1\r\r\r\n", "hello"), HELLO)
            .stays(),
        case("a status line that ends in CR CR LF", format!("HTTP/1.1 200 OK\r\r\n{LENGTH}\r\nhello"), HELLO)
            .stays(),
        case("a trailer that ends in CR CR LF", chunked("5\r\nhello\r\n0\r\nX: 1\r\r\n\r\n"), HELLO).stays(),
        case("a line of CR CR LF", ok("X: 1\r\n\r\r\nContent-Length: 5\r\n", "hello"), BAD_HEAD),
        case(
            "a bare CR in a value",
            ok("X: a\rContent-Length: 9\r\nContent-Length: 5\r\n", "hello"),
            BAD_HEAD,
        ),
        case("a bare CR in a name", ok("X\rY: 1\r\nContent-Length: 5\r\n", "hello"), BAD_HEAD),
        case("two bare CRs in a value", ok("X: a\r\rY: b\r\n", "hello"), BAD_HEAD),
        case("a bare CR in the status line", "HTTP/1.1 200 O\rK\r\n\r\nhello", BAD_HEAD),
        case("a bare CR in a trailer", chunked("5\r\nhello\r\n0\r\nX: a\rY: b\r\n\r\n"), BAD_CHUNK),
        case("a NUL in a value", ok("X: a\0b\r\n", ""), BAD_HEAD),
        case("a NUL in a name", ok("X\0Y: b\r\n", ""), BAD_HEAD),
        case("a NUL in a line without a colon", ok("a\0b\r\n", ""), BAD_HEAD),
        case("a NUL in the status line", "HTTP/1.1 200 O\0K\r\n\r\n", BAD_HEAD),
        case("a NUL in a trailer", chunked("5\r\nhello\r\n0\r\nX: a\0b\r\n\r\n"), BAD_CHUNK),
    ]
}

fn limits() -> Vec<Case> {
    let field = format!("A: {}\r\n", "b".repeat(995));
    let short = format!("A: {}\r\n", "b".repeat(195));
    let many = |count| format!("{}Content-Length: 5\r\n", "A: b\r\n".repeat(count));
    vec![
        case("a head of 60 KB", ok(&format!("{}{LENGTH}", field.repeat(60)), "hello"), HELLO),
        case("a head of 70 KB", ok(&format!("{}{LENGTH}", field.repeat(70)), "hello"), HEAD_TOO_LARGE),
        case(
            "500 headers of 200 bytes",
            ok(&format!("{}{LENGTH}", short.repeat(500)), "hello"),
            HEAD_TOO_LARGE,
        ),
        case(
            "200 KB of head without a line end",
            format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(200_000)),
            HEAD_TOO_LARGE,
        ),
        case("200 KB of empty lines", "\r\n".repeat(100_000), HEAD_TOO_LARGE),
        case("200 headers", ok(&many(199), "hello"), HELLO),
        case("512 headers", ok(&many(511), "hello"), HELLO),
        case("600 headers", ok(&many(599), "hello"), Fault("too_large", "more than 512 headers")),
    ]
}

/// What is not HTTP/1 is known by the first byte that differs, so these need not end.
fn other() -> Vec<Case> {
    vec![
        case("SSH", "SSH-2.0-OpenSSH_9.9\r\n", NOT_HTTP).stays(),
        case("SMTP", "220 mail.example ESMTP\r\n", NOT_HTTP).stays(),
        case("IMAP", "* OK ready\r\n", NOT_HTTP).stays(),
        case("a page without a head, as in HTTP/0.9", "<html>hello</html>", NOT_HTTP),
        case("HTTP/2.0 in words", "HTTP/2.0 200 OK\r\n\r\n", NOT_HTTP),
        case("HTTP/2 in frames", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80".as_slice(), NOT_HTTP).stays(),
        case("HTTQ", "HTTQ", NOT_HTTP).stays(),
        case("http in lower case", "http/1.1 200 OK\r\n\r\n", NOT_HTTP).stays(),
        case("a TLS alert", b"\x15\x03\x03\0\x02\x02\x50".as_slice(), NOT_HTTP).stays(),
        case("a blank before the status line", " HTTP/1.1 200 OK\r\n\r\n", NOT_HTTP).stays(),
    ]
}

fn ends() -> Vec<Case> {
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
