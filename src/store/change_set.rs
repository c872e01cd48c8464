//! What an import or a file means for the sites that are there: decided from data alone, for every database does the same.

use std::collections::{HashMap, HashSet};

use super::{Changes, Listed, Start, StoreError, refuse_file_site};
use crate::model::{Declared, Origin, Site, SiteId, SiteSpec};
use crate::schedule::{Interval, Rhythm, phase_s};

/// Up to this many new sites of a file are checked at once, so that a start with a large file is no stampede.
const AT_ONCE_LIMIT: usize = 100;

/// Up to this many new sites of a file or an import are checked within a minute, some 17 in each second. More follow their
/// phases: a million sites in a minute would be a load that nobody asked for.
const FIRST_MINUTE_LIMIT: usize = 1_000;

/// The first minute of a site.
const FIRST_MINUTE_S: u32 = 60;

/// Sites to add and to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeSet {
    /// Of the new ones, and of the changed ones from then on.
    pub(super) origin: Origin,
    pub(super) new: Vec<New>,
    pub(super) changed: Vec<Changed>,
    /// Sites that have left the file: disabled, and otherwise as they are.
    pub(super) left: Vec<Changed>,
}

/// A site to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct New {
    /// `None`: the database gives it one.
    pub(super) id: Option<SiteId>,
    pub(super) spec: SiteSpec,
    pub(super) start: Start,
}

/// A site to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    /// As far as it can be read.
    pub(super) was: Site,
    pub(super) spec: SiteSpec,
    pub(super) start: Start,
}

impl Changed {
    /// What replacing the site that was read as `seen` means for what is there.
    pub(super) fn replacing(was: Listed, seen: &Site, spec: SiteSpec) -> Result<Self, StoreError> {
        refuse_file_site(was.known())?;
        if was.known().revision != seen.revision {
            return Err(StoreError::ChangedMeanwhile(seen.spec.name.clone()));
        }
        Ok(Self { was: was.complete()?, spec, start: Start::AtOnce })
    }

    /// How it was due.
    pub(super) fn old_rhythm(&self) -> &Rhythm {
        &self.was.rhythm
    }

    /// How it is due from now on. While its schedule stays it keeps its phase, also under a new name.
    pub(super) fn rhythm(&self) -> Rhythm {
        let is_same = self.was.rhythm.schedule() == self.spec.schedule;
        if is_same { self.was.rhythm.clone() } else { self.spec.rhythm() }
    }

    /// Whether it is due at other times from now on.
    pub(super) fn moves(&self) -> bool {
        *self.old_rhythm() != self.rhythm() || self.was.spec.enabled != self.spec.enabled
    }

    /// A site that goes on goes on in its phase.
    pub(super) fn start(&self) -> Start {
        if self.was.spec.enabled { Start::InPhase } else { self.start }
    }
}

/// The extra slot of a site called `name` whose schedule begins at `now`.
pub(super) fn extra_slot(start: Start, name: &str, rhythm: &Rhythm, now: i64) -> Option<i64> {
    let minute_later = now + i64::from(FIRST_MINUTE_S);
    match start {
        Start::InPhase => None,
        Start::AtOnce => Some(now),
        Start::InFirstMinute if rhythm.count(now, minute_later) > 0 => None,
        Start::InFirstMinute => {
            let minutely = Interval { every_s: FIRST_MINUTE_S, phase_s: phase_s(name, FIRST_MINUTE_S) };
            Some(minutely.latest(minute_later))
        }
    }
}

/// When the sites of an import are first checked, of which `new` are new.
fn start_of_import(new: usize) -> Start {
    if new <= FIRST_MINUTE_LIMIT { Start::InFirstMinute } else { Start::InPhase }
}

/// When the sites of a file are first checked, of which `begin` were not checked until now.
fn start_of_file(begin: usize) -> Start {
    if begin <= AT_ONCE_LIMIT { Start::AtOnce } else { start_of_import(begin) }
}

/// Whether a file that declares `spec` begins to have it checked: a new site, or one that was disabled or had left the file.
fn begins(spec: &SiteSpec, was: Option<&Listed>) -> bool {
    let is_new = |was: &Site| was.origin != Origin::Command && !was.spec.enabled;
    spec.enabled && was.is_none_or(|was| is_new(was.known()))
}

impl ChangeSet {
    /// Nothing yet.
    pub(super) fn by(origin: Origin) -> Self {
        Self { origin, new: Vec::new(), changed: Vec::new(), left: Vec::new() }
    }

    /// One site by command. `known` is the site of its name.
    pub(super) fn add(known: Option<Listed>, spec: SiteSpec, start: Start) -> Result<Self, StoreError> {
        let mut set = Self::by(Origin::Command);
        match known.map(Listed::into_known) {
            None => set.new.push(New { id: None, spec, start }),
            Some(was) if was.origin == Origin::Left => set.changed.push(Changed { was, spec, start }),
            Some(_) => return Err(StoreError::Exists(vec![spec.name])),
        }
        Ok(set)
    }

