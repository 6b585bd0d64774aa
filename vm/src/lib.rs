//! The zkEVM: instruction set, assembler, machine, state tree, kernel program and batch replay.

pub mod word;
pub use word::Word;
pub mod poseidon2;
pub mod state;
pub mod trace;
