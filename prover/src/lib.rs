//! Proves a batch: bus, chips, circuits, and Groth16 with commitments.

pub mod groth16;
pub mod r1cs;
pub mod chips;
pub mod circuit;
pub mod input;
pub mod transcript;
pub mod batch_verify;
pub mod mutation;
pub mod shapes;
pub mod system;
