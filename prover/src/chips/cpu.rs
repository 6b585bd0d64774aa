//! The CPU: one row per step. It fetches the instruction, reads `[a]` and `[b]`, reads and writes `[d]`, and hands the
//! instruction to the chip that knows it. It knows no opcode: what a step does is what the receiving chip accepts.
use super::gadgets::{WordCom, address, mem_read, mem_write, opaque_word};
use super::message::{Alu, KEEP, Keyed, RegsCom};
use crate::circuit::chip::AssignError;
use crate::circuit::row::Public;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::trace::{Effect, Step, space};

/// The CPU chip.
pub struct Cpu;

/// A step with the instruction's fields as the code chip sends them.
pub struct CpuRow {
    step: Step,
    operands: Operands,
}

/// The fields of an instruction after its class has been applied (`docs/isa.md`, "Encoding").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operands {
    /// Opcode and `imm`.
    pub low22: u32,
    /// The immediate operand.
    pub t: u32,
    /// Offset of `[d]`.
    pub d: u32,
    /// Offset of `[a]`.
    pub a: u32,
    /// Offset of `[b]`.
    pub b: u32,
}

impl Operands {
    /// Applies the class of `word`, running on page `page`.
    pub fn of(word: u64, page: u32) -> Operands {
        let field = |at: u32| (word >> at) as u32 & 0x3fff;
        let (d, a, b) = (field(22), field(36), field(50));
        let low22 = word as u32 & 0x3f_ffff;
        let (t, d, a, b) = match (word >> 7) & 7 {
            1 => (d, 0, a, b),
            2 => (a | b << 14, d, 0, 0),
            3 => (b, d, a, 0),
            4 => (a | page << 14, d, 0, b),
            5 => (d | b << 14, 0, a, 0),
            _ => (0, d, a, b),
        };
        Operands { low22, t, d, a, b }
    }

    /// True for classes J and K, which have no destination.
    pub fn keeps_d(&self) -> bool {
        matches!(self.low22 >> 7 & 7, 1 | 5)
    }
}

/// Exported registers, in order.
fn export(b: &mut RowBuilder<'_>, clock: &Com, regs: &RegsCom, pc: &Com, on: &Com) {
    for c in [clock, &regs.ctx, &regs.code, &regs.fp, &regs.jhead, pc, on] {
        b.export(c);
    }
}

/// The registers between segments, as the `Segment` message carries them.
pub fn segment_elements(position: &Com, clock: &Com, regs: &RegsCom, pc: &Com) -> [(u8, Com); 7] {
    [
        (0, position.clone()),
        (1, clock.clone()),
        (2, regs.ctx.clone()),
        (3, regs.code.clone()),
        (4, regs.fp.clone()),
        (5, regs.jhead.clone()),
        (6, pc.clone()),
    ]
}

impl Chip for Cpu {
    type Row = CpuRow;

    fn name(&self) -> &'static str {
        "cpu"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<CpuRow>, AssignError> {
        let row = |s: Step| CpuRow { operands: Operands::of(s.word, s.regs.code), step: s };
        Ok(input.trace.steps.iter().map(row).collect())
    }

