//! Canonical values of scalars, eight at a time, for digits to be taken from.

use super::Ifma;
use super::fft_tiles::{gather, scatter};
use super::field::{Lanes, ScalarModulus};
use crate::cpu::scalars::to_limbs;
use ff::Field;
use halo2curves::bn256::Fr;

/// The canonical value of each scalar as little-endian limbs.
pub(super) fn canonical(ifma: Ifma, scalars: &[Fr]) -> Vec<[u64; 4]> {
    let Ifma(()) = ifma;
    let mut out = Vec::with_capacity(scalars.len());
    let (eights, rest) = scalars.as_chunks::<8>();
    // SAFETY: the token in `ifma` exists only where the features do.
    unsafe { canonical_eights(eights, &mut out) };
    out.extend(rest.iter().map(to_limbs));
    out
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn canonical_eights(eights: &[[Fr; 8]], out: &mut Vec<[u64; 4]>) {
    // x 2^256 * 16 / 2^260 = x, and the product is below 1.01 p.
    let sixteen = Lanes::<ScalarModulus>::splat(&[16, 0, 0, 0, 0]);
    for eight in eights {
        let mut words = [Fr::ZERO; 8];
        scatter(gather(eight).mul(&sixteen).reduce::<1>().to_words(), &mut words);
        out.extend(words.map(|words| words.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    #[test]
    fn canonical_values_are_the_portable_ones() {
        let Some(ifma) = Ifma::new() else { return };
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(65535), -Fr::from(u64::MAX)];
        scalars.extend((0..500).map(|_| Fr::random(&mut rng)));
        for n in (0..20).chain([scalars.len()]) {
            let want: Vec<[u64; 4]> = scalars[..n].iter().map(to_limbs).collect();
            assert_eq!(canonical(ifma, &scalars[..n]), want, "{n} scalars");
        }
    }
}
