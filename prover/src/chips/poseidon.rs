//! Poseidon2 (width 2) as constraints, and field elements as canonical pairs of 128-bit halves.
//! Must agree bit for bit with `lathe_vm::poseidon2`: round keys and layers are taken from there.
//! Permutation: Grassi, Khovratovich, Schofnegger, "Poseidon2", eprint 2023/323.
use super::gadgets::{WordCom, range};
use crate::circuit::lc::{fr_u128, halves, pow2};
use crate::circuit::{Com, Lc, RowBuilder};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::poseidon2::{HALF_FULL_ROUNDS, round_keys};

/// Partial rounds between two re-allocations of the element without an S-box. Each costs one constraint and
/// caps every combination at about this many wires: 190 constraints and 1,715 terms per compression instead of 186
/// and 4,905 (`lengths_of_combinations` below).
const RENEW_EVERY: usize = 10;

/// The s-box `x^5`: `x2 = x x`, `x4 = x2 x2`, and the factors of the last product.
fn fourth_power(b: &mut RowBuilder<'_>, x: &Lc) -> Lc {
    let x2 = b.product("x2 = x * x", x, x);
    b.product("x4 = x2 * x2", &x2, &x2)
}

fn sbox(b: &mut RowBuilder<'_>, x: Lc) -> Lc {
    let x4 = fourth_power(b, &x);
    b.product("x5 = x4 * x", x4, x)
}

fn sbox_committed(b: &mut RowBuilder<'_>, x: Lc) -> Com {
    let x4 = fourth_power(b, &x);
    b.product_committed("x5 = x4 * x", x4, x)
}

/// The external layer `[[2,1],[1,2]]`.
fn external([x, y]: [&Lc; 2]) -> [Lc; 2] {
    let sum = x + y;
    [&sum + x, sum + y]
}

/// The internal layer `[[2,1],[1,3]]`.
fn internal([x, y]: [&Lc; 2]) -> [Lc; 2] {
    let sum = x + y;
    [&sum + x, sum + y * 2]
}

fn plus(x: &Lc, key: Fr) -> Lc {
    x + Lc::constant(key)
}

/// The inputs of the two S-boxes of the last round.
fn all_but_last(b: &mut RowBuilder<'_>, left: &Lc, right: &Lc) -> [Lc; 2] {
    let keys = round_keys();
    let full = |b: &mut RowBuilder<'_>, s: [Lc; 2], key: &[Fr; 2]| {
        let (x, y) = (sbox(b, plus(&s[0], key[0])), sbox(b, plus(&s[1], key[1])));
        external([&x, &y])
    };
    let mut s = external([left, right]);
    for key in &keys.first {
        s = full(b, s, key);
    }
    for (round, key) in keys.partial.iter().enumerate() {
        if round > 0 && round % RENEW_EVERY == 0 {
            s[1] = b.product("shorter name for element 1", &s[1], 1u64);
        }
        let x = sbox(b, plus(&s[0], *key));
        s = internal([&x, &s[1]]);
    }
    for key in &keys.last[..HALF_FULL_ROUNDS - 1] {
        s = full(b, s, key);
    }
    let key = &keys.last[HALF_FULL_ROUNDS - 1];
    [plus(&s[0], key[0]), plus(&s[1], key[1])]
}

/// `compress(left, right)`: element 1 of the permutation plus `right`. 190 constraints; holds for any inputs,
/// so a caller switches its use off at the result, not here.
pub fn compress(b: &mut RowBuilder<'_>, left: impl Into<Lc>, right: impl Into<Lc>) -> Lc {
    let (left, right) = (left.into(), right.into());
    let [x, y] = all_but_last(b, &left, &right);
    let (x, y) = (sbox(b, x), sbox(b, y));
    x + y * 2 + right
}

/// [`compress`] with a result that may be sent: the last two S-boxes are committed. 190 constraints.
pub fn compress_committed(b: &mut RowBuilder<'_>, left: impl Into<Lc>, right: &Com) -> Com {
    let [x, y] = all_but_last(b, &left.into(), right.lc());
    let (x, y) = (sbox_committed(b, x), sbox_committed(b, y));
    x + y * 2 + right
}

/// `compress(compress(first, e0), e1)` and so on.
pub fn chain(b: &mut RowBuilder<'_>, first: impl Into<Lc>, elements: &[Com]) -> Lc {
    elements.iter().fold(first.into(), |h, e| compress(b, h, e))
}