    /// Receives the registers of this segment's first step.
    fn header(&self, b: &mut RowBuilder<'_>, input: Option<&ProverInput<'_>>) {
        let first = input.and_then(|i| i.trace.steps.iter().next());
        let int = |f: fn(&Step) -> u32| Fr::from(u64::from(first.as_ref().map_or(0, f)));
        let clock = b.commit(int(|s| s.clock));
        let regs = RegsCom {
            ctx: b.commit(int(|s| s.regs.ctx)),
            code: b.commit(int(|s| s.regs.code)),
            fp: b.commit(int(|s| s.regs.fp)),
            jhead: b.commit(int(|s| s.regs.jhead)),
        };
        let pc = b.commit(int(|s| s.regs.pc));
        let on = b.commit(Fr::ONE);
        b.zero("on = 1 before the first row", &on - Com::int(1));
        let position = b.public(Public::Position);
        b.receive(Tag::Segment, &Com::int(1), &segment_elements(&position, &clock, &regs, &pc));
        export(b, &clock, &regs, &pc, &on);
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CpuRow>) {
        let step = row.map(|r| &r.step);
        let imported: Vec<Com> = (0..7).map(|i| b.import(i)).collect();
        let [clock, ctx, code, fp, jhead, pc, on_before] = imported.try_into().expect("seven imports");

        // on is boolean and never rises again; keyed is 0 or on.
        let on = b.boolean("on is boolean", step.is_some());
        b.enforce("on * (1 - on_before) = 0", &on, Com::int(1) - &on_before, 0u64);
        let is_keyed = step.is_some_and(|s| !matches!(s.effect, Effect::None));
        let keyed = b.commit(Fr::from(u64::from(is_keyed)));
        b.enforce("keyed * (on - keyed) = 0", &keyed, &on - &keyed, 0u64);

        let f = row.map_or(Operands { low22: 0, t: 0, d: 0, a: 0, b: 0 }, |r| r.operands);
        let [op, t, d, a, bb] = [f.low22, f.t, f.d, f.a, f.b].map(|x| b.commit(Fr::from(u64::from(x))));
        let fetch = [(0, &op), (8, &t), (13, &code), (16, &pc), (17, &d), (18, &a), (19, &bb)];
        b.take(Tag::Fetch, &on, &fetch.map(|(k, e)| (k, e.clone())));

        let time = |k: u64| &clock * 16u64 + Com::int(k);
        let slot = |offset: &Com| address(space::SLOT, &ctx, &(&fp + offset));
        let va = mem_read(b, &on, &slot(&a), &time(1), step.map(|s| &s.a));
        let vb = mem_read(b, &on, &slot(&bb), &time(2), step.map(|s| &s.b));
        let new = opaque_word(b, step.map_or_else(Default::default, |s| s.d.new));
        let old = mem_write(b, &on, &slot(&d), &time(3), &new, step.map(|s| &s.d));

        let next = NextRegs::commit(b, step, [&clock, &ctx, &code, &fp, &jhead, &pc]);
        b.zero("clock' = clock + on", &next.clock - &clock - &on);
        b.enforce("an unused row keeps pc", Com::int(1) - &on, &next.pc - &pc, 0u64);
        let regs = RegsCom { ctx, code, fp, jhead };
        let change = next.regs.minus(&regs);
        for (name, x) in change.named() {
            b.enforce(name, Com::int(1) - &keyed, x, 0u64);
        }

        // A pure instruction without destination says so (KEEP in element 0) and offers 0 as its result: new = keep * old.
        let keep = b.boolean("keep is boolean", row.is_some_and(|r| !is_keyed && r.operands.keeps_d()));
        let new = WordCom {
            lo: new.lo - b.product_committed("keep * old.lo", &keep, &old.lo),
            hi: new.hi - b.product_committed("keep * old.hi", &keep, &old.hi),
        };

        let delta = &next.pc - &pc - &on;
        let message = Keyed {
            alu: Alu { op: op + keep * KEEP, t, a: va, b: vb, new, delta },
            old: WordCom { lo: old.lo, hi: old.hi },
            clock,
            regs,
            pc,
            change,
        };
        b.take(Tag::Alu, &(&on - &keyed), &message.alu.elements());
        b.send(Tag::Keyed, &keyed, &message.elements());
        export(b, &next.clock, &next.regs, &next.pc, &on);
    }

    /// Sends the registers on to the next segment.
    fn footer(&self, b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {
        let imported: Vec<Com> = (0..6).map(|i| b.import(i)).collect();
        let [clock, ctx, code, fp, jhead, pc] = imported.try_into().expect("six imports");
        let next = b.public(Public::Position) + Com::int(1);
        let regs = RegsCom { ctx, code, fp, jhead };
        b.send(Tag::Segment, &Com::int(1), &segment_elements(&next, &clock, &regs, &pc));
    }
}

/// The registers after a step.
struct NextRegs {
    clock: Com,
    regs: RegsCom,
    pc: Com,
}

impl NextRegs {
    /// An unused row repeats the registers it imports.
    fn commit(b: &mut RowBuilder<'_>, step: Option<&Step>, now: [&Com; 6]) -> NextRegs {
        let mut commit = |f: fn(&Step) -> u32, i: usize| {
            b.commit(step.map_or(now[i].value(), |s| Fr::from(u64::from(f(s)))))
        };
        NextRegs {
            clock: commit(|s| s.clock + 1, 0),
            regs: RegsCom {
                ctx: commit(|s| s.next.ctx, 1),
                code: commit(|s| s.next.code, 2),
                fp: commit(|s| s.next.fp, 3),
                jhead: commit(|s| s.next.jhead, 4),
            },
            pc: commit(|s| s.next.pc, 5),
        }
    }
}

impl RegsCom {
    fn minus(&self, other: &RegsCom) -> RegsCom {
        RegsCom {
            ctx: &self.ctx - &other.ctx,
            code: &self.code - &other.code,
            fp: &self.fp - &other.fp,
            jhead: &self.jhead - &other.jhead,
        }
    }

    fn named(&self) -> [(&'static str, &Com); 4] {
        [
            ("only keyed instructions change ctx", &self.ctx),
            ("only keyed instructions change code", &self.code),
            ("only keyed instructions change fp", &self.fp),
            ("only keyed instructions change jhead", &self.jhead),
        ]
    }
}
