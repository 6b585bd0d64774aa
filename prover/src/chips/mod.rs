//! The chips: one file per kind of row. Each file states what its rows prove and what they send and receive.
pub mod gadgets;
pub mod message;
