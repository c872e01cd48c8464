//! What of a site's settings nobody is to see who only looks at them.

use serde_json::Value as Json;

use super::{
    BodyExpectations, CheckSettings, HeaderExpectation, JsonExpectation, RequestSettings, TlsSettings,
};
use crate::model::secret::{HIDDEN, is_secret_name, replaced};

impl CheckSettings {
    /// The same, to be shown: passwords, tokens, keys and bodies are replaced, and what `request.hide` names, wherever it
    /// stands. A body is one because logins have their passwords there, and so is what is sent over TCP.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        for text in shown.texts() {
            *text = replaced(text, &self.request.hide);
        }
        shown.request.hide_secrets();
        shown.tls.hide_secrets();
        hide(shown.tcp.as_mut().and_then(|tcp| tcp.send.as_mut()));
        shown
    }

    /// What may be any text, and is shown.
    fn texts(&mut self) -> Vec<&mut String> {
        // What is sent is replaced as a whole.
        let Self { request, tls, expect, tcp: _ } = self;
        let mut texts: Vec<&mut String> = request.headers.values_mut().collect();
        texts.extend(request.basic_auth.as_mut().map(|auth| &mut auth.username));
        texts.extend(&mut tls.server_name);
        for header in &mut expect.headers {
            let HeaderExpectation { equals, contains, matches, not_matches, .. } = header;
            texts.extend([equals, contains, matches, not_matches].into_iter().flatten());
        }
        let BodyExpectations { contains, not_contains, matches, not_matches, .. } = &mut expect.body;
        texts.extend([contains, not_contains, matches, not_matches].into_iter().flatten());
        for JsonExpectation { path, equals, not_equals, matches, .. } in &mut expect.json {
            texts.push(path);
            texts.extend(matches);
            [equals, not_equals].into_iter().flatten().for_each(|json| texts_of(json, &mut texts));
        }
        texts
    }
}

/// The strings in `json`.
fn texts_of<'j>(json: &'j mut Json, texts: &mut Vec<&'j mut String>) {
    match json {
        Json::String(text) => texts.push(text),
        Json::Array(items) => items.iter_mut().for_each(|item| texts_of(item, texts)),
        Json::Object(members) => members.values_mut().for_each(|member| texts_of(member, texts)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

impl TlsSettings {
    fn hide_secrets(&mut self) {
        hide(self.client_key.as_mut());
        // Many tools write certificate and key into one file.
        for pem in [&mut self.ca, &mut self.client_cert] {
            hide(pem.as_mut().filter(|pem| pem.contains("PRIVATE KEY")));
        }
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

    #[test]
    fn texts_to_hide_are_shown_nowhere() {
        let settings: CheckSettings = serde_json::from_str(
            r#"{"request":{"headers":{"X-Foo":"Foo t0ps3cret"},"basic_auth":{"username":"t0ps3cret"},"hide":["t0ps3cret"]},
                "tls":{"server_name":"t0ps3cret.example"},
                "expect":{"headers":[{"name":"x","contains":"t0ps3cret"}],"body":{"not_contains":["t0ps3cret"]},
                    "json":[{"path":"$['t0ps3cret']","equals":[{"a":"t0ps3cret"}]}]}}"#,
        )
        .unwrap();

        let shown = settings.without_secrets();

        assert!(!shown.to_text().contains("t0ps3cret"), "{}", shown.to_text());
        assert_eq!(shown.request.headers["X-Foo"], "Foo ***");
    }

    #[test]
    fn a_key_beside_a_certificate_is_hidden_with_it() {
        let mut settings = CheckSettings::default();
        settings.tls.client_cert =
            Some("-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----".to_owned());
        settings.tls.ca = Some("-----BEGIN CERTIFICATE-----".to_owned());

        let shown = settings.without_secrets().tls;

        assert_eq!(shown.client_cert.as_deref(), Some(HIDDEN));
        assert_eq!(shown.ca, settings.tls.ca);
    }
}
