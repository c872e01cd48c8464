//! `[site.tls]`: whom we trust and who we are.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::keys::Keys;
use super::section::Section;
use crate::config::fault::Fault;
use crate::config::parse;
use crate::model::settings::{TlsSettings, TlsVersion};
use crate::pattern;

/// A year: who is warned all the time is not warned at all.
const WARNING: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(366 * 24);

pub(super) fn read(section: Section<'_>) -> TlsSettings {
    let Some(keys) = Keys::of(section) else { return TlsSettings::default() };
    let settings = TlsSettings {
        ca: keys.text_or_file("ca", certificates),
        client_cert: keys.text_or_file("client_cert", certificates),
        client_key: keys.text_or_file("client_key", private_key),
        server_name: keys.text("server_name", server_name),
        min_version: keys.text("min_version", min_version),
        accept_invalid: keys.bool("accept_invalid").unwrap_or_default(),
        expiry_warning: keys.read("expiry_warning", |value| parse::duration_within(value, &WARNING)),
    };
    refuse_halves(&keys);
    if let (Some(certificate), Some(key)) = (&settings.client_cert, &settings.client_key)
        && let Err(why) = pattern::client_identity(certificate, key)
    {
        keys.refuse(
            "client_key",
            format!("does not go with client_cert: {why}"),
            "name the certificate's own key",
        );
    }
    if settings.ca.is_some() && settings.accept_invalid {
        keys.refuse("ca", "stands beside accept_invalid, which trusts everybody", "keep one of the two");
    }
    settings
}

fn certificates(pem: &str) -> Result<String, Fault> {
    let remedy = "give certificates in PEM, which begin with -----BEGIN CERTIFICATE-----";
    let read = pattern::certificates(pem);
    read.map(|_| pem.to_owned()).map_err(|why| Fault::new(format!("cannot be used, {why}"), remedy))
}

fn private_key(pem: &str) -> Result<String, Fault> {
    let remedy = "give the key in PEM, which begins with -----BEGIN PRIVATE KEY----- or the like";
    let read = pattern::private_key(pem);
    read.map(|_| pem.to_owned()).map_err(|why| Fault::new(format!("cannot be used, {why}"), remedy))
}

fn server_name(name: &str) -> Result<String, Fault> {
    let read = pattern::server_name(name);
    read.map(|_| name.to_owned()).map_err(|why| {
        Fault::new(format!("is no server's name: {why}"), "write a host name or an address, without port")
    })
}

fn min_version(word: &str) -> Result<TlsVersion, Fault> {
    match word {
        "1.2" => Ok(TlsVersion::V1_2),
        "1.3" => Ok(TlsVersion::V1_3),
        _ => Err(Fault::new("is no version that checks speak", "choose from \"1.2\", \"1.3\"")),
    }
}

fn refuse_halves(keys: &Keys<'_>) {
    let is_said = |key: &str| keys.has(key) || keys.has(&format!("{key}_file"));
    for (half, other) in [("client_cert", "client_key"), ("client_key", "client_cert")] {
        if is_said(half) && !is_said(other) {
            let remedy = format!("add {other} or {other}_file");
            keys.refuse(half, format!("stands there without {other}"), &remedy);
        }
    }
}
