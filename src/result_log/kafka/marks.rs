//! How far each partition was read, stored and committed.
//!
//! What was read becomes stored when the reader's batch is committed, or when its dead letter was acknowledged.
//! The offset that may be committed lies before everything that is still open.
//!
//! A log can go back: a broker that lost power, a volume that was restored, a leader that had less. Then the messages that come next
//! were read before by their offsets and are others, so a turn of their own begins with them.

use std::collections::HashMap;

use super::dead_letter::Letters;

/// Partitions, and the next offset to read in each.
pub(super) type Offsets = Vec<(i32, i64)>;

/// The end of a batch in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Mark {
    partition: i32,
    /// Which of our turns with the partition it was. A partition that left and came back was read by others meanwhile.
    turn: u64,
    /// Behind the last result.
    next: i64,
}

/// One partition, for as long as it is ours.
pub(super) struct Progress {
    pub(super) turn: u64,
    /// The turn in which it came to us. What was read since is ours to hand out, also when the log has gone back meanwhile.
    came: u64,
    /// The first message that was read in this turn.
    first: Option<i64>,
    /// Behind the last message that was read.
    read: i64,
    /// Results of this turn that were read and not handed out.
    pub(super) waiting: usize,
    /// Behind the last result that was handed out.
    handed: i64,
    /// Behind the last result that was declared stored.
    stored: i64,
    /// What the brokers have.
    committed: i64,
    pub(super) letters: Letters,
}

impl Progress {
    fn new(turn: u64) -> Self {
        Self {
            turn,
            came: turn,
            first: None,
            read: -1,
            waiting: 0,
            handed: -1,
            stored: -1,
            committed: -1,
            letters: Letters::default(),
        }
    }

    /// The next message to read is at `offset`, and nothing before it is open.
    fn begin_at(&mut self, offset: i64) {
        (self.read, self.handed, self.stored) = (offset, offset, offset);
    }

    /// The log goes on at `offset`, which was read before: what lies there now is something else, and not stored. What the brokers
    /// have is too high, and the next reader would begin there.
    fn go_back(&mut self, turn: u64, offset: i64) {
        let letters = std::mem::take(&mut self.letters);
        *self = Self { came: self.came, committed: self.committed, letters, ..Self::new(turn) };
        self.begin_at(offset);
    }

    /// The first offset that is not safe yet; below zero for nothing.
    fn safe(&self) -> i64 {
        let all_stored = self.waiting == 0 && self.stored >= self.handed;
        let stored = if all_stored { self.read } else { self.stored };
        self.letters.first().map_or(stored, |letter| stored.min(letter))
    }
}

/// Where the brokers let a turn begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) partition: i32,
    pub(super) turn: u64,
    /// What the group has committed; `None` for nothing.
    pub(super) committed: Option<i64>,
    /// The first message that is still there.
    pub(super) low: i64,
}

/// The next message was not where it should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jump {
    pub(super) partition: i32,
    /// Where it should have been.
    pub(super) expected: i64,
    /// Where it was.
    pub(super) found: i64,
}

impl Jump {
    /// Messages that were deleted before we had read them; `None` when the log has gone back.
    pub(super) fn deleted(self) -> Option<u64> {
        u64::try_from(self.found - self.expected).ok()
    }
}

/// The partitions that are ours.
#[derive(Default)]
pub(super) struct Marks {
    partitions: HashMap<i32, Progress>,
    turns: u64,
    jumps: Vec<Jump>,
}