/// p - 1 as `(lo, hi)`.
fn largest() -> (u128, u128) {
    halves(-Fr::ONE)
}

/// Constrains, where `on`, that `x <= y` as integers of two 128-bit halves. One borrow and two ranges: 17
/// constraints.
///
/// `y.lo - x.lo + 2^128 borrow` and `y.hi - x.hi - borrow` lie in `0 .. 2^128`; their sum, weighted, is `y - x`.
/// No side wraps modulo p, since halves are below 2^128 and p is above 2^253. `y.lo` may be -1 (see [`less_than`]).
fn at_most(b: &mut RowBuilder<'_>, on: &Com, x: &WordCom, y: &WordCom) {
    let lo = &y.lo - &x.lo;
    let (_, negative) = halves(lo.value());
    let borrow = b.boolean("borrow is a bit", negative != 0);
    range(b, on, &(lo + &borrow * pow2(128)), 128);
    range(b, on, &(&y.hi - &x.hi - borrow), 128);
}

/// Constrains, where `on`, that `x < y` as integers; both are pairs of 128-bit halves. 17 constraints.
pub fn less_than(b: &mut RowBuilder<'_>, on: &Com, x: &WordCom, y: &WordCom) {
    let below = WordCom { lo: &y.lo - Com::int(1), hi: y.hi.clone() };
    at_most(b, on, x, &below);
}

/// Commits the canonical halves of a field element: where `on`, both are below 2^128 and `hi * 2^128 + lo`
/// is below p. The caller says which element they stand for ([`value`]). 33 constraints.
///
/// Without the last part `x` and `x + p` (both below 2^256) would be two names for one element.
pub fn canonical_word(b: &mut RowBuilder<'_>, on: &Com, x: Fr) -> WordCom {
    let (lo, hi) = halves(x);
    let word = WordCom { lo: b.commit(fr_u128(lo)), hi: b.commit(fr_u128(hi)) };
    range(b, on, &word.lo, 128);
    range(b, on, &word.hi, 128);
    let (lo, hi) = largest();
    let largest = WordCom { lo: Com::constant(fr_u128(lo)), hi: Com::constant(fr_u128(hi)) };
    at_most(b, on, &word, &largest);
    word
}

/// The field element `hi * 2^128 + lo`.
pub fn value(word: &WordCom) -> Com {
    &word.lo + &word.hi * pow2(128)
}

