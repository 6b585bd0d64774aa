//! The chips: one file per kind of row. Each file states what its rows prove and what they send and receive.
pub mod alu;
pub mod batch_input;
pub mod call;
pub mod calldata;
pub mod code;
pub mod context;
pub mod cpu;
pub mod gadgets;
pub mod heap;
pub mod journal;
pub mod keccak;
pub mod memory;
pub mod message;
pub mod near;
pub mod poseidon;
pub mod select;
pub mod statement;
pub mod storage;
pub mod tables;
#[cfg(test)]
pub mod testing;
pub mod tree;
