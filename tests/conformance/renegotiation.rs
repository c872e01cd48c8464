//! A TLS 1.2 server that asks to negotiate again in the middle of a request, as apache does to ask for a client certificate for
//! one `<Location>`. rustls cannot, so its records are made by hand once it has shaken hands.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::TLS12;
use rustls::{ConnectionTrafficSecrets, ServerConfig};

use crate::authority::{TlsStream, VALID, serve_with};
use crate::server::Server;
use crate::table::AUTHORITY;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// RFC 5246, section 7.4.1.1.
const HELLO_REQUEST: [u8; 4] = [0; 4];

/// Fatal, handshake_failure: what apache says when its wish is refused.
const REFUSED: [u8; 2] = [2, 40];

/// Asks again when it has the request, and gives up when the client will not.
pub(crate) fn server() -> Server {
    let identity = AUTHORITY.leaf(&["localhost"], VALID);
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let suites = vec![TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384];
    let provider = CryptoProvider { cipher_suites: suites, ..rustls::crypto::aws_lc_rs::default_provider() };
    let builder = ServerConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&TLS12]).unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(identity.chain, key).unwrap();
    config.enable_secret_extraction = true;
    serve_with(Arc::new(config), |stream, _| ask_again(stream))
}

fn ask_again(stream: TlsStream) {
    let (connection, mut tcp) = stream.into_parts();
    let (number, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
    let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else { panic!("another suite") };
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).unwrap());
    let seal = |number: u64, kind, text: &[u8]| sealed(&key, &iv.as_ref()[..4], number, kind, text);
    tcp.write_all(&seal(number, HANDSHAKE, &HELLO_REQUEST)).unwrap();
    skip_record(&mut tcp);
    tcp.write_all(&seal(number + 1, ALERT, &REFUSED)).unwrap();
    let _ = tcp.read(&mut [0; 64]);
}

/// A record by RFC 5246, section 6.2.3.3 and RFC 5288, section 3.
fn sealed(key: &LessSafeKey, salt: &[u8], number: u64, kind: u8, text: &[u8]) -> Vec<u8> {
    let head = |length: usize| [&[kind, 3, 3][..], &(length as u16).to_be_bytes()].concat();
    let explicit = number.to_be_bytes();
    let nonce = Nonce::try_assume_unique_for_key(&[salt, &explicit].concat()).unwrap();
    let mut body = text.to_vec();
    let aad = [&explicit[..], &head(text.len())].concat();
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut body).unwrap();
    [head(explicit.len() + body.len()), explicit.to_vec(), body].concat()
}

/// The client's warning that it will not.
fn skip_record(tcp: &mut TcpStream) {
    let mut head = [0; 5];
    tcp.read_exact(&mut head).unwrap();
    assert_eq!(head[0], ALERT);
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    tcp.read_exact(&mut body).unwrap();
}
