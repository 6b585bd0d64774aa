//! `bits d, a, T, imm`: `(a >> T) mod 2^imm`, a shift and a cut inside one limb.
//! `T` and `imm` are built from selectors and ranged exponents, so that they reach exactly 0..=255 and 1..=256.
use super::shift::{cut, limbs, power};
use super::{Choice, PureRow, operands, pure_rows};
use crate::chips::gadgets::{WordCom, checked_uint};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::{halves, pow2};
use crate::circuit::{Chip, Com, Lc, RowBuilder};
use crate::input::ProverInput;
use lathe_vm::isa::op;

/// The opcodes this chip proves.
pub const OPCODES: [u16; 1] = [op::BITS];

/// See the module.
pub struct BitsChip;

/// Four booleans that add up to `on`; the one at `index` is set.
pub fn one_of_four(b: &mut RowBuilder<'_>, on: &Com, index: Option<usize>) -> [Com; 4] {
    let [y, z, w] = [1, 2, 3].map(|i| b.boolean("limb selector is boolean", index == Some(i)));
    let x = on - &y - &z - &w;
    b.enforce("limb selector is boolean", &x, &x, &x);
    [x, y, z, w]
}

/// `sum k * selector_k` for the weights given.
pub fn weigh(selectors: &[Com; 4], weights: [u64; 4]) -> Com {
    selectors.iter().zip(weights).fold(Com::zero(), |sum, (s, k)| sum + s * k)
}

impl Chip for BitsChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "bits"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let on = &choice.on;
        let mut alu = operands(b, row);
        let (from, count) = row.map_or((0, 1), |r| (r.t, u64::from(r.imm)));

        // T = 64 s - m with s in 1..=4 and m in 1..=64: every number of 0..=255 once, and no other.
        let s = one_of_four(b, on, row.map(|_| from as usize / 64));
        let m_value = 64 - from % 64;
        let (m_low, d) = power(b, on, if row.is_some() { m_value - 1 } else { 0 }, 1);
        alu.t = weigh(&s, [64, 128, 192, 256]) - &m_low - on;
        let low = cut(b, on, &alu.a.lo, &alu.a.lo, &d, m_value);
        let high = cut(b, on, &alu.a.hi, &alu.a.hi, &d, m_value);
        let r = limbs(&low, &high);
        let shifted = shift_right(b, &s, &r);

        // imm = 64 q + 64 - e with q in 0..=3 and e in 0..=63: every number of 1..=256 once, and no other.
        let q = one_of_four(b, on, row.map(|_| (count as usize - 1) / 64));
        let e_value = (64 - count % 64) % 64;
        let (e, f) = power(b, on, if row.is_some() { e_value } else { 0 }, 0);
        let imm = weigh(&q, [64, 128, 192, 256]) - e;
        alu.new = mask(b, on, &shifted, &q, (&f, e_value));
        choice.provide(b, alu, &imm, row);
    }
}

/// Limbs `s .. s + 4` of `r`, for `s` in 1..=4.
fn shift_right(b: &mut RowBuilder<'_>, s: &[Com; 4], r: &[Com; 5]) -> [Lc; 4] {
    [0, 1, 2, 3].map(|j| {
        (1..5 - j).fold(Lc::default(), |sum, i| sum + b.product("shift * limb", &s[i - 1], &r[i + j]))
    })
}

/// `z mod 2^(64 - e)` of a limb `z`, where `f = 2^e` with `e` in `0 ..= 64`.
///
/// `z f = 2^64 top + bottom` with both below 2^64 (z is, so the product is below 2^128) has one solution; bottom is then a multiple
/// of f, and the quotient is what the low bits are.
pub fn low_bits(b: &mut RowBuilder<'_>, on: &Com, z: &Lc, f: &Com, e: u64) -> Lc {
    let (value, _) = halves(z.value);
    let used = f.value() != Default::default();
    let product = if used { value << e } else { 0 };
    let top = checked_uint(b, on, product >> 64, 64);
    let bottom = checked_uint(b, on, product & u128::from(u64::MAX), 64);
    b.enforce("z * 2^e = 2^64 top + bottom", z, f, &top * pow2(64) + &bottom);
    let low = if e == 64 { 0 } else { product as u64 >> e };
    let low = b.wire(low.into());
    b.enforce("low * 2^e = bottom", &low, f, &bottom);
    low
}