    /// `known` are the sites of these names, and `taken` the ids that sites have or had.
    pub(super) fn import(
        sites: Vec<Declared>,
        known: Vec<Listed>,
        mut taken: HashSet<SiteId>,
        may_update: bool,
    ) -> Result<(Self, Changes), StoreError> {
        let mut known = by_name(known);
        let new = sites.iter().filter(|site| !known.contains_key(&site.spec.name)).count();
        let start = start_of_import(new);
        let (mut set, mut changes) = (Self::by(Origin::Command), Changes::default());
        let (mut exist, mut ids_taken) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for Declared { id, spec } in sites {
            let is_new = seen.insert(spec.name.clone());
            match known.remove(&spec.name) {
                None if !is_new => exist.push(spec.name),
                None => match id {
                    Some(id) if !taken.insert(id) => ids_taken.push(id),
                    id => set.new.push(New { id, spec, start }),
                },
                // One that has left the file is taken over even where nothing else changes.
                Some(was) if was.declares(&spec) && was.known().origin != Origin::Left => {
                    changes.unchanged += 1
                }
                Some(was) if may_update || was.known().origin == Origin::Left => {
                    refuse_file_site(was.known())?;
                    set.changed.push(Changed { was: was.into_known(), spec, start: Start::InPhase });
                }
                Some(_) => exist.push(spec.name),
            }
        }
        match (exist.is_empty(), ids_taken.is_empty()) {
            (false, _) => Err(StoreError::Exists(exist)),
            (true, false) => Err(StoreError::IdsTaken(ids_taken)),
            (true, true) => Ok((set.counted(&mut changes), changes)),
        }
    }

    /// `known` are all sites.
    pub(super) fn reconcile(declared: Vec<SiteSpec>, known: Vec<Listed>) -> (Self, Changes) {
        let mut known = by_name(known);
        let start = start_of_file(declared.iter().filter(|spec| begins(spec, known.get(&spec.name))).count());
        let (mut set, mut changes) = (Self::by(Origin::File), Changes::default());
        for spec in declared {
            let Some(was) = known.remove(&spec.name) else {
                set.new.push(New { id: None, spec, start });
                continue;
            };
            match was.known().origin {
                Origin::Command => changes.foreign.push(spec.name),
                Origin::File if was.declares(&spec) => changes.unchanged += 1,
                Origin::File | Origin::Left => {
                    set.changed.push(Changed { was: was.into_known(), spec, start });
                }
            }
        }
        let set = set.counted(&mut changes);
        (set.without_those_that_left(known, &mut changes), changes)
    }

    fn counted(self, changes: &mut Changes) -> Self {
        changes.added = self.new.len();
        changes.changed = self.changed.len();
        self
    }

    /// Disabled ones, too: whoever has left the file is to be had by commands.
    fn without_those_that_left(mut self, left: HashMap<String, Listed>, changes: &mut Changes) -> Self {
        for was in left.into_values().map(Listed::into_known).filter(|site| site.origin == Origin::File) {
            let spec = SiteSpec { enabled: false, ..was.spec.clone() };
            self.left.push(Changed { was, spec, start: Start::InPhase });
            changes.disabled += 1;
        }
        self
    }
}

fn by_name(sites: Vec<Listed>) -> HashMap<String, Listed> {
    sites.into_iter().map(|site| (site.known().spec.name.clone(), site)).collect()
}

/// The name that is most like `name`.
pub(crate) fn nearest(name: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    names
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, &candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_checks_of_many_sites_spread_over_a_minute() {
        let hourly = Rhythm::from(Interval { every_s: 3_600, phase_s: 1_800 });
        let mut per_second = [0; 60];
        for site in 0..1_000 {
            let slot = extra_slot(Start::InFirstMinute, &format!("site-{site}"), &hourly, 0).unwrap();
            per_second[slot as usize - 1] += 1;
        }

        assert_eq!(per_second.iter().sum::<i32>(), 1_000);
        assert!(per_second.iter().all(|sites| (3..40).contains(sites)), "{per_second:?}");
    }

    #[test]
    fn a_site_whose_phase_comes_within_a_minute_needs_no_extra_slot() {
        let extra = |every_s, phase_s| {
            extra_slot(Start::InFirstMinute, "shop", &Interval { every_s, phase_s }.into(), 3_600_000)
        };

        assert_eq!(extra(1, 0), None);
        assert_eq!(extra(60, 59), None);
        assert_eq!(extra(3_600, 60), None);
        assert!(extra(3_600, 61).is_some());
        assert!(extra(3_600, 0).is_some(), "its phase was a moment ago");
    }

    #[test]
    fn very_many_new_sites_follow_their_phases() {
        assert_eq!(
            [1, 1_000, 1_001].map(start_of_import),
            [Start::InFirstMinute, Start::InFirstMinute, Start::InPhase]
        );
        assert_eq!(
            [1, 100, 101, 1_000, 1_001].map(start_of_file),
            [Start::AtOnce, Start::AtOnce, Start::InFirstMinute, Start::InFirstMinute, Start::InPhase]
        );
    }
}
