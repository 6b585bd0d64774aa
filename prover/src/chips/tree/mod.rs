//! The state tree's multi-proof as rows: touched leaves in order of keys (`leaf`) and the inner nodes above them
//! (`node`). Together they prove that the statement's two roots differ exactly by the accessed cells.
pub mod leaf;
pub mod node;

#[cfg(test)]
mod tests;
