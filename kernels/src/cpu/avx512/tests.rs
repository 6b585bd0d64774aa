//! Every lane operation against the curve library, values at the ends of their ranges included.

use super::Ifma;
use super::batch::{Adder, Entries, InOrder, NONE};
use super::curve::PackedCurve;
use super::fft_butterfly::Fr8;
use super::fft_passes::{join, split};
use super::fft_tables::{Block, Factor, Joining, Splitting, reverse};
use super::field::{BaseModulus, Lanes, Modulus, ScalarModulus};
use super::simd::{load, store, transpose};
use crate::cpu::scalars::NEGATIVE;
use crate::domain::root_of_unity;
use ff::{Field, PrimeField};
use group::{Curve, Group};
use halo2curves::bn256::{Fq, Fr, G1, G1Affine, G2, G2Affine};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// A field of the curve library whose words are its 2^256 Montgomery form.
trait Oracle: PrimeField {
    type M: Modulus;
    fn words(&self) -> [u64; 4];
}
impl Oracle for Fq {
    type M = BaseModulus;
    fn words(&self) -> [u64; 4] {
        self.0
    }
}
impl Oracle for Fr {
    type M = ScalarModulus;
    fn words(&self) -> [u64; 4] {
        self.0
    }
}

/// Values in our form plus `extra[i] p`, so that lazily reduced inputs are covered.
#[target_feature(enable = "avx512f,avx512ifma")]
fn lift<F: Oracle>(values: &[F; 8], extra: &[u64; 8]) -> Lanes<F::M> {
    let row = |k: usize| load(&std::array::from_fn(|i| values[i].words()[k]));
    let canonical = Lanes::<F::M>::from_words([row(0), row(1), row(2), row(3)]);
    let canonical = canonical.mul(&Lanes::splat(&F::M::FROM_256)).reduce::<1>();
    let p = F::M::MULTIPLES[1];
    let mut multiple = Lanes::<F::M>::zero();
    for (row, limb) in multiple.limbs.iter_mut().zip(p) {
        *row = load(&extra.map(|k| k * limb));
    }
    // Limbs of k p unnormalised are below 2^56; the addition carries.
    canonical.add(&multiple)
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn lower<F: Oracle>(v: &Lanes<F::M>) -> [[u64; 4]; 8] {
    let words = v.export();
    let mut rows = [[0; 8]; 4];
    for (row, word) in rows.iter_mut().zip(words) {
        store(row, word);
    }
    std::array::from_fn(|i| std::array::from_fn(|k| rows[k][i]))
}

fn sample<F: Oracle>(rng: &mut ChaCha8Rng) -> F {
    match rng.next_u32() % 8 {
        0 => F::ZERO,
        1 => F::ONE,
        2 => -F::ONE,
        3 => F::from(2).pow([u64::from(rng.next_u32() % 254)]),
        _ => F::random(rng),
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn operations_agree<F: Oracle>(seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..400 {
        let [a, b, c, d]: [[F; 8]; 4] = std::array::from_fn(|_| std::array::from_fn(|_| sample(&mut rng)));
        let small: [[u64; 8]; 4] =
            std::array::from_fn(|_| std::array::from_fn(|_| u64::from(rng.next_u32() % 4)));
        let (va, vb) = (lift(&a, &small[0]), lift(&b, &small[1]));
        let (vc, vd) = (lift(&c, &small[2]), lift(&d, &small[3]));
        let check = |what: &str, got: Lanes<F::M>, want: &dyn Fn(usize) -> F| {
            for (i, got) in lower::<F>(&got).iter().enumerate() {
                assert_eq!(*got, want(i).words(), "{what}, lane {i}, seed {seed}");
            }
        };
        check("identity", va, &|i| a[i]);
        check("mul", va.mul(&vb), &|i| a[i] * b[i]);
        check("loose mul", va.mul_loose(&vb).tight(), &|i| a[i] * b[i]);
        check("square", va.square_loose().tight(), &|i| a[i].square());
        let products = Lanes::mul_sum_loose(&va, &vb, &vc, &vd);
        check("mul_sum", products.tight(), &|i| a[i] * b[i] + c[i] * d[i]);
        check("settled product", products.loose_add(&vb).settle(), &|i| a[i] * b[i] + c[i] * d[i] + b[i]);
        check("add", va.add(&vb), &|i| a[i] + b[i]);
        check("sub", va.sub::<4>(&vb), &|i| a[i] - b[i]);
        let (quarter, half) = (lift(&c, &[0; 8]), lift(&d, &[1; 8]));
        check("sub_three", va.loose_sub_three::<4>(&quarter, &half).tight(), &|i| a[i] - c[i] - c[i] - d[i]);
        check("negate", va.loose_negate(0xa5).loose_sub::<4>(&Lanes::zero()).tight(), &|i| {
            if 0xa5 >> i & 1 == 1 { -a[i] } else { a[i] }
        });
        check("neg", va.neg::<4>(), &|i| -a[i]);
        check("reduce", va.reduce::<2>(), &|i| a[i]);
        check("fully reduced", va.reduce::<2>().reduce::<1>(), &|i| a[i]);
        check("words", Lanes::from_words(va.to_words()), &|i| a[i]);
        check("chain", va.mul(&vb).mul(&vc).sub::<2>(&vd.reduce::<2>()), &|i| a[i] * b[i] * c[i] - d[i]);
        // Values from one tenth of p to 5 p.
        let settled = lift(&a, &small[0].map(|k| k + 1)).settle();
        check("settle", settled, &|i| a[i]);
        let mut top = [0; 8];
        store(&mut top, settled.to_words()[3]);
        let bound = u128::from(F::M::P64[3]) * 165 / 100;
        assert!(top.iter().all(|&word| u128::from(word) <= bound), "settled below 1.65 p, seed {seed}");
        // The ends of the multiplication's range: A B up to 84.
        let far = lift(&a, &[20; 8]);
        check("mul at its bound", far.mul(&vb.reduce::<2>()), &|i| a[i] * b[i]);
    }
}

#[test]
fn lane_operations_agree_with_the_curve_library() {
    if Ifma::new().is_none() {
        eprintln!("this machine has no AVX-512 IFMA; the path is not in use on it");
        return;
    }
    // SAFETY: the features were found above.
    unsafe {
        operations_agree::<Fq>(1);
        operations_agree::<Fr>(2);
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn transposed(rows: &[[u64; 8]; 8]) -> [[u64; 8]; 8] {
    let mut out = [[0; 8]; 8];
    for (out, column) in out.iter_mut().zip(transpose(rows.map(|row| load(&row)))) {
        store(out, column);
    }
    out
}

#[test]
fn transposition_swaps_rows_and_columns() {
    if Ifma::new().is_none() {
        return;
    }
    let rows: [[u64; 8]; 8] = std::array::from_fn(|i| std::array::from_fn(|j| (8 * i + j) as u64));
    // SAFETY: the features were found above.
    let columns = unsafe { transposed(&rows) };
    for (i, row) in rows.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            assert_eq!(columns[j][i], *value);
        }
    }
}

/// Random sums over few points, so that equal and opposite operands, and identities as sums, abound.
fn running_sums_agree<P: PackedCurve>(ifma: Ifma, generator: P::Curve, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let few: Vec<P> = (1..6u64).map(|k| (generator * Fr::from(k)).to_affine()).collect();
    let packed: Vec<P::Packed> = few.iter().map(P::pack).collect();
    let mut adder = Adder::<P>::new(ifma);
    for groups in [1, 2, 3, 7, P::GROUPS + 3] {
        let (mut sums, mut doubled) = (Vec::new(), Vec::new());
        adder.clear(&mut sums, groups);
        adder.clear(&mut doubled, groups);
        let mut want = vec![P::Curve::identity(); 8 * groups];
        let mut want_doubled = want.clone();
        for step in 0..5 {
            let list: Vec<u32> = (0..8 * groups)
                .map(|_| match rng.next_u32() % 16 {
                    0 => NONE,
                    r => (rng.next_u32() % 5) | if r % 2 == 0 { NEGATIVE } else { 0 },
                })
                .collect();
            for (want, &entry) in want.iter_mut().zip(&list).filter(|(_, entry)| **entry != NONE) {
                let point = few[(entry & !NEGATIVE) as usize];
                *want += if entry & NEGATIVE != 0 { point.negate() } else { point };
            }
            let entries = Entries { points: &packed, list: &list, at: InOrder };
            if step == 0 {
                adder.load(&mut sums, &entries);
            } else {
                adder.add(&mut sums, &entries);
            }
            adder.add(&mut doubled, &sums.as_slice());
            want_doubled.iter_mut().zip(&want).for_each(|(d, w)| *d += w);
        }
        for (sums, want) in [(&sums, &want), (&doubled, &want_doubled)] {
            let got = sums.iter().flat_map(|sums| adder.points(sums)).map(|point| P::unpack(&point));
            for (lane, (got, want)) in got.zip(want).enumerate() {
                assert!(got == want.to_affine(), "lane {lane} of {groups} groups, seed {seed}");
            }
        }
    }
}

#[test]
fn running_sums_are_complete() {
    let Some(ifma) = Ifma::new() else { return };
    for seed in 0..4 {
        running_sums_agree::<G1Affine>(ifma, G1::generator(), seed);
        running_sums_agree::<G2Affine>(ifma, G2::generator(), seed);
    }
}

/// Eight elements' words, for values whose Montgomery form does not matter.
#[target_feature(enable = "avx512f,avx512ifma")]
fn words(v: &Fr8) -> [Fr; 8] {
    let mut rows = [[0; 8]; 4];
    for (row, word) in rows.iter_mut().zip(v.canonical()) {
        store(row, word);
    }
    std::array::from_fn(|i| Fr(std::array::from_fn(|k| rows[k][i])))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn lanes(values: &[Fr; 8]) -> Fr8 {
    let row = |k: usize| load(&std::array::from_fn(|i| values[i].0[k]));
    Fr8::from_words([row(0), row(1), row(2), row(3)])
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn known_factors_agree() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for round in 0..2000u64 {
        let values: [Fr; 8] = std::array::from_fn(|_| sample(&mut rng));
        let subtrahend: [Fr; 8] = std::array::from_fn(|_| sample(&mut rng));
        let w: Fr = sample(&mut rng);
        // Loose values up to the end of the range, 84 p: the limbs' sums carried nowhere.
        let mut loose = lanes(&values);
        for _ in 0..round % 83 {
            loose = loose.loose_sub::<1>(&Fr8::zero());
        }
        let product = loose.times(&Factor::new(&w));
        assert_eq!(words(&product), values.map(|x| x * w), "times {w:?}, {} p", round % 83);
        assert_eq!(words(&loose), values, "canonical, {} p", round % 83);
        let small = loose.shrunk();
        // Below 2 p, so that one conditional subtraction is left.
        assert_eq!(words(&small.reduce::<1>()), values);
        let difference = lanes(&values).loose_sub::<8>(&lanes(&subtrahend));
        assert_eq!(words(&difference), std::array::from_fn(|i| values[i] - subtrahend[i]));
        let many = lanes(&values).minus_many(&lanes(&subtrahend));
        assert_eq!(words(&many), std::array::from_fn(|i| values[i] - subtrahend[i]));
    }
}

/// From natural to bit-reversed order and back by the inverse root, inputs scaled on the way.
#[target_feature(enable = "avx512f,avx512ifma")]
fn tile_returns(log: u32, c: Fr) {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(log));
    let size = 1usize << log;
    let w = root_of_unity(log);
    let input: Vec<[Fr; 8]> = (0..size)
        .map(|i| match i % 3 {
            0 => [-Fr::ONE; 8],
            _ => std::array::from_fn(|_| sample(&mut rng)),
        })
        .collect();
    let mut z = vec![Block([[0; 8]; 5]); size];
    for (block, values) in z.iter_mut().zip(&input) {
        lanes(values).write(block);
    }
    split(&mut z, &Splitting::new(w, size, c));
    for p in [0, size / 2, size - 1] {
        let x = c * w.pow([reverse(p, size) as u64]);
        let want = |lane: usize| input.iter().rev().fold(Fr::ZERO, |sum, v| sum * x + v[lane]);
        assert_eq!(words(&Fr8::read(&z[p])), std::array::from_fn(want), "size 2^{log}, place {p}");
    }
    // Places hold values at c w^k: as coefficients scaled by c^k they come back as another polynomial,
    // whose value at w^-j is known.
    let middle: Vec<[Fr; 8]> = (0..size).map(|k| words(&Fr8::read(&z[reverse(k, size)]))).collect();
    if c == Fr::ONE {
        // The first pass of a plain table asks for values below 2 p.
        for block in &mut z {
            Fr8::read(block).shrunk().write(block);
        }
    }
    join(&mut z, &Joining::new(w.invert().unwrap(), size, c));
    for j in [0, 1, size - 1] {
        let x = c * w.invert().unwrap().pow([j as u64]);
        let want = |lane: usize| middle.iter().rev().fold(Fr::ZERO, |sum, v| sum * x + v[lane]);
        assert_eq!(words(&Fr8::read(&z[j])), std::array::from_fn(want), "size 2^{log}, back at {j}");
    }
    if c == Fr::ONE {
        let size = Fr::from(size as u64);
        for (block, values) in z.iter().zip(&input) {
            assert_eq!(words(&Fr8::read(block)), values.map(|x| x * size));
        }
    }
}

#[test]
fn products_with_known_factors_agree_up_to_the_end_of_their_range() {
    if Ifma::new().is_some() {
        // SAFETY: the features were found.
        unsafe { known_factors_agree() }
    }
}

#[test]
fn tiles_of_every_size_are_transformed_there_and_back() {
    if Ifma::new().is_none() {
        return;
    }
    // Up to the largest that goes both ways without a reduction between.
    for log in 3..=13 {
        for c in [Fr::ONE, Fr::MULTIPLICATIVE_GENERATOR] {
            // SAFETY: the features were found.
            unsafe { tile_returns(log, c) }
        }
    }
}
