//! Every key of a site, one row each. From the rows come which keys there are and may have meant, which of them are secret, which are
//! for HTTP alone, what `sites set --reset` takes back, and the JSON Schema that editors use.
//!
//! What a value may be in detail, and what makes no sense beside another one, is for the readers in [`settings`](super::settings).

/// A key of a site, of one of its tables, or of a table in them.
#[derive(Debug)]
pub struct Key {
    /// Dotted, as problems name it: `request.max_redirects`. What stands in each item of a list has the path of the list.
    pub path: &'static str,
    /// In a sentence, for editors.
    pub help: &'static str,
    /// What may be written there.
    pub shape: Shape,
    /// Flags that say it, without their dashes, and groups of keys to which it belongs: what `--reset` with that word takes back.
    pub flags: &'static [&'static str],
    /// The key beside it that names a file with the value.
    pub file_key: Option<&'static str>,
    is_secret: bool,
    is_of_http: bool,
    /// The name of a set of keys of which a table has one at most.
    choice: Option<&'static str>,
}

/// What is written as the value of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Any text that the reader takes.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number, from the first to the second.
    Count(i64, i64),
    /// Any number.
    Number,
    /// As in [`duration`](crate::model::duration).
    Duration,
    /// Bytes: a number, or a text with a unit.
    Size,
    /// A status, a class or a range.
    Status,
    /// Whatever JSON can say.
    Json,
    /// Several texts.
    Texts,
    /// Several of these, or one alone.
    List(&'static Shape),
    /// Texts with names of the user's own.
    Map,
    /// The keys below its path.
    Table,
    /// The keys below its path, or a text alone, which stands for one of them.
    TableOrText,
    /// Several tables with the keys below its path, or one alone.
    Tables,
}

use Shape::{
    Bool, Count, Duration, Json, List, Map, Number, Size, Status, Table, TableOrText, Tables, Text, Texts,
    Word,
};

const fn key(path: &'static str, shape: Shape, help: &'static str) -> Key {
    Key { path, help, shape, flags: &[], file_key: None, is_secret: false, is_of_http: false, choice: None }
}

impl Key {
    const fn said_in(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }

    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    const fn of_http(self) -> Self {
        Self { is_of_http: true, ..self }
    }

    const fn or_file(self, file_key: &'static str) -> Self {
        Self { file_key: Some(file_key), ..self }
    }

    const fn one_of(self, choice: &'static str) -> Self {
        Self { choice: Some(choice), ..self }
    }

    /// The last part of its path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// Whether it stands in the table at `parent`; `""` is the site itself.
    fn is_in(&self, parent: &str) -> bool {
        match self.path.rsplit_once('.') {
            Some((table, _)) => table == parent,
            None => parent.is_empty(),
        }
    }
}

const TEXTS: Shape = List(&Text);

/// The methods of a request.
pub(super) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Certificates and keys; a client's certificate goes with its key.
const IDENTITY: &[&str] = &["client-cert-file", "client-key-file"];

const BODY: &[&str] = &["body", "body-file"];

