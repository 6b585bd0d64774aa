//! Poseidon2 over BN254's scalar field, width 2: the hash of the state tree, of state keys and of code.
//! Must stay bit-for-bit what gnark-crypto computes with its published parameters (the circuits
//! constrain the same rounds with the same keys); it never hashes bytes, only field elements.
//!
//! Permutation: Grassi, Khovratovich, Schofnegger, "Poseidon2", eprint 2023/323, figure 1 and section 5:
//! an initial external layer, 3 full rounds, 50 partial rounds, 3 full rounds. External matrix
//! `[[2,1],[1,2]]`, internal matrix `[[2,1],[1,3]]`, S-box `x^5`.

use std::sync::LazyLock;

use ff::FromUniformBytes;
use halo2curves::bn256::Fr;
use sha3::{Digest, Keccak256};

#[cfg(test)]
mod tests;

/// Width of the permutation in field elements.
pub const WIDTH: usize = 2;
/// Full rounds before the partial ones, and again after them.
pub const HALF_FULL_ROUNDS: usize = 3;
/// Partial rounds, which apply the S-box to element 0 only.
pub const PARTIAL_ROUNDS: usize = 50;

/// The string whose Keccak chain yields the round keys (gnark-crypto, `ecc/bn254/fr/poseidon2`).
const SEED: &[u8] = b"Poseidon2-BN254[t=2,rF=6,rP=50,d=5]";

/// The round keys, in the order in which the rounds use them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundKeys {
    /// Keys of the full rounds before the partial ones, both elements of each.
    pub first: [[Fr; WIDTH]; HALF_FULL_ROUNDS],
    /// Keys of the partial rounds, added to element 0.
    pub partial: [Fr; PARTIAL_ROUNDS],
    /// Keys of the full rounds after the partial ones.
    pub last: [[Fr; WIDTH]; HALF_FULL_ROUNDS],
}

static ROUND_KEYS: LazyLock<RoundKeys> = LazyLock::new(|| {
    let mut chain = KeyChain::new(SEED);
    let first = std::array::from_fn(|_| [chain.next(), chain.next()]);
    let partial = std::array::from_fn(|_| chain.next());
    let last = std::array::from_fn(|_| [chain.next(), chain.next()]);
    RoundKeys { first, partial, last }
});

/// Derives keys as gnark-crypto does: the seed is hashed once, then every further Keccak-256 of the
/// previous digest is one key, read big-endian and reduced modulo p.
struct KeyChain([u8; 32]);

impl KeyChain {
    fn new(seed: &[u8]) -> KeyChain {
        KeyChain(Keccak256::digest(seed).into())
    }

    fn next(&mut self) -> Fr {
        self.0 = Keccak256::digest(self.0).into();
        let mut wide = [0u8; 64];
        for (to, from) in wide.iter_mut().zip(self.0.iter().rev()) {
            *to = *from;
        }
        Fr::from_uniform_bytes(&wide)
    }
}

/// The round keys; derived once per process, for circuits that constrain the permutation round by round.
pub fn round_keys() -> &'static RoundKeys {
    &ROUND_KEYS
}

/// The S-box `x^5`.
#[inline(always)]
pub fn sbox(x: Fr) -> Fr {
    let x2 = x.square();
    x2.square() * x
}

/// The external linear layer `[[2,1],[1,2]]`.
#[inline(always)]
pub fn external([a, b]: [Fr; WIDTH]) -> [Fr; WIDTH] {
    let sum = a + b;
    [sum + a, sum + b]
}

/// The internal linear layer `[[2,1],[1,3]]`.
#[inline(always)]
pub fn internal([a, b]: [Fr; WIDTH]) -> [Fr; WIDTH] {
    let sum = a + b;
    [sum + a, sum + b.double()]
}

#[inline(always)]
fn full_round(s: [Fr; WIDTH], key: &[Fr; WIDTH]) -> [Fr; WIDTH] {
    external([sbox(s[0] + key[0]), sbox(s[1] + key[1])])
}

/// The permutation of two field elements.
pub fn permute(state: [Fr; WIDTH]) -> [Fr; WIDTH] {
    let keys = round_keys();
    let mut s = external(state);
    for key in &keys.first {
        s = full_round(s, key);
    }
    for key in &keys.partial {
        s = internal([sbox(s[0] + key), s[1]]);
    }
    for key in &keys.last {
        s = full_round(s, key);
    }
    s
}

/// Two-to-one compression: element 1 of the permutation plus `right` (gnark-crypto's feed-forward).
pub fn compress(left: Fr, right: Fr) -> Fr {
    permute([left, right])[1] + right
}

/// Left fold of [`compress`] over the elements: `compress(compress(a, b), c)` and so on.
///
/// Only for lists whose length is fixed by context, since the length is not absorbed: one element is its
/// own chain and no element gives zero. For lists of any length use [`chain_with_length`].
pub fn hash_chain(elements: impl IntoIterator<Item = Fr>) -> Fr {
    elements.into_iter().reduce(compress).unwrap_or_default()
}

/// Length-first chain: `h = len`, then `h = compress(h, e)` for each element.
///
/// `len` is the caller's length in the unit it fixes (instructions of code, say); it is absorbed first so
/// that no input's chain is a prefix of another's.
pub fn chain_with_length(len: u64, elements: impl IntoIterator<Item = Fr>) -> Fr {
    elements.into_iter().fold(Fr::from(len), compress)
}
