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
        b.export(&before);
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CellFinal>) {
        let before = b.import(0);
        let on = b.boolean("on is boolean", row.is_some());
        // address - before - 1 in 0..2^80; an unused row repeats the address. At most 2^13 rows: nothing wraps around p.
        let address = b.commit(row.map_or(before.value(), |c| fr_u128(packed(c))));
        range(b, &on, &(&address - &before - Com::int(1)), 80);
        b.enforce("(1 - on) * (address - before) = 0", Com::int(1) - &on, &address - &before, 0u64);

        let value = opaque_word(b, row.map_or_else(Default::default, |c| c.value));
        let time = b.commit(Fr::from(row.map_or(0, |c| c.time)));
        b.send(Tag::Mem, &on, &mem_elements(&address, &WordCom::zero(), &Com::zero()));
        b.receive(Tag::Mem, &on, &mem_elements(&address, &value, &time));
        b.export(&address);
    }

    /// The last address lies below the input's, and with it all of them.
    fn footer(&self, b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {
        let last = b.import(0);
        let end = Com::constant(pow2(64) * Fr::from(u64::from(space::INPUT)));
        range(b, &Com::int(1), &(end - Com::int(1) - &last), 80);
    }
}
