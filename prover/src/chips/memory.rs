//! The border of memory: opens every slot, heap word and context register once, as zero, and closes it once.
//! Addresses strictly increase, so that no cell is opened twice; a second opening would let an old value come back.
use super::gadgets::{WordCom, mem_elements, opaque_word, range};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::{fr_u128, pow2};
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::trace::{CellFinal, space};

/// The border of slots, heap and context registers (a singleton: head circuit only).
pub struct Memory;

/// The packed address of a cell.
pub fn packed(c: &CellFinal) -> u128 {
    u128::from(c.space) << 64 | u128::from(c.ctx) << 32 | u128::from(c.index)
}

impl Chip for Memory {
    type Row = CellFinal;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<CellFinal>, AssignError> {
        Ok(input.trace.cells.clone())
    }

    fn header(&self, b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {
        let before = b.commit(-Fr::ONE);
        b.zero("address before the first is -1", &before + Com::int(1));
        let on = b.commit(Fr::ONE);
        b.zero("on = 1 before the first row", &on - Com::int(1));
        b.export(&before);
        b.export(&on);
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CellFinal>) {
        let (before, on_before) = (b.import(0), b.import(1));
        let on = b.boolean("on is boolean", row.is_some());
        b.enforce("on * (1 - on_before) = 0", &on, Com::int(1) - &on_before, 0u64);

        // address - before - 1 in 0..2^80 and address < 3 * 2^64: at most 2^13 rows, so nothing wraps around p.
        let address = b.commit(row.map_or(Fr::ZERO, |c| fr_u128(packed(c))));
        range(b, &on, &(&address - &before - Com::int(1)), 80);
        let end = Com::constant(pow2(64) * Fr::from(u64::from(space::INPUT)));
        range(b, &on, &(end - Com::int(1) - &address), 80);

        let value = opaque_word(b, row.map_or_else(Default::default, |c| c.value));
        let time = b.commit(Fr::from(row.map_or(0, |c| c.time)));
        b.send(Tag::Mem, &on, &mem_elements(&address, &WordCom::zero(), &Com::zero()));
        b.receive(Tag::Mem, &on, &mem_elements(&address, &value, &time));
        b.export(&address);
        b.export(&on);
    }
}
