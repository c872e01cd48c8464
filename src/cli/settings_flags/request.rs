//! Flags for what is sent: `[site.request]`.

use clap::{Args, ValueHint};
use toml::Table;

use super::section::{Section, number, path};
use crate::config::Fault;

/// What is sent. Files keep secrets out of the shell's history and out of the list of processes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Request")]
pub(super) struct RequestFlags {
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS [default: GET]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,

    /// A header to send, instead of our own of that name; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// A body to send; say a --method that has one, such as POST
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    body: Option<String>,

    /// A file with the body to send
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    body_file: Option<String>,

    /// Credentials for basic authentication, either part may be empty; others can see them in the list of processes, so prefer
    /// the file
    #[arg(long, value_name = "USER:PASSWORD", group = "credentials")]
    basic_auth: Option<String>,

    /// A file that holds USER:PASSWORD
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "credentials")]
    basic_auth_file: Option<String>,

    /// A token for `Authorization: Bearer`; others can see it in the list of processes, so prefer the file
    #[arg(long, value_name = "TOKEN", group = "credentials")]
    bearer_token: Option<String>,

    /// A file that holds the token
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "credentials")]
    bearer_token_file: Option<String>,

    /// Take a redirect for the answer instead of following it
    #[arg(long)]
    no_follow: bool,

    /// Redirects that are followed at most [default: checker.max_redirects]
    #[arg(long, value_name = "N", conflicts_with = "no_follow")]
    max_redirects: Option<String>,

    /// Connect over IPv4 or IPv6 only [default: any]
    #[arg(long, value_name = "FAMILY", value_parser = ["any", "v4", "v6"])]
    ip: Option<String>,
}

impl RequestFlags {
    pub(super) fn section(&self) -> Section {
        let mut section = Section::new("request");
        section.say("--method", &["method"], self.method.as_ref().map(|method| method.to_ascii_uppercase()));
        self.say_headers(&mut section);
        section.say("--body", &["body"], self.body.clone());
        section.say("--body-file", &["body_file"], self.body_file.as_deref().map(path));
        self.say_credentials(&mut section);
        section.say("--no-follow", &["follow_redirects"], self.no_follow.then_some(false));
        let max_redirects = self.max_redirects.as_deref().map(number);
        section.say("--max-redirects", &["max_redirects"], max_redirects);
        section.say("--ip", &["ip"], self.ip.clone());
        section
    }

    fn say_headers(&self, section: &mut Section) {
        let mut headers = Table::new();
        for text in &self.headers {
            // A header may hold a token, so a problem does not show it.
            if let Err(fault) = header(text).and_then(|header| add(&mut headers, header)) {
                section.refuse("--header", None, fault);
            }
        }
        section.say("--header", &["headers"], (!headers.is_empty()).then_some(headers));
    }

    fn say_credentials(&self, section: &mut Section) {
        let typed = self.basic_auth.clone().map(|text| ("--basic-auth", Ok(text)));
        let stored = self.basic_auth_file.as_deref().map(|file| ("--basic-auth-file", content(file)));
        for (flag, text) in typed.into_iter().chain(stored) {
            match text.and_then(|text| basic_auth(&text)) {
                Ok(auth) => section.say(flag, &["basic_auth"], Some(auth)),
                Err(fault) => section.refuse(flag, None, fault),
            }
        }
        section.say("--bearer-token", &["bearer_token"], self.bearer_token.clone());
        let token_file = self.bearer_token_file.as_deref().map(path);
        section.say("--bearer-token-file", &["bearer_token_file"], token_file);
    }
}

/// `Name: value`, as it stands in a request.
fn header(text: &str) -> Result<(&str, &str), Fault> {
    let remedy = "write 'Name: value', for example -H 'Accept: application/json'";
    match text.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
        Some(("", _)) => Err(Fault::new("has no name before the colon", remedy)),
        Some(header) => Ok(header),
        None => Err(Fault::new("has no colon between name and value", remedy)),
    }
}

fn add(headers: &mut Table, (name, value): (&str, &str)) -> Result<(), Fault> {
    if headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        let remedy = "give each header once; several values go into one, separated by commas";
        return Err(Fault::new(format!("names {name} twice"), remedy));
    }
    headers.insert(name.to_owned(), value.into());
    Ok(())
}

/// A user has no colon and may be empty, as where a token is the password; a password may have some.
fn basic_auth(text: &str) -> Result<Table, Fault> {
    let remedy = "write USER:PASSWORD; each of the two may be empty";
    match text.split_once(':') {
        Some((user, password)) => Ok(Table::from_iter([
            ("username".to_owned(), user.into()),
            ("password".to_owned(), password.into()),
        ])),
        None => Err(Fault::new("has no colon between user and password", remedy)),
    }
}

/// Without the line break at its end, which editors put there.
fn content(file: &str) -> Result<String, Fault> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Fault::new(
            format!("cannot read {file}: {error}"),
            "name a readable text file with USER:PASSWORD in it",
        )
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_split_at_its_first_colon() {
        assert_eq!(header("Accept: text/html"), Ok(("Accept", "text/html")));
        assert_eq!(header("X-Url:http://a:1/"), Ok(("X-Url", "http://a:1/")));
        assert_eq!(header("X-Empty:"), Ok(("X-Empty", "")));
    }

    #[test]
    fn what_is_no_header_is_refused_with_an_example() {
        for text in ["", "Accept", "Accept text/html", ": value", " : value"] {
            assert!(header(text).unwrap_err().remedy.contains("-H 'Accept: "), "{text:?}");
        }
    }

    #[test]
    fn a_header_is_given_once_in_whatever_case() {
        let mut headers = Table::new();

        add(&mut headers, ("Accept", "a")).unwrap();
        let fault = add(&mut headers, ("ACCEPT", "b")).unwrap_err();

        assert_eq!(fault.message, "names ACCEPT twice");
        assert_eq!(headers, "Accept = \"a\"".parse().unwrap());
    }

    #[test]
    fn credentials_are_split_at_the_first_colon() {
        let auth = basic_auth("alice:a:b").unwrap();

        assert_eq!(auth, "username = \"alice\"\npassword = \"a:b\"".parse().unwrap());
        assert!(basic_auth("alice:").is_ok() && basic_auth("alice").is_err());
        assert_eq!(basic_auth(":token").unwrap(), "username = \"\"\npassword = \"token\"".parse().unwrap());
    }
}
