//! What the compiler is tested against: the same contract as EVM bytecode on revm and as a code page on Lathe's machine,
//! called the same way. Tests and the benchmark use this crate; no product does.

pub mod abi;
pub mod corpus;
pub mod draw;
pub mod evm;
pub mod program;
pub mod solc;
pub mod twin;
pub mod world;
