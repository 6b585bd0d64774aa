//! State cells: a contract's own storage, and for the kernel the nonces, balances and code hashes of accounts.
//! Every write leaves a journal entry, or a revert could not take it back.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Event, Halt, HaltKind, Machine, Operands};
use crate::isa::op;
use crate::state::{CellId, kind};
use crate::trace::{Access, Effect, Flow, JournalEntry, Regs, StateAccess};
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
    /// All of the family.
    pub(super) fn storage(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        match s.i.opcode {
            op::SLOAD | op::SSTORE | op::ALOAD | op::ASTORE => self.storage_proven(s, next),
            op::TLOAD | op::TSTORE | op::ILOAD | op::ISTORE => self.own_cell(s, next),
            _ => self.account_value(s).map(Some),
        }
    }

    /// `sload`, `sstore`, `aload`, `astore`.
    fn storage_proven(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
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

    /// `tload`, `tstore`, `iload`, `istore`: cells of the own address.
    fn own_cell(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let number = Word::from(u128::from(s.i.t()));
        let (kind, slot, write) = match s.i.opcode {
            op::TLOAD => (kind::TRANSIENT, s.a, None),
            op::TSTORE => (kind::TRANSIENT, s.a, Some(s.b)),
            op::ILOAD => (kind::IMMUTABLE, number, None),
            _ => (kind::IMMUTABLE, number, Some(s.old)),
        };
        if s.i.opcode == op::ISTORE && self.register(5, 6)?.old != Word::from(1) {
            return Err(HaltKind::NotDeploying.into());
        }
        let address = account(self.register(2, 4)?.old)?;
        let access = self.state(CellId { kind, address, slot }, 5, write)?;
        let journal = self.enter(access, write.is_some(), next);
        self.tracer.executed(journal, Flow::Stay);
        Ok(write.is_none().then_some(access.old))
    }

    /// `balance`, `extcodehash`, `extcodesize` of the address in the low 160 bits.
    fn account_value(&mut self, s: &Operands) -> Result<Word, Halt> {
        let address = account(Word::new(s.a.hi & 0xffff_ffff, s.a.lo))?;
        let kind = if s.i.opcode == op::BALANCE { kind::BALANCE } else { kind::CODE_HASH };
        let value = self.state(CellId { kind, address, slot: Word::ZERO }, 4, None)?.old;
        self.tracer.executed(None, Flow::Stay);
        if s.i.opcode != op::EXTCODESIZE || value.is_zero() {
            return Ok(value);
        }
        let page = self.codes.get(value).ok_or(Halt::CodeMissing(value))?;
        Ok(Word::from(page.words.len() as u128 * 8))
    }

    /// Makes the journal entry of a write.
    fn enter(&mut self, cell: StateAccess, write: bool, next: &mut Regs) -> Option<JournalEntry> {
        let prev = self.regs.jhead;
        let entry = write.then_some(JournalEntry { id: self.clock, prev, cell: cell.cell, old: cell.old })?;
        self.journal.push(entry);
        next.jhead = entry.id;
        Some(entry)
    }

    fn finish_storage(&mut self, reg: Option<Access>, cell: StateAccess, write: bool, next: &mut Regs) {
        let journal = self.enter(cell, write, next);
        self.tracer.effect(|| Effect::Storage { reg, cell, journal });
    }
}
