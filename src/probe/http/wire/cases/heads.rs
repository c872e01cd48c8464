//! What stands before the body: interim answers, lines that are odd or about the length, line ends, limits.

use super::*;

pub(super) fn interim() -> Vec<Case> {
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

pub(super) fn heads() -> Vec<Case> {
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
pub(super) fn odd_lines() -> Vec<Case> {
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
pub(super) fn lines_about_length() -> Vec<Case> {
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
pub(super) fn line_ends() -> Vec<Case> {
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

pub(super) fn limits() -> Vec<Case> {
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
pub(super) fn other() -> Vec<Case> {
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
