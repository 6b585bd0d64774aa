//! Address 3, `ripemd160`: the 20 bytes of the digest as a word.
use super::Failed;
use ripemd::{Digest, Ripemd160};

pub(super) fn run(input: &[u8]) -> Result<Vec<u8>, Failed> {
    let mut out = vec![0; 12];
    out.extend_from_slice(&Ripemd160::digest(input));
    Ok(out)
}
