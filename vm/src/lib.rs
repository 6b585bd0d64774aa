//! The zkEVM: instruction set, assembler, machine, state tree, kernel program and batch replay.

pub mod word;
pub use word::Word;
pub mod asm;
pub mod batch;
pub mod code;
pub mod disasm;
pub mod ethereum;
pub mod fixtures;
pub mod genesis;
pub mod isa;
pub mod machine;
pub mod poseidon2;
pub mod precompile;
pub mod programs;
pub mod receipt;
pub mod replay;
pub mod sandbox;
pub mod state;
pub mod system;
pub mod trace;
pub mod trace_check;
