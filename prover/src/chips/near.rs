//! Near calls: the frame pointer moves and the return address goes into the callee's first slot.
use super::gadgets::{WordCom, address, checked_uint, mem_write, range};
use super::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::trace::{Access, Effect, Step, space};

/// Opcode J 32.
const NCALL: u64 = 128 + 32;
/// Opcode R 33.
const NRET: u64 = 33;

/// `ncall T, imm`.
pub struct NearCall;

impl Chip for NearCall {
    type Row = (Step, Access);

    fn name(&self) -> &'static str {
        "near call"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<Self::Row>, AssignError> {
        let row = |s: Step| match s.effect {
            Effect::NearCall(slot) => Some((s, slot)),
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&Self::Row>) {
        let step = row.map(|r| &r.0);
        let on = b.boolean("on is boolean", row.is_some());
        let mut m = Keyed::receive_operands(b, step, true);
        let imm = checked_uint(b, &on, step.map_or(0, |s| u128::from(s.word >> 10 & 0xfff)), 12);
        m.alu.op = Com::int(NCALL) + &imm * (1u64 << 10);
        // T is the biased target; it enters nothing but the next pc.
        m.alu.t = b.commit(Fr::from(step.map_or(0, |s| s.word >> 22 & 0x3fff)));
        m.alu.delta = &m.alu.t - Com::int(8192);
        m.change.fp = imm;
        let fp = &m.regs.fp + &m.change.fp;
        range(b, &on, &fp, 20);
        let back = WordCom { lo: &m.pc + Com::int(1), hi: m.regs.fp.clone() };
        mem_write(b, &on, &address(space::SLOT, &m.regs.ctx, &fp), &m.time(4), &back, row.map(|r| &r.1));
        m.receive(b, &on);
    }
}

/// `nret`.
pub struct NearReturn;

impl Chip for NearReturn {
    type Row = Step;

    fn name(&self) -> &'static str {
        "near return"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<Step>, AssignError> {
        let steps = input.trace.steps.iter();
        Ok(steps.filter(|s| matches!(s.effect, Effect::NearReturn)).collect())
    }

    /// `[0]` is `pc' + 2^128 fp'`. A pc outside the page finds no instruction, so only `fp'` needs a range.
    fn row(&self, b: &mut RowBuilder<'_>, step: Option<&Step>) {
        let on = b.boolean("on is boolean", step.is_some());
        let mut m = Keyed::receive_operands(b, step, true);
        m.alu.op = Com::int(NRET);
        range(b, &on, &m.alu.a.hi, 20);
        m.alu.delta = &m.alu.a.lo - &m.pc - Com::int(1);
        m.change.fp = &m.alu.a.hi - &m.regs.fp;
        m.receive(b, &on);
    }
}
