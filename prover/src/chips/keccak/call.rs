//! The instruction `keccak d, a, b, imm`: which words of which memory are hashed. The digest comes from the hash row.
//! Nothing but an aligned range inside the own heap or the own calldata may pass.
use crate::chips::gadgets::{address, checked_uint, mem_read, opaque_word, range};
use crate::chips::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::trace::{Access, Effect, Step, space};

/// Opcode of `keccak`: class R, number 42.
const OPCODE: u64 = 42;

/// One `keccak` step.
#[derive(Clone, Debug)]
pub struct KeccakCallRow {
    /// The step.
    pub step: Step,
    /// The read of register 0.
    pub window: Access,
}

impl KeccakCallRow {
    fn imm(&self) -> u64 {
        self.step.word >> 10 & 0xfff
    }
}

/// The chip.
pub struct KeccakCallChip;

impl Chip for KeccakCallChip {
    type Row = KeccakCallRow;

    fn name(&self) -> &'static str {
        "keccak calls"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<KeccakCallRow>, AssignError> {
        let steps = input.trace.steps.iter();
        Ok(steps
            .filter_map(|s| match s.effect {
                Effect::Keccak { window, .. } => Some(KeccakCallRow { step: s, window }),
                _ => None,
            })
            .collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&KeccakCallRow>) {
        let on = b.boolean("on^2 = on", row.is_some());
        let mut keyed = Keyed::receive_operands(b, row.map(|r| &r.step), false);
        let calldata = b.boolean("imm^2 = imm", row.is_some_and(|r| r.imm() == 1));
        keyed.alu.op = &on * OPCODE + &calldata * (1 << 10);
        // The hash row makes the digest and bounds its halves.
        keyed.alu.new = opaque_word(b, row.map_or(Word::ZERO, |r| r.step.d.new));

        let register = address(space::REG, &keyed.regs.ctx, &Com::zero());
        let window = mem_read(b, &on, &register, &keyed.time(4), row.map(|r| &r.window));
        let first = first_word(b, row, &on, &keyed, &window.lo, &calldata);
        // A window is below 2^100 and both operands are below 2^128.
        b.zero("window.hi = 0", window.hi);
        b.zero("a.hi = 0", keyed.alu.a.hi.clone());
        b.zero("b.hi = 0", keyed.alu.b.hi.clone());

        let new = &keyed.alu.new;
        let call = [
            (0, keyed.clock.clone()),
            (1, first),
            (2, keyed.alu.b.lo.clone()),
            (3, new.lo.clone()),
            (4, new.hi.clone()),
            (5, keyed.time(5)),
        ];
        b.send(Tag::KeccakCall, &on, &call);
        keyed.receive(b, &on);
    }
}

/// The address of the first word: takes the window apart, and bounds start and length.
fn first_word(
    b: &mut RowBuilder<'_>,
    row: Option<&KeccakCallRow>,
    on: &Com,
    keyed: &Keyed,
    window: &Com,
    calldata: &Com,
) -> Com {
    let packed = row.map_or(0, |r| r.window.old.lo);
    let length = checked_uint(b, on, packed & 0xffff_ffff, 32);
    let base = checked_uint(b, on, packed >> 32 & 0xffff_ffff, 32);
    // The prefix is what remains; 36 bits of space and context.
    let prefix = checked_uint(b, on, packed >> 64 & 0xf_ffff_ffff, 36);
    b.zero(
        "window = prefix 2^64 + base 2^32 + length",
        &prefix * pow2(64) + &base * pow2(32) + &length - window,
    );

    // 32 * q = a + (calldata ? base : 0): a is below 2^128 and the right side above -2^32, so this holds between integers.
    let start = row.map_or(0, |r| {
        let own = if r.imm() == 1 { packed >> 32 & 0xffff_ffff } else { 0 };
        own.wrapping_add(r.step.a.old.lo)
    });
    let q = checked_uint(b, on, (start / 32) & 0x7ff_ffff, 27);
    b.enforce("imm * base = 32 q - a", calldata, &base, &q * 32 - &keyed.alu.a.lo);

    // 0 <= limit - a - b < 2^32 with limit = length of calldata or 2^32 - 1; a below 2^32 and b below 2^128.
    let top = u64::from(u32::MAX);
    let less = b.product_committed("less = imm * (2^32 - 1 - length)", calldata, Com::int(top) - length);
    range(b, on, &(Com::int(top) - less - &keyed.alu.a.lo - &keyed.alu.b.lo), 32);

    let heap = Com::constant(Fr::from(u64::from(space::HEAP)) * pow2(32)) + &keyed.regs.ctx;
    let change = b.product_committed("change = imm * (prefix - heap)", calldata, prefix - &heap);
    (heap + change) * pow2(32) + q
}
