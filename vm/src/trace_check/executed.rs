//! Steps without a chip: that their accesses are of the spaces and at the times that `docs/isa.md` gives the
//! instruction, that only those that write change a cell, and that they leave the contexts as their flow says.
use super::{Checker, TraceError, contexts, hash, known_code, precompile, step_fault};
use crate::isa::{Instruction, op};
use crate::state::kind;
use crate::trace::{Access, Executed, Flow, Frame, JournalEntry, Step, mode, space};
use crate::word::Word;

/// Whose memory an access may touch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Space of the running context.
    Own(u8),
    /// Space of context 0.
    Kernel(u8),
    /// Any memory: a window may lie in another context.
    Any,
    /// Space of the context that the step opens or goes back to; the running one if it does neither.
    Next(u8),
    /// Space of the context whose id is the clock.
    New(u8),
}

use Whose::{Any, Kernel, New, Next, Own};

/// An access that an instruction makes: whose memory, at which `k`, and whether it may change the cell.
type Place = (Whose, u64, bool);

const READ: bool = false;
const WRITE: bool = true;

/// The accesses that an instruction may make when it stays in its context or opens another.
fn places(opcode: u16) -> &'static [Place] {
    match opcode {
        op::LD => &[(Own(space::HEAP), 4, READ), (Own(space::HEAP), 5, READ)],
        op::ST => &[(Own(space::HEAP), 4, WRITE), (Own(space::HEAP), 5, WRITE)],
        op::ST8 => &[(Own(space::HEAP), 4, WRITE)],
        op::COPY => &[(Own(space::REG), 4, READ), (Any, 5, READ), (Own(space::HEAP), 6, WRITE)],
        op::ECRECOVER | op::SHA256 => &[(Own(space::HEAP), 5, READ)],
        op::KECCAK | op::PAGEHASH => &[(Own(space::REG), 4, READ), (Any, 5, READ)],
        op::CDLD => &[(Own(space::REG), 4, READ), (Any, 5, READ), (Any, 6, READ)],
        op::RDSIZE | op::CALLVALUE | op::TLOAD | op::TSTORE | op::ISTORE => &[(Own(space::REG), 4, READ)],
        // Of a halt: the own address is read before the price of the cell is known.
        op::SLOAD | op::SSTORE => &[(Own(space::REG), 4, READ)],
        op::TXVALUE => &[(Kernel(space::REG), 4, READ)],
        op::ILOAD => &[(Own(space::REG), 4, READ), (Own(space::REG), 6, READ)],
        op::LOG => &[
            (Own(space::REG), 4, READ),
            (Own(space::HEAP), 5, READ),
            (Own(space::SLOT), 6, READ),
            (Own(space::SLOT), 7, READ),
            (Own(space::SLOT), 8, READ),
        ],
        op::MIMICCALL => &[
            (Own(space::SLOT), 4, READ),
            (Own(space::SLOT), 5, READ),
            (Own(space::REG), 6, READ),
            (Next(space::REG), 8, WRITE),
            (Next(space::REG), 9, WRITE),
            (Next(space::REG), 10, WRITE),
            (Next(space::REG), 11, WRITE),
            (Own(space::SLOT), 12, READ),
            (Own(space::SLOT), 14, READ),
            (Own(space::SLOT), 7, READ),
            (Own(space::SLOT), 8, READ),
            (Own(space::SLOT), 9, READ),
            (Own(space::SLOT), 13, WRITE),
            (Own(space::REG), 11, WRITE),
            (Own(space::REG), 12, WRITE),
        ],
        op::CALL | op::STATICCALL | op::DELEGATECALL => &[
            (Own(space::SLOT), 4, READ),
            (Own(space::SLOT), 5, READ),
            (Own(space::HEAP), 5, READ),
            (New(space::HEAP), 6, WRITE),
            (Own(space::REG), 6, READ),
            (New(space::REG), 8, WRITE),
            (New(space::REG), 9, WRITE),
            (Next(space::REG), 10, WRITE),
            (New(space::REG), 11, WRITE),
            (Own(space::SLOT), 12, READ),
            (Own(space::REG), 12, READ),
            (Next(space::SLOT), 13, WRITE),
            (Own(space::REG), 14, READ),
            (New(space::REG), 15, WRITE),
        ],
        op::CREATE => &[
            (Own(space::SLOT), 4, READ),
            (Own(space::HEAP), 5, READ),
            (Own(space::REG), 7, READ),
            (Own(space::SLOT), 8, READ),
            (New(space::REG), 8, WRITE),
            (New(space::REG), 9, WRITE),
            (Next(space::REG), 10, WRITE),
            (New(space::REG), 11, WRITE),
            (Next(space::SLOT), 13, WRITE),
        ],
        op::SELFDESTRUCT => &[(Own(space::REG), 6, READ)],
        // Of a halt: the link is written before the target is found to lie outside the page.
        op::NCALL => &[(Own(space::SLOT), 4, WRITE)],
        // In deploy mode.
        op::RETURN => &[(Own(space::REG), 6, READ), (Own(space::HEAP), 7, READ)],
        _ => &[],
    }
}

