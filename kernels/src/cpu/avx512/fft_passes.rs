//! The loops of the eight-lane FFT. Blocks hold values below 2 p on entry to a decimation in
//! frequency and leave it so; bounds inside are given where they change.

use super::curve::join;
use super::fft::reverse;
use super::fft_tables::{Block, Roots};
use super::field::{Lanes, Modulus, ScalarModulus};
use super::simd::{load, load_scalars, store, store_halves, transpose};
use halo2curves::bn256::Fr;

pub(crate) type Fr8 = Lanes<ScalarModulus>;
type Limbs = [u64; 5];

impl Fr8 {
    #[inline(always)]
    pub(crate) fn read(block: &Block) -> Self {
        let b = &block.0;
        Self::new([load(&b[0]), load(&b[1]), load(&b[2]), load(&b[3]), load(&b[4])])
    }

    #[inline(always)]
    fn write(&self, block: &mut Block) {
        for (row, limb) in block.0.iter_mut().zip(self.limbs) {
            store(row, limb);
        }
    }
}

/// One pass of radix 4 from natural towards bit-reversed order over columns `first..` of four
/// quarters, `i` the fourth root. With v = twiddles: a + c + (b + d), ((a + c) - (b + d)) v^2j,
/// (a - c + i (b - d)) v^j, (a - c - i (b - d)) v^3j.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn dif4(quarters: [&mut [Block]; 4], first: usize, twiddles: &[[Limbs; 3]], i: &Limbs) {
    let [qa, qb, qc, qd] = quarters;
    let i = Fr8::splat(i);
    let twiddles = &twiddles[first..first + qa.len()];
    for ((((a, b), c), d), t) in qa.iter_mut().zip(qb).zip(qc).zip(qd).zip(twiddles) {
        let (va, vb, vc, vd) = (Fr8::read(a), Fr8::read(b), Fr8::read(c), Fr8::read(d));
        let (even, odd) = (va.loose_add(&vc), vb.loose_add(&vd)); // below 4 p
        let difference = va.loose_sub::<2>(&vc); // below 4 p
        let turned = vb.sub::<2>(&vd).mul(&i); // below 1.1 p
        even.loose_add(&odd).tight().reduce::<4>().reduce::<2>().write(a);
        // Factors below 8 p and p: products below 1.1 p.
        even.loose_sub::<4>(&odd).tight().mul(&Fr8::splat(&t[1])).write(b);
        difference.loose_add(&turned).tight().mul(&Fr8::splat(&t[0])).write(c);
        difference.loose_sub::<2>(&turned).tight().mul(&Fr8::splat(&t[2])).write(d);
    }
}

/// The inverse order of [`dif4`]: from bit-reversed towards natural. Nothing is reduced: a value
/// grows by at most 6 p per pass, so below 2 p + 13 * 6 p = 80 p over the 13 passes of the largest
/// domain, which fits, and a product with a twiddle is below (1 + 0.01182 * 80) p < 2 p.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn dit4(quarters: [&mut [Block]; 4], first: usize, twiddles: &[[Limbs; 3]], i: &Limbs) {
    let [qa, qb, qc, qd] = quarters;
    let i = Fr8::splat(i);
    let twiddles = &twiddles[first..first + qa.len()];
    for ((((a, b), c), d), t) in qa.iter_mut().zip(qb).zip(qc).zip(qd).zip(twiddles) {
        let va = Fr8::read(a);
        let vb = Fr8::read(b).mul(&Fr8::splat(&t[1])); // these three below 2 p
        let vc = Fr8::read(c).mul(&Fr8::splat(&t[0]));
        let vd = Fr8::read(d).mul(&Fr8::splat(&t[2]));
        let turned = vc.sub::<2>(&vd).mul(&i); // below 1.1 p
        let (sum, difference) = (va.loose_add(&vb), va.loose_sub::<2>(&vb)); // plus 2 p
        let right = vc.loose_add(&vd); // below 4 p
        sum.loose_add(&right).tight().write(a);
        difference.loose_add(&turned).tight().write(b);
        sum.loose_sub::<4>(&right).tight().write(c);
        difference.loose_sub::<2>(&turned).tight().write(d);
    }
}

/// All passes from natural to bit-reversed order over a block that fits the cache.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn dif(z: &mut [Block], roots: &Roots) {
    let mut size = z.len();
    while size >= 4 {
        let q = size / 4;
        for part in z.chunks_exact_mut(size) {
            dif4(quarters(part), 0, &roots.quarters[q.ilog2() as usize], &roots.eighth[1]);
        }
        size /= 4;
    }
    if size == 2 {
        for pair in z.chunks_exact_mut(2) {
            let (a, b) = (Fr8::read(&pair[0]), Fr8::read(&pair[1]));
            a.add(&b).reduce::<2>().write(&mut pair[0]);
            a.sub::<2>(&b).reduce::<2>().write(&mut pair[1]);
        }
    }
}

