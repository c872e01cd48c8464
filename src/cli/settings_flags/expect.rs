//! Flags for what makes the answer a good one: `[site.expect]`.

use clap::Args;
use toml::{Table, Value as Toml};

use super::section::{Section, number};
use super::{expect_header, expect_json};
use crate::config::Fault;

/// What makes the answer a good one. All of it must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Expectations")]
pub(super) struct ExpectFlags {
    /// A status, a class or a range: 200, 2xx, 400-404; several with commas [default: 2xx]
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    expect_status: Vec<String>,

    /// A condition on a header of the answer; may be given several times
    ///
    /// NAME           it is there
    /// !NAME          it is not there
    /// NAME=VALUE     it is exactly this
    /// NAME*=TEXT     it contains this
    /// NAME~=REGEX    it matches this
    /// NAME!~=REGEX   it does not match this
    #[arg(long, value_name = "CONDITION", verbatim_doc_comment)]
    expect_header: Vec<String>,

    /// A text that the body contains; this and the next three may be given several times
    #[arg(long, value_name = "TEXT")]
    expect_body: Vec<String>,

    /// A text that the body does not contain
    #[arg(long, value_name = "TEXT")]
    expect_body_not: Vec<String>,

    /// A regular expression that the body matches
    #[arg(long, value_name = "REGEX")]
    expect_body_matches: Vec<String>,

    /// A regular expression that the body does not match
    #[arg(long, value_name = "REGEX")]
    expect_body_not_matches: Vec<String>,

    /// A condition on the body as JSON, by a path of RFC 9535; may be given several times
    ///
    /// $.path         something is there
    /// !$.path        nothing is there
    /// $.path=VALUE   it is this: JSON, or a text without quotes
    /// $.path!=VALUE  it is something else
    /// $.path>N       it is a number that is greater; also >=, < and <=
    /// $.path~=REGEX  it is a text that matches this
    /// $.path#=N      it has N characters, items or members
    #[arg(long, value_name = "CONDITION", verbatim_doc_comment)]
    expect_json: Vec<String>,

    /// The largest body, decoded: 65536, 64KiB, 1MiB
    #[arg(long, value_name = "SIZE")]
    max_bytes: Option<String>,

    /// Degraded when the check takes longer than this
    #[arg(long, value_name = "DURATION")]
    degraded_after: Option<String>,

    /// Down when the check takes longer than this
    #[arg(long, value_name = "DURATION")]
    down_after: Option<String>,

    /// The version of HTTP that the answer is in: 1.0, 1.1 or 2, which is spoken only where it is named here
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = version)]
    expect_http_version: Vec<String>,

    /// Whether the last URL, after redirects, must or must not be https
    #[arg(long, value_name = "POLICY", value_parser = ["required", "forbidden"])]
    expect_tls: Option<String>,
}

impl ExpectFlags {
    pub(super) fn section(&self) -> Section {
        let mut section = Section::new("expect");
        let status = self.expect_status.iter().map(|status| number(status)).collect();
        section.say_all("--expect-status", &["status"], status);
        say_read(&mut section, "--expect-header", &["headers"], &self.expect_header, expect_header::read);
        self.say_body(&mut section);
        say_read(&mut section, "--expect-json", &["json"], &self.expect_json, expect_json::read);
        section.say("--degraded-after", &["response_time", "degraded"], self.degraded_after.clone());
        section.say("--down-after", &["response_time", "down"], self.down_after.clone());
        section.say_all("--expect-http-version", &["http_version"], self.expect_http_version.clone());
        section.say("--expect-tls", &["tls"], self.expect_tls.clone());
        section
    }

    fn say_body(&self, section: &mut Section) {
        section.say_all("--expect-body", &["body", "contains"], self.expect_body.clone());
        section.say_all("--expect-body-not", &["body", "not_contains"], self.expect_body_not.clone());
        section.say_all("--expect-body-matches", &["body", "matches"], self.expect_body_matches.clone());
        let not_matches = self.expect_body_not_matches.clone();
        section.say_all("--expect-body-not-matches", &["body", "not_matches"], not_matches);
        section.say("--max-bytes", &["body", "max_bytes"], self.max_bytes.as_deref().map(number));
    }
}

/// Says what `read` makes of each text.
fn say_read(
    section: &mut Section,
    flag: &'static str,
    path: &'static [&'static str],
    texts: &[String],
    read: fn(&str) -> Result<Table, Fault>,
) {
    let mut tables: Vec<Toml> = Vec::new();
    for text in texts {
        match read(text) {
            Ok(table) => tables.push(table.into()),
            Err(fault) => section.refuse(flag, Some(text), fault),
        }
    }
    section.say_all(flag, path, tables);
}

/// `2`, or `HTTP/2` as it stands in a file and in an answer.
fn version(text: &str) -> Result<String, &'static str> {
    match text.trim().trim_start_matches("HTTP/") {
        number @ ("1.0" | "1.1" | "2") => Ok(format!("HTTP/{number}")),
        _ => Err("choose 1.0, 1.1 or 2"),
    }
}
