//! Signed transactions on chains: an Ethereum of revm's beside one of Lathe's machine, given the same ones in the same
//! blocks. Each side gets the bytes that its own users would sign; a contract's creation is the only data that differs.
pub mod ethereum;
pub mod here;
pub mod ledger;
pub mod pair;
pub mod wallet;