/// The accesses of the end of a context.
const END: &[Place] = &[(Next(space::SLOT), 4, WRITE), (Next(space::REG), 5, WRITE)];

/// The state accesses that a step may make: the kind of the cell, `k`, and whether it may change the cell.
fn state_places(s: &Step, e: &Executed) -> &'static [(u8, u64, bool)] {
    match Instruction::decode(s.word).opcode {
        op::BALANCE => &[(kind::BALANCE, 4, READ)],
        op::EXTCODEHASH => &[(kind::CODE_HASH, 4, READ)],
        op::EXTCODESIZE => &[(kind::CODE_HASH, 4, READ), (kind::KNOWN_CODE, 5, READ)],
        op::ALOAD => &[(kind::KNOWN_CODE, 5, READ)],
        op::ASTORE => &[(kind::KNOWN_CODE, 5, WRITE)],
        op::TLOAD => &[(kind::TRANSIENT, 5, READ)],
        op::TSTORE => &[(kind::TRANSIENT, 5, WRITE)],
        op::ILOAD => &[(kind::IMMUTABLE, 5, READ)],
        op::ISTORE => &[(kind::IMMUTABLE, 5, WRITE)],
        op::MIMICCALL => &[(kind::CODE_HASH, 7, READ)],
        op::CALL | op::STATICCALL | op::DELEGATECALL if precompile::service(s, e).is_some() => &[
            (kind::NONCE, 7, WRITE),
            (kind::BALANCE, 7, WRITE),
            (kind::CODE_HASH, 7, READ),
            (kind::KNOWN_CODE, 7, WRITE),
        ],
        op::CALL | op::STATICCALL | op::DELEGATECALL => {
            &[(kind::CODE_HASH, 7, READ), (kind::BALANCE, 8, WRITE), (kind::BALANCE, 9, WRITE)]
        }
        op::CREATE => &[
            (kind::NONCE, 5, WRITE),
            (kind::NONCE, 6, WRITE),
            (kind::CODE_HASH, 7, READ),
            (kind::BALANCE, 8, WRITE),
            (kind::BALANCE, 9, WRITE),
            (kind::KNOWN_CODE, 10, READ),
        ],
        // In deploy mode.
        op::RETURN => &[(kind::KNOWN_CODE, 8, READ), (kind::CODE_HASH, 6, WRITE)],
        op::SELFDESTRUCT => &[(kind::BALANCE, 4, WRITE), (kind::BALANCE, 5, WRITE)],
        _ => &[],
    }
}