/// The inverse order of [`dif`], on values below 2 p. A pass of radix 2 adds at most 2 p.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn dit(z: &mut [Block], roots: &Roots) {
    let mut size = 1;
    if z.len().ilog2() % 2 == 1 {
        for pair in z.chunks_exact_mut(2) {
            let (a, b) = (Fr8::read(&pair[0]), Fr8::read(&pair[1]));
            a.add(&b).write(&mut pair[0]);
            a.sub::<2>(&b).write(&mut pair[1]);
        }
        size = 2;
    }
    while size < z.len() {
        size *= 4;
        let q = size / 4;
        for part in z.chunks_exact_mut(size) {
            dit4(quarters(part), 0, &roots.quarters[q.ilog2() as usize], &roots.eighth[1]);
        }
    }
}

#[inline(always)]
fn quarters(z: &mut [Block]) -> [&mut [Block]; 4] {
    let q = z.len() / 4;
    let (left, right) = z.split_at_mut(2 * q);
    let ((a, b), (c, d)) = (left.split_at_mut(q), right.split_at_mut(q));
    [a, b, c, d]
}

/// Multiplies each block by its scalar; below 1.1 p for blocks below 4 p.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn scale(z: &mut [Block], table: &[Limbs]) {
    for (block, factor) in z.iter_mut().zip(table) {
        Fr8::read(block).mul(&Fr8::splat(factor)).write(block);
    }
}

/// The discrete Fourier transform of eight values below 2 p; results below 16 p. Three levels of
/// radix 2: `y[s] = sum x[r] e^(r s)` for the eighth root e.
#[inline(always)]
fn radix8(x: &[Fr8; 8], eighth: &[Limbs; 3]) -> [Fr8; 8] {
    let root = |k: usize| Fr8::splat(&eighth[k - 1]);
    let a: [Fr8; 4] = [x[0].add(&x[4]), x[1].add(&x[5]), x[2].add(&x[6]), x[3].add(&x[7])]; // below 4 p
    let b: [Fr8; 4] = [
        x[0].sub::<2>(&x[4]), // below 4 p, the others below 1.1 p
        x[1].sub::<2>(&x[5]).mul(&root(1)),
        x[2].sub::<2>(&x[6]).mul(&root(2)),
        x[3].sub::<2>(&x[7]).mul(&root(3)),
    ];
    let (a_even, a_odd) = (a[0].add(&a[2]), a[1].add(&a[3])); // below 8 p
    let (a_left, a_turned) = (a[0].sub::<4>(&a[2]), a[1].sub::<4>(&a[3]).mul(&root(2)));
    let (b_even, b_odd) = (b[0].add(&b[2]), b[1].add(&b[3])); // below 6 p, 3 p
    let (b_left, b_turned) = (b[0].sub::<2>(&b[2]), b[1].sub::<2>(&b[3]).mul(&root(2)));
    [
        a_even.add(&a_odd),
        b_even.add(&b_odd),
        a_left.add(&a_turned),
        b_left.add(&b_turned),
        a_even.sub::<8>(&a_odd),
        b_even.sub::<4>(&b_odd),
        a_left.sub::<2>(&a_turned),
        b_left.sub::<2>(&b_turned),
    ]
}

/// `y[s] *= factor * (ratio * w^j)^s` for canonical tables. The powers stay below 1.02 p, so results
/// are below 1.2 p for y below 16 p, and below 2 p for y below 80 p.
#[inline(always)]
fn twist(y: &mut [Fr8; 8], ramp: &Block, factor: &Limbs, ratio: &Limbs) {
    let step = Fr8::read(ramp).mul(&Fr8::splat(ratio));
    let mut power = Fr8::splat(factor);
    for (s, y) in y.iter_mut().enumerate() {
        if s > 0 {
            power = power.mul(&step);
        }
        *y = y.mul(&power);
    }
}

/// Lane i of row s to lane s of row i.
#[inline(always)]
fn swap(rows: &[Fr8; 8]) -> [Fr8; 8] {
    let mut out = [Fr8::zero(); 8];
    for limb in 0..5 {
        let r = rows;
        let columns = transpose([
            r[0].limbs[limb],
            r[1].limbs[limb],
            r[2].limbs[limb],
            r[3].limbs[limb],
            r[4].limbs[limb],
            r[5].limbs[limb],
            r[6].limbs[limb],
            r[7].limbs[limb],
        ]);
        for (out, column) in out.iter_mut().zip(columns) {
            out.limbs[limb] = column;
        }
    }
    out
}

