//! Calls of Ethereum's precompiled contracts, answered by the host within the step. The output lies in a heap of its own:
//! no return data may lie in a heap that still changes.
use super::far::Transfer;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, Machine, Operands, Window};
use crate::precompile::{Failed, Precompile};
use crate::state::CellId;
use crate::trace::{Regs, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A call of a precompile with this input. The wei move only if there is an output, so that no failure has to take
    /// them back; a balance that is too small is read, as for every call.
    ///
    /// # Errors
    /// The name of one that does not run yet: that stops the batch, since no answer would be right.
    pub(super) fn precompile(
        &mut self,
        s: &Operands,
        precompile: Precompile,
        input: Window,
        wei: Transfer,
        next: &mut Regs,
    ) -> Result<(), Halt> {
        let lacks = self.world.peek(&CellId::balance(wei.from)) < wei.value;
        let output = if lacks { None } else { self.answer(precompile, input)? };
        if lacks || output.is_some() {
            self.transfer(wei.from, wei.to, wei.value, 8, next)?;
        }
        let Some(output) = output else { return self.done(s, Word::ZERO, self.nothing()) };
        let ctx = self.clock;
        self.mem.open(ctx);
        self.write_bytes(ctx, 0, &output, 6)?;
        let length = output.len() as u32;
        self.done(s, Word::from(1), Window { space: space::HEAP, ctx, base: 0, length })
    }

    /// The output for the bytes of a window, or none where Ethereum fails the call.
    fn answer(&mut self, precompile: Precompile, input: Window) -> Result<Option<Vec<u8>>, Halt> {
        let input = Self::bounded(input)?;
        self.moves(input.length)?;
        let mut bytes = Vec::new();
        self.read_bytes(input, 5, &mut bytes)?;
        match precompile.run(&bytes) {
            Ok(output) => Ok(Some(output)),
            Err(Failed::Input) => Ok(None),
            Err(Failed::Unsupported(what)) => Err(what.into()),
        }
    }
}
