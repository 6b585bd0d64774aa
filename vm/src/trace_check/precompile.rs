//! Steps that call a precompile, Ethereum's or the system's: that status, return data, wei and cells are those that its
//! input asks for.
use super::contexts::{address, block, find, low160, moved, register};
use super::{TraceError, gas, step_fault};
use crate::isa::{Instruction, op};
use crate::machine::{MAX_DEPTH, Window};
use crate::precompile;
use crate::state::CellId;
use crate::system::{self, CellRequest, Service};
use crate::trace::{Access, Executed, Page, Step, space};
use crate::word::Word;

/// The service that a far call asks for, if the own address is a system contract's.
pub(super) fn service(s: &Step, e: &Executed) -> Option<Service> {
    system::service(address(register(s, e, 2)?), address(s.a.new))
}

/// A far call that is done within the step; one of an account without code passes.
pub(super) fn answered(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let fault = || step_fault(s, "a precompile's answer is not that of its input");
    let i = Instruction::decode(s.word);
    let value = if i.opcode == op::CALL { block(s, e, 3).ok_or_else(fault)? } else { Word::ZERO };
    if let Some(service) = service(s, e) {
        return served(s, e, service, value);
    }
    let found = precompile::find(address(s.a.new));
    if s.regs.ctx == 0 && (found.is_none() || !value.is_zero()) {
        return Err(step_fault(s, "the kernel calls an account as contracts do"));
    }
    let Some(precompile) = found else { return Ok(()) };
    let own = register(s, e, 2).map(|own| CellId::balance(address(own)));
    let lacks = matches!(&e.cells[..], [c] if Some(c.cell) == own && c.old < value && c.old == c.new);
    let output = match lacks || s.regs.depth >= MAX_DEPTH {
        true => None,
        false => {
            let input = input(s, e).ok_or_else(fault)?;
            precompile.run(&input).ok().filter(|_| gas::affords(s, e, precompile.gas(&input)))
        }
    };
    if !handed(s, e, output.as_deref()) || output.is_none() && !e.journal.is_empty() {
        return Err(fault());
    }
    match output {
        Some(_) => moved(s, e, value, Some(low160(s.a.new))),
        None => Ok(()),
    }
}

/// A call of a system precompile: its cell is the one asked for, and it takes no wei.
fn served(s: &Step, e: &Executed, service: Service, value: Word) -> Result<(), TraceError> {
    let fault = || step_fault(s, "a system precompile's answer is not that of its input");
    let input = match s.regs.depth >= MAX_DEPTH || !value.is_zero() {
        true => None,
        false => Some(input(s, e).ok_or_else(fault)?),
    };
    let only_reads = Instruction::decode(s.word).opcode == op::STATICCALL;
    let request = input.as_deref().filter(|_| service == Service::Cell).and_then(CellRequest::parse);
    let request = request.filter(|r| !only_reads || matches!(r, CellRequest::Read(_)));
    let page = input.as_deref().filter(|_| service == Service::PageHash).and_then(Page::from_bytes);
    let (output, fits) = match (request, &e.cells[..]) {
        (None, []) => (page.map(|p| p.hash_word().to_be_bytes().to_vec()), e.journal.is_empty()),
        (Some(CellRequest::Read(cell)), [c]) => {
            (Some(c.old.to_be_bytes().to_vec()), c.cell == cell && c.old == c.new && e.journal.is_empty())
        }
        (Some(CellRequest::Write(cell, value)), [c]) => {
            (Some(Vec::new()), c.cell == cell && c.new == value && e.journal.len() == 1)
        }
        _ => return Err(fault()),
    };
    if fits && handed(s, e, output.as_deref()) { Ok(()) } else { Err(fault()) }
}

/// True if the caller gets this output as its return data and in `[d]` whether there is one.
fn handed(s: &Step, e: &Executed, output: Option<&[u8]>) -> bool {
    let i = Instruction::decode(s.word);
    // The last of its accesses: the block may hold `[d]` too.
    let dest = (space::SLOT, s.regs.ctx, s.regs.fp + u32::from(i.d));
    let status = e.accesses.iter().rfind(|a| (a.space, a.ctx, a.index) == dest).map(|a| a.new);
    let window = find(e, (space::REG, s.regs.ctx, 1)).map(|a| Window::unpack(a.new));
    let (Some(window), Some(written)) = (window, words(e, s.clock, 0)) else { return false };
    let bytes = output.unwrap_or_default();
    let whole = Window { space: space::HEAP, ctx: s.clock, base: 0, length: bytes.len() as u32 };
    let padded = bytes.iter().chain(&[0; 31]).take(bytes.len().next_multiple_of(32));
    let same = written.iter().flat_map(|a| a.new.to_be_bytes()).eq(padded.copied());
    let fits = if bytes.is_empty() { window.length == 0 } else { window == whole };
    status == Some(Word::from(u128::from(output.is_some()))) && fits && same
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
