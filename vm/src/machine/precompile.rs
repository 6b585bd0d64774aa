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
        s: &Operands<T::Stamp>,
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
        let counts = self.metered() || self.frames.is_empty();
        let given = if counts { u64::from(self.forward(asked) + stipend) } else { price };
        let paid =
            output.and_then(|output| Ok((output, given.checked_sub(price).ok_or(HaltKind::OutOfGas)?)));
        let (output, left) = match paid {
            Ok(paid) => paid,
            Err(kind) => {
                self.tell(CallStatus::Halted(kind), &[], 0);
                return self.done(s, Word::ZERO, self.nothing());
            }
        };
        // From what the caller has kept: whether they are accessed at all depends on what the precompile was given.
        self.charge_cells(&self.planned_transfer(wei))?;
        self.tell(CallStatus::Success, &output, left as u32);
        self.transfer(wei.from, wei.to, wei.value, 8, next)?;
        self.give_back(left as u32);
        let ctx = self.clock;
        self.mem.open(ctx);
        self.write_bytes(ctx, 0, &output, 6)?;
        let length = output.len() as u32;
        self.done(s, Word::from(1), Window { space: space::HEAP, ctx, base: 0, length })
    }

    /// Tells the receipts of a call that the kernel makes.
    pub(super) fn tell(&mut self, status: CallStatus, output: &[u8], gas: u32) {
        if self.frames.is_empty() {
            let output = output[..output.len().min(self.limits.max_output_bytes)].to_vec();
            self.events.push(Event::CallEnd { status, output, steps: 0, gas });
        }
    }

    /// The output for the bytes of a window, or why Ethereum or this host fails the call, and the price of it.
    fn answer(
        &mut self,
        precompile: Precompile,
        input: Window,
    ) -> Result<(Result<Vec<u8>, HaltKind>, u64), Halt> {
        let input = Self::bounded(input)?;
        self.charge(price::copy(input.length))?;
        self.moves(input.length)?;
        let mut bytes = Vec::new();
        self.read_bytes(input, 5, &mut bytes)?;
        let price = precompile.gas(&bytes);
        match precompile.run(&bytes) {
            Ok(output) => Ok((Ok(output), price)),
            Err(Failed::Input) => Ok((Err(HaltKind::PrecompileInput), price)),
            // The kernel goes on; a transaction to it fails.
            Err(Failed::Unsupported(what)) if self.frames.is_empty() => {
                Ok((Err(HaltKind::Unsupported(what)), price))
            }
            Err(Failed::Unsupported(what)) if self.metered() => Err(HaltKind::Unsupported(what).into()),
            Err(Failed::Unsupported(what)) => Err(what.into()),
        }
    }
}
