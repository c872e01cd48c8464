//! How far each partition was read, stored and committed.
//!
//! What was read becomes stored when the reader's batch is committed, or when its dead letter was acknowledged.
//! The offset that may be committed lies before everything that is still open.

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
    /// Behind the last message that was read.
    read: i64,
    /// Results that were read and not handed out.
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
            read: -1,
            waiting: 0,
            handed: -1,
            stored: -1,
            committed: -1,
            letters: Letters::default(),
        }
    }

    /// The first offset that is not safe yet; below zero for nothing.
    fn safe(&self) -> i64 {
        let all_stored = self.waiting == 0 && self.stored >= self.handed;
        let stored = if all_stored { self.read } else { self.stored };
        self.letters.first().map_or(stored, |letter| stored.min(letter))
    }
}

/// The partitions that are ours.
#[derive(Default)]
pub(super) struct Marks {
    partitions: HashMap<i32, Progress>,
    turns: u64,
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

    /// The number of our present turn with a partition.
    pub(super) fn turn(&self, partition: i32) -> Option<u64> {
        self.partitions.get(&partition).map(|progress| progress.turn)
    }

    /// All partitions, for their dead letters.
    pub(super) fn letters(&mut self) -> impl Iterator<Item = &mut Letters> {
        self.partitions.values_mut().map(|progress| &mut progress.letters)
    }

    /// Dead letters that are not acknowledged.
    pub(super) fn letters_count(&self) -> usize {
        self.partitions.values().map(|progress| progress.letters.count()).sum()
    }

    /// A message was read. `None` when its partition is not ours any more.
    pub(super) fn read(&mut self, partition: i32, offset: i64) -> Option<&mut Progress> {
        let progress = self.partitions.get_mut(&partition)?;
        progress.read = offset + 1;
        Some(progress)
    }

    /// A result was handed out.
    pub(super) fn hand(&mut self, partition: i32, offset: i64) {
        if let Some(progress) = self.partitions.get_mut(&partition) {
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

    /// What may be committed and is not.
    pub(super) fn owed(&self) -> Offsets {
        let safe = self
            .partitions
            .iter()
            .map(|(&partition, progress)| (partition, progress.safe(), progress.committed));
        safe.filter(|(_, safe, committed)| safe > committed)
            .map(|(partition, safe, _)| (partition, safe))
            .collect()
    }

    /// The brokers have these.
    pub(super) fn committed(&mut self, offsets: &[(i32, i64)]) {
        for (partition, next) in offsets {
            if let Some(progress) = self.partitions.get_mut(partition) {
                progress.committed = progress.committed.max(*next);
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
        (0..results).for_each(|offset| marks.hand(0, offset));
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
        marks.hand(0, 4);

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
}
