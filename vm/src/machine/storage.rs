//! State cells: a contract's own storage, and for the kernel the nonces, balances and code hashes of accounts.
//! Every write leaves a journal entry, or a revert could not take it back.
use super::far::Transfer;
use super::gas::Planned;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Event, Halt, HaltKind, MAX_CLOCK, Machine, Operands, alu};
use crate::isa::{op, price};
use crate::state::{CellId, kind};
use crate::trace::{Effect, Flow, JournalEntry, Regs, StateAccess, mode};
use crate::word::Word;

/// The low 20 bytes of a word below 2^160.
pub(super) fn account(w: Word) -> Result<[u8; 20], Halt> {
    if w.hi >> 32 != 0 { Err(HaltKind::AddressRange.into()) } else { Ok(low_account(w)) }
}

/// The low 20 bytes of a word.
pub(super) fn low_account(w: Word) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&w.to_be_bytes()[12..]);
    out
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// All of the family.
    pub(super) fn storage(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<Option<Word>, Halt> {
        match s.i.opcode {
            op::SLOAD | op::SSTORE | op::ALOAD | op::ASTORE => self.storage_proven(s, next),
            op::TLOAD | op::TSTORE | op::ILOAD | op::ISTORE => self.own_cell(s, next),
            _ => self.account_value(s).map(Some),
        }
    }

    /// `sload`, `sstore`, `aload`, `astore`.
    fn storage_proven(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let write = matches!(s.i.opcode, op::SSTORE | op::ASTORE).then_some(s.b);
        if s.i.opcode == op::SSTORE {
            self.changes_state()?;
        }
        let (reg, cell) = match s.i.opcode {
            op::SLOAD | op::SSTORE => {
                let reg = self.register(2, 4)?;
                (Some(reg), CellId { kind: 0, address: account(reg.old)?, slot: s.a })
            }
            _ => (None, self.account_cell(s)?),
        };
        if s.i.opcode == op::SSTORE && self.metered() && self.regs.gas <= price::STORE_SENTRY {
            return Err(HaltKind::OutOfGas.into());
        }
        self.charge_cell(&cell, write)?;
        let access = self.state(cell, 5, write)?;
        if reg.is_none() && cell.kind == 1 {
            self.events.push(if write.is_some() { Event::NonceWrite(cell) } else { Event::NonceRead(cell) });
        }
        let journal = write.map(|_| self.enter(access, next));
        match cell.kind {
            kind::KNOWN_CODE => self.tracer.executed(Flow::Stay),
            _ => self.tracer.effect(|| Effect::Storage { reg, cell: access, journal }),
        }
        Ok(write.is_none().then_some(access.old))
    }

    fn account_cell(&self, s: &Operands<T::Stamp>) -> Result<CellId, Halt> {
        if self.regs.ctx != 0 {
            return Err(HaltKind::KernelOnly.into());
        }
        if s.i.imm == u16::from(kind::KNOWN_CODE) {
            self.unproven(|| "aload or astore of known code".into())?;
            return Ok(CellId::known_code(s.a));
        }
        if !(1..=3).contains(&s.i.imm) {
            return Err(HaltKind::Mode.into());
        }
        Ok(CellId { kind: s.i.imm as u8, address: account(s.a)?, slot: Word::ZERO })
    }

    /// `tload`, `tstore`, `iload`, `istore`: cells of the own address.
    fn own_cell(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let number = Word::from(u128::from(s.i.t()));
        let (kind, slot, write) = match s.i.opcode {
            op::TLOAD => (kind::TRANSIENT, s.a, None),
            op::TSTORE => (kind::TRANSIENT, s.a, Some(s.b)),
            op::ILOAD => (kind::IMMUTABLE, number, None),
            _ => (kind::IMMUTABLE, number, Some(s.old)),
        };
        if write.is_some() {
            self.changes_state()?;
        }
        if s.i.opcode == op::ISTORE && self.regs.mode & mode::DEPLOY == 0 {
            return Err(HaltKind::NotDeploying.into());
        }
        let own = self.register(2, 4)?.old;
        // Immutables belong to the code, which after a `delegatecall` is another account's.
        let holder = match s.i.opcode {
            op::ILOAD => Some(self.register(5, 6)?.old).filter(|code| !code.is_zero()),
            _ => None,
        };
        let address = account(holder.unwrap_or(own))?;
        let cell = CellId { kind, address, slot };
        self.charge_cell(&cell, write)?;
        let access = self.state(cell, 5, write)?;
        if write.is_some() {
            self.enter(access, next);
        }
        self.tracer.executed(Flow::Stay);
        Ok(write.is_none().then_some(access.old))
    }

    /// `balance`, `extcodehash`, `extcodesize` of the address in the low 160 bits.
    fn account_value(&mut self, s: &Operands<T::Stamp>) -> Result<Word, Halt> {
        let address = low_account(s.a);
        let kind = if s.i.opcode == op::BALANCE { kind::BALANCE } else { kind::CODE_HASH };
        let cell = CellId { kind, address, slot: Word::ZERO };
        let known = CellId::known_code(self.world.peek(&cell));
        let sized = s.i.opcode == op::EXTCODESIZE && !self.world.peek(&cell).is_zero();
        self.charge_cells(&[(cell, None), (known, None)][..1 + usize::from(sized)])?;
        let value = self.state(cell, 4, None)?.old;
        let value = match sized {
            true => alu::shl(self.state(known, 5, None)?.old, Word::from(3)),
            false => value,
        };
        self.tracer.executed(Flow::Stay);
        Ok(value)
    }

    /// Halts in a static context.
    pub(super) fn changes_state(&self) -> Result<(), Halt> {
        if self.regs.mode & mode::STATIC == 0 { Ok(()) } else { Err(HaltKind::Static.into()) }
    }

    /// Makes the journal entry of a write.
    pub(super) fn enter(&mut self, cell: StateAccess, next: &mut Regs) -> JournalEntry {
        let prev = next.jhead;
        // Entries of one step lie 2^28 apart: clocks stay below that.
        let id = if prev & MAX_CLOCK == self.clock { prev + MAX_CLOCK + 1 } else { self.clock };
        let entry = JournalEntry { id, prev, cell: cell.cell, old: cell.old };
        self.journal.push(entry);
        self.tracer.entry(entry);
        next.jhead = id;
        entry
    }

    /// True if the sender has less than it sends.
    pub(super) fn lacks(&self, wei: Transfer) -> bool {
        self.world.peek(&CellId::balance(wei.from)) < wei.value
    }

    /// The cells that [`Self::transfer`] will access.
    pub(super) fn planned_transfer(&self, wei: Transfer) -> Vec<Planned> {
        let (from, to) = (CellId::balance(wei.from), CellId::balance(wei.to));
        if wei.value.is_zero() {
            return Vec::new();
        }
        if self.lacks(wei) {
            return vec![(from, None)];
        }
        let left = alu::sub(self.world.peek(&from), wei.value);
        let before = if from == to { left } else { self.world.peek(&to) };
        vec![(from, Some(left)), (to, Some(alu::add(before, wei.value)))]
    }

    /// Moves wei between two accounts, at `k` and `k + 1`, with a journal entry each; nothing for a value of zero.
    /// False, with nothing moved, if there is too little.
    pub(super) fn transfer(
        &mut self,
        from: [u8; 20],
        to: [u8; 20],
        wei: Word,
        k: u64,
        next: &mut Regs,
    ) -> Result<bool, Halt> {
        if wei.is_zero() {
            return Ok(true);
        }
        let (from, to) = (CellId::balance(from), CellId::balance(to));
        let has = self.world.peek(&from);
        if has < wei {
            self.state(from, k, None)?;
            return Ok(false);
        }
        let access = self.state(from, k, Some(alu::sub(has, wei)))?;
        self.enter(access, next);
        let sum = alu::add(self.world.peek(&to), wei);
        let access = self.state(to, k + 1, Some(sum))?;
        self.enter(access, next);
        Ok(true)
    }
}
