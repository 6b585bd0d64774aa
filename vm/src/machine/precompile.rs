//! Calls of Ethereum's precompiled contracts, answered by the host within the step. The output lies in a heap of its own:
//! no return data may lie in a heap that still changes.
use super::far::Transfer;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{CallStatus, Event, Halt, HaltKind, Machine, Operands, Window};
use crate::isa::price;
use crate::precompile::{Failed, Precompile};
use crate::trace::{Regs, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A call of a precompile with this input, for the gas asked and a stipend. The wei move only if there is an output, so
    /// that no failure has to take them back; a balance that is too small is read, as for every call. A failure takes
    /// the gas that the call was given.
    ///
    /// # Errors
    /// The name of one that does not run yet, since no answer would be right: in a metered contract as an exceptional
    /// halt, elsewhere it stops the batch.
    pub(super) fn precompile(
        &mut self,
        s: &Operands,
        precompile: Precompile,
        input: Window,
        wei: Transfer,
        (asked, stipend): (Word, u32),
        next: &mut Regs,
    ) -> Result<(), Halt> {
        if self.lacks(wei) {
            self.charge_cells(&self.planned_transfer(wei))?;
            self.transfer(wei.from, wei.to, wei.value, 8, next)?;
            self.give_back(stipend);
            return self.done(s, Word::ZERO, self.nothing());
        }
        let (output, price) = self.answer(precompile, input)?;
        if output.is_some() {
            self.charge_cells(&self.planned_transfer(wei))?;
        }
        let counts = self.metered() || self.frames.is_empty();
        let given = if counts { u64::from(self.forward(asked) + stipend) } else { price };
        let Some((mut output, left)) = output.zip(given.checked_sub(price)) else {
            return self.done(s, Word::ZERO, self.nothing());
        };
        self.transfer(wei.from, wei.to, wei.value, 8, next)?;
        self.give_back(left as u32);
        let ctx = self.clock;
        self.mem.open(ctx);
        self.write_bytes(ctx, 0, &output, 6)?;
        let length = output.len() as u32;
        // A transaction to a precompile: its answer is the receipt's output.
        if self.frames.is_empty() {
            output.truncate(self.limits.max_output_bytes);
            self.events.push(Event::CallEnd {
                status: CallStatus::Success,
                output,
                steps: 1,
                gas: left as u32,
            });
        }
        self.done(s, Word::from(1), Window { space: space::HEAP, ctx, base: 0, length })
    }

    /// The output for the bytes of a window, or none where Ethereum fails the call, and the price of it.
    fn answer(&mut self, precompile: Precompile, input: Window) -> Result<(Option<Vec<u8>>, u64), Halt> {
        let input = Self::bounded(input)?;
        self.charge(price::copy(input.length))?;
        self.moves(input.length)?;
        let mut bytes = Vec::new();
        self.read_bytes(input, 5, &mut bytes)?;
        let price = precompile.gas(&bytes);
        match precompile.run(&bytes) {
            Ok(output) => Ok((Some(output), price)),
            Err(Failed::Input) => Ok((None, price)),
            // The kernel has no one who could be told; a transaction to it fails.
            Err(Failed::Unsupported(_)) if self.frames.is_empty() => Ok((None, price)),
            Err(Failed::Unsupported(what)) if self.metered() => Err(HaltKind::Unsupported(what).into()),
            Err(Failed::Unsupported(what)) => Err(what.into()),
        }
    }
}