/// Sixteen scalars: those at even places, those at odd places, canonical.
#[inline(always)]
fn read_scalars(values: &[Fr]) -> [Fr8; 2] {
    let v = values.as_chunks::<2>().0;
    let c = transpose([
        load_scalars(&v[0]),
        load_scalars(&v[1]),
        load_scalars(&v[2]),
        load_scalars(&v[3]),
        load_scalars(&v[4]),
        load_scalars(&v[5]),
        load_scalars(&v[6]),
        load_scalars(&v[7]),
    ]);
    [Fr8::from_words([c[0], c[1], c[2], c[3]]), Fr8::from_words([c[4], c[5], c[6], c[7]])]
}

/// The radix-8 step for columns `first..first + z.len()` of the eight rows of `values`, which may be
/// in any Montgomery form, since all of it is linear; output s gets `factor * ratio^s`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn enter(
    values: &[Fr],
    first: usize,
    z: &mut [Block],
    roots: &Roots,
    factor: &Limbs,
    ratio: &Limbs,
) {
    let m = values.len() / 8;
    for (group, z) in z.chunks_exact_mut(16).enumerate() {
        let j = first + 16 * group;
        let mut rows = [[Fr8::zero(); 8]; 2];
        for r in 0..8 {
            let [even, odd] = read_scalars(&values[r * m + j..r * m + j + 16]);
            (rows[0][r], rows[1][r]) = (even, odd);
        }
        for (parity, x) in rows.iter().enumerate() {
            let mut y = radix8(x, &roots.eighth);
            twist(&mut y, &roots.ramp[j / 8 + parity], factor, ratio);
            for (lane, column) in swap(&y).iter().enumerate() {
                column.write(&mut z[2 * lane + parity]);
            }
        }
    }
}

/// Evaluations of one polynomial for eight columns: the radix-8 step that ends a transform.
#[inline(always)]
fn evaluate(z: &[Block], parity: usize, ramp: &Block, roots: &Roots) -> [Fr8; 8] {
    let mut columns = [Fr8::zero(); 8];
    for (lane, column) in columns.iter_mut().enumerate() {
        *column = Fr8::read(&z[2 * lane + parity]);
    }
    let mut y = swap(&columns);
    // Values up to 80 p: below 2 p after this.
    twist(&mut y, ramp, &ScalarModulus::ONE, &ScalarModulus::ONE);
    radix8(&y, &roots.eighth)
}

/// See [`super::fft::Transform`]'s method of this name; `a` and `b` begin at column `first`.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn multiply(
    a: &mut [Block],
    b: &[Block],
    first: usize,
    forward: &Roots,
    inverse: &Roots,
    factor: &Limbs,
    ratio: &Limbs,
) {
    for (group, (a, b)) in a.chunks_exact_mut(16).zip(b.chunks_exact(16)).enumerate() {
        for parity in 0..2 {
            let at = first / 8 + 2 * group + parity;
            let (mut x, y) = (
                evaluate(a, parity, &forward.ramp[at], forward),
                evaluate(b, parity, &forward.ramp[at], forward),
            );
            for (x, y) in x.iter_mut().zip(&y) {
                // 16 p times 4 p: below 2 p.
                *x = x.mul(&y.reduce::<8>().reduce::<4>());
            }
            let mut y = radix8(&x, &inverse.eighth);
            twist(&mut y, &inverse.ramp[at], factor, ratio);
            for (lane, column) in swap(&y).iter().enumerate() {
                column.write(&mut a[2 * lane + parity]);
            }
        }
    }
}

/// Writes values `8 first..` in natural order from `m` blocks in bit-reversed order, which `block`
/// reads: below 40 p. Values come in multiples of sixteen.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn leave(values: &mut [Fr], first: usize, m: usize, block: impl Fn(usize) -> Fr8) {
    for (pair, values) in values.chunks_exact_mut(16).enumerate() {
        let k = first + 2 * pair;
        let (left, right) = (block(reverse(k, m)), block(reverse(k + 1, m)));
        let rows = join(left.export(), right.export());
        let (low, high) = values.split_at_mut(8);
        for (row, (low, high)) in rows.into_iter().zip(low.iter_mut().zip(high)) {
            store_halves(&mut low.0, &mut high.0, row);
        }
    }
}
