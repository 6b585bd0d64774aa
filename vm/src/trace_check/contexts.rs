//! Steps that open a context without a chip: that the code is the callee's, the registers are what the instruction makes
//! them, wei only move, and a new contract is where Ethereum's rules put it.
use super::{Checker, TraceError, step_fault};
use crate::isa::{Instruction, op};
use crate::machine::{contract_address, contract_address_salted};
use crate::state::{CellId, kind};
use crate::trace::{Access, Executed, Frame, Regs, StateAccess, Step, mode, space};
use crate::word::Word;

/// `mimiccall`'s `imm`: deploy mode.
pub(super) const MIMIC_DEPLOY: u16 = 4;
/// `mimiccall`'s `imm`: with gas, origin and gas price.
pub(super) const MIMIC_METERED: u16 = 8;
/// `mimiccall`'s `imm`: the transaction goes on.
pub(super) const MIMIC_SAME: u16 = 16;
/// `mimiccall`'s `imm`: in a static context.
const MIMIC_STATIC: u16 = 32;

/// What a step read in a register of the running context.
pub(super) fn register(s: &Step, e: &Executed, index: u32) -> Option<Word> {
    find(e, (space::REG, s.regs.ctx, index)).map(|a| a.old)
}

pub(super) fn find(e: &Executed, place: (u8, u32, u32)) -> Option<&Access> {
    e.accesses.iter().find(|a| (a.space, a.ctx, a.index) == place)
}

/// What a step wrote to a register of the context that it opened.
fn given(s: &Step, e: &Executed, index: u32) -> Option<Word> {
    find(e, (space::REG, s.clock, index)).map(|a| a.new)
}

/// Slot `j` of the block that operand `b` begins.
pub(super) fn block(s: &Step, e: &Executed, j: u32) -> Option<Word> {
    let index = s.regs.fp + u32::from(Instruction::decode(s.word).b) + j;
    find(e, (space::SLOT, s.regs.ctx, index)).map(|a| a.old)
}

pub(super) fn low160(w: Word) -> Word {
    Word::new(w.hi & 0xffff_ffff, w.lo)
}

pub(super) fn address(w: Word) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&w.to_be_bytes()[12..]);
    out
}

impl Checker<'_> {
    /// A step whose flow is a call.
    pub(super) fn call(
        &mut self,
        s: &Step,
        e: &Executed,
        head: u32,
        frame: &Frame,
    ) -> Result<(), TraceError> {
        let i = Instruction::decode(s.word);
        let depth = s.regs.depth + u32::from(i.opcode != op::MIMICCALL);
        let code = e.cells.iter().find(|c| c.cell.kind == kind::CODE_HASH);
        let (hash, mode, jhead) = match i.opcode {
            op::MIMICCALL if i.imm & MIMIC_DEPLOY != 0 => (block(s, e, 4), mode::DEPLOY, s.regs.jhead),
            op::MIMICCALL => (code.map(|c| c.old), 0, s.regs.jhead),
            op::CREATE => (Some(created(s, e)?), mode::DEPLOY, s.clock),
            op::STATICCALL => (code.map(|c| c.old), mode::STATIC, s.regs.jhead),
            _ => (code.map(|c| c.old), s.regs.mode & mode::STATIC, s.regs.jhead),
        };
        if i.opcode != op::MIMICCALL {
            if s.regs.ctx == 0 {
                return Err(step_fault(s, "the kernel calls a contract as contracts do"));
            }
            registers(s, e)?;
            let value = match i.opcode {
                op::CALL | op::CREATE => given(s, e, 4).unwrap_or_default(),
                _ => Word::ZERO,
            };
            moved(s, e, value, given(s, e, 2))?;
        }
        let hash = hash.ok_or_else(|| step_fault(s, "a call without a code hash"))?;
        self.called(s, hash, jhead, frame)?;
        let metered = match i.opcode {
            op::MIMICCALL if i.imm & MIMIC_METERED != 0 => mode::METERED,
            op::MIMICCALL => 0,
            _ => s.regs.mode & mode::METERED,
        };
        let fixed = i.opcode == op::MIMICCALL && i.imm & MIMIC_STATIC != 0;
        let mode = mode | metered | if fixed { mode::STATIC } else { 0 };
        let Regs { code, gas, .. } = s.next;
        match s.next == (Regs { jhead: head, mode, depth, ctx: s.clock, code, pc: 0, fp: 0, gas }) {
            true => Ok(()),
            false => Err(step_fault(s, "the callee does not begin as the call says")),
        }
    }
}

