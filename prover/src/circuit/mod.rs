//! How chips are written and assembled: rows of wires, linear combinations, the bus, circuits.
//! A chip never sees a challenge: it declares messages, and the second phase follows from them mechanically.
pub mod assemble;
pub mod bus;
pub mod check;
pub mod chip;
pub mod counts;
pub mod lc;
pub mod row;
pub mod template;

pub use assemble::{Circuit, CircuitValues};
pub use bus::{MessageKind, TAG_POWER, Tag};
pub use chip::{Block, BlockValues, Chip};
pub use counts::Counts;
pub use lc::{Com, Lc, Var};
pub use row::RowBuilder;
pub use template::Template;
