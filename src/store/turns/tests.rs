use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::model::Region;

const SITE: SiteId = SiteId(1);

fn at(slot: i64) -> Timestamp {
    DateTime::from_timestamp(slot, 0).unwrap()
}

fn slot(scheduled_at: Timestamp) -> Slot {
    Slot { scheduled_at, site_id: SITE, region: Region::DEFAULT }
}

/// A database with one site.
#[derive(Default)]
struct Kept {
    rows: BTreeMap<Timestamp, Status>,
    state: State,
}

impl Kept {
    fn store(&mut self, batch: &[(Timestamp, Status)]) -> Vec<Turn> {
        // Of a slot's `missed` and its check in one batch the check comes last, and stands.
        let mut batch = batch.to_vec();
        batch.sort_by_key(|(at, status)| (*at, *status != Status::Missed));
        let batch: Vec<_> = batch.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
        let is_new = |&&(at, status): &&(Timestamp, Status)| match self.rows.get(&at) {
            None => true,
            Some(known) => *known == Status::Missed && status != Status::Missed,
        };
        let news: Vec<_> = batch.iter().map(|result| (slot(result.0), result.1, is_new(&result))).collect();
        self.rows.extend(batch.iter().filter(is_new).copied().collect::<Vec<_>>());
        let news = AllNews::of(news.into_iter(), at(i64::from(i32::MAX)));
        let Some((site, news)) = news.sites().next() else { return Vec::new() };
        let results = &self.state.results(news);
        let after_break = self.state.break_by(results).and_then(|broken| {
            self.rows
                .iter()
                .find(|(at, status)| **at > broken && status.verdict().is_some())
                .map(|(at, _)| *at)
        });
        self.state.step(site, results, after_break)
    }
}

fn stored(results: &[(i64, Status)]) -> (Kept, Vec<Turn>) {
    let mut kept = Kept::default();
    let turns = results.iter().flat_map(|&(slot, status)| kept.store(&[(at(slot), status)])).collect();
    (kept, turns)
}

use Status::{Degraded, Down, Missed, Unknown, Up};

#[test]
fn a_site_turns_with_each_other_verdict() {
    let (kept, turns) = stored(&[(10, Up), (20, Down), (30, Down), (40, Up)]);

    let turned: Vec<_> = turns.iter().map(|turn| (turn.at, turn.from, turn.to)).collect();
    let expected = [
        (at(10), None, Verdict::Up),
        (at(20), Some(Verdict::Up), Verdict::Down),
        (at(40), Some(Verdict::Down), Verdict::Up),
    ];
    assert_eq!(turned, expected);
    let up = Standing { verdict: Verdict::Up, since: at(40), until: at(40), differed: Some(at(30)) };
    assert_eq!(kept.state.standing, Some(up));
}

#[test]
fn our_own_faults_turn_nothing_and_are_told_apart() {
    let (kept, turns) = stored(&[(10, Down), (20, Missed), (30, Unknown), (40, Missed)]);

    let down = Standing { verdict: Verdict::Down, since: at(10), until: at(10), differed: None };
    assert_eq!((kept.state.standing, turns.len()), (Some(down), 1));
    assert_eq!(kept.state.newest, Some((at(40), Freshness::Missed)));
    let (again, _) = stored(&[(10, Down), (20, Missed), (30, Down)]);
    assert_eq!(again.state.standing.map(|standing| standing.since), Some(at(10)));
    assert_eq!(again.state.newest, Some((at(30), Freshness::Fresh)));
}

#[test]
fn a_verdict_that_comes_late_moves_the_beginning_and_is_no_turn() {
    for (results, since) in [
        ([(10, Up), (30, Down), (20, Down)], 20),
        ([(10, Down), (30, Down), (20, Up)], 30),
        ([(20, Down), (30, Down), (10, Up)], 20),
        ([(20, Down), (30, Down), (10, Down)], 10),
        ([(10, Down), (30, Down), (20, Missed)], 10),
    ] {
        let (mut kept, turns) = stored(&results[..2]);
        let late = kept.store(&[(at(results[2].0), results[2].1)]);

        assert_eq!(kept.state.standing.map(|standing| standing.since), Some(at(since)), "{results:?}");
        assert!(late.is_empty() && !turns.is_empty(), "{late:?} after {turns:?}");
    }
}

