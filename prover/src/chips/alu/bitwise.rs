//! `and or xor`, byte by byte through the table `And8`.
//! A packed lookup alone bounds none of its parts; the chains of windows below do, and nothing may be left out of them.
//!
//! Bytes `x` of a, `y` of b, `z = x and y`. Per 16 bytes of b: `y_i + 2^8 y_{i+1}`, `y_15` and `2^8 y_0` are 16-bit numbers.
//! From the top every `y_i` is an integer (below 2^137 in size: nothing wraps), from the bottom each is then below 2^8.
//! Per 8 bytes: `e_i = x_i + 2^8 y_i + 2^16 z_i` is in `And8`; `z_i + 2^8 x_{i+1}`, `z_7` and `2^8 x_0` are 16-bit numbers.
//! From the top all are integers: `z_7`, then `x_7` by `e_7`, then `z_6` by the window, and so on; each step adds at most 26
//! bits to 33, so `2^8 x_0` stays below 2^223. From the bottom: `x_0` is a byte, so `e_0` names exactly `(x_0, y_0)` and
//! `z_0` is their `and`, a byte; so by the window `x_1` is one. That is three lookups a byte.
use super::{Choice, PureRow, pure_rows};
use crate::chips::gadgets::{WordCom, lookup16};
use crate::chips::message::Alu;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::op;

/// The opcodes this chip proves.
pub const OPCODES: [u16; 3] = [op::AND, op::OR, op::XOR];

/// Bytes per chain through `x` and `z`: longer ones could wrap around the field.
const SEGMENT: usize = 8;

/// See the module.
pub struct BitwiseChip;

/// Commits sixteen bytes, least significant first, unchecked.
fn bytes(b: &mut RowBuilder<'_>, value: u128) -> Vec<Com> {
    value.to_le_bytes().iter().map(|x| b.commit(Fr::from(u64::from(*x)))).collect()
}

/// The half that sixteen bytes make.
fn sum(bytes: &[Com]) -> Com {
    bytes.iter().enumerate().fold(Com::zero(), |s, (i, x)| s + x * pow2(8 * i as u32))
}

/// `x + 2^8 y`
fn window(x: &Com, y: &Com) -> Com {
    x + y * 256u64
}

/// Returns `(a, b, a and b)` of one half; see the module for why the lookups suffice.
fn half(b: &mut RowBuilder<'_>, on: &Com, a: u128, bb: u128) -> [Com; 3] {
    let (x, y, z) = (bytes(b, a), bytes(b, bb), bytes(b, a & bb));
    for pair in y.windows(2) {
        lookup16(b, on, &window(&pair[0], &pair[1]));
    }
    lookup16(b, on, &y[15]);
    lookup16(b, on, &(&y[0] * 256u64));
    for first in (0..16).step_by(SEGMENT) {
        let last = first + SEGMENT - 1;
        for i in first..=last {
            let index = (a >> (8 * i) & 255 | (bb >> (8 * i) & 255) << 8) as usize;
            b.lookup(Tag::And8, on, &(window(&x[i], &y[i]) + &z[i] * 65536u64), index);
        }
        for i in first..last {
            lookup16(b, on, &window(&z[i], &x[i + 1]));
        }
        lookup16(b, on, &z[last]);
        lookup16(b, on, &(&x[first] * 256u64));
    }
    [sum(&x), sum(&y), sum(&z)]
}

impl Chip for BitwiseChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "bitwise"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let (va, vb) = row.map_or((Word::ZERO, Word::ZERO), |r| (r.a, r.b));
        let lo = half(b, &choice.on, va.lo, vb.lo);
        let hi = half(b, &choice.on, va.hi, vb.hi);
        let new = WordCom { lo: result(b, &choice, &lo), hi: result(b, &choice, &hi) };
        let [a_lo, b_lo, _] = lo;
        let [a_hi, b_hi, _] = hi;
        let (a, bb) = (WordCom { lo: a_lo, hi: a_hi }, WordCom { lo: b_lo, hi: b_hi });
        choice.provide(b, Alu { a, b: bb, new, ..Alu::default() }, &Com::zero(), row);
    }
}

/// `and = z`, `or = a + b - z`, `xor = a + b - 2 z`
fn result(b: &mut RowBuilder<'_>, choice: &Choice, [x, y, z]: &[Com; 3]) -> Com {
    let (and, or, xor) = (choice.any(&[op::AND]), choice.any(&[op::OR]), choice.any(&[op::XOR]));
    let sum = b.product_committed("(or + xor) * (a + b)", &or + &xor, x + y);
    let common = b.product_committed("(and - or - 2 xor) * z", and - or - xor * 2u64, z);
    sum + common
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, mutate_all, row};
    use crate::circuit::lc::Var;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]
        #[test]
        fn every_instruction_agrees_with_big_integers(x in any_word(), y in any_word()) {
            check_rows(BitwiseChip, &OPCODES.map(|o| row(o, 0, 0, x, y)));
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let (x, y) =
            (Word::new(0x1234 << 90 | 0xff, u128::MAX - 77), Word::new(u128::MAX / 3, 0x0102 << 100));
        mutate_all(&mut check_rows(BitwiseChip, &OPCODES.map(|o| row(o, 0, 0, x, y))));
    }

    /// Applies changes to the bytes of the low half: `(group, index, by)`, group 0 is x, 1 y, 2 z.
    fn forged(x: u128, y: u128, changes: &[(u32, u32, i64)]) -> Vec<String> {
        let mut f = check_rows(BitwiseChip, &[row(op::AND, 0, 0, x.into(), y.into())]);
        let Var::Committed(first) = f.message_wire(Tag::Alu, 1) else { panic!("bytes are committed") };
        let field = |k: i64| if k < 0 { -Fr::from(k.unsigned_abs()) } else { Fr::from(k as u64) };
        let changes: Vec<_> =
            changes.iter().map(|(g, i, k)| (Var::Committed(first + 16 * g + i), field(*k))).collect();
        f.change(0, &changes);
        f.failures(0)
    }

    #[test]
    fn bytes_cannot_trade_bits_inside_a_packed_lookup() {
        // x + 256 and y - 1 leave the packed element as it is; x_1 - 1 keeps the word.
        assert!(!forged(0x0100, 0x0101, &[(0, 0, 256), (1, 0, -1), (0, 1, -1)]).is_empty());
        // y + 256 and z - 1; the next byte of b gives way.
        assert!(!forged(0x0101, 0x0101, &[(1, 0, 256), (2, 0, -1), (1, 1, -1)]).is_empty());
        // The same with the words left to change, which only the lookups can notice.
        for (g, h) in [(0, 1), (1, 2)] {
            for i in 0..16 {
                assert!(!forged(u128::MAX, u128::MAX, &[(g, i, 256), (h, i, -1)]).is_empty(), "{g} {i}");
            }
        }
    }
}
