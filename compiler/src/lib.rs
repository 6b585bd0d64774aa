//! lathec: Solidity and Yul to zkEVM bytecode.
//!
//! ```text
//! Solidity --solc--> Yul --yul--> resolved tree --llvm--> LLVM IR --LLVM's optimiser--> mir --backend--> code page
//! ```
//!
//! No input makes it panic: whatever is wrong with a source is a [`diagnostic::Diagnostic`] with its place.

pub mod artifact;
pub mod backend;
pub mod cli;
pub mod compile;
pub mod diagnostic;
pub mod estimate;
pub mod kernel;
pub mod llvm;
pub mod mir;
pub mod project;
pub mod semantic;
pub mod solc;
pub mod standard_json;
pub mod yul;
