//! `log`: topics from neighbouring slots, data from the own heap. A log lasts unless its context reverts.
use super::storage::account;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Event, Halt, HaltKind, Machine, Operands};
use crate::isa::price;
use crate::trace::Flow;
use crate::word::Word;

/// A log as a program left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: [u8; 20],
    /// At most four.
    pub topics: Vec<Word>,
    /// The data.
    pub data: Vec<u8>,
}

/// What a log counts besides its data, so that empty ones are bounded too.
const OVERHEAD: u32 = 128;
/// Most topics of a log.
const MAX_TOPICS: u16 = 4;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `log d, a, b, imm`
    pub(super) fn log(&mut self, s: &Operands<T::Stamp>) -> Result<(), Halt> {
        if s.i.imm > MAX_TOPICS {
            return Err(HaltKind::Mode.into());
        }
        self.changes_state()?;
        let source = Self::bounded(self.heap_range(s.a, s.b)?.0)?;
        self.charge(price::log(source.length, s.i.imm.into()))?;
        self.moves(source.length + OVERHEAD)?;
        let address = account(self.register(2, 4)?.old)?;
        let mut data = Vec::new();
        self.read_bytes(source, 5, &mut data)?;
        let mut topics = Vec::new();
        if s.i.imm > 0 {
            topics.push(s.old);
        }
        for j in 1..u32::from(s.i.imm) {
            topics.push(self.slot(u32::from(s.i.d) + j, 5 + u64::from(j))?.old);
        }
        self.tracer.executed(Flow::Stay);
        self.events.push(Event::Log(Log { address, topics, data }));
        Ok(())
    }
}
