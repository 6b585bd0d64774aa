//! Address 2, `sha256`: the digest of the input.
use super::Failed;
use sha2::{Digest, Sha256};

pub(super) fn run(input: &[u8]) -> Result<Vec<u8>, Failed> {
    Ok(Sha256::digest(input).to_vec())
}
