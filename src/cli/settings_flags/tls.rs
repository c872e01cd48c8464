//! Flags for whom we trust and who we are: `[site.tls]`.

use clap::{Args, ValueHint};

use super::section::{Section, path};

/// Whom we trust, and who we are.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsFlags {
    /// Trust these certificates (PEM) instead of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca_file: Option<String>,

    /// Our own certificate and its chain (PEM), for servers that ask who we are
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_cert_file: Option<String>,

    /// The key of our own certificate (PEM, without a passphrase)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_key_file: Option<String>,

    /// Ask for this name, and look for it in the certificate [default: the URL's host]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,

    /// The oldest version of TLS to accept [default: 1.2]
    #[arg(long, value_name = "VERSION", value_parser = ["1.2", "1.3"])]
    tls_min: Option<String>,

    /// Accept any certificate: expired, for another name, or signed by nobody we know
    #[arg(short = 'k', long)]
    accept_invalid: bool,

    /// Degraded when a certificate expires sooner, 0s: never [default: 14d, or a third of its life]
    #[arg(long, value_name = "DURATION")]
    expiry_warning: Option<String>,
}

impl TlsFlags {
    pub(super) fn section(&self) -> Section {
        let mut section = Section::new("tls");
        section.say("--ca-file", &["ca_file"], self.ca_file.as_deref().map(path));
        section.say("--client-cert-file", &["client_cert_file"], self.client_cert_file.as_deref().map(path));
        section.say("--client-key-file", &["client_key_file"], self.client_key_file.as_deref().map(path));
        section.say("--server-name", &["server_name"], self.server_name.clone());
        section.say("--tls-min", &["min_version"], self.tls_min.clone());
        section.say("--accept-invalid", &["accept_invalid"], self.accept_invalid.then_some(true));
        section.say("--expiry-warning", &["expiry_warning"], self.expiry_warning.clone());
        section
    }
}