#[rustfmt::skip]
const KEYS: [Key; 65] = [
    key("name", Text, "What it is called; unique, 1 to 200 characters."),
    key("url", Text, "What to check: http, https, or tcp and tls with host and port."),
    key("every", Duration, "How often: whole seconds, 1s to 31d; 1m where neither this nor schedule is said.").said_in(&["every", "schedule"]),
    key("schedule", Text, "When, as a cron expression, instead of every.").said_in(&["schedule", "every"]),
    key("zone", Text, "The time zone of schedule, for example Europe/Berlin; UTC where none is said.").said_in(&["zone", "schedule", "every"]),
    key("timeout", Duration, "Of one try; shorter than the time between two checks.").said_in(&["timeout"]),
    key("retries", Count(0, 10), "Further tries before a down stands.").said_in(&["retries"]),
    key("enabled", Bool, "False: kept but not checked."),
    key("tags", Texts, "Words for grouping.").said_in(&["tag"]),
    key("send", Text, "Sent over tcp or tls as it is.").said_in(&["send"]),
    key("id", Count(1, i64::MAX), "Written by exports; counts in imports, where a new site gets it."),

    key("request", Table, "How the site is requested.").said_in(&["request"]),
    key("request.method", Word(&METHODS), "GET where none is said.").said_in(&["method"]).of_http(),
    key("request.headers", Map, "Headers to send, over our own of the same names.").said_in(&["header"]).of_http(),
    key("request.body", Text, "Sent byte by byte; at most 1MiB.").said_in(BODY).secret().of_http().one_of("body").or_file("body_file"),
    key("request.body_base64", Text, "The same for bytes that are no text.").said_in(BODY).secret().of_http().one_of("body"),
    key("request.basic_auth", Table, "Who we are; not beside bearer_token.").said_in(&["basic-auth", "basic-auth-file"]).of_http().one_of("credentials"),
    key("request.basic_auth.username", Text, "Without a colon.").secret(),
    key("request.basic_auth.password", Text, "May be empty.").secret().or_file("password_file"),
    key("request.bearer_token", Text, "A token for Authorization: Bearer.").said_in(&["bearer-token", "bearer-token-file"]).secret().of_http().one_of("credentials").or_file("bearer_token_file"),
    key("request.follow_redirects", Bool, "False: a redirect is an answer like any other.").said_in(&["no-follow"]).of_http(),
    key("request.max_redirects", Count(0, 50), "More is down.").said_in(&["max-redirects"]).of_http(),
    key("request.ip", Word(&["any", "v4", "v6"]), "Which addresses are connected to.").said_in(&["ip"]),
    key("request.hide", TEXTS, "Texts that are shown nowhere, each of 4 characters or more.").secret(),

    key("tls", Table, "Whom we trust and who we are.").said_in(&["tls"]),
    key("tls.ca", Text, "Certificates (PEM) that are trusted instead of the system's.").said_in(&["ca-file"]).secret().one_of("ca").or_file("ca_file"),
    key("tls.client_cert", Text, "Our own certificate (PEM) with its chain.").said_in(IDENTITY).secret().one_of("client_cert").or_file("client_cert_file"),
    key("tls.client_key", Text, "Its key (PEM), not encrypted.").said_in(IDENTITY).secret().one_of("client_key").or_file("client_key_file"),
    key("tls.server_name", Text, "Asked for, and looked for in the certificate, instead of the URL's host.").said_in(&["server-name"]),
    key("tls.min_version", Word(&["1.2", "1.3"]), "The oldest version of TLS to accept.").said_in(&["tls-min"]),
    key("tls.accept_invalid", Bool, "True: any certificate will do, also an impostor's.").said_in(&["accept-invalid"]),
    key("tls.expiry_warning", Duration, "Degraded when a certificate expires sooner; 0s: never.").said_in(&["expiry-warning"]),

    key("expect", TableOrText, "What makes the answer a good one; all of it must hold. A text alone, over tcp or tls, is what the answer contains.").said_in(&["expect"]),
    key("expect.status", List(&Status), "One of these.").said_in(&["expect-status"]).of_http(),
    key("expect.headers", Tables, "Conditions on headers.").said_in(&["expect-header"]).of_http(),
    key("expect.headers.name", Text, "Which header."),
    key("expect.headers.equals", Text, "It is exactly this."),
    key("expect.headers.contains", Text, "It contains this."),
    key("expect.headers.matches", Text, "A regular expression that it matches."),
    key("expect.headers.not_matches", Text, "A regular expression that it does not match."),
    key("expect.headers.absent", Bool, "True: it is not there."),
    key("expect.headers.allow_missing", Bool, "True: the condition counts only where the header is there."),
    key("expect.response_time", Table, "How long the check may take; both shorter than timeout."),
    key("expect.response_time.degraded", Duration, "Longer is degraded.").said_in(&["degraded-after"]),
    key("expect.response_time.down", Duration, "Longer is down.").said_in(&["down-after"]),
    key("expect.http_version", List(&Word(&["HTTP/1.0", "HTTP/1.1", "HTTP/2"])), "One of these.").said_in(&["expect-http-version"]).of_http(),
    key("expect.tls", Word(&["required", "forbidden"]), "Required: every hop is https. Forbidden: the last one is not.").said_in(&["expect-tls"]).of_http(),
    key("expect.body", Table, "Conditions on the body."),
    key("expect.body.contains", TEXTS, "All of these.").said_in(&["expect-body"]),
    key("expect.body.not_contains", TEXTS, "None of these.").said_in(&["expect-body-not"]),
    key("expect.body.matches", TEXTS, "Regular expressions, all of which match.").said_in(&["expect-body-matches"]),
    key("expect.body.not_matches", TEXTS, "Regular expressions, none of which matches.").said_in(&["expect-body-not-matches"]),
    key("expect.body.max_bytes", Size, "Decoded; a larger body is down.").said_in(&["max-bytes"]),
    key("expect.json", Tables, "Conditions on the body as JSON.").said_in(&["expect-json"]).of_http(),
    key("expect.json.path", Text, "By RFC 9535, for example $.status."),
    key("expect.json.equals", Json, "One of the selected values is this."),
    key("expect.json.not_equals", Json, "None of the selected values is this."),
    key("expect.json.is_null", Bool, "It is null, or it is there and not null."),
    key("expect.json.gt", Number, "It is greater than this."),
    key("expect.json.ge", Number, "It is this or greater."),
    key("expect.json.lt", Number, "It is less than this."),
    key("expect.json.le", Number, "It is this or less."),
    key("expect.json.exists", Bool, "Something is there, or nothing."),
    key("expect.json.length", Count(0, 1 << 30), "Characters of a text, items of a list, members of a table."),
    key("expect.json.matches", Text, "A regular expression that it matches, as a text."),
];