/// Keeps limbs below the `q`-th and the low bits of that one: `64 - e` of them, where `f = 2^e`.
fn mask(b: &mut RowBuilder<'_>, on: &Com, x: &[Lc; 4], q: &[Com; 4], (f, e): (&Com, u64)) -> WordCom {
    let mut z = Lc::default();
    for (limb, selected) in x.iter().zip(q) {
        z = z + b.product("selected * limb", selected, limb);
    }
    let excess = &z - low_bits(b, on, &z, f, e);

    // limb 0 - q0 excess, (1 - q0) limb 1 - q1 excess; (q2 + q3) limb 2 - q2 excess, q3 limb 3 - q3 excess
    let shift = pow2(64);
    let one = b.product("(1 - q0) * limb 1", on - &q[0], &x[1]);
    let two = b.product("(q2 + q3) * limb 2", &q[2] + &q[3], &x[2]);
    let three = b.product("q3 * limb 3", &q[3], &x[3]);
    let lo_cut = (&q[0] + &q[1] * shift, &x[0] + one * shift);
    let hi_cut = (&q[2] + &q[3] * shift, two + three * shift);
    let [lo, hi] = [lo_cut, hi_cut].map(|(cut, whole)| {
        let gone = cut.value() * excess.value;
        let half = b.commit(whole.value - gone);
        b.enforce("cut * excess = whole - new", cut, &excess, whole - Lc::from(&half));
        half
    });
    WordCom { lo, hi }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, mutate_all, row};
    use crate::circuit::Tag;
    use ff::Field;
    use halo2curves::bn256::Fr;
    use lathe_vm::Word;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn agrees_with_big_integers(a in any_word(), b in any_word(), t in 0u64..256, imm in 1u16..=256) {
            check_rows(BitsChip, &[row(op::BITS, imm, t, a, b), row(op::BITS, imm, t, b, a)]);
        }
    }

    #[test]
    fn borders_of_position_and_width_agree_with_big_integers() {
        let a = Word::new(u128::MAX - (5 << 70), u128::MAX - 6);
        let rows: Vec<_> = [0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 254, 255]
            .iter()
            .flat_map(|t| {
                [1, 2, 63, 64, 65, 127, 128, 129, 192, 255, 256].map(|imm| row(op::BITS, imm, *t, a, a))
            })
            .collect();
        check_rows(BitsChip, &rows);
    }

    #[test]
    fn no_single_wire_can_change() {
        let a = Word::new(0x77 << 100 | 5, u128::MAX - 9);
        let rows = [(0, 1), (0, 256), (224, 32), (100, 70), (64, 128), (255, 200)];
        mutate_all(&mut check_rows(BitsChip, &rows.map(|(t, imm)| row(op::BITS, imm, t, a, a))));
    }

    #[test]
    fn width_and_position_cannot_alias() {
        // imm + 64 by an exponent of -64, or T - 64 by an exponent of 128: both leave the range of the exponent.
        for (nth, selector) in [(0, 0), (2 + 24, 3)] {
            let mut f = check_rows(BitsChip, &[row(op::BITS, 8, 8, Word::ZERO, Word::ZERO)]);
            let exponent = f.lookup_wire(Tag::Range16, nth);
            let s = f.wires("limb selector is boolean");
            f.change(0, &[(exponent, Fr::from(64)), (s[selector + selector / 3], Fr::ONE)]);
            assert!(f.failures(0).iter().any(|b| b.contains("lookup")), "{nth}");
        }
    }

    #[test]
    fn dropped_bits_cannot_come_back() {
        // top - 1 and the bottom's highest chunk + 2^16 say the same product.
        let mut f = check_rows(BitsChip, &[row(op::BITS, 4, 0, Word::from(0xf0), Word::ZERO)]);
        let nth = |n: usize| f.lookup_wire(Tag::Range16, 2 + 24 + 2 + n);
        let (top, bottom) = (nth(0), nth(7));
        f.change(0, &[(top, -Fr::ONE), (bottom, Fr::from(1 << 16))]);
        assert!(f.failures(0).iter().any(|b| b.contains("lookup")));
    }
}
