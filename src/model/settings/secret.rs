//! What of a site's settings nobody is to see who only looks at them.

use super::{CheckSettings, RequestSettings};
use crate::model::secret::{HIDDEN, is_secret_name};

impl CheckSettings {
    /// The same, to be shown: passwords, tokens, keys and bodies are replaced. A body is one because logins have their
    /// passwords there.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        shown.request.hide_secrets();
        hide(shown.tls.client_key.as_mut());
        shown
    }
}

impl RequestSettings {
    /// Adds texts that are shown nowhere.
    pub fn hide(&mut self, texts: Vec<String>) {
        self.hide.extend(texts);
        self.hide.sort_unstable();
        self.hide.dedup();
    }

    fn hide_secrets(&mut self) {
        if self.body_base64.take().is_some() {
            self.body = Some(HIDDEN.to_owned());
        }
        hide(self.body.as_mut());
        hide(self.bearer_token.as_mut());
        hide(self.basic_auth.as_mut().map(|auth| &mut auth.password));
        for (name, value) in &mut self.headers {
            hide(is_secret_name(name).then_some(value));
        }
        self.hide.iter_mut().for_each(|text| hide(Some(text)));
    }
}

fn hide(secret: Option<&mut String>) {
    if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
        HIDDEN.clone_into(secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_doors_is_hidden_and_the_rest_stays() {
        let settings: CheckSettings = serde_json::from_str(
            r#"{"request":{"headers":{"X-Api-Key":"k1","accept":"a/b"},"body":"k2","bearer_token":"k3",
                "basic_auth":{"username":"u","password":"k4"}},"tls":{"client_cert":"c","client_key":"k5"}}"#,
        )
        .unwrap();

        let shown = settings.without_secrets().to_text();

        assert!((1..=5).all(|n| !shown.contains(&format!("k{n}"))), "{shown}");
        for kept in ["X-Api-Key", "a/b", "\"username\":\"u\"", "\"client_cert\":\"c\""] {
            assert!(shown.contains(kept), "{shown}");
        }
    }
}