impl Key {
    /// Every key, each behind the table in which it stands.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        KEYS.iter()
    }

    /// The keys of the table at `parent`; `""` is the site itself.
    pub fn in_table(parent: &str) -> impl Iterator<Item = &'static Self> {
        KEYS.iter().filter(move |key| key.is_in(parent))
    }

    /// The keys that a flag says, or that belong to a group, by its name without dashes.
    pub fn said_by(flag: &str) -> impl Iterator<Item = &'static Self> {
        KEYS.iter().filter(move |key| key.flags.contains(&flag))
    }

    /// Every word for [`said_by`](Self::said_by), once.
    pub fn flags() -> Vec<&'static str> {
        let mut flags: Vec<&str> = Vec::new();
        for flag in KEYS.iter().flat_map(|key| key.flags) {
            if !flags.contains(flag) {
                flags.push(flag);
            }
        }
        flags
    }

    /// The names that may be written for it.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        [Some(self.name()), self.file_key].into_iter().flatten()
    }

    /// The dotted paths of these names.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let table = self.path.rsplit_once('.').map(|(table, _)| table);
        self.names().map(move |name| table.map_or_else(|| name.to_owned(), |table| format!("{table}.{name}")))
    }

    /// Names of the table at `parent` that must not stand beside `name`, which is one of them itself.
    pub fn alternatives(parent: &str, name: &str) -> Vec<&'static str> {
        let choice = Self::in_table(parent)
            .find(|key| key.names().any(|known| known == name))
            .and_then(|key| key.choice);
        let same = Self::in_table(parent).filter(|key| choice.is_some() && key.choice == choice);
        same.flat_map(Self::names).collect()
    }
}

/// The names that may be written in the table at `parent`.
pub(super) fn known(parent: &str) -> Vec<&'static str> {
    Key::in_table(parent).flat_map(Key::names).collect()
}

/// Names in the table at `parent` that make sense for HTTP alone, each with the flag that takes it back.
pub(super) fn of_http(parent: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let keys = Key::in_table(parent).filter(|key| key.is_of_http);
    keys.flat_map(|key| key.names().filter_map(|name| Some((name, *key.flags.first()?))))
}

/// Whether what stands at `path`, as written or in a file that it names, is shown to nobody. A user is secret because somebody may
/// write `user:password` there, certificates because a key may stand beside them. Indices of lists don't matter.
pub(super) fn is_secret(path: &str) -> bool {
    let path = path.split('[').next().unwrap_or(path);
    match path.strip_prefix("request.headers.") {
        Some(name) => !is_harmless_header(name),
        None => KEYS.iter().any(|key| key.is_secret && key.path == path),
    }
}

/// Headers that are known to hold no secret. Of any other, nobody can know.
fn is_harmless_header(name: &str) -> bool {
    const HARMLESS: [&str; 7] =
        ["cache-control", "content-type", "host", "pragma", "range", "referer", "user-agent"];
    let name = name.to_ascii_lowercase();
    name.starts_with("accept") || HARMLESS.contains(&name.as_str())
}
