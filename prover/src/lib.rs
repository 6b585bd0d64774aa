//! Proves a batch: bus, chips, circuits, and Groth16 with commitments.

pub mod batch_verify;
pub mod chips;
pub mod circuit;
pub mod groth16;
pub mod input;
pub mod mutation;
pub mod r1cs;
pub mod shapes;
pub mod system;
pub mod transcript;
