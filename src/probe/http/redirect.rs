//! Where the next hop goes, and what goes along.

use std::borrow::Cow;

use url::Url;

use super::cookies::Jar;
use super::request::{Request, RequestContext, RequestPlan};
use crate::clock::Timestamp;
use crate::model::Reason;
use crate::pattern;
use crate::probe::expect::{escaped, quoted};
use crate::probe::failure::Failure;
use crate::probe::head::Head;
use crate::probe::mask;

/// Bytes of a Location, as long as a configured URL may be.
const LONGEST_LOCATION: usize = 8 * 1024;

/// Bytes of the URL that it makes: bytes that are not ASCII are three there, and a relative one begins with what was before it.
const LONGEST_URL: usize = 4 * LONGEST_LOCATION;

/// Characters of a URL or a Location in a sentence.
const SHOWN: usize = 300;

/// The hops of one try.
pub(super) struct Route<'p> {
    plan: &'p RequestPlan,
    /// The site's own, where credentials may go.
    home: Url,
    url: Url,
    method: String,
    with_body: bool,
    cookies: Jar,
    /// By which cookies end.
    now: Timestamp,
    /// The requests so far, the current one not included. The same one again gets the same answer again.
    made: Vec<Made>,
}

/// What makes two requests the same.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    method: String,
    url: Url,
    cookies: Vec<u8>,
}

impl<'p> Route<'p> {
    /// A route that starts at `url`, at the time `now`.
    pub(super) fn new(url: &str, plan: &'p RequestPlan, now: Timestamp) -> Result<Self, Failure> {
        let parsed =
            Url::parse(url).map_err(|error| Failure::internal(format!("{url} is no URL: {error}")))?;
        let url =
            usable(parsed).map_err(|why| Failure::internal(format!("{url} cannot be checked: {why}")))?;
        let (home, method) = (url.clone(), plan.method.clone());
        let cookies = Jar::default();
        Ok(Self { plan, home, url, method, with_body: true, cookies, now, made: Vec::new() })
    }

    /// The current hop.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// What is sent to it.
    pub(super) fn request<'r>(&'r self, user_agent: &'r str) -> Request<'r> {
        let context = RequestContext {
            url: &self.url,
            method: &self.method,
            with_body: self.with_body,
            is_foreign: self.is_foreign(),
            cookies: self.cookies(),
        };
        self.plan.request(context, user_agent)
    }

    /// Moves on when the answer with this `head` is a redirect that is to be followed; says whether it was.
    pub(super) fn follows(&mut self, head: &Head) -> Result<bool, Failure> {
        if !self.plan.follow_redirects || !is_redirect(head.status) {
            return Ok(false);
        }
        let next = self.target_of(head)?;
        let limit = self.plan.max_redirects;
        if self.made.len() >= limit as usize {
            let next = escaped(next.as_str(), SHOWN);
            return Err(failure(format!("more than {limit} redirects, the next would go to {next}")));
        }
        self.made.push(self.current());
        self.keep_cookies(head);
        self.change_method(head.status);
        self.url = next;
        if self.made.contains(&self.current()) {
            return Err(failure(format!("redirect loop: back at {}", escaped(self.url.as_str(), SHOWN))));
        }
        Ok(true)
    }

    fn current(&self) -> Made {
        Made { method: self.method.clone(), url: self.url.clone(), cookies: self.cookies() }
    }

    /// RFC 9110, section 15.4: what browsers do with 301 and 302 as well.
    fn change_method(&mut self, status: u16) {
        let becomes_get = match status {
            303 => self.method != "HEAD",
            301 | 302 => self.method == "POST",
            _ => false,
        };
        if becomes_get {
            "GET".clone_into(&mut self.method);
            self.with_body = false;
        }
    }

    /// Whether it is another origin than the site's, with which we share no secrets.
    pub(super) fn is_foreign(&self) -> bool {
        self.url.origin() != self.home.origin()
    }

    fn keep_cookies(&mut self, head: &Head) {
        for value in head.values("set-cookie") {
            self.cookies.set(value, &self.url, self.now);
        }
    }

    /// Those for the current hop, in one line.
    fn cookies(&self) -> Vec<u8> {
        self.cookies.header(&self.url, self.plan.cookie().filter(|_| !self.is_foreign()))
    }

    fn target_of(&self, head: &Head) -> Result<Url, Failure> {
        let status = head.status;
        let Some(location) = head.values("location").next() else {
            return Err(failure(format!("status {status} without a Location")));
        };
        if location.len() > LONGEST_LOCATION {
            let beginning = quoted(&mask::members(&text_of(location)), SHOWN);
            let length = location.len();
            return Err(failure(format!(
                "status {status} with a Location of {length} bytes, over {LONGEST_LOCATION}: {beginning}"
            )));
        }
        let text = text_of(location);
        let unusable = |why: &dyn std::fmt::Display| {
            // Before its end is cut: a user is known by the `@` behind it.
            let shown = quoted(&mask::members(&text), SHOWN);
            failure(format!("status {status} with an unusable Location {shown}: {why}"))
        };
        let url = self.url.join(&text).map_err(|error| unusable(&error))?;
        let url = usable(url).map_err(|why| unusable(&why))?;
        pattern::host(&url).map_err(|why| unusable(&why))?;
        match url.as_str().len() {
            ..=LONGEST_URL => Ok(url),
            length => Err(unusable(&format!("it makes a URL of {length} bytes, over {LONGEST_URL}"))),
        }
    }
}

/// 304 and the rest of the 3xx lead nowhere.
fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// `url` as it is requested: without a fragment, which is never sent, and without a user, to whom we give nothing.
fn usable(mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} is neither http nor https", escaped(url.scheme(), SHOWN)));
    }
    url.set_fragment(None);
    let stripped = url.set_username("").and_then(|()| url.set_password(None));
    stripped.map(|()| url).map_err(|()| "it names no host".to_owned())
}

/// Bytes that are no UTF-8 go back to the server as they came, in the only form that a URL has for them.
fn text_of(location: &[u8]) -> Cow<'_, str> {
    let escaped =
        |byte: &u8| if byte.is_ascii() { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    std::str::from_utf8(location).map_or_else(|_| location.iter().map(escaped).collect(), Cow::Borrowed)
}

fn failure(error: String) -> Failure {
    Failure::new(Reason::Redirect, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_keeps_the_bytes_that_it_came_with() {
        assert_eq!(text_of("/café".as_bytes()), "/café");
        assert_eq!(text_of(b"/caf\xe9?q=%20"), "/caf%E9?q=%20");
    }
}
