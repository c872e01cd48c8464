//! Collects the sites of a file, in whatever format it is: good ones, and what is wrong with the others.

use super::fields::{add_new, raw_site, resolve};
use super::unique::{Ids, Names};
use super::{RawSite, SiteDefaults};
use crate::config::document::Fields;
use crate::config::expand::Resolver;
use crate::config::problem::Problem;
use crate::model::Declared;

/// What a file of sites holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// The valid ones, in the file's order, with names and ids that differ.
    pub sites: Vec<Declared>,
    /// Everything wrong with the others, by line.
    pub rejected: Vec<Problem>,
    /// How many sites were rejected; a site may have several problems.
    pub rejected_sites: usize,
}

/// Where the formats hand over what they have found.
pub(super) struct Collector<'a> {
    defaults: &'a SiteDefaults,
    resolver: Resolver<'a>,
    names: Names,
    ids: Ids,
    import: Import,
}

impl<'a> Collector<'a> {
    /// Has nothing yet.
    pub(super) fn new(defaults: &'a SiteDefaults, resolver: Resolver<'a>) -> Self {
        let (names, ids, import) = (Names::default(), Ids::default(), Import::default());
        Self { defaults, resolver, names, ids, import }
    }

    /// All of the file.
    pub(super) fn finish(self) -> Import {
        self.import
    }

    pub(super) fn add_fields(&mut self, fields: Fields) {
        let (site, problems) = raw_site(fields);
        self.add(site, problems);
    }

    /// A site, and what is wrong with it already.
    pub(super) fn add(&mut self, mut site: RawSite, mut problems: Vec<Problem>) {
        problems.extend(resolve(&mut site, self.resolver));
        problems.extend(self.names.claim(&site).err());
        let id = self.ids.claim(&site).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        match site.validate(self.defaults) {
            Ok(spec) if problems.is_empty() => return self.import.sites.push(Declared { id, spec }),
            Ok(_) => {}
            Err(more) => add_new(&mut problems, more),
        }
        self.reject(problems);
    }

    /// What should have been one site.
    pub(super) fn reject(&mut self, problems: Vec<Problem>) {
        self.import.rejected.extend(problems);
        self.import.rejected_sites += 1;
    }
}
