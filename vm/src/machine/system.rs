//! Calls of the system precompiles, which serve system contracts alone: state cells that no other instruction
//! reaches, and the hash of a code page. Done within the step, as Ethereum's precompiles are.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, Machine, Operands, Window};
use crate::isa::op;
use crate::isa::price;
use crate::system::{CellRequest, Service};
use crate::trace::{Page, Regs, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A call of a service. It takes no wei: with some, it fails.
    pub(super) fn serve(
        &mut self,
        s: &Operands<T::Stamp>,
        service: Service,
        input: Window,
        value: Word,
        next: &mut Regs,
    ) -> Result<(), Halt> {
        let output = match value.is_zero() {
            true => self.served(service, input, s.i.opcode == op::STATICCALL, next)?,
            false => None,
        };
        let Some(output) = output else { return self.done(s, Word::ZERO, self.nothing()) };
        let Some(word) = output else { return self.done(s, Word::from(1), self.nothing()) };
        let ctx = self.clock;
        self.mem.open(ctx);
        self.write_bytes(ctx, 0, &word.to_be_bytes(), 6)?;
        self.done(s, Word::from(1), Window { space: space::HEAP, ctx, base: 0, length: 32 })
    }

    /// None if the call fails, as a write by `staticcall` does; else its output, which a write does not have.
    fn served(
        &mut self,
        service: Service,
        input: Window,
        only_reads: bool,
        next: &mut Regs,
    ) -> Result<Option<Option<Word>>, Halt> {
        let input = Self::bounded(input)?;
        self.charge(price::copy(input.length))?;
        self.hashes(input.length)?;
        let mut bytes = Vec::new();
        self.read_bytes(input, 5, &mut bytes)?;
        Ok(match service {
            Service::PageHash => {
                self.charge(price::page_hash(input.length))?;
                let page = Page::from_bytes(&bytes);
                let hash = page.as_ref().map(Page::hash_word);
                self.keep(page);
                hash.map(Some)
            }
            Service::Cell => match CellRequest::parse(&bytes) {
                Some(CellRequest::Write(..)) if only_reads => None,
                None => None,
                Some(CellRequest::Read(cell)) => {
                    self.charge_cell(&cell, None)?;
                    Some(Some(self.state(cell, 7, None)?.old))
                }
                Some(CellRequest::Write(cell, value)) => {
                    self.changes_state()?;
                    self.charge_cell(&cell, Some(value))?;
                    let access = self.state(cell, 7, Some(value))?;
                    self.enter(access, next);
                    Some(None)
                }
            },
        })
    }
}
