//! What new results mean for a site: its verdict, since when it stands, and how fresh that is.
//!
//! A step is the same on both databases, which read a [`State`], take the results that count ([`State::results`]), and write the state
//! back in the transaction that stores the rows. A site's verdict is that of the default region
//! ([`AllNews::of`]). The state after all results is the same whatever their order of arrival and
//! however they were batched.
//!
//! ```text
//! slots      10    20    30    40    50    60
//! results    up   down  down missed down  missed
//!             │     │                 │     └ newest: a slot without a verdict, so the verdict is not fresh
//!             │     └ since           └ until
//!             └ differed
//! ```

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use super::listed;
use crate::clock::Timestamp;
use crate::model::{CheckResult, Freshness, SiteId, Slot, Status, Verdict};

/// What is known of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    /// The newest slot with a result, and whether that was a verdict.
    pub(super) newest: Option<(Timestamp, Freshness)>,
    /// `None` before the first verdict.
    pub(super) standing: Option<Standing>,
}

/// Seconds that a slot may be ahead of the database's clock: a worker's clock may be a little. After a slot of a clock that was
/// far ahead nothing would be newer, and so it counts for nothing.
pub(super) const AHEAD_S: i64 = 60;

/// The state as it stands in `sites`; words are of type `T`.
#[derive(Debug, Clone)]
pub(super) struct StateColumns<T> {
    pub(super) status: Option<T>,
    pub(super) updated: Option<Timestamp>,
    pub(super) since: Option<Timestamp>,
    pub(super) verdict_at: Option<Timestamp>,
    pub(super) differed_at: Option<Timestamp>,
    pub(super) freshness: Option<T>,
}

impl From<&State> for StateColumns<&'static str> {
    fn from(State { newest, standing }: &State) -> Self {
        Self {
            status: standing.map(|standing| standing.verdict.as_str()),
            updated: newest.map(|(at, _)| at),
            since: standing.map(|standing| standing.since),
            verdict_at: standing.map(|standing| standing.until),
            differed_at: standing.and_then(|standing| standing.differed),
            freshness: newest.map(|(_, freshness)| freshness.as_str()),
        }
    }
}

impl StateColumns<String> {
    /// The state, also of a row that a version wrote which knows only a status and its slot.
    pub(super) fn state(self) -> State {
        let Self { status, updated, since, verdict_at, differed_at, freshness } = self;
        let status = status.as_deref().map(Status::of_word);
        let freshness = listed::freshness(freshness.as_deref(), status);
        let standing = || {
            let (verdict, updated) = (status?.verdict()?, updated?);
            let until = if freshness == Freshness::Fresh { updated } else { verdict_at.unwrap_or(updated) };
            let since = since.unwrap_or(until);
            // Where an older version has turned the verdict, what lies before it is not known.
            let is_ours = verdict_at.is_some_and(|at| since <= at);
            let differed = if is_ours { differed_at } else { Some(since - TimeDelta::seconds(1)) };
            Some(Standing { verdict, since, until, differed })
        };
        State { newest: updated.map(|at| (at, freshness)), standing: standing() }
    }
}

/// The verdict that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) verdict: Verdict,
    /// The first slot of the latest run of this verdict.
    pub(super) since: Timestamp,
    /// The newest slot with a verdict.
    pub(super) until: Timestamp,
    /// The newest slot with another verdict: it lies before `since`, and between the two is no verdict.
    pub(super) differed: Option<Timestamp>,
}

/// A site whose verdict has changed. Results that come late and belong to the past are no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Which site.
    pub site_id: SiteId,
    /// The slot that turned it.
    pub at: Timestamp,
    /// `None`: it is the first verdict.
    pub from: Option<Verdict>,
    /// The verdict that stands now.
    pub to: Verdict,
}

/// One result for each slot: the first, but for `missed`, which gives way to a check.
pub(super) fn one_per_slot<'a>(
    results: impl Iterator<Item = &'a CheckResult>,
) -> Vec<(Slot, &'a CheckResult)> {
    let mut slots: HashMap<Slot, &CheckResult> = HashMap::new();
    for (slot, result) in results.filter_map(|result| Some((result.slot()?, result))) {
        let first = slots.entry(slot).or_insert(result);
        if first.status == Status::Missed {
            *first = result;
        }
    }
    slots.into_iter().collect()
}

/// A result of a batch, as far as it concerns the state of its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct News {
    pub(super) at: Timestamp,
    pub(super) status: Status,
    /// Its row is new.
    pub(super) is_new: bool,
}

/// Whether the slot's result has a say in its site's state.
pub(super) fn says_verdict(slot: &Slot) -> bool {
    slot.region.is_default()
}