#[test]
fn late_verdicts_in_one_batch_are_judged_by_what_stood_before_it() {
    let (mut kept, _) = stored(&[(40, Up), (60, Up)]);

    kept.store(&[(at(20), Up), (at(30), Down)]);

    assert_eq!(kept.state.standing.map(|standing| standing.since), Some(at(40)));
}

#[test]
fn slots_of_a_clock_that_was_ahead_count_for_nothing() {
    let results = [(slot(at(10)), Up, true), (slot(at(99)), Down, true)];

    let all = AllNews::of(results.into_iter(), at(70));

    let first = News { at: at(10), status: Up, is_new: true };
    assert_eq!(all.sites().collect::<Vec<_>>(), [(SITE, &[first][..])]);
}

#[test]
fn results_of_another_region_turn_no_site() {
    let elsewhere = Slot { region: "eu".parse().unwrap(), ..slot(at(10)) };

    let all = AllNews::of([(elsewhere, Down, true)].into_iter(), at(70));

    assert_eq!(all.sites().count(), 0);
}

#[test]
fn a_slot_that_has_a_row_of_a_time_that_was_taken_back_counts_when_its_time_comes() {
    let (mut kept, _) = stored(&[(10, Up), (20, Up), (30, Up)]);
    let ten = State { newest: Some((at(10), Freshness::Fresh)), ..kept.state };
    let up = ten.standing.map(|standing| Standing { since: at(10), until: at(10), ..standing });
    kept.state = State { standing: up, ..ten };

    let turns = kept.store(&[(at(20), Down)]);

    assert_eq!((turns.len(), kept.state.newest), (1, Some((at(20), Freshness::Fresh))));
    assert_eq!(kept.rows[&at(20)], Up);
}

#[test]
fn what_an_older_version_has_written_is_gone_on_with() {
    let columns = StateColumns {
        status: Some("down".to_owned()),
        updated: Some(at(110)),
        since: Some(at(110)),
        verdict_at: Some(at(90)),
        differed_at: None,
        freshness: Some("fresh".to_owned()),
    };
    let mut state = columns.state();

    let turns = state.step(SITE, &[(at(95), Down), (at(100), Up)], None);

    let down = Standing { verdict: Verdict::Down, since: at(110), until: at(110), differed: Some(at(109)) };
    assert_eq!((turns, state.standing), (Vec::new(), Some(down)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_state_is_the_same_in_any_order_and_in_any_batches(
        results in prop::collection::vec(prop::sample::select(vec![Up, Degraded, Down, Missed, Unknown]), 1..24)
            .prop_map(|statuses| (1..).zip(statuses).map(|(slot, status)| (at(slot * 10), status)).collect::<Vec<_>>())
            .prop_flat_map(|results| {
                // Some slots had been given up when their checks came.
                let given_up = prop::sample::subsequence(results.clone(), 0..=results.len());
                let all = given_up.prop_map({
                    let results = results.clone();
                    move |slots| slots.iter().map(|(at, _)| (*at, Missed)).chain(results.clone()).collect::<Vec<_>>()
                });
                (Just(results), all.prop_shuffle())
            }),
        sizes in prop::collection::vec(1usize..6, 48),
    ) {
        let (in_order, mut shuffled) = results;
        let mut expected = Kept::default();
        in_order.iter().for_each(|result| drop(expected.store(&[*result])));

        let mut kept = Kept::default();
        let mut sizes = sizes.into_iter();
        while !shuffled.is_empty() {
            let rest = shuffled.split_off(sizes.next().unwrap_or(1).min(shuffled.len()));
            kept.store(&shuffled);
            shuffled = rest;
        }

        prop_assert_eq!(kept.state, expected.state);
    }
}
