//! Cells of known code: that the kernel, `extcodesize`, `create` and the end of a deploy page look at the
//! right one and do what it says.
use super::contexts::{address, block, creation_code, find, new_address, register};
use super::{TraceError, step_fault};
use crate::isa::{Instruction, op};
use crate::machine::{MAX_DEPTH, Window, alu};
use crate::state::{CellId, kind};
use crate::trace::{Executed, StateAccess, Step, mode, space};
use crate::word::Word;

/// `aload` and `astore` of known code, and `extcodesize`.
pub(super) fn read_or_set(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let i = Instruction::decode(s.word);
    let fits = match (i.opcode, &e.cells[..]) {
        (op::EXTCODESIZE, [code]) => {
            code.cell == CellId::code_hash(address(s.a.new)) && code.old.is_zero() && s.d.new.is_zero()
        }
        (op::EXTCODESIZE, [code, known]) => {
            let cells = [CellId::code_hash(address(s.a.new)), CellId::known_code(code.old)];
            let size = alu::shl(known.old, Word::from(3));
            [code.cell, known.cell] == cells && !code.old.is_zero() && s.d.new == size
        }
        (op::ALOAD, [known]) => kernels(s, known) && s.d.new == known.old,
        (op::ASTORE, [known]) => kernels(s, known) && s.b.new == known.new && e.journal.len() == 1,
        _ => false,
    };
    if fits { Ok(()) } else { Err(step_fault(s, "known code is not that of its cell")) }
}

/// True for the kernel's access to the cell of operand a.
fn kernels(s: &Step, known: &StateAccess) -> bool {
    let i = Instruction::decode(s.word);
    s.regs.ctx == 0 && i.imm == u16::from(kind::KNOWN_CODE) && known.cell == CellId::known_code(s.a.new)
}

/// A `create` that opens no context: it answers 0, and its cells are those that say why.
pub(super) fn not_created(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let fault = || step_fault(s, "a creation fails without a reason");
    let dest = (space::SLOT, s.regs.ctx, s.regs.fp + u32::from(Instruction::decode(s.word).d));
    // The last of its accesses: the block may hold `[d]` too.
    let status = e.accesses.iter().rfind(|a| (a.space, a.ctx, a.index) == dest).map(|a| a.new);
    let window = find(e, (space::REG, s.regs.ctx, 1)).map(|a| Window::unpack(a.new));
    if status != Some(Word::ZERO) || window.is_none_or(|w| w.length != 0) {
        return Err(fault());
    }
    let creator = address(register(s, e, 2).ok_or_else(fault)?);
    let value = block(s, e, 1).ok_or_else(fault)?;
    let short = s.b.new < Word::from(32);
    let code = creation_code(s, e).filter(|_| !short).and_then(|c| Word::from_first_bytes(&c));
    let counts = |c: &StateAccess| {
        c.cell == CellId::nonce(creator) && c.new == alu::add(c.old, Word::from(1)) && e.journal.len() == 1
    };
    let knows = |c: &StateAccess| Some(c.cell) == code.map(CellId::known_code);
    let fits = match &e.cells[..] {
        [] => s.regs.depth >= MAX_DEPTH,
        [poor] if poor.cell == CellId::balance(creator) => poor.old == poor.new && poor.old < value,
        [counted] => counts(counted) && short,
        [counted, known] => counts(counted) && knows(known) && known.old.is_zero(),
        [counted, known, code, nonce] => {
            let new = address(new_address(s, e).ok_or_else(fault)?);
            let taken = !code.old.is_zero() || !nonce.old.is_zero();
            let cells = [CellId::code_hash(new), CellId::nonce(new)];
            counts(counted)
                && knows(known)
                && !known.old.is_zero()
                && [code.cell, nonce.cell] == cells
                && nonce.old == nonce.new
                && taken
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(fault()) }
}

/// The end of a deploy page with success: its account gets the page that it hands back, which is known.
pub(super) fn deployed(s: &Step, e: &Executed, cells: &[StateAccess]) -> Result<(), TraceError> {
    if s.regs.mode & mode::DEPLOY == 0 {
        return match cells {
            [] => Ok(()),
            _ => Err(step_fault(s, "a return outside deploy mode writes state")),
        };
    }
    let fault = || step_fault(s, "the deployed code is not what the deploy page hands back");
    let hash = handed(s, e).ok_or_else(fault)?;
    let own = address(register(s, e, 2).ok_or_else(fault)?);
    let fits = matches!(cells, [known, code] if known.cell == CellId::known_code(hash)
        && !known.old.is_zero()
        && code.cell == CellId::code_hash(own)
        && code.new == hash);
    if fits { Ok(()) } else { Err(fault()) }
}

/// The read that a deploy page halts for: the page it hands back is not known.
pub(super) fn unknown(s: &Step, e: &Executed, read: &StateAccess) -> Result<(), TraceError> {
    let returns = Instruction::decode(s.word).opcode == op::RETURN && s.regs.mode & mode::DEPLOY != 0;
    let cell = handed(s, e).map(CellId::known_code);
    match returns && Some(read.cell) == cell && read.old.is_zero() && read.new.is_zero() {
        true => Ok(()),
        false => Err(step_fault(s, "a deploy page halts for a page that is known")),
    }
}

/// The 32 bytes that a deploy page hands back.
fn handed(s: &Step, e: &Executed) -> Option<Word> {
    let first = s.a.new.lo / 32;
    let words = e.accesses.iter().filter(|a| (a.space, a.ctx) == (space::HEAP, s.regs.ctx));
    let mut bytes = Vec::new();
    for (access, index) in words.zip(first..) {
        if u128::from(access.index) != index {
            return None;
        }
        bytes.extend_from_slice(&access.old.to_be_bytes());
    }
    let skip = (s.a.new.lo % 32) as usize;
    Word::from_first_bytes(bytes.get(skip..)?).filter(|_| s.b.new == Word::from(32))
}