/// Results of a batch by site, each site's in the order of its slots.
#[derive(Debug)]
pub(super) struct AllNews(BTreeMap<SiteId, Vec<News>>);

impl AllNews {
    /// Each result's slot, its status, and whether its row is new. Without those of slots from `end` on ([`AHEAD_S`]), and without
    /// those of other regions than the default: what a site's verdict makes of several regions is not decided yet.
    pub(super) fn of(results: impl Iterator<Item = (Slot, Status, bool)>, end: Timestamp) -> Self {
        let mut sites: BTreeMap<SiteId, Vec<News>> = BTreeMap::new();
        for (slot, status, is_new) in
            results.filter(|(slot, ..)| says_verdict(slot) && slot.scheduled_at < end)
        {
            sites.entry(slot.site_id).or_default().push(News { at: slot.scheduled_at, status, is_new });
        }
        sites.values_mut().for_each(|news| news.sort_by_key(|news| news.at));
        Self(sites)
    }

    /// In the order in which sites are locked.
    pub(super) fn sites(&self) -> impl Iterator<Item = (SiteId, &[News])> {
        self.0.iter().map(|(site, news)| (*site, news.as_slice()))
    }
}

impl State {
    /// The results that count: of slots whose rows are new, and of slots after the newest. The latter have a row already where a
    /// clock that was ahead had made one; their time has come once more, and the check of now counts.
    pub(super) fn results(&self, news: &[News]) -> Vec<(Timestamp, Status)> {
        let newest = self.newest.map(|(at, _)| at);
        let telling = news.iter().filter(|news| news.is_new || Some(news.at) > newest);
        telling.map(|news| (news.at, news.status)).collect()
    }

    /// The slot of the newest of `results` that comes late and breaks the run of the verdict in two. The run begins anew with the
    /// first verdict after it, which is looked up in the rows before the step.
    pub(super) fn break_by(&self, results: &[(Timestamp, Status)]) -> Option<Timestamp> {
        let standing = self.standing?;
        let breaks = |&&(at, status): &&(Timestamp, Status)| {
            let differs = status.verdict().is_some_and(|verdict| verdict != standing.verdict);
            differs && standing.since < at && at < standing.until
        };
        results.iter().rev().find(breaks).map(|(at, _)| *at)
    }

    /// Takes new results, which are in the order of their slots. `after_break`: the first slot with a verdict after that of
    /// [`break_by`](Self::break_by). Tells how the verdict turned: from what, when, to what.
    pub(super) fn step(
        &mut self,
        site_id: SiteId,
        results: &[(Timestamp, Status)],
        after_break: Option<Timestamp>,
    ) -> Vec<Turn> {
        results.iter().for_each(|&(at, status)| self.freshen(at, status.into()));
        let verdicts = results.iter().filter_map(|&(at, status)| Some((at, status.verdict()?)));
        let until = self.standing.map(|standing| standing.until);
        if let Some(standing) = &mut self.standing {
            // The newest first: older verdicts cannot change the run's beginning that it sets.
            let late = verdicts.clone().filter(|(at, _)| Some(*at) <= until);
            late.rev().for_each(|(at, verdict)| standing.look_back(at, verdict, after_break));
        }
        let mut turns = Vec::new();
        for (at, verdict) in verdicts.filter(|(at, _)| Some(*at) > until) {
            let before = self.standing;
            match &mut self.standing {
                Some(standing) if standing.verdict == verdict => standing.until = at,
                standing => {
                    let differed = before.map(|standing| standing.until);
                    *standing = Some(Standing { verdict, since: at, until: at, differed });
                    turns.push(Turn {
                        site_id,
                        at,
                        from: before.map(|standing| standing.verdict),
                        to: verdict,
                    });
                }
            }
        }
        turns
    }

    /// A check takes the place of its slot's `missed`.
    fn freshen(&mut self, at: Timestamp, freshness: Freshness) {
        let is_newer = self
            .newest
            .is_none_or(|(newest, known)| newest < at || newest == at && known == Freshness::Missed);
        if is_newer {
            self.newest = Some((at, freshness));
        }
    }
}

impl Standing {
    /// Takes a verdict that comes late.
    fn look_back(&mut self, at: Timestamp, verdict: Verdict, after_break: Option<Timestamp>) {
        let is_of_run = self.differed.is_none_or(|differed| differed < at);
        if !is_of_run {
            return;
        }
        if verdict == self.verdict {
            self.since = self.since.min(at);
            return;
        }
        self.differed = Some(at);
        if self.since < at {
            self.since = after_break.unwrap_or(self.until);
        }
    }
}

#[cfg(test)]
mod tests;
