//! Yul: from text to a resolved tree. Nothing here knows LLVM or the machine.
pub mod ast;
pub mod builtin;
