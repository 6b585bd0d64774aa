//! The fixed tables: one entry per row, offered as often as the batch looks it up. One constraint per row.
//! Entries come from the row's position alone; a wire must never decide what an entry says.
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;

/// A table of packed entries. Its block must have exactly [`FixedTable::size`] rows: further rows repeat the last entry,
/// which is harmless, and missing rows make their entries unprovable.
#[derive(Clone, Copy, Debug)]
pub struct FixedTable {
    name: &'static str,
    tag: Tag,
    size: usize,
    entry: fn(usize) -> Fr,
}

impl FixedTable {
    /// The numbers `0 .. 2^16`.
    pub fn range16() -> FixedTable {
        FixedTable { name: "range16", tag: Tag::Range16, size: 1 << 16, entry: |i| Fr::from(i as u64) }
    }

    /// `x + 2^8 y + 2^16 (x and y)` for all bytes `x`, `y`; entry `x + 2^8 y`.
    pub fn and8() -> FixedTable {
        let entry = |i: usize| Fr::from((i | (i & i >> 8 & 255) << 16) as u64);
        FixedTable { name: "and8", tag: Tag::And8, size: 1 << 16, entry }
    }

    /// `n + 2^8 * 2^n` for `n` in `0 ..= 128`; entry `n`.
    pub fn pow2() -> FixedTable {
        let entry = |n: usize| Fr::from(n as u64) + pow2(n as u32 + 8);
        FixedTable { name: "pow2", tag: Tag::Pow2, size: 129, entry }
    }

    /// A table of a chip's own: `entry(i)` must be canonical in `i < size`, and its lookups must count entry `i`.
    pub fn new(name: &'static str, tag: Tag, size: usize, entry: fn(usize) -> Fr) -> FixedTable {
        FixedTable { name, tag, size, entry }
    }

    /// Entries, which is also the capacity the table's block needs.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Chip for FixedTable {
    type Row = u32;

    fn name(&self) -> &'static str {
        self.name
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<u32>, AssignError> {
        Ok((0..self.size).map(|i| input.counts.get(self.tag, i)).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&u32>) {
        let entry = b.fixed(0);
        let count = b.commit(Fr::from(u64::from(row.copied().unwrap_or(0))));
        b.provide(self.tag, &count, &[(0, entry)]);
    }

    fn fixed(&self, index: usize) -> Vec<Fr> {
        vec![(self.entry)(index.min(self.size - 1))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::testing::{Fixture, element_int};
    use crate::circuit::MessageKind;

    /// Every row with a count provides its entry that often, under its tag, at one constraint.
    fn entries(table: FixedTable) -> Vec<u128> {
        let rows: Vec<u32> = (0..table.size as u32).map(|i| i % 5 + 1).collect();
        let f = Fixture::new(table, &rows, 1);
        assert_eq!(f.block.templates[1].constraint_count(), 1);
        let mut all = Vec::new();
        for (i, count) in rows.iter().enumerate() {
            let messages = f.all_messages(i);
            let [(MessageKind::Provide, key, m)] = messages.as_slice() else { panic!("{messages:?}") };
            assert_eq!((key.0, *m), (table.tag, Fr::from(u64::from(*count))));
            all.push(element_int(key, 0).unwrap_or(u128::MAX));
        }
        assert!(f.all_messages(table.size).is_empty(), "padding offers nothing");
        all
    }

    #[test]
    fn range16_holds_all_numbers_of_sixteen_bits() {
        assert!(entries(FixedTable::range16()).into_iter().eq(0..1 << 16));
    }

    #[test]
    fn and8_holds_all_pairs_of_bytes() {
        let all = entries(FixedTable::and8());
        assert_eq!(all.len(), 1 << 16);
        for (i, e) in all.into_iter().enumerate() {
            let (x, y) = (i as u128 & 255, i as u128 >> 8);
            assert_eq!(e, x + (y << 8) + ((x & y) << 16));
        }
    }

    #[test]
    fn pow2_holds_the_powers_up_to_128() {
        let all = entries(FixedTable::pow2());
        assert_eq!(all.len(), 129);
        for (n, e) in all.into_iter().enumerate() {
            // 2^8 * 2^n leaves 128 bits at n = 120.
            let expected = if n < 120 { n as u128 + (1u128 << (n + 8)) } else { u128::MAX };
            assert_eq!(e, expected);
        }
        assert_eq!((FixedTable::pow2().entry)(128), pow2(136) + Fr::from(128));
    }

    #[test]
    fn rows_are_the_counts_of_the_lookups() {
        let mut counts = crate::circuit::Counts::default();
        counts.bump(Tag::Pow2, 7);
        counts.bump(Tag::Pow2, 7);
        counts.bump(Tag::Range16, 9);
        let trace = crate::chips::testing::empty_trace();
        let rows = FixedTable::pow2().rows(&ProverInput { trace: &trace, counts: &counts }).expect("counts");
        assert_eq!(rows.len(), 129);
        assert_eq!((rows[7], rows.iter().sum::<u32>()), (2, 2));
    }
}
