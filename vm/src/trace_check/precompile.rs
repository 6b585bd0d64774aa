//! Steps that call a precompile: that status, return data and wei are those that its input has.
use super::contexts::{address, block, find, low160, moved, register};
use super::{TraceError, gas, step_fault};
use crate::isa::{Instruction, op};
use crate::machine::{MAX_DEPTH, Window};
use crate::precompile;
use crate::state::CellId;
use crate::trace::{Access, Executed, Step, space};
use crate::word::Word;

/// A far call that is done within the step; one of an account without code passes.
pub(super) fn answered(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let Some(precompile) = precompile::find(address(s.a.new)) else { return Ok(()) };
    let fault = || step_fault(s, "a precompile's answer is not that of its input");
    let i = Instruction::decode(s.word);
    let value = if i.opcode == op::CALL { block(s, e, 3).ok_or_else(fault)? } else { Word::ZERO };
    let own = register(s, e, 2).map(|own| CellId::balance(address(own)));
    let lacks = matches!(&e.cells[..], [c] if Some(c.cell) == own && c.old < value && c.old == c.new);
    let output = match lacks || s.regs.depth >= MAX_DEPTH {
        true => None,
        false => {
            let input = input(s, e).ok_or_else(fault)?;
            precompile.run(&input).ok().filter(|_| gas::affords(s, e, precompile.gas(&input)))
        }
    };
    // The last of its accesses: the block may hold `[d]` too.
    let dest = (space::SLOT, s.regs.ctx, s.regs.fp + u32::from(i.d));
    let status = e.accesses.iter().rfind(|a| (a.space, a.ctx, a.index) == dest).map(|a| a.new);
    let window = find(e, (space::REG, s.regs.ctx, 1)).map(|a| Window::unpack(a.new));
    let written = words(e, s.clock, 0).ok_or_else(fault)?;
    let Some(output) = output else {
        let nothing = window.is_some_and(|w| w.length == 0) && written.is_empty() && e.journal.is_empty();
        return if status == Some(Word::ZERO) && nothing { Ok(()) } else { Err(fault()) };
    };
    let whole = Window { space: space::HEAP, ctx: s.clock, base: 0, length: output.len() as u32 };
    let padded = output.iter().chain(&[0; 31]).take(output.len().next_multiple_of(32));
    let same = written.iter().flat_map(|a| a.new.to_be_bytes()).eq(padded.copied());
    match status == Some(Word::from(1)) && window == Some(whole) && same {
        true => moved(s, e, value, Some(low160(s.a.new))),
        false => Err(fault()),
    }
}

/// The input, from the words of the own heap that were read.
pub(super) fn input(s: &Step, e: &Executed) -> Option<Vec<u8>> {
    let length = usize::try_from(block(s, e, 1)?.lo).ok()?;
    let read: Vec<u8> =
        words(e, s.regs.ctx, s.b.new.lo / 32)?.iter().flat_map(|a| a.old.to_be_bytes()).collect();
    let skip = if length == 0 { 0 } else { (s.b.new.lo % 32) as usize };
    read.get(skip..skip.checked_add(length)?).map(<[u8]>::to_vec)
}

/// The accesses to a context's heap, if they are to neighbours from this word on.
fn words(e: &Executed, ctx: u32, first: u128) -> Option<Vec<&Access>> {
    let words: Vec<&Access> = e.accesses.iter().filter(|a| (a.space, a.ctx) == (space::HEAP, ctx)).collect();
    words.iter().zip(first..).all(|(a, i)| u128::from(a.index) == i).then_some(words)
}
