//! Far calls and their ends: a call saves the registers once on the bus, the matching return takes them back.
use super::gadgets::{CellCom, WordCom, address, mem_read, mem_write, range, state_access};
use super::message::Keyed;
use crate::chips::cpu::Operands;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::{fr_u128, pow2};
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::trace::{Access, Effect, Frame, StateAccess, Step, space};

/// Opcode R 43.
const MIMICCALL: u64 = 43;
/// Opcode R 44.
pub const RETURN: u64 = 44;
/// Opcode R 45.
pub const REVERT: u64 = 45;
/// Longest heap range and one past the last byte it may reach.
const HEAP_END: u64 = (1 << 32) - 1;

/// The prefix of heap windows of context `ctx`.
fn heap_prefix(ctx: &Com) -> Com {
    ctx + Com::int(u64::from(space::HEAP) << 32)
}

/// `prefix * 2^64 + base * 2^32 + length`.
fn window(prefix: &Com, base: &Com, length: &Com) -> Com {
    prefix * pow2(64) + base * pow2(32) + length
}

/// The elements of a `Frame` message.
fn frame_elements(callee: &Com, saved: &[Com; 6]) -> Vec<(u8, Com)> {
    let mut e = vec![(0, callee.clone())];
    e.extend(saved.iter().zip(1u8..).map(|(c, k)| (k, c.clone())));
    e
}

/// An offset or length: a word without high half (where on). Its bound comes with the check that it lies inside a
/// window: `end - offset - len` in 32 bits, with `end` below 2^32 and both others below 2^128, bounds both.
fn low_half(b: &mut RowBuilder<'_>, on: &Com, w: &WordCom) -> Com {
    b.enforce("a length or offset has no high half", on, &w.hi, 0u64);
    w.lo.clone()
}

/// Kernel mode is page 0 in context 0: a contract deployed with the kernel's own code runs in another context.
/// Both numbers are below 2^32, so their packed sum is zero only if both are.
pub fn kernel_only(b: &mut RowBuilder<'_>, on: &Com, m: &Keyed) {
    b.enforce("kernel only: on * (ctx * 2^32 + code) = 0", on, &m.regs.ctx * pow2(32) + &m.regs.code, 0u64);
}

/// `mimiccall d, a, b, imm`.
pub struct Call;

/// A call step taken apart.
pub struct CallRow {
    step: Step,
    len: Access,
    caller: Access,
    window: Access,
    code: StateAccess,
    regs: [Access; 3],
}

impl Chip for Call {
    type Row = CallRow;

    fn name(&self) -> &'static str {
        "call"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<CallRow>, AssignError> {
        let row = |step: Step| match step.effect {
            Effect::Call { len, caller, window, code, regs, .. } => {
                Some(CallRow { step, len, caller, window, code, regs })
            }
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CallRow>) {
        let step = row.map(|r| &r.step);
        let on = b.boolean("on is boolean", row.is_some());
        let mut m = Keyed::receive_operands(b, step, true);
        let of_calldata = b.boolean("imm is 0 or 1", step.is_some_and(|s| s.word >> 10 & 1 == 1));
        m.alu.op = Com::int(MIMICCALL) + &of_calldata * (1u64 << 10);
        kernel_only(b, &on, &m);

        // The instruction once more, for the offsets of [b + 1], [b + 2] and [d].
        let f = step.map(|s| Operands::of(s.word, s.regs.code));
        let [d, a, bb] = [f.map_or(0, |f| f.d), f.map_or(0, |f| f.a), f.map_or(0, |f| f.b)]
            .map(|x| b.commit(Fr::from(u64::from(x))));
        let fetch = [(0, &m.alu.op), (13, &m.regs.code), (16, &m.pc), (17, &d), (18, &a), (19, &bb)];
        b.take(Tag::Fetch, &on, &fetch.map(|(k, e)| (k, e.clone())));
        let slot = |i: u64| address(space::SLOT, &m.regs.ctx, &(&m.regs.fp + &bb + Com::int(i)));
        let len = mem_read(b, &on, &slot(1), &m.time(4), row.map(|r| &r.len));
        let caller = mem_read(b, &on, &slot(2), &m.time(5), row.map(|r| &r.caller));
        let reg0 = address(space::REG, &m.regs.ctx, &Com::zero());
        let source = mem_read(b, &on, &reg0, &m.time(6), row.map(|r| &r.window));

        let data = self.calldata(b, &on, &m, &of_calldata, &len, &source, row);

        // Callee and caller are addresses: a word's halves are below 2^128, so the high one below 2^32 is enough.
        range(b, &on, &m.alu.a.hi, 32);
        range(b, &on, &caller.hi, 32);
        let callee = &m.alu.a.lo + &m.alu.a.hi * pow2(128);
        let account = callee + Com::constant(pow2(160) * Fr::from(3));
        let cell = CellCom { account, slot: WordCom::zero() };
        let hash = state_access(b, &on, &cell, &m.time(7), |_, old| old.clone(), row.map(|r| &r.code));
        let page = b.commit(Fr::from(u64::from(step.map_or(0, |s| s.next.code))));
        b.take(Tag::Page, &on, &[(0, page.clone()), (1, hash.lo), (2, hash.hi)]);

        // The callee's context id is the clock of this call.
        let written = [WordCom::low(data), m.alu.a.clone(), caller];
        for (i, (index, word)) in [0u64, 2, 3].into_iter().zip(&written).enumerate() {
            let at = address(space::REG, &m.clock, &Com::int(index));
            mem_write(b, &on, &at, &m.time(8 + i as u64), word, row.map(|r| &r.regs[i]));
        }
        let r = &m.regs;
        let saved =
            [r.ctx.clone(), r.code.clone(), &m.pc + Com::int(1), r.fp.clone(), r.jhead.clone(), &r.fp + d];
        b.send(Tag::Frame, &on, &frame_elements(&m.clock, &saved));

        m.alu.delta = -(&m.pc + Com::int(1));
        m.change.ctx = &m.clock - &m.regs.ctx;
        m.change.code = page - &m.regs.code;
        m.change.fp = -&m.regs.fp;
        m.receive(b, &on);
    }
}

impl Call {
    /// The callee's calldata window: bytes `[b] .. [b] + [b + 1]` of the own heap or calldata, wholly inside it.
    #[allow(clippy::too_many_arguments)]
    fn calldata(
        &self,
        b: &mut RowBuilder<'_>,
        on: &Com,
        m: &Keyed,
        of_calldata: &Com,
        len: &WordCom,
        source: &WordCom,
        row: Option<&CallRow>,
    ) -> Com {
        let offset = low_half(b, on, &m.alu.b);
        let len = low_half(b, on, len);
        let word = row.map_or(0, |r| r.window.old.lo);
        let prefix = b.commit(fr_u128(word >> 64));
        let base = b.commit(fr_u128(word >> 32 & 0xffff_ffff));
        range(b, on, &prefix, 36);
        range(b, on, &base, 32);
        let length = &source.lo - &prefix * pow2(64) - &base * pow2(32);
        range(b, on, &length, 32);

        let heap = heap_prefix(&m.regs.ctx);
        let prefix = b.product_committed("of_calldata * (prefix - heap)", of_calldata, prefix - &heap) + heap;
        let base = b.product_committed("of_calldata * base", of_calldata, base) + &offset;
        let end = Com::int(HEAP_END);
        let end = b.product_committed("of_calldata * (length - heap end)", of_calldata, length - &end) + end;
        // offset + len <= end keeps base + len below 2^32: by induction from context 0's window.
        range(b, on, &(end - &offset - &len), 32);
        window(&prefix, &base, &len)
    }
}

/// `return`, and `revert` once nothing is left to undo, in a called context.
pub struct Return;

/// The end of a context taken apart.
pub struct ReturnRow {
    step: Step,
    frame: Frame,
    status: Access,
    window: Access,
}

impl Chip for Return {
    type Row = ReturnRow;