impl Marks {
    /// Partitions that came, for a new turn.
    pub(super) fn add(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.turns += 1;
            self.partitions.insert(*partition, Progress::new(self.turns));
        }
    }

    /// Partitions that went.
    pub(super) fn remove(&mut self, partitions: &[i32]) {
        self.partitions.retain(|partition, _| !partitions.contains(partition));
    }

    /// The present turns with these partitions, as far as they are ours.
    pub(super) fn turns(&self, partitions: &[i32]) -> Vec<(i32, u64)> {
        let turn = |partition: &i32| Some((*partition, self.partitions.get(partition)?.turn));
        partitions.iter().filter_map(turn).collect()
    }

    /// Whether what was read in this turn is ours to hand out. A partition that left and came back was read by others meanwhile.
    pub(super) fn is_ours(&self, partition: i32, turn: u64) -> bool {
        self.partitions.get(&partition).is_some_and(|progress| progress.came <= turn)
    }

    /// All partitions, for their dead letters.
    pub(super) fn letters(&mut self) -> impl Iterator<Item = &mut Letters> {
        self.partitions.values_mut().map(|progress| &mut progress.letters)
    }

    /// Dead letters that are not acknowledged: how many, and their bytes.
    pub(super) fn open_letters(&self) -> (usize, usize) {
        let letters = self.partitions.values().map(|progress| &progress.letters);
        letters.fold((0, 0), |(count, bytes), letters| (count + letters.count(), bytes + letters.bytes()))
    }

    /// Where the brokers let a turn begin. Known somewhat later than the turn itself, so messages may have been read already.
    pub(super) fn start(&mut self, start: Start) {
        let Start { partition, turn, committed: Some(committed), low } = start else { return };
        let Some(progress) = self.partitions.get_mut(&partition).filter(|progress| progress.turn == turn)
        else {
            return;
        };
        if progress.committed < 0 {
            progress.committed = committed;
        }
        let found = progress.first.unwrap_or(committed.max(low));
        if found != committed {
            self.jumps.push(Jump { partition, expected: committed, found });
        }
        if progress.first.is_none() {
            progress.begin_at(found);
        } else if found < committed && progress.stored < 0 {
            // The brokers get the lower offset at once, and not only when something is stored.
            progress.stored = found;
            progress.handed = progress.handed.max(found);
        }
    }

    /// A message was read. `None` when its partition is not ours any more.
    pub(super) fn read(&mut self, partition: i32, offset: i64) -> Option<&mut Progress> {
        let progress = self.partitions.get_mut(&partition)?;
        let expected = progress.read;
        if expected >= 0 && offset != expected {
            self.jumps.push(Jump { partition, expected, found: offset });
        }
        if offset < expected {
            self.turns += 1;
            progress.go_back(self.turns, offset);
        }
        progress.first.get_or_insert(offset);
        progress.read = offset + 1;
        Some(progress)
    }

    /// The jumps since the last call.
    pub(super) fn jumps(&mut self) -> Vec<Jump> {
        std::mem::take(&mut self.jumps)
    }

    /// A result was handed out. One of an earlier turn moves nothing: it lies nowhere any more.
    pub(super) fn hand(&mut self, partition: i32, turn: u64, offset: i64) {
        let progress = self.partitions.get_mut(&partition).filter(|progress| progress.turn == turn);
        if let Some(progress) = progress {
            progress.waiting = progress.waiting.saturating_sub(1);
            progress.handed = offset + 1;
        }
    }

    /// The end of what was handed out so far.
    pub(super) fn end(&self) -> Vec<Mark> {
        let handed = self.partitions.iter().filter(|(_, progress)| progress.handed > progress.stored);
        handed
            .map(|(&partition, progress)| Mark { partition, turn: progress.turn, next: progress.handed })
            .collect()
    }

    /// Everything up to these marks is stored. Those of an earlier turn don't count: others have read on since.
    pub(super) fn store(&mut self, marks: &[Mark]) {
        for mark in marks {
            let progress =
                self.partitions.get_mut(&mark.partition).filter(|progress| progress.turn == mark.turn);
            if let Some(progress) = progress {
                progress.stored = progress.stored.max(mark.next);
            }
        }
    }

    /// What is to be committed because the brokers have something else: less, or more where the log has gone back.
    pub(super) fn owed(&self) -> Offsets {
        let safe = self
            .partitions
            .iter()
            .map(|(&partition, progress)| (partition, progress.safe(), progress.committed));
        safe.filter(|(_, safe, committed)| *safe >= 0 && safe != committed)
            .map(|(partition, safe, _)| (partition, safe))
            .collect()
    }

    /// The brokers have these now, and nothing later: commits follow one another.
    pub(super) fn committed(&mut self, offsets: &[(i32, i64)]) {
        for (partition, next) in offsets {
            if let Some(progress) = self.partitions.get_mut(partition) {
                progress.committed = *next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dead_letter::Letter;
    use super::*;

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
}