/// The canonical halves of `x`, range-checked and below p where `on`; `hi * 2^128 + lo = x` on every row.
/// 34 constraints.
pub fn canonical_halves(b: &mut RowBuilder<'_>, on: &Com, x: impl Into<Lc>) -> WordCom {
    let x = x.into();
    let word = canonical_word(b, on, x.value);
    b.zero("hi * 2^128 + lo = x", Lc::from(value(&word)) - x);
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::testing::Fixture;
    use crate::circuit::chip::AssignError;
    use crate::circuit::{Chip, Counts, Var};
    use crate::input::ProverInput;
    use lathe_vm::poseidon2;

    /// One compression of two committed elements; the result is sent.
    struct Compress;

    impl Chip for Compress {
        type Row = (Fr, Fr);
        fn name(&self) -> &'static str {
            "compress"
        }
        fn rows(&self, _: &ProverInput<'_>) -> Result<Vec<Self::Row>, AssignError> {
            Ok(Vec::new())
        }
        fn row(&self, b: &mut RowBuilder<'_>, row: Option<&Self::Row>) {
            let (l, r) = row.copied().unwrap_or_default();
            let (left, right) = (b.commit(l), b.commit(r));
            compress_committed(b, &left, &right);
        }
    }

    #[test]
    fn compression_agrees_with_the_machine() {
        for i in 0..20 {
            let (l, r) = (Fr::from(i).invert().unwrap_or(Fr::ZERO), -Fr::from(i * i));
            let mut counts = Counts::default();
            let b = &mut RowBuilder::assigner(&[], &[], [Fr::ZERO; 4], &mut counts);
            let (left, right) = (b.commit(l), b.commit(r));
            assert_eq!(compress_committed(b, &left, &right).value(), poseidon2::compress(l, r));
            assert_eq!(compress(b, &left, &right).value, poseidon2::compress(l, r));
            let three = chain(b, &left, &[right, left.clone()]);
            assert_eq!(three.value, poseidon2::hash_chain([l, r, l]));
        }
    }

    #[test]
    fn a_compression_costs_190() {
        let f = Fixture::new(Compress, &[(Fr::ONE, Fr::ONE)], 1);
        f.assert_satisfied();
        assert_eq!(f.block.templates[1].constraints.len(), 190);
    }

    #[test]
    fn lengths_of_combinations() {
        let f = Fixture::new(Compress, &[], 1);
        let sides = f.block.templates[1].constraints.iter().flat_map(|c| [&c.a, &c.b, &c.c]);
        let lengths: Vec<usize> =
            sides.map(|s| s.terms.len() + usize::from(s.constant != Fr::ZERO)).collect();
        let (sum, longest): (usize, _) = (lengths.iter().sum(), lengths.iter().max());
        assert!(sum < 1800 && longest <= Some(&14), "{sum} terms, the longest side has {longest:?}");
    }

    #[test]
    fn every_wire_of_a_compression_is_bound() {
        let mut f = Fixture::new(Compress, &[(Fr::from(3), Fr::from(4))], 1);
        let t = &f.block.templates[1];
        let wires: Vec<Var> = t.determined.iter().map(|d| d.wire).collect();
        assert_eq!(wires.len(), 190);
        for var in wires {
            let saved = (f.values.committed.clone(), f.values.rest.clone());
            f.change(0, &[(var, Fr::ONE)]);
            assert!(!f.failures(0).is_empty(), "{var:?} is free");
            (f.values.committed, f.values.rest) = saved;
        }
    }

    /// Halves given as they are, claimed to be canonical for `hi * 2^128 + lo`.
    struct Halves;

    impl Chip for Halves {
        type Row = Fr;
        fn name(&self) -> &'static str {
            "halves"
        }
        fn rows(&self, _: &ProverInput<'_>) -> Result<Vec<Self::Row>, AssignError> {
            Ok(Vec::new())
        }
        fn row(&self, b: &mut RowBuilder<'_>, row: Option<&Self::Row>) {
            let on = b.boolean("on", row.is_some());
            let x = b.commit(row.copied().unwrap_or(Fr::ZERO));
            canonical_halves(b, &on, &x);
        }
    }

    #[test]
    fn canonical_halves_accept_every_element() {
        let p_hi = fr_u128(largest().1) * pow2(128);
        let rows =
            [Fr::ZERO, Fr::ONE, -Fr::ONE, -Fr::from(2), pow2(128), pow2(128) - Fr::ONE, p_hi, p_hi - Fr::ONE];
        let f = Fixture::new(Halves, &rows, 1);
        f.assert_satisfied();
        assert_eq!(f.block.templates[1].constraint_count(), 1 + 34);
    }

    /// Refills the chunks of a row for halves `lo`, `hi` and a borrow; the wires are in the order of allocation:
    /// on, x, lo, hi, 7 chunks, 7 chunks, borrow, 7 chunks, 7 chunks.
    fn forge(f: &mut Fixture, lo: u128, hi: u128, borrow: bool) {
        let chunks = |x: Fr| (0..7).map(move |i| Fr::from((halves(x).0 >> (16 * i)) as u64 & 0xffff));
        let (p_lo, p_hi) = largest();
        let bit = Fr::from(u64::from(borrow));
        let low = fr_u128(p_lo) - fr_u128(lo) + bit * pow2(128);
        let high = fr_u128(p_hi) - fr_u128(hi) - bit;
        let mut wires = vec![fr_u128(lo), fr_u128(hi)];
        wires.extend(
            chunks(fr_u128(lo))
                .chain(chunks(fr_u128(hi)))
                .chain([bit])
                .chain(chunks(low))
                .chain(chunks(high)),
        );
        f.values.committed[2..2 + wires.len()].copy_from_slice(&wires);
    }

    #[test]
    fn x_plus_p_is_no_second_name() {
        let mut f = Fixture::new(Halves, &[Fr::from(5)], 0);
        forge(&mut f, 5, 0, false);
        f.assert_satisfied();
        // 5 + p = 6 + (p - 1).
        let (p_lo, p_hi) = largest();
        for borrow in [false, true] {
            forge(&mut f, p_lo + 6, p_hi, borrow);
            assert!(!f.failures(0).is_empty(), "5 + p passes with borrow {borrow}");
        }
    }
}
