//! The flags for what is sent, whom we trust and what is expected: the same for `check`, `sites add` and `sites set`.
//!
//! They say what `send`, `[site.request]`, `[site.tls]` and `[site.expect]` say in a file, in the same keys. Here only the small
//! grammars of single flags are read; whether the whole makes sense is for the validation that all sites go through.

mod expect;
mod expect_header;
mod expect_json;
mod request;
mod reset;
mod section;
mod send;
mod tls;

use clap::Args;

use self::expect::ExpectFlags;
use self::request::RequestFlags;
pub(super) use self::reset::{Reset, forget_all, forget_header};
use self::section::Section;
use self::tls::TlsFlags;
use crate::config::{Origin, Problem, RawSite, Setting};

const SEND: &str = "--send";

/// Every flag beyond URL, interval, timeout and retries.
#[derive(Debug, Args)]
pub(super) struct SettingsFlags {
    #[command(flatten)]
    request: RequestFlags,

    /// A text to send over tcp:// or tls://, with \r, \n, \t, \0 and \\ as in a file; others can see it in the list of processes
    #[arg(long, value_name = "TEXT", help_heading = "Request")]
    send: Option<String>,

    #[command(flatten)]
    tls: TlsFlags,

    #[command(flatten)]
    expect: ExpectFlags,
}

impl SettingsFlags {
    /// Those that are given, by name.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let sections = [self.request.section(), self.tls.section(), self.expect.section()];
        let send = self.send.is_some().then_some(SEND);
        sections.iter().flat_map(Section::flags).chain(send).collect()
    }

    /// Puts what they say over what `site` says, and returns what cannot be read.
    pub(super) fn put_over(&self, site: &mut RawSite) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut put = |section: Section, said| section.over(said, &mut problems);
        site.request = put(self.request.section(), site.request.take());
        site.tls = put(self.tls.section(), site.tls.take());
        site.expect = put(self.expect.section(), site.expect.take());
        match self.send.as_deref().map(send::read) {
            Some(Ok(text)) => site.send = Some(Setting::from_flag(SEND, text)),
            // It may hold a password.
            Some(Err(fault)) => {
                problems.push(Problem::new(Origin::Flag(SEND.into()), fault.message, fault.remedy));
            }
            None => {}
        }
        problems
    }
}
