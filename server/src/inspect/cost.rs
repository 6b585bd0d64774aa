//! What a step costs to prove, in constraints: the machine's price table, in which one gas stands for eight.
use lathe_vm::Word;
use lathe_vm::isa::{Instruction, op, price};
use lathe_vm::sandbox::Seen;
use lathe_vm::state::{CellId, kind};
use std::collections::HashSet;

/// Costs so far of one run; cells and pages cost something when they are first used.
#[derive(Debug, Default)]
pub struct Costs {
    cells: HashSet<CellId>,
    pages: HashSet<u32>,
}

/// Constraints of one step by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The step and its operation.
    pub step: u64,
    /// Leaves and nodes of the state tree, for cells touched for the first time.
    pub tree: u64,
    /// The code page of the contract that it calls, if that runs for the first time.
    pub page: u64,
}

impl Costs {
    /// The cost of a step.
    pub fn of(&mut self, seen: &Seen) -> Cost {
        let in_constraints = |gas: u64| gas * u64::from(price::CONSTRAINTS_PER_GAS);
        let mut tree = 0;
        for access in seen.cells.iter().filter(|access| access.cell.kind != kind::TRANSIENT) {
            if self.cells.insert(access.cell) {
                tree += u64::from(price::COLD_CELL);
            }
            if access.old.is_zero() && !access.new.is_zero() {
                tree += u64::from(price::NEW_CELL);
            }
        }
        let page = match seen.opened {
            Some(opened) if self.pages.insert(opened.code) => price::page(opened.page.words.len()),
            _ => 0,
        };
        Cost { step: in_constraints(step(seen)), tree: in_constraints(tree), page: in_constraints(page) }
    }
}

/// Gas of the step itself.
fn step(seen: &Seen) -> u64 {
    let i = Instruction::decode(seen.word);
    let length = |word: Word| u32::try_from(word.lo).unwrap_or(u32::MAX);
    let sum = Word::from(seen.a.lo.wrapping_add(u128::from(i.t())));
    let more = match i.opcode {
        op::KECCAK => price::keccak(length(seen.b)),
        op::COPY => price::copy(length(seen.b)),
        op::LOG => price::log(length(seen.b), i.imm.into()),
        op::EXP => price::exp(bits(seen.b)),
        op::LD | op::ST if sum.lo % 32 != 0 => price::STRADDLE.into(),
        _ => 0,
    };
    u64::from(price::base(i.opcode)) + more
}

fn bits(word: Word) -> u32 {
    match word.hi {
        0 => 128 - word.lo.leading_zeros(),
        hi => 256 - hi.leading_zeros(),
    }
}
