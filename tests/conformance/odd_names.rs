//! Certificates with odd names in them: rows of the topic "certificates".

use std::net::SocketAddr;
use std::sync::LazyLock;

use rcgen::CustomExtension;
use uptime_monitor::probe::ProbeConfig;

use crate::authority::serve;
use crate::name_server::name_server;
use crate::table::{AUTHORITY, Case, Scene, Want, open, up};
use crate::trust::{refused, shown};

/// The extension for names, with entries of these tags and contents.
pub(crate) fn alternative_names(entries: &[(u8, &[u8])]) -> CustomExtension {
    let entry = |(tag, content): &(u8, &[u8])| [&[*tag, content.len() as u8][..], content].concat();
    let entries: Vec<u8> = entries.iter().flat_map(entry).collect();
    let length = entries.len() as u8;
    let head = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    let list = [head, entries].concat();
    CustomExtension::from_oid_content(&[2, 5, 29, 17], list)
}

/// What stands beside the right name does not matter (RFC 9525, section 6.2: one match is enough).
pub(crate) fn odd_names() -> Vec<Case> {
    const OTHERS: [(&str, u8, &[u8]); 15] = [
        ("a URL as a name", 0x82, b"https://localhost/"),
        ("a name with a blank", 0x82, b"local host"),
        ("a name with a port", 0x82, b"localhost:8443"),
        ("an empty name", 0x82, b""),
        ("a name in Latin-1", 0x82, b"gr\xfc\xdfe.test"),
        ("a name with NUL", 0x82, b"localhost\0.test"),
        ("a name that begins with a hyphen", 0x82, b"-a.test"),
        ("an address of three octets", 0x87, b"\x7f\0\0"),
        ("an address as a text", 0x87, b"127.0.0.1"),
        ("a mail address", 0x81, b"me@localhost"),
        ("a URI", 0x86, b"spiffe://test/a"),
        ("a name of another kind", 0xa0, b"\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01a"),
        ("a directory name that is none", 0xa4, b"\x01"),
        ("a registered id", 0x88, b"\x2a\x03\x04"),
        ("a tag that nobody knows", 0x8b, b"a"),
    ];
    let row = |name: &str, entries: Vec<(u8, &'static [u8])>, want: Want| {
        shown(name, move || AUTHORITY.leaf_saying(vec![alternative_names(&entries)]), want)
    };
    let mut rows: Vec<Case> = OTHERS
        .into_iter()
        .map(|(name, tag, content)| row(name, vec![(tag, content), (0x82, b"localhost")], up()))
        .collect();
    rows.extend([
        row(
            "only odd names",
            OTHERS.map(|(_, tag, content)| (tag, content)).to_vec(),
            refused("not valid for localhost, but for"),
        ),
        by_name("underscores in a label", "a_b.web.test", &["a_b.web.test"], up()),
        by_name("underscores, and a wildcard", "_a_b.web.test", &["*.web.test"], up()),
        by_name("a label that ends in a hyphen", "web-.test", &["web-.test"], up()),
        by_name("a label that ends in a hyphen, and a wildcard", "web-.shop.test", &["*.shop.test"], up()),
        by_name(
            "a label that ends in a hyphen, and another name",
            "web-.shop.test",
            &["www.shop.test"],
            refused("not valid for web-.shop.test, but for www.shop.test")
                .tells("could not be asked for (SNI)"),
        ),
    ]);
    rows
}

/// A site with a name that a name server of our own knows.
fn by_name(name: &str, host: &'static str, names: &'static [&'static str], want: Want) -> Case {
    let extension = || {
        let entries: Vec<(u8, &[u8])> = names.iter().map(|name| (0x82, name.as_bytes())).collect();
        alternative_names(&entries)
    };
    let scene = move || {
        let server = serve(AUTHORITY.leaf_saying(vec![extension()]));
        Scene { url: format!("https://{host}:{}/", server.port()), servers: vec![server], held: None }
    };
    Case::new(name, scene, want).config(ProbeConfig { dns: vec![*NAME_SERVER], ..open() })
}

static NAME_SERVER: LazyLock<SocketAddr> = LazyLock::new(name_server);
