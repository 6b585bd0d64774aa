//! Steps without a chip: that their accesses are of the spaces and at the times that `docs/isa.md` gives the
//! instruction, that only those that write change a cell, and that they leave the contexts as their flow says.
use super::{Checker, TraceError, step_fault};
use crate::isa::{Instruction, op};
use crate::trace::{Access, Executed, Flow, Regs, Step, space};
use crate::word::Word;
use sha3::{Digest, Keccak256};

/// Whose memory an access may touch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Space of the running context.
    Own(u8),
    /// Any memory: a window may lie in another context.
    Any,
    /// Space of the context that the step opens or goes back to.
    Next(u8),
}

use Whose::{Any, Next, Own};

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
        op::KECCAK => &[(Own(space::REG), 4, READ), (Any, 5, READ)],
        op::CDLD => &[(Own(space::REG), 4, READ), (Any, 5, READ), (Any, 6, READ)],
        op::RDSIZE | op::CALLVALUE | op::TLOAD | op::TSTORE | op::ILOAD => &[(Own(space::REG), 4, READ)],
        op::ISTORE => &[(Own(space::REG), 4, READ), (Own(space::REG), 6, READ)],
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
            (Next(space::REG), 13, WRITE),
            (Own(space::SLOT), 14, READ),
        ],
        // Of a halt: the link is written before the target is found to lie outside the page.
        op::NCALL => &[(Own(space::SLOT), 4, WRITE)],
        // In deploy mode.
        op::RETURN => &[(Own(space::REG), 6, READ)],
        _ => &[],
    }
}

/// The accesses of the end of a context.
const END: &[Place] = &[(Next(space::SLOT), 4, WRITE), (Next(space::REG), 5, WRITE)];

/// The `k` of an instruction's state access.
fn state_time(opcode: u16, flow: Flow) -> u64 {
    match (flow, opcode) {
        (Flow::Undo(_), _) | (_, op::BALANCE | op::EXTCODEHASH | op::EXTCODESIZE) => 4,
        (Flow::Call(_), _) => 7,
        _ => 5,
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
        for cell in &e.cells {
            self.cell(cell, s.clock, state_time(i.opcode, e.flow))?;
        }
        let cell = e.cells.first();
        match (&e.journal, cell, e.flow) {
            (Some(entry), Some(cell), Flow::Stay) => self.written(s, cell, entry)?,
            (None, _, Flow::Undo(entry)) => {
                let cell = cell.ok_or_else(|| step_fault(s, "an undo without a write"))?;
                self.undone(s, &entry, cell)?;
            }
            (None, cell, _) if cell.is_none_or(|c| c.old == c.new) => {}
            _ => return Err(step_fault(s, "a state write without its journal entry")),
        }
        self.flow(s, e)?;
        match (i.opcode, e.flow) {
            (op::KECCAK, Flow::Stay) => digest(s, e),
            _ => Ok(()),
        }
    }

    fn flow(&mut self, s: &Step, e: &Executed) -> Result<(), TraceError> {
        match &e.flow {
            Flow::Undo(_) => Ok(()),
            Flow::Stay => {
                let Regs { ctx, code, fp, .. } = s.next;
                match (ctx, code, fp) == (s.regs.ctx, s.regs.code, s.regs.fp) {
                    true => Ok(()),
                    false => Err(step_fault(s, "the instruction leaves its context")),
                }
            }
            Flow::Call(frame) => {
                // Of the callee's cell, or in deploy mode of the last slot of the block.
                let slot = e.accesses.iter().find(|a| a.space == space::SLOT && a.time % 16 == 14);
                let code = e.cells.first().map(|c| c.old).or(slot.map(|a| a.old));
                self.called(s, code.unwrap_or_default(), frame)
            }
            Flow::End { frame, success } => {
                if *success && Instruction::decode(s.word).opcode != op::RETURN {
                    return Err(step_fault(s, "a context that does not return succeeds"));
                }
                let status = e
                    .accesses
                    .iter()
                    .find(|a| (a.space, a.ctx, a.index) == (space::SLOT, frame.caller.ctx, frame.dest));
                if status.map(|a| a.new) != Some(Word::from(u128::from(*success))) {
                    return Err(step_fault(s, "the caller does not learn how the call ended"));
                }
                self.ended(s, frame, *success)
            }
        }
    }
}

/// True if the access is at this place.
fn fits(s: &Step, a: &Access, (whose, k, _): &Place) -> bool {
    let place = match *whose {
        Any => true,
        Own(space) => (a.space, a.ctx) == (space, s.regs.ctx),
        Next(space) => (a.space, a.ctx) == (space, s.next.ctx),
    };
    place && a.time == 16 * u64::from(s.clock) + k
}

/// The digest of an unaligned or empty range, from the words that were read.
fn digest(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let words: Vec<&Access> = e.accesses.iter().filter(|a| a.space != space::REG).collect();
    let bytes: Vec<u8> = words.iter().flat_map(|a| a.old.to_be_bytes()).collect();
    // Calldata begins where its window does; what matters here is that the words are neighbours.
    let window = e.accesses.first().filter(|a| a.space == space::REG).map_or(0, |a| a.old.lo >> 32 & 31);
    let base = if Instruction::decode(s.word).imm == 0 { 0 } else { window };
    let skip = ((base + (s.a.old.lo & 31)) & 31) as usize;
    let inside = usize::try_from(s.b.old.lo).ok().and_then(|n| bytes.get(skip..skip.checked_add(n)?));
    let empty: &[u8] = &[];
    let range = if s.b.old.is_zero() { Some(empty) } else { inside };
    let neighbours = words.windows(2).all(|w| w[0].index + 1 == w[1].index);
    let want = range.map(|r| Word::from_be_bytes(Keccak256::digest(r).into()));
    match neighbours && want == Some(s.d.new) {
        true => Ok(()),
        false => Err(step_fault(s, "a keccak digest is wrong")),
    }
}