/// Own address, caller, value and code address of the new context.
fn registers(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let own = register(s, e, 2);
    let to = low160(s.a.new);
    let want = match Instruction::decode(s.word).opcode {
        op::CALL => [Some(to), own, block(s, e, 3), None],
        op::STATICCALL => [Some(to), own, Some(Word::ZERO), None],
        op::DELEGATECALL => [own, register(s, e, 3), register(s, e, 4), Some(to)],
        _ => [new_address(s, e), own, block(s, e, 1), None],
    };
    match want == [2, 3, 4, 5].map(|index| given(s, e, index)) {
        true => Ok(()),
        false => Err(step_fault(s, "the callee's registers are not what the call gives it")),
    }
}

/// The wei that go to the callee come from the caller.
pub(super) fn moved(s: &Step, e: &Executed, value: Word, to: Option<Word>) -> Result<(), TraceError> {
    let balances: Vec<&StateAccess> = e.cells.iter().filter(|c| c.cell.kind == kind::BALANCE).collect();
    let fits = match balances[..] {
        [] => value.is_zero(),
        [from, into] => {
            let cells = [register(s, e, 2), to].map(|w| w.map(|w| CellId::balance(address(w))));
            let sum = |a: Word, b: Word| crate::machine::alu::add(a, b);
            cells == [Some(from.cell), Some(into.cell)]
                && sum(from.new, value) == from.old
                && sum(into.old, value) == into.new
                && from.new <= from.old
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(step_fault(s, "wei appear or vanish")) }
}

/// The bytes of the creation code that `create` read.
pub(super) fn creation_code(s: &Step, e: &Executed) -> Option<Vec<u8>> {
    let words = e.accesses.iter().filter(|a| a.space == space::HEAP && a.ctx == s.regs.ctx);
    let bytes: Vec<u8> = words.flat_map(|a| a.old.to_be_bytes()).collect();
    let length = match Instruction::decode(s.word).imm {
        0 => 32,
        _ => usize::try_from(s.b.old.lo).ok()?,
    };
    let skip = (s.a.old.lo % 32) as usize;
    bytes.get(skip..skip.checked_add(length)?).map(<[u8]>::to_vec)
}

/// Where the new contract belongs.
pub(super) fn new_address(s: &Step, e: &Executed) -> Option<Word> {
    let creator = address(register(s, e, 2)?);
    let made = match Instruction::decode(s.word).imm {
        0 => contract_address(creator, e.cells.first()?.old.lo as u64),
        _ => contract_address_salted(creator, block(s, e, 2)?, &creation_code(s, e)?),
    };
    Some(crate::fixtures::word(made))
}

/// The hash of the deploy page that `create` runs: its cells are those of creator and new contract, which had none.
fn created(s: &Step, e: &Executed) -> Result<Word, TraceError> {
    let fault = || step_fault(s, "the new contract is not where its creator puts it");
    let new = address(new_address(s, e).ok_or_else(fault)?);
    let creator = address(register(s, e, 2).ok_or_else(fault)?);
    let hash = creation_code(s, e).and_then(|c| Word::from_first_bytes(&c)).ok_or_else(fault)?;
    let [counted, known, code, first, ..] = &e.cells[..] else { return Err(fault()) };
    let cells = [counted.cell, known.cell, code.cell, first.cell];
    let fresh =
        !known.old.is_zero() && code.old.is_zero() && first.old.is_zero() && first.new == Word::from(1);
    let one_more = crate::machine::alu::add(counted.old, Word::from(1)) == counted.new;
    let known = CellId::known_code(hash);
    let want = [CellId::nonce(creator), known, CellId::code_hash(new), CellId::nonce(new)];
    if cells == want && fresh && one_more { Ok(hash) } else { Err(fault()) }
}
