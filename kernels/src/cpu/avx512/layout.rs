//! Entries of a window in the order in which eight lanes take them: a counting sort straight into
//! groups of eight buckets of about the same size. A bucket far larger than the others is spread over
//! the eight lanes of one or more groups of its own, so that skewed scalars cost no more.

use super::batch::{NONE, Place};
use crate::cpu::pages;
use crate::cpu::scalars::NEGATIVE;
use std::cmp::Reverse;

/// Buckets up to this size are never split.
const LEAST_SPLIT: u32 = 16;
/// With at least this many buckets in use there is no need to split those of about average size.
const ENOUGH_LANES: u32 = 1 << 10;

/// Eight lanes that sum step by step; step s takes the eight entries from `start + 8 s`.
pub(super) struct Group {
    start: u32,
    pub(super) steps: u32,
    pub(super) lanes: Lanes,
}

/// The buckets of a group's lanes.
#[derive(Clone, Copy)]
pub(super) enum Lanes {
    /// Those listed in [`Layout::order`] from this place, at most eight.
    Each(u32),
    /// A part of this one in every lane.
    One(u32),
}

/// The sorted entries of one window, and working memory kept between windows.
#[derive(Default)]
pub(super) struct Layout {
    /// Groups by falling number of steps.
    pub(super) groups: Vec<Group>,
    /// Entries, [`NONE`] where a lane has no more.
    pub(super) list: Vec<u32>,
    /// Buckets that take one lane, by falling size.
    pub(super) order: Vec<u32>,
    counts: Vec<u32>,
    /// Per bucket: place of its next entry, and the distance to the one after.
    next: Vec<(u32, u32)>,
}

impl Layout {
    /// Makes room for this many entries and what padding they are likely to need.
    pub(super) fn reserve(&mut self, entries: usize) {
        if self.list.capacity() < entries {
            self.list = pages::with_capacity(entries + entries / 8);
        }
    }

    /// Sorts entries by their digit's absolute value d, bucket d - 1, without those of digit zero; a
    /// negative digit flips the entry's sign. There are at most 2^29 entries.
    pub(super) fn arrange(&mut self, entries: &[u32], digits: &[i32], buckets: usize) {
        self.counts.clear();
        // The first counter takes the zeros, so that counting needs no branch.
        self.counts.resize(buckets + 1, 0);
        for &digit in digits {
            self.counts[digit.unsigned_abs() as usize] += 1;
        }
        self.counts[0] = 0;
        self.groups.clear();
        self.next.clear();
        self.next.resize(buckets + 1, (0, 0));
        let most = self.most_per_lane();
        self.order_small(most);
        let slots = self.place(most);
        self.list.clear();
        self.list.resize(slots as usize, NONE);
        for (&entry, &digit) in entries.iter().zip(digits) {
            if digit != 0 {
                let (slot, stride) = &mut self.next[digit.unsigned_abs() as usize];
                self.list[*slot as usize] = entry ^ (digit as u32 & NEGATIVE);
                *slot += *stride;
            }
        }
        self.groups.sort_by_key(|group| Reverse(group.steps));
    }

    /// The size beyond which a bucket is split.
    fn most_per_lane(&self) -> u32 {
        let total: u32 = self.counts.iter().sum();
        let used = self.counts.iter().filter(|&&count| count != 0).count() as u32;
        LEAST_SPLIT.max(2 * (total / used.max(ENOUGH_LANES)))
    }

    /// Lists the buckets of 1 to `most` entries by falling size (a counting sort).
    fn order_small(&mut self, most: u32) {
        let small = |count: u32| count != 0 && count <= most;
        let mut starts = vec![0u32; most as usize + 2];
        for &count in self.counts.iter().filter(|&&count| small(count)) {
            starts[(most - count) as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        self.order.clear();
        self.order.resize(starts[most as usize + 1] as usize, 0);
        for (bucket, &count) in self.counts.iter().enumerate().filter(|&(_, &count)| small(count)) {
            let at = &mut starts[(most - count) as usize];
            self.order[*at as usize] = bucket as u32;
            *at += 1;
        }
    }

    /// Gives every bucket its group and lanes; the number of entries with padding.
    fn place(&mut self, most: u32) -> u32 {
        let mut slots = 0;
        for (i, buckets) in self.order.chunks(8).enumerate() {
            let steps = self.counts[buckets[0] as usize];
            for (lane, &bucket) in buckets.iter().enumerate() {
                self.next[bucket as usize] = (slots + lane as u32, 8);
            }
            self.groups.push(Group { start: slots, steps, lanes: Lanes::Each(8 * i as u32) });
            slots += 8 * steps;
        }
        for (bucket, &count) in self.counts.iter().enumerate().filter(|&(_, &count)| count > most) {
            self.next[bucket] = (slots, 1);
            let pieces = count.div_ceil(8 * most);
            let steps = count.div_ceil(8 * pieces);
            for _ in 0..pieces {
                self.groups.push(Group { start: slots, steps, lanes: Lanes::One(bucket as u32) });
                slots += 8 * steps;
            }
        }
        slots
    }
}

/// One step of neighbouring groups.
pub(super) struct Step<'a> {
    pub(super) groups: &'a [Group],
    pub(super) step: u32,
}

impl Place for Step<'_> {
    #[inline(always)]
    fn of(&self, group: usize) -> usize {
        (self.groups[group].start + 8 * self.step) as usize
    }

    /// Past the last group: what the first ones need in the next step.
    #[inline(always)]
    fn ahead(&self, group: usize) -> Option<usize> {
        let (at, step) = match group.checked_sub(self.groups.len()) {
            None => (group, self.step),
            Some(at) => (at, self.step + 1),
        };
        let group = self.groups.get(at)?;
        (step < group.steps).then_some((group.start + 8 * step) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::{RngCore, SeedableRng};

    /// Every entry is in a lane of its bucket, once; groups are listed by falling number of steps.
    #[test]
    fn every_entry_stands_in_a_lane_of_its_bucket() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let mut layout = Layout::default();
        for (n, buckets) in [(0, 1), (1, 1), (9, 4), (300, 1), (5000, 64), (40_000, 4096), (9000, 9000)] {
            for skew in [0, 2, 7] {
                let digits: Vec<i32> = (0..n)
                    .map(|_| {
                        let wide = rng.next_u32() % 8 >= skew;
                        let digit = if wide { rng.next_u32() as usize % (buckets + 1) } else { 1 };
                        if rng.next_u32() & 1 == 0 { digit as i32 } else { -(digit as i32) }
                    })
                    .collect();
                let entries: Vec<u32> = (0..n).map(|i| i | if i % 3 == 0 { NEGATIVE } else { 0 }).collect();
                layout.arrange(&entries, &digits, buckets);
                let mut seen = vec![0; n as usize];
                for (g, group) in layout.groups.iter().enumerate() {
                    assert!(g == 0 || layout.groups[g - 1].steps >= group.steps);
                    for i in 0..8 * group.steps {
                        let entry = layout.list[(group.start + i) as usize];
                        if entry == NONE {
                            continue;
                        }
                        let index = (entry & !NEGATIVE) as usize;
                        seen[index] += 1;
                        let bucket = match group.lanes {
                            Lanes::One(bucket) => bucket,
                            Lanes::Each(first) => layout.order[(first + i % 8) as usize],
                        };
                        assert_eq!(bucket, digits[index].unsigned_abs());
                        assert_eq!((entry ^ entries[index]) >> 31 == 1, digits[index] < 0);
                    }
                }
                assert!(seen.iter().zip(&digits).all(|(&seen, &digit)| seen == u32::from(digit != 0)));
            }
        }
    }
}
