//! The posted bytes as cells of the input space: the only memory whose first value the prover chooses.
//! Which bytes count is settled by the length in context 0's calldata window and the hash the kernel returns.
use super::gadgets::{checked_word, mem_elements};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::trace::{CellFinal, space};

/// The border of the input (a singleton: head circuit only). Row `i` is word `i`; every row is used.
pub struct BatchInput;

impl Chip for BatchInput {
    type Row = CellFinal;

    fn name(&self) -> &'static str {
        "batch input"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<CellFinal>, AssignError> {
        Ok(input.trace.input_cells.clone())
    }

    /// Opens word `i` with range-checked halves and closes it with the same halves: nobody writes this space.
    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CellFinal>) {
        let one = Com::int(1);
        let address = b.fixed(0);
        let value = checked_word(b, &one, row.map_or_else(Default::default, |c| c.value));
        let time = b.commit(Fr::from(row.map_or(0, |c| c.time)));
        b.send(Tag::Mem, &one, &mem_elements(&address, &value, &Com::zero()));
        b.receive(Tag::Mem, &one, &mem_elements(&address, &value, &time));
    }

    fn fixed(&self, index: usize) -> Vec<Fr> {
        vec![pow2(64) * Fr::from(u64::from(space::INPUT)) + Fr::from(index as u64)]
    }
}
