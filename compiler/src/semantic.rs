//! Runs tests in the format of Solidity's `test/libsolidity/semanticTests`: sources, settings, and calls with what they
//! must give. Only `lathec-tests` and the tests use it. A test counts as passed only if every line of it held.
pub mod calls;
pub mod file;
mod lexer;
pub mod run;
pub mod skips;
pub mod suite;
