//! Field elements and points as the EVM sees them: 32-byte big-endian words, G2 imaginary part first
//! (EIP-197), infinity as zeros. Decoding is strict and never yields an unchecked point.

use ff::PrimeField;
use halo2curves::CurveAffine;
use halo2curves::bn256::{Fq, Fq2, Fr, G1Affine, G2Affine};
use lathe_kernels::validate::in_subgroup;

/// 32 bytes, big-endian.
pub type Word = [u8; 32];

/// Why bytes are not the field element or point they should be. `what` names the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The number of words is wrong.
    #[error("{what}: expected {expected} bytes, got {got}")]
    Length {
        /// Which value.
        what: String,
        /// Bytes expected.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// A word is not below the modulus.
    #[error("{what}: {got} is not below the field's modulus; send the canonical residue")]
    NotCanonical {
        /// Which value.
        what: String,
        /// The word, in hexadecimal.
        got: String,
    },
    /// Coordinates that do not satisfy the curve equation.
    #[error("{what}: the coordinates are not a point of the curve")]
    NotOnCurve {
        /// Which value.
        what: String,
    },
    /// A point of the twist outside the subgroup of prime order.
    #[error("{what}: the point is outside the prime-order subgroup of G2")]
    NotInSubgroup {
        /// Which value.
        what: String,
    },
}

fn reversed(repr: impl AsRef<[u8]>) -> Word {
    let mut word = [0; 32];
    word.copy_from_slice(repr.as_ref());
    word.reverse();
    word
}

/// A scalar as a word.
pub fn scalar_word(scalar: &Fr) -> Word {
    reversed(scalar.to_repr())
}

/// A base field element as a word.
pub fn base_word(value: &Fq) -> Word {
    reversed(value.to_repr())
}

/// A G1 point as `x, y`.
pub fn g1_words(p: &G1Affine) -> [Word; 2] {
    [base_word(&p.x), base_word(&p.y)]
}

/// A G2 point as `x.c1, x.c0, y.c1, y.c0`.
pub fn g2_words(p: &G2Affine) -> [Word; 4] {
    [base_word(p.x.c1()), base_word(p.x.c0()), base_word(p.y.c1()), base_word(p.y.c0())]
}

fn not_canonical(what: &str, word: &Word) -> DecodeError {
    DecodeError::NotCanonical { what: what.to_string(), got: format!("0x{}", hex::encode(word)) }
}

/// A scalar from a word below the scalar field's modulus.
pub fn parse_scalar(what: &str, word: &Word) -> Result<Fr, DecodeError> {
    let mut little = *word;
    little.reverse();
    Option::from(Fr::from_repr(little.into())).ok_or_else(|| not_canonical(what, word))
}

/// The residue of a word modulo the scalar field's modulus, for challenges only.
pub fn reduce_scalar(word: &Word) -> Fr {
    let base = Fr::from(256);
    word.iter().fold(Fr::from(0), |acc, byte| acc * base + Fr::from(u64::from(*byte)))
}

fn parse_base(what: &str, word: &Word) -> Result<Fq, DecodeError> {
    let mut little = *word;
    little.reverse();
    Option::from(Fq::from_repr(little.into())).ok_or_else(|| not_canonical(what, word))
}

/// A G1 point from `x, y`: canonical and on the curve; (0, 0) is infinity.
pub fn parse_g1(what: &str, words: &[Word; 2]) -> Result<G1Affine, DecodeError> {
    let p = G1Affine { x: parse_base(what, &words[0])?, y: parse_base(what, &words[1])? };
    check_g1(what, &p)?;
    Ok(p)
}

/// A G2 point from `x.c1, x.c0, y.c1, y.c0`: canonical, on the twist and in the subgroup.
pub fn parse_g2(what: &str, words: &[Word; 4]) -> Result<G2Affine, DecodeError> {
    let [x1, x0, y1, y0] = words.each_ref().map(|w| parse_base(what, w));
    let p = G2Affine { x: Fq2::new(x0?, x1?), y: Fq2::new(y0?, y1?) };
    check_g2(what, &p)?;
    Ok(p)
}

/// Checks that a G1 point is on the curve (G1 has no other subgroup).
pub fn check_g1(what: &str, p: &G1Affine) -> Result<(), DecodeError> {
    match bool::from(p.is_on_curve()) {
        true => Ok(()),
        false => Err(DecodeError::NotOnCurve { what: what.to_string() }),
    }
}

/// Checks that a G2 point is on the twist and in the subgroup. halo2curves does not check the latter when it decodes,
/// and its own test (0.10) prints to standard output.
pub fn check_g2(what: &str, p: &G2Affine) -> Result<(), DecodeError> {
    if !bool::from(p.is_on_curve()) {
        return Err(DecodeError::NotOnCurve { what: what.to_string() });
    }
    match in_subgroup(p) {
        true => Ok(()),
        false => Err(DecodeError::NotInSubgroup { what: what.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use group::Group;
    use halo2curves::bn256::G2;
    use rand_core::SeedableRng;

    /// A point of the twist outside the subgroup: almost every point of the twist is one.
    fn outside_subgroup() -> G2Affine {
        (1u64..)
            .find_map(|i| {
                let x = Fq2::new(Fq::from(i), Fq::ONE);
                let y: Option<Fq2> = (x.square() * x + G2Affine::b()).sqrt().into();
                y.map(|y| G2Affine { x, y })
            })
            .expect("half of all x lie on the twist")
    }

    #[test]
    fn points_round_trip_and_bad_ones_are_refused_by_kind() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let p = G1Affine::from(halo2curves::bn256::G1::random(&mut rng));
        let q = G2Affine::from(G2::random(&mut rng));
        assert_eq!(parse_g1("P", &g1_words(&p)), Ok(p));
        assert_eq!(parse_g2("Q", &g2_words(&q)), Ok(q));
        assert_eq!(parse_g1("O", &[[0; 32]; 2]), Ok(G1Affine::default()));
        assert_eq!(parse_g2("O", &[[0; 32]; 4]), Ok(G2Affine::default()));
        let mut words = g1_words(&p);
        words[1][31] ^= 1;
        assert_eq!(parse_g1("P", &words), Err(DecodeError::NotOnCurve { what: "P".into() }));
        words[1] = [0xff; 32];
        assert!(matches!(parse_g1("P", &words), Err(DecodeError::NotCanonical { .. })));
        let mut words = g2_words(&q);
        words[3][31] ^= 1;
        assert_eq!(parse_g2("Q", &words), Err(DecodeError::NotOnCurve { what: "Q".into() }));
        let stray = outside_subgroup();
        assert_eq!(parse_g2("Q", &g2_words(&stray)), Err(DecodeError::NotInSubgroup { what: "Q".into() }));
    }

    #[test]
    fn a_scalar_at_the_modulus_is_refused_and_one_below_is_not() {
        let mut word = scalar_word(&-Fr::ONE);
        assert_eq!(parse_scalar("x", &word), Ok(-Fr::ONE));
        word[31] += 1;
        assert!(matches!(parse_scalar("x", &word), Err(DecodeError::NotCanonical { .. })));
        assert_eq!(reduce_scalar(&word), Fr::ZERO);
        assert_eq!(reduce_scalar(&scalar_word(&Fr::from(77))), Fr::from(77));
    }
}
