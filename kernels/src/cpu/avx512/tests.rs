//! Every lane operation against the curve library, values at the ends of their ranges included.

use super::Ifma;
use super::field::{BaseModulus, Lanes, Modulus, ScalarModulus};
use super::simd::{load, store, transpose};
use ff::PrimeField;
use halo2curves::bn256::{Fq, Fr};
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
        check("square", va.square(), &|i| a[i].square());
        check("mul_sum", Lanes::mul_sum(&va, &vb, &vc, &vd), &|i| a[i] * b[i] + c[i] * d[i]);
        check("add", va.add(&vb), &|i| a[i] + b[i]);
        check("sub", va.sub::<4>(&vb), &|i| a[i] - b[i]);
        check("sub_both", va.sub_both::<8>(&vb, &vc), &|i| a[i] - b[i] - c[i]);
        check("neg", va.neg::<4>(), &|i| -a[i]);
        check("reduce", va.reduce::<2>(), &|i| a[i]);
        check("fully reduced", va.reduce::<2>().reduce::<1>(), &|i| a[i]);
        check("words", Lanes::from_words(va.to_words()), &|i| a[i]);
        check("chain", va.mul(&vb).mul(&vc).sub::<2>(&vd.reduce::<2>()), &|i| a[i] * b[i] * c[i] - d[i]);
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
