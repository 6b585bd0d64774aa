//! The zkEVM: instruction set, assembler, machine, state tree, kernel program and batch replay.

pub mod word;
pub use word::Word;
pub mod batch;
pub mod code;
pub mod isa;
pub mod machine;
pub mod poseidon2;
pub mod receipt;
pub mod replay;
pub mod state;
pub mod trace;
