//! Groth16 over BN254 with a commitment to part of the witness (commit-and-prove, the form of MIRAGE,
//! ePrint 2020/278, and Hekaton, ePrint 2024/1208). Without committed wires it is bellman's Groth16,
//! byte for byte. Must never accept a key or point that it has not checked. Argument: docs/groth16.md.

mod bellman_bridge;
pub mod encode;
pub mod key_file;
pub mod key_points;
pub mod keys;
pub mod prove;
pub mod setup;
pub mod verify;

pub use encode::{DecodeError, Word};
pub use key_file::KeyFileError;
pub use keys::{KeyError, KeyInfo, ProvingKey, VerifyingKey};
pub use prove::{Committed, ProveError, Proven, Prover, Timings};
pub use setup::{SetupError, SystemSecrets, setup};
pub use verify::{VerifyError, verify};

/// A proof: bellman's own type over this curve.
pub type Proof = bellman::groth16::Proof<halo2curves::bn256::Bn256>;
