//! Address 1, `ecrecover`: digest, v, r, s; the address that signed, as a word, or nothing.
use super::Failed;
use super::ecdsa::{Signature, coordinates};
use super::encoding::{to_word, word};
use halo2curves::secp256k1::Secp256k1Affine;
use sha3::{Digest, Keccak256};

pub(super) fn run(input: &[u8]) -> Result<Vec<u8>, Failed> {
    Ok(signer(input).map_or(Vec::new(), |address| address.to_vec()))
}

/// The rules are those of the yellow paper's appendix E: `v` is 27 or 28 as a whole word, and `s` may be large.
pub(super) fn signer(input: &[u8]) -> Option<[u8; 32]> {
    let [digest, v, r, s] = [0, 1, 2, 3].map(|i| word(input, i));
    let odd = match v.split_last()? {
        (27, rest) if rest.iter().all(|b| *b == 0) => false,
        (28, rest) if rest.iter().all(|b| *b == 0) => true,
        _ => return None,
    };
    let mut out = [0; 32];
    out[12..].copy_from_slice(&recover(digest, r, s, odd)?);
    Some(out)
}

/// The address that signed a digest with a nonce point whose y is odd or not; `None` if none did. `s` may be in either
/// half of its range.
pub fn recover(digest: [u8; 32], r: [u8; 32], s: [u8; 32], odd: bool) -> Option<[u8; 20]> {
    let (x, y) = coordinates(Signature::<Secp256k1Affine>::new(digest, r, s)?.recover(odd)?)?;
    let hash = Keccak256::new().chain_update(to_word(x)).chain_update(to_word(y)).finalize();
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Some(address)
}
