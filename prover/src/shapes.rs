//! The shapes and layouts this version proves: which chips stand in which circuit, with how many rows.
//! Changing anything here changes the circuits' digests, and with them the keys.
use crate::batch_verify::Layout;
use crate::chips::alu::{add::AddChip, equal::EqualChip, moves::MovesChip};
use crate::chips::batch_input::BatchInput;
use crate::chips::call::{Call, Return};
use crate::chips::code::CodeChip;
use crate::chips::cpu::Cpu;
use crate::chips::journal::{DropChip, UndoChip};
use crate::chips::keccak::{KeccakCallChip, KeccakF, KeccakHash, KeccakTable, KeccakWords, TABLE_ROWS};
use crate::chips::memory::Memory;
use crate::chips::near::{NearCall, NearReturn};
use crate::chips::statement::Statement;
use crate::chips::storage::{AccountChip, StorageChip};
use crate::chips::tables::FixedTable;
use crate::chips::tree::leaf::LeafChip;
use crate::chips::tree::node::NodeChip;
use crate::circuit::{Block, Circuit};

/// The head shape: singletons, borders and tables.
pub fn head() -> Circuit {
    let table = |t: FixedTable| {
        let size = t.size();
        Block::new(t, size)
    };
    Circuit {
        name: "head",
        blocks: vec![
            Block::new(Statement, 0),
            Block::new(Memory, 2048),
            Block::new(BatchInput, 96),
            Block::new(LeafChip, 96),
            Block::new(CodeChip, 48),
            table(FixedTable::range16()),
            table(FixedTable::and8()),
            table(FixedTable::pow2()),
            Block::new(KeccakTable, TABLE_ROWS),
        ],
    }
}

/// The body shape: steps, operations, Keccak, tree nodes.
pub fn body() -> Circuit {
    Circuit {
        name: "body",
        blocks: vec![
            Block::new(Cpu, 2048),
            Block::new(AddChip, 1024),
            Block::new(EqualChip, 1024),
            Block::new(MovesChip, 1024),
            Block::new(NearCall, 32),
            Block::new(NearReturn, 32),
            Block::new(Call, 32),
            Block::new(Return, 32),
            Block::new(StorageChip, 128),
            Block::new(AccountChip, 128),
            Block::new(UndoChip, 16),
            Block::new(DropChip, 128),
            Block::new(KeccakCallChip, 16),
            Block::new(KeccakHash, 16),
            Block::new(KeccakWords, 128),
            Block::new(KeccakF, 24),
            Block::new(NodeChip, 256),
        ],
    }
}

/// One head and one body.
pub fn layout() -> Layout {
    Layout { id: 1, shapes: vec![0, 1] }
}
