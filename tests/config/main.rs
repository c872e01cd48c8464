//! Configuration and sites: what is accepted, what is refused, and what the refusal says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "clippy's exception for tests leaves out helpers outside #[test]"
)]

mod imports;
mod layers;
mod reference;
mod refusals;
mod schema;
mod secrets;
mod settings;
mod sites;
mod tcp;

use std::path::PathBuf;

use tempfile::TempDir;
use uptime_monitor::config::{Config, Loaded, Problems, Sources, load};

/// A configuration file in a folder of its own, and what surrounds it.
struct Setup {
    folder: TempDir,
    sources: Sources,
}

impl Setup {
    fn file(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uptime.toml");
        std::fs::write(&path, text).unwrap();
        Self { folder, sources: Sources { file: Some(path), ..Sources::default() } }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, key: &str, value: &str) -> Self {
        self.sources.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    fn beside(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("uptime.toml")
    }

    fn load(&self) -> Result<Loaded, Problems> {
        load(self.sources.clone())
    }

    fn config(&self) -> Config {
        self.load().unwrap_or_else(|problems| panic!("{problems}")).config
    }

    /// Every problem as one line, with the folder cut off: `uptime.toml:1: …`.
    fn problems(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        self.load()
            .expect_err("should be refused")
            .iter()
            .map(|it| it.to_string().replace(&folder, ""))
            .collect()
    }

    /// The only problem.
    fn problem(&self) -> String {
        let problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        problems.into_iter().next().unwrap()
    }
}

/// The only problem of a file with this text.
fn problem(text: &str) -> String {
    Setup::file(text).problem()
}

#[track_caller]
fn assert_says(problem: &str, parts: &[&str]) {
    for part in parts {
        assert!(problem.contains(part), "{problem:?} does not say {part:?}");
    }
}
