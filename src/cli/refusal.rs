//! What the store refused, in sentences with a remedy for somebody at a command line.

use crate::model::SiteId;
use crate::store::StoreError;

/// How many names or ids are worth reading.
const SHOWN: usize = 10;

pub(super) fn sentence(refused: &StoreError) -> String {
    match refused {
        StoreError::UnknownSite { nearest: Some(nearest), .. } => {
            format!("{refused}; did you mean {nearest:?}?")
        }
        StoreError::UnknownSite { nearest: None, .. } => {
            format!("{refused}; `uptime-monitor sites list` shows them all")
        }
        StoreError::Exists(names) => {
            format!("these sites exist already: {}; choose other names", list(names))
        }
        StoreError::IdsTaken(ids) => format!(
            "the ids {} belong to other sites, or to removed ones, of which there are results; leave `id` out of the import, or \
             import into an empty database",
            numbers(ids)
        ),
        StoreError::DeclaredInFile(_) => format!(
            "{refused}; change it there, or take it out: after the next start or SIGHUP it is for commands to change"
        ),
        StoreError::ChangedMeanwhile(_) => {
            format!("{refused}, and nothing was done; look at it, and try again")
        }
        StoreError::Unreadable(site) => format!(
            "{refused} (id {}): {}; use the newer version, or remove the site",
            site.known().id,
            site.unreadable().unwrap_or_default()
        ),
        StoreError::Database(_) => refused.to_string(),
    }
}

/// An import has one more remedy.
pub(super) fn taken_by_import(names: &[String]) -> String {
    match names {
        [name] => {
            format!(
                "there is a site {name:?} already; choose another name, or import with --update to change that one"
            )
        }
        names => format!(
            "{} of these sites exist already: {}; choose other names, or import with --update to change them",
            names.len(),
            list(names)
        ),
    }
}

fn list(names: &[String]) -> String {
    joined(names.iter().map(|name| format!("{name:?}")))
}

fn numbers(ids: &[SiteId]) -> String {
    joined(ids.iter().map(ToString::to_string))
}

fn joined(mut words: impl Iterator<Item = String>) -> String {
    let shown = words.by_ref().take(SHOWN).collect::<Vec<_>>().join(", ");
    if words.next().is_some() { format!("{shown}, …") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::measured;
    use crate::store::Listed;

    #[test]
    fn one_name_and_many_are_told_in_few_words() {
        let names: Vec<String> = (0..12).map(|n| format!("site-{n}")).collect();

        assert_eq!(
            taken_by_import(&names[..1]),
            "there is a site \"site-0\" already; choose another name, or import with --update to change that one"
        );
        let many = taken_by_import(&names);
        assert!(many.starts_with("12 of these sites exist already: \"site-0\", "), "{many}");
        assert!(many.contains("\"site-9\", …; choose other names, or import with --update"), "{many}");
    }
    #[test]
    fn every_refusal_names_a_remedy() {
        let unknown = |nearest: Option<&str>| StoreError::UnknownSite {
            name: "shpo".to_owned(),
            nearest: nearest.map(str::to_owned),
        };

        for (refused, said) in [
            (unknown(Some("shop")), "there is no site \"shpo\"; did you mean \"shop\"?"),
            (unknown(None), "there is no site \"shpo\"; `uptime-monitor sites list` shows them all"),
            (StoreError::Exists(vec!["shop".to_owned()]), "choose other names"),
            (
                StoreError::Unreadable(Box::new(Listed::unread(measured("shop", 1, 0).site, "mood"))),
                "use the newer version, or remove the site",
            ),
            (StoreError::IdsTaken(vec![SiteId(3), SiteId(4)]), "the ids 3, 4 belong to other sites"),
            (StoreError::IdsTaken(vec![SiteId(3)]), "leave `id` out of the import"),
            (StoreError::DeclaredInFile("shop".to_owned()), "change it there, or take it out"),
            (StoreError::ChangedMeanwhile("shop".to_owned()), "look at it, and try again"),
        ] {
            assert!(sentence(&refused).contains(said), "{}", sentence(&refused));
        }
    }
}