    fn name(&self) -> &'static str {
        "return"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<ReturnRow>, AssignError> {
        let row = |step: Step| match step.effect {
            Effect::Return { frame, status, window } => Some(ReturnRow { step, frame, status, window }),
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&ReturnRow>) {
        let step = row.map(|r| &r.step);
        let on = b.boolean("on is boolean", row.is_some());
        let mut m = Keyed::receive_operands(b, step, true);
        let success = b.boolean("status is boolean", row.is_some_and(|r| r.status.new.lo == 1));
        m.alu.op = Com::int(REVERT) - &success;
        let offset = low_half(b, &on, &m.alu.a);
        let len = low_half(b, &on, &m.alu.b);
        range(b, &on, &(Com::int(HEAP_END) - &offset - &len), 32);

        let frame = row.map(|r| r.frame);
        let int = |f: fn(&Frame) -> u32| Fr::from(u64::from(frame.as_ref().map_or(0, f)));
        let saved = [
            int(|f| f.caller.ctx),
            int(|f| f.caller.code),
            int(|f| f.caller.pc),
            int(|f| f.caller.fp),
            int(|f| f.caller.jhead),
            int(|f| f.dest),
        ]
        .map(|x| b.commit(x));
        b.receive(Tag::Frame, &on, &frame_elements(&m.regs.ctx, &saved));
        let [ctx, code, pc, fp, jhead, dest] = saved;
        // A failed context leaves nothing in the journal; the undo rows took it back.
        b.enforce("revert: jhead = saved jhead", Com::int(1) - &success, &m.regs.jhead - jhead, 0u64);

        let status = WordCom::low(success);
        mem_write(b, &on, &address(space::SLOT, &ctx, &dest), &m.time(4), &status, row.map(|r| &r.status));
        let data = WordCom::low(window(&heap_prefix(&m.regs.ctx), &offset, &len));
        let reg1 = address(space::REG, &ctx, &Com::int(1));
        mem_write(b, &on, &reg1, &m.time(5), &data, row.map(|r| &r.window));

        m.alu.delta = pc - &m.pc - Com::int(1);
        m.change.ctx = ctx - &m.regs.ctx;
        m.change.code = code - &m.regs.code;
        m.change.fp = fp - &m.regs.fp;
        m.receive(b, &on);
    }
}

/// The words a final `return` of context 0 hands back.
pub fn final_words(step: Option<&Step>) -> Option<&[Access; 3]> {
    match step.map(|s| &s.effect) {
        Some(Effect::Final(words)) => Some(words),
        _ => None,
    }
}
