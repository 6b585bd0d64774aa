//! Address 0x100, `p256 verify` (RIP-7212, EIP-7951): digest, r, s and the public key's coordinates; the word 1 if the
//! signature is valid, else nothing.
use super::Failed;
use super::ecdsa::{Signature, point};
use super::encoding::word;
use halo2curves::secp256r1::Secp256r1Affine;

/// Bytes of an input; any other length has no valid signature.
const LENGTH: usize = 160;

pub(super) fn run(input: &[u8]) -> Result<Vec<u8>, Failed> {
    let mut one = vec![0; 32];
    one[31] = 1;
    Ok(if input.len() == LENGTH && valid(input) { one } else { Vec::new() })
}

fn valid(input: &[u8]) -> bool {
    let [digest, r, s, x, y] = [0, 1, 2, 3, 4].map(|i| word(input, i));
    let signature = Signature::<Secp256r1Affine>::new(digest, r, s);
    signature.zip(point(x, y)).is_some_and(|(signature, key)| signature.verify(key))
}
