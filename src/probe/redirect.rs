//! Where the next hop goes.

use awc::http::StatusCode;
use awc::http::header::LOCATION;
use url::Url;

use super::failure::Failure;
use super::request::Answer;
use crate::model::Reason;

/// The hops of one try.
pub(super) struct Route {
    url: Url,
    /// Where we have been, the current hop not included.
    visited: Vec<Url>,
    limit: u32,
}

impl Route {
    /// A route that starts at `url` and follows `limit` redirects at most.
    pub(super) fn new(url: &str, limit: u32) -> Result<Self, Failure> {
        let parsed =
            Url::parse(url).map_err(|error| Failure::internal(format!("{url} is no URL: {error}")))?;
        let url =
            usable(parsed).map_err(|why| Failure::internal(format!("{url} cannot be checked: {why}")))?;
        Ok(Self { url, visited: Vec::new(), limit })
    }

    /// The current hop.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Moves on when `answer` is a redirect; says whether it was.
    pub(super) fn follows(&mut self, answer: &Answer) -> Result<bool, Failure> {
        if !is_redirect(answer.status()) {
            return Ok(false);
        }
        let next = self.target_of(answer)?;
        if self.visited.len() >= self.limit as usize {
            return Err(failure(format!("more than {} redirects, the next would go to {next}", self.limit)));
        }
        self.visited.push(std::mem::replace(&mut self.url, next));
        // Every hop is the same GET without cookies, so a URL that comes back answers as it did before.
        if self.visited.contains(&self.url) {
            return Err(failure(format!("redirect loop: back at {}", self.url)));
        }
        Ok(true)
    }

    fn target_of(&self, answer: &Answer) -> Result<Url, Failure> {
        let status = answer.status();
        let Some(location) = answer.headers().get(LOCATION) else {
            return Err(failure(format!("status {status} without a Location")));
        };
        let text = String::from_utf8_lossy(location.as_bytes());
        let unusable = |why: &dyn std::fmt::Display| {
            failure(format!("status {status} with an unusable Location {text:?}: {why}"))
        };
        let url = self.url.join(&text).map_err(|error| unusable(&error))?;
        usable(url).map_err(|why| unusable(&why))
    }
}

/// 304 and the rest of the 3xx lead nowhere.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// `url` as it is requested: without a fragment, which is never sent, and without a user, to whom we give nothing.
fn usable(mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} is neither http nor https", url.scheme()));
    }
    url.set_fragment(None);
    let stripped = url.set_username("").and_then(|()| url.set_password(None));
    stripped.map(|()| url).map_err(|()| "it names no host".to_owned())
}

fn failure(error: String) -> Failure {
    Failure::new(Reason::Redirect, error)
}
