//! Proves a batch: bus, chips, circuits, and Groth16 with commitments.

pub mod r1cs;
pub mod chips;
pub mod circuit;
pub mod input;
