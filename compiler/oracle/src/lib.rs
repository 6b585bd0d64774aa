//! What the compiler is tested against: the same contract as EVM bytecode on revm and as a code page on Lathe's machine,
//! called the same way. Tests and the benchmark use this crate; no product does.

pub mod abi;
pub mod chain;
pub mod corpus;
pub mod draw;
pub mod drawn;
pub mod evm;
pub mod nested;
pub mod program;
pub mod scenarios;
pub mod solc;
pub mod stage;
pub mod twin;
pub mod world;
