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
mod tests;
