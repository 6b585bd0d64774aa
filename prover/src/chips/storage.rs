//! State cells read and written by programs: `sload`, `sstore` on the running contract's storage, `aload`, `astore`
//! on accounts for the kernel. Every write leaves a journal entry, or a revert could not take it back.
//! Two chips, since only the first reads the own address and only the second checks one: together they are
//! smaller than one chip that does both in every row.
use super::gadgets::{
    CellCom, WordCom, address, journal_elements, mem_read, opaque_word, range, state_access,
};
use super::message::{Alu, Keyed, RegsCom};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::op;
use lathe_vm::trace::{Access, Effect, StateAccess, Step, space};

/// Index of the register that holds the own address.
const OWN_ADDRESS: u64 = 2;

/// `sload`, `sstore`.
pub struct StorageChip;

/// `aload`, `astore`.
pub struct AccountChip;

/// A step that reads or writes a state cell.
#[derive(Clone, Debug)]
pub struct StorageRow {
    /// The step.
    pub step: Step,
    /// Read of register 2; present for `sload` and `sstore`.
    pub reg: Option<Access>,
    /// The state access.
    pub cell: StateAccess,
    /// True for `sstore`, `astore`.
    pub write: bool,
}

impl StorageRow {
    /// The row of a step, if it is one of the four instructions.
    pub fn of(step: Step) -> Option<StorageRow> {
        match step.effect {
            Effect::Storage { reg, cell, journal } => {
                Some(StorageRow { step, reg, cell, write: journal.is_some() })
            }
            _ => None,
        }
    }
}

fn rows(input: &ProverInput<'_>, of_accounts: bool) -> Vec<StorageRow> {
    let rows = input.trace.steps.iter().filter_map(StorageRow::of);
    rows.filter(|r| r.reg.is_none() == of_accounts).collect()
}

/// `on`, `load`, `store`: bits with `on = load + store`. 3 constraints.
fn mode(b: &mut RowBuilder<'_>, row: Option<&StorageRow>) -> [Com; 3] {
    let on = b.boolean("on is a bit", row.is_some());
    let store = b.boolean("store is a bit", row.is_some_and(|r| r.write));
    let load = &on - &store;
    b.enforce("load = on - store is a bit", &load, &load, &load);
    [on, load, store]
}

/// `x` where the bit is 0, `y` where it is 1. 2 constraints.
fn choose(b: &mut RowBuilder<'_>, bit: &Com, x: &WordCom, y: &WordCom) -> WordCom {
    let lo = b.product_committed("bit * (y.lo - x.lo)", bit, &y.lo - &x.lo);
    let hi = b.product_committed("bit * (y.hi - x.hi)", bit, &y.hi - &x.hi);
    WordCom { lo: &x.lo + lo, hi: &x.hi + hi }
}

/// The state access at k 5 and the journal; completes and receives the instruction.
fn finish(
    b: &mut RowBuilder<'_>,
    [on, store]: [&Com; 2],
    mut m: Keyed,
    cell: &CellCom,
    row: Option<&StorageRow>,
) {
    let operand = m.alu.b.clone();
    let new = |b: &mut RowBuilder<'_>, old: &WordCom| choose(b, store, old, &operand);
    let value = state_access(b, on, cell, &m.time(5), new, row.map(|r| &r.cell));
    b.send(Tag::Journal, store, &journal_elements(&m.clock, &m.regs.jhead, cell, &value));
    // A load puts the value into [d], a store keeps [d].
    m.alu.new = choose(b, store, &value, &m.old);
    m.change.jhead =
        b.product_committed("change of jhead = store * (clock - jhead)", store, &m.clock - &m.regs.jhead);
    m.receive(b, on);
}

impl Chip for StorageChip {
    type Row = StorageRow;

    fn name(&self) -> &'static str {
        "storage"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<StorageRow>, AssignError> {
        Ok(rows(input, false))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&StorageRow>) {
        let [on, load, store] = mode(b, row);
        let mut m = Keyed::receive_operands(b, row.map(|r| &r.step), false);
        m.alu.op = &load * u64::from(op::SLOAD) + &store * u64::from(op::SSTORE);
        let register = address(space::REG, &m.regs.ctx, &Com::int(OWN_ADDRESS));
        let own = mem_read(b, &on, &register, &m.time(4), row.and_then(|r| r.reg.as_ref()));
        // Register 2 is zero in context 0 and else an address below 2^160, which the call that wrote it checked.
        let account = own.lo + own.hi * pow2(128);
        let cell = CellCom { account, slot: m.alu.a.clone() };
        finish(b, [&on, &store], m, &cell, row);
    }
}

/// Operands of a kernel instruction: as [`Keyed::receive_operands`], with context and page fixed at 0. Page 0 alone
/// would not do: a contract may have the kernel's code.
fn kernel_operands(b: &mut RowBuilder<'_>, step: Option<&Step>) -> Keyed {
    let word = |f: fn(&Step) -> Word| step.map_or(Word::ZERO, f);
    let int = |f: fn(&Step) -> u32| Fr::from(u64::from(step.map_or(0, f)));
    let a = opaque_word(b, word(|s| s.a.old));
    let second = opaque_word(b, word(|s| s.b.old));
    let old = opaque_word(b, word(|s| s.d.old));
    let clock = b.commit(int(|s| s.clock));
    let (fp, jhead) = (b.commit(int(|s| s.regs.fp)), b.commit(int(|s| s.regs.jhead)));
    let regs = RegsCom { ctx: Com::zero(), code: Com::zero(), fp, jhead };
    let pc = b.commit(int(|s| s.regs.pc));
    let alu = Alu { a, b: second, ..Alu::default() };
    Keyed { alu, old, clock, regs, pc, change: RegsCom::default() }
}

impl Chip for AccountChip {
    type Row = StorageRow;

    fn name(&self) -> &'static str {
        "account"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<StorageRow>, AssignError> {
        Ok(rows(input, true))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&StorageRow>) {
        let [on, load, store] = mode(b, row);
        let mut m = kernel_operands(b, row.map(|r| &r.step));
        // kind = imm is 1, 2 or 3 on a used row and 0 on a padding row: the two others exclude each other.
        let is = |kind| row.is_some_and(|r| r.cell.cell.kind == kind);
        let balance = b.boolean("balance is a bit", is(2));
        let code_hash = b.boolean("code_hash is a bit", is(3));
        let nonce = &on - &balance - &code_hash;
        b.enforce("nonce = on - balance - code_hash is a bit", &nonce, &nonce, &nonce);
        let kind = nonce + balance * 2u64 + code_hash * 3u64;
        m.alu.op = &load * u64::from(op::ALOAD) + &store * u64::from(op::ASTORE) + &kind * (1u64 << 10);
        // a.lo is below 2^128 like every word's; a below 2^160, or the excess would pass for the kind.
        range(b, &on, &m.alu.a.hi, 32);
        let account = &m.alu.a.lo + &m.alu.a.hi * pow2(128) + kind * pow2(160);
        let cell = CellCom { account, slot: WordCom::zero() };
        finish(b, [&on, &store], m, &cell, row);
    }
}

#[cfg(test)]
mod tests;
