//! State cells: a contract's own storage, and for the kernel the nonces, balances and code hashes of accounts.
//! Every write leaves a journal entry, or a revert could not take it back.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Event, Halt, HaltKind, Machine, Operands};
use crate::isa::op;
use crate::state::CellId;
use crate::trace::{Access, Effect, JournalEntry, Regs, StateAccess};
use crate::word::Word;

/// The low 20 bytes of a word below 2^160.
pub(super) fn account(w: Word) -> Result<[u8; 20], Halt> {
    if w.hi >> 32 != 0 {
        return Err(HaltKind::AddressRange.into());
    }
    let mut out = [0; 20];
    out.copy_from_slice(&w.to_be_bytes()[12..]);
    Ok(out)
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `sload`, `sstore`, `aload`, `astore`.
    pub(super) fn storage(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let write = matches!(s.i.opcode, op::SSTORE | op::ASTORE).then_some(s.b);
        let (reg, cell) = match s.i.opcode {
            op::SLOAD | op::SSTORE => {
                let reg = self.register(2, 4)?;
                (Some(reg), CellId { kind: 0, address: account(reg.old)?, slot: s.a })
            }
            _ => (None, self.account_cell(s)?),
        };
        let access = self.state(cell, 5, write)?;
        if reg.is_none() && cell.kind == 1 {
            self.events.push(if write.is_some() { Event::NonceWrite(cell) } else { Event::NonceRead(cell) });
        }
        self.finish_storage(reg, access, write.is_some(), next);
        Ok(write.is_none().then_some(access.old))
    }

    fn account_cell(&self, s: &Operands) -> Result<CellId, Halt> {
        if self.regs.ctx != 0 {
            return Err(HaltKind::KernelOnly.into());
        }
        if !(1..=3).contains(&s.i.imm) {
            return Err(HaltKind::Mode.into());
        }
        Ok(CellId { kind: s.i.imm as u8, address: account(s.a)?, slot: Word::ZERO })
    }

    fn finish_storage(&mut self, reg: Option<Access>, cell: StateAccess, write: bool, next: &mut Regs) {
        let prev = self.regs.jhead;
        let journal = write.then_some(JournalEntry { id: self.clock, prev, cell: cell.cell, old: cell.old });
        if let Some(entry) = journal {
            self.journal.push(entry);
            next.jhead = entry.id;
        }
        self.tracer.effect(|| Effect::Storage { reg, cell, journal });
    }
}
