//! What `sites set --reset` forgets: a group of settings, or what one flag has said.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use toml::{Table, Value as Toml};

use crate::config::{Key, RawSite, Setting, Value};

/// Something to forget, by the name of a flag or of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Reset(&'static str);

impl Reset {
    /// That redirects are not followed.
    pub(in super::super) const NO_FOLLOW: Self = Self("no-follow");

    /// That any certificate will do.
    pub(in super::super) const ACCEPT_INVALID: Self = Self("accept-invalid");

    /// Reads the name of a flag, without its dashes, or of a group.
    pub(in super::super) fn parser() -> impl TypedValueParser<Value = Self> {
        PossibleValuesParser::new(Key::flags()).try_map(|name| Self::named(&name).ok_or("is no flag"))
    }

    fn named(name: &str) -> Option<Self> {
        Key::flags().into_iter().find(|known| *known == name).map(Self)
    }

    /// Takes it out of what `site` says.
    fn forget(self, site: &mut RawSite) {
        for path in Key::said_by(self.0).flat_map(Key::paths) {
            let (section, inner) = path.split_once('.').unwrap_or((&path, ""));
            let Some(said) = site.field(section) else { continue };
            if inner.is_empty() {
                *said = None;
            } else if let Some(table) = said.as_mut().and_then(table) {
                remove(table, inner);
            }
        }
    }
}

/// Forgets all of `resets`. A text to hide that stands in `send` stays hidden as long as it is sent: a `${NAME}` may have stood for it,
/// and nobody has said that it can be shown from now on.
pub(in super::super) fn forget_all(resets: impl Iterator<Item = Reset>, site: &mut RawSite) {
    let hidden = hidden_in_send(site);
    resets.for_each(|reset| reset.forget(site));
    if site.request.is_none() && site.send.is_some() && !hidden.is_empty() {
        let request = Table::from_iter([("hide".to_owned(), Toml::Array(hidden))]);
        site.request = Some(Setting::new(Value::Typed(request.into()), site.origin.clone()));
    }
}

fn hidden_in_send(site: &mut RawSite) -> Vec<Toml> {
    let sent = match site.send.as_ref().map(|send| &send.value) {
        Some(Value::Text(text) | Value::Typed(Toml::String(text))) => text.as_str(),
        _ => return Vec::new(),
    };
    let hidden = site.request.as_mut().and_then(table).and_then(|request| request.get("hide"));
    let is_sent = |text: &&Toml| text.as_str().is_some_and(|text| sent.contains(text));
    hidden.and_then(Toml::as_array).into_iter().flatten().filter(is_sent).cloned().collect()
}

/// Takes the header called `name`, in any case, out of those that `site` sends.
pub(in super::super) fn forget_header(name: &str, site: &mut RawSite) {
    let headers = site.request.as_mut().and_then(table).and_then(|table| table.get_mut("headers"));
    if let Some(Toml::Table(headers)) = headers {
        headers.retain(|known, _| !known.eq_ignore_ascii_case(name.trim()));
    }
}

fn table(setting: &mut Setting) -> Option<&mut Table> {
    match &mut setting.value {
        Value::Typed(Toml::Table(table)) => Some(table),
        _ => None,
    }
}

fn remove(table: &mut Table, path: &str) {
    match path.split_once('.') {
        None => _ = table.remove(path),
        Some((key, inner)) => {
            if let Some(Toml::Table(table)) = table.get_mut(key) {
                remove(table, inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::super::arguments::Arguments;
    use super::*;
    use crate::config::Origin;

    fn site() -> RawSite {
        let say = |text: &str| {
            let table: Table = text.parse().unwrap();
            Some(Setting::new(Value::Typed(table.into()), Origin::Default))
        };
        let mut site = RawSite::new(Origin::Default);
        site.request = say("method = \"POST\"\nheaders = { Accept = \"a\", X = \"b\" }");
        site.tls = say("client_cert = \"c\"\nclient_key = \"k\"\nmin_version = \"1.3\"");
        site.expect = say("body = { contains = [\"ok\"], max_bytes = 9 }");
        site
    }

    fn left(setting: Option<Setting>) -> Option<String> {
        setting.map(|setting| match setting.value {
            Value::Typed(Toml::Table(table)) => table.to_string(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn one_key_is_forgotten_and_its_neighbours_stay() {
        let mut site = site();

        Reset::named("max-bytes").unwrap().forget(&mut site);
        Reset::named("client-key-file").unwrap().forget(&mut site);
        forget_header("accept", &mut site);

        assert_eq!(left(site.expect).unwrap(), "[body]\ncontains = [\"ok\"]\n");
        assert_eq!(left(site.tls).unwrap(), "min_version = \"1.3\"\n");
        assert_eq!(left(site.request).unwrap(), "method = \"POST\"\n\n[headers]\nX = \"b\"\n");
    }

    #[test]
    fn every_flag_that_describes_a_site_can_be_taken_back() {
        /// They have a taking back of their own, or nothing that could be taken back.
        const OTHERS: [&str; 10] = [
            "rename",
            "url",
            "no-tags",
            "reset",
            "no-header",
            "follow",
            "no-accept-invalid",
            "help",
            "config",
            "log",
        ];
        let mut command = Arguments::command();
        command.build();
        let set = command.find_subcommand("sites").and_then(|sites| sites.find_subcommand("set")).unwrap();
        let flags = set.get_arguments().filter_map(clap::Arg::get_long);

        let missing: Vec<&str> =
            flags.filter(|flag| !OTHERS.contains(flag) && Reset::named(flag).is_none()).collect();

        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn what_is_hidden_in_a_text_stays_hidden_as_long_as_that_is_sent() {
        let site = || {
            let mut site = site();
            site.send = Some(Setting::from_flag("--send", "AUTH t0ps3cret"));
            let table: Table = "ip = \"v4\"\nhide = [\"other\", \"t0ps3cret\"]".parse().unwrap();
            site.request = Some(Setting::new(Value::Typed(table.into()), Origin::Default));
            site
        };
        let reset = |names: &[&str]| {
            let mut site = site();
            forget_all(names.iter().map(|name| Reset::named(name).unwrap()), &mut site);
            left(site.request)
        };

        assert_eq!(reset(&["request"]).unwrap(), "hide = [\"t0ps3cret\"]\n");
        for both in [["request", "send"], ["send", "request"]] {
            assert_eq!(reset(&both), None);
        }
    }

    #[test]
    fn a_group_is_forgotten_as_a_whole() {
        let mut site = site();

        Reset::named("expect").unwrap().forget(&mut site);

        assert_eq!(left(site.expect), None);
        assert!(site.request.is_some());
    }
}