impl Checker<'_> {
    /// A step whose effect is [`Executed`].
    pub(super) fn executed(&mut self, s: &Step, e: &Executed) -> Result<(), TraceError> {
        let i = Instruction::decode(s.word);
        let end: &[Place] = if matches!(e.flow, Flow::End { .. }) { END } else { &[] };
        for a in &e.accesses {
            let fits = |p: &&Place| fits(s, a, p);
            let Some((_, k, write)) = end.iter().chain(places(i.opcode)).find(fits) else {
                return Err(step_fault(s, "an access that the instruction does not make"));
            };
            match *write {
                WRITE => self.access(a, s.clock, *k)?,
                READ => self.read(a, s.clock, *k)?,
            }
        }
        if let Flow::Undo(entry) = &e.flow {
            return self.undo(s, e, entry);
        }
        for cell in &e.cells {
            let mut places = state_places(s, e).iter();
            let Some((_, k, write)) = places.find(|p| (p.0, p.1) == (cell.cell.kind, cell.time % 16)) else {
                return Err(step_fault(s, "a state access that the instruction does not make"));
            };
            if !write && cell.old != cell.new {
                return Err(step_fault(s, "a read changes its state cell"));
            }
            self.cell(cell, s.clock, *k)?;
        }
        let head = self.written(s, &e.cells, &e.journal)?;
        match &e.flow {
            Flow::Stay => Checker::keeps(s, head)?,
            Flow::Call(frame) => self.call(s, e, head, frame)?,
            Flow::End { frame, success } => self.end(s, e, head, (frame, *success))?,
            Flow::Undo(_) => {}
        }
        match (i.opcode, e.flow) {
            (op::KECCAK | op::ECRECOVER | op::SHA256 | op::PAGEHASH, Flow::Stay) => hash::hashed(s, e),
            (op::ALOAD | op::ASTORE | op::EXTCODESIZE, Flow::Stay) => known_code::read_or_set(s, e),
            (op::CREATE, Flow::Stay) => known_code::not_created(s, e),
            (op::CALL | op::STATICCALL | op::DELEGATECALL, Flow::Stay) => precompile::answered(s, e),
            _ => Ok(()),
        }
    }

    /// An undo step of a halt: one state write, at `k = 4`, and no entry. If a deploy page halts for its runtime page, the
    /// read of that one's cell comes before.
    fn undo(&mut self, s: &Step, e: &Executed, entry: &JournalEntry) -> Result<(), TraceError> {
        let (read, cell) = match (&e.cells[..], &e.journal[..]) {
            ([cell], []) => (None, cell),
            ([read, cell], []) => (Some(read), cell),
            _ => return Err(step_fault(s, "an undo that does not write one cell")),
        };
        if let Some(read) = read {
            self.cell(read, s.clock, 8)?;
            known_code::unknown(s, e, read)?;
        }
        self.cell(cell, s.clock, 4)?;
        self.undone(s, entry, cell)
    }

    fn end(
        &mut self,
        s: &Step,
        e: &Executed,
        head: u32,
        (frame, success): (&Frame, bool),
    ) -> Result<(), TraceError> {
        let opcode = Instruction::decode(s.word).opcode;
        if success && !matches!(opcode, op::RETURN | op::SELFDESTRUCT) {
            return Err(step_fault(s, "a context that does not return succeeds"));
        }
        let place = |a: &&Access| (a.space, a.ctx, a.index) == (space::SLOT, frame.caller.ctx, frame.dest);
        let status = e.accesses.iter().find(place).map(|a| a.new);
        // A creation's caller learns the new address.
        let want = match success && s.regs.mode & mode::DEPLOY != 0 {
            true => contexts::register(s, e, 2),
            false => Some(Word::from(u128::from(success))),
        };
        if want.is_none() || status != want {
            return Err(step_fault(s, "the caller does not learn how the call ended"));
        }
        if !success && !e.journal.is_empty() {
            return Err(step_fault(s, "a failure writes state"));
        }
        match (&e.cells[..], opcode) {
            (cells, op::RETURN) if success => known_code::deployed(s, e, cells)?,
            ([read], op::RETURN) => known_code::unknown(s, e, read)?,
            _ => {}
        }
        self.ended(s, frame, success, head)
    }
}

/// True if the access is at this place.
fn fits(s: &Step, a: &Access, (whose, k, _): &Place) -> bool {
    let place = match *whose {
        Any => true,
        Own(space) => (a.space, a.ctx) == (space, s.regs.ctx),
        Next(space) => (a.space, a.ctx) == (space, s.next.ctx),
        New(space) => (a.space, a.ctx) == (space, s.clock),
        Kernel(space) => (a.space, a.ctx) == (space, 0),
    };
    place && a.time == 16 * u64::from(s.clock) + k
}
