use super::*;
use crate::result_log::kafka::dead_letter::Letter;

/// Reads results `0..results` of partition 0 and hands them out.
fn handed(results: i64) -> Marks {
    let mut marks = Marks::default();
    marks.add(&[0]);
    for offset in 0..results {
        marks.read(0, offset).unwrap().waiting += 1;
    }
    (0..results).for_each(|offset| marks.hand(0, 1, offset));
    marks
}

fn letter(marks: &mut Marks, offset: i64) {
    marks.read(0, offset).unwrap().letters.add(offset, Letter::of_nothing());
}

#[test]
fn nothing_is_committed_before_it_is_stored() {
    let mut marks = handed(3);
    assert_eq!(marks.owed(), []);

    marks.store(&marks.end());

    assert_eq!(marks.owed(), [(0, 3)]);
    marks.committed(&[(0, 3)]);
    assert_eq!(marks.owed(), []);
}

#[test]
fn what_is_read_ahead_is_not_committed_with_what_was_handed_out() {
    let mut marks = handed(3);
    marks.read(0, 3).unwrap().waiting += 1;

    marks.store(&marks.end());

    assert_eq!(marks.owed(), [(0, 3)]);
}

#[test]
fn a_letter_holds_its_partition_back_until_it_is_acknowledged() {
    let mut marks = handed(3);
    letter(&mut marks, 3);
    marks.read(0, 4).unwrap().waiting += 1;
    marks.hand(0, 1, 4);

    marks.store(&marks.end());
    assert_eq!(marks.owed(), [(0, 3)]);

    marks.letters().for_each(|letters| *letters = Letters::default());
    assert_eq!(marks.owed(), [(0, 5)]);
}

#[test]
fn letters_alone_are_committed_and_never_past_a_result_that_is_not_stored() {
    let mut marks = handed(1);
    letter(&mut marks, 1);
    marks.letters().for_each(|letters| *letters = Letters::default());
    assert_eq!(marks.owed(), []);

    marks.store(&marks.end());

    assert_eq!(marks.owed(), [(0, 2)]);
}

#[test]
fn a_batch_of_an_earlier_turn_commits_nothing() {
    let mut marks = handed(3);
    let end = marks.end();

    marks.remove(&[0]);
    marks.add(&[0]);
    // Others have read on meanwhile.
    marks.read(0, 10).unwrap().waiting += 1;
    marks.store(&end);

    assert_eq!(marks.owed(), [], "or the group would go back");
}

fn start(committed: i64, low: i64) -> Start {
    Start { partition: 0, turn: 1, committed: Some(committed), low }
}

fn jump(expected: i64, found: i64) -> Jump {
    Jump { partition: 0, expected, found }
}

#[test]
fn open_letters_are_counted_with_their_bytes() {
    let mut marks = handed(1);
    marks.read(0, 1).unwrap().letters.add(1, Letter::of_bytes(1_000));
    marks.read(0, 2).unwrap().letters.add(2, Letter::of_bytes(500));
    assert_eq!(marks.open_letters(), (2, 1_500));

    // The log has gone back, and another message lies there.
    marks.read(0, 1).unwrap().letters.add(1, Letter::of_bytes(10));

    assert_eq!(marks.open_letters(), (2, 510));
}

#[test]
fn a_log_that_has_gone_back_is_committed_at_the_lower_offset_at_once() {
    let mut marks = handed(1_000);
    marks.store(&marks.end());
    marks.committed(&[(0, 1_000)]);

    marks.read(0, 99).unwrap().waiting += 1;

    assert_eq!(marks.owed(), [(0, 99)]);
    assert_eq!(marks.jumps(), [jump(1_000, 99)]);
    marks.committed(&[(0, 99)]);
    marks.hand(0, 2, 99);
    marks.store(&marks.end());
    assert_eq!(marks.owed(), [(0, 100)]);
}

#[test]
fn a_commit_from_before_the_log_went_back_that_arrives_late_is_undone() {
    let mut marks = handed(1_000);
    marks.store(&marks.end());
    marks.read(0, 99).unwrap().waiting += 1;
    marks.committed(&[(0, 99)]);

    // The broker was back, and took it.
    marks.committed(&[(0, 1_000)]);

    assert_eq!(marks.owed(), [(0, 99)]);
}

#[test]
fn what_was_read_before_the_log_went_back_is_still_handed_out_and_commits_nothing() {
    let mut marks = handed(10);
    let end = marks.end();
    marks.read(0, 10).unwrap().waiting += 1;

    marks.read(0, 3).unwrap().waiting += 1;
    marks.hand(0, 1, 10);
    marks.store(&end);

    assert!(marks.is_ours(0, 1) && marks.is_ours(0, 2));
    assert_eq!(marks.owed(), [(0, 3)]);
    marks.remove(&[0]);
    marks.add(&[0]);
    assert!(!marks.is_ours(0, 1) && !marks.is_ours(0, 2), "others have read it since");
}

#[test]
fn what_was_deleted_before_it_was_read_is_counted_once() {
    for first in [Some(903), None] {
        let mut marks = Marks::default();
        marks.add(&[0]);
        if let Some(first) = first {
            marks.read(0, first).unwrap();
        }

        marks.start(start(100, 903));
        marks.read(0, first.map_or(903, |first| first + 1)).unwrap();

        assert_eq!(marks.jumps(), [jump(100, 903)]);
        assert_eq!(jump(100, 903).deleted(), Some(803));
    }
}

#[test]
fn what_is_deleted_between_two_messages_is_counted_too() {
    let mut marks = handed(3);

    marks.read(0, 10).unwrap();

    assert_eq!(marks.jumps(), [jump(3, 10)]);
}

#[test]
fn the_deleted_is_committed_so_that_no_later_turn_counts_it_again() {
    let mut marks = Marks::default();
    marks.add(&[0]);

    marks.start(start(100, 903));

    assert_eq!(marks.owed(), [(0, 903)]);
}

#[test]
fn a_turn_that_begins_where_the_last_one_ended_owes_nothing() {
    let mut marks = Marks::default();
    marks.add(&[0]);

    marks.start(start(100, 7));
    assert_eq!(marks.owed(), []);
    marks.read(0, 100).unwrap().waiting += 1;

    assert_eq!((marks.owed(), marks.jumps()), (vec![], vec![]));
}

#[test]
fn a_group_that_has_never_committed_has_missed_nothing() {
    let mut marks = Marks::default();
    marks.add(&[0]);

    marks.start(Start { committed: None, ..start(0, 903) });
    marks.read(0, 903).unwrap().waiting += 1;

    assert_eq!((marks.owed(), marks.jumps()), (vec![], vec![]));
}

#[test]
fn a_group_that_has_committed_more_than_there_is_commits_the_first_that_it_reads() {
    for known_first in [true, false] {
        let mut marks = Marks::default();
        marks.add(&[0]);
        if known_first {
            marks.start(start(1_320, 0));
        }
        marks.read(0, 0).unwrap().waiting += 1;
        if !known_first {
            marks.start(start(1_320, 0));
        }

        assert_eq!(marks.owed(), [(0, 0)]);
        assert_eq!(marks.jumps(), [jump(1_320, 0)]);
        assert_eq!(jump(1_320, 0).deleted(), None);
    }
}
