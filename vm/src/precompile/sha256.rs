//! Address 2, `sha256`: the digest of the input.
use super::Failed;
use sha2::{Digest, Sha256};

pub(super) fn run(input: &[u8]) -> Result<Vec<u8>, Failed> {
    Ok(digest(input).to_vec())
}

pub(super) fn digest(input: &[u8]) -> [u8; 32] {
    Sha256::digest(input).into()
}
