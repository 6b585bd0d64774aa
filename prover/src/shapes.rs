//! The shapes and layouts this version proves: which chips stand in which circuit, with how many rows.
//! Changing anything here changes the circuits' digests, and with them the keys.
use crate::batch_verify::Layout;
use crate::chips::alu::add::AddChip;
use crate::chips::alu::bits::BitsChip;
use crate::chips::alu::bitwise::BitwiseChip;
use crate::chips::alu::equal::EqualChip;
use crate::chips::alu::moves::MovesChip;
use crate::chips::alu::mul::MulChip;
use crate::chips::alu::shift::ShiftChip;
use crate::chips::batch_input::BatchInput;
use crate::chips::call::{Call, Return};
use crate::chips::calldata::CalldataChip;
use crate::chips::code::CodeChip;
use crate::chips::context::ContextChip;
use crate::chips::cpu::Cpu;
use crate::chips::heap::HeapChip;
use crate::chips::journal::{DropChip, UndoChip};
use crate::chips::keccak::{KeccakCallChip, KeccakF, KeccakHash, KeccakTable, KeccakWords, TABLE_ROWS};
use crate::chips::memory::Memory;
use crate::chips::near::{NearCall, NearReturn};
use crate::chips::select::SelectChip;
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
            Block::new(Cpu, 1152),
            Block::new(AddChip, 256),
            Block::new(EqualChip, 96),
            Block::new(MovesChip, 64),
            Block::new(BitwiseChip, 48),
            Block::new(BitsChip, 112),
            Block::new(ShiftChip, 48),
            Block::new(MulChip, 32),
            Block::new(SelectChip, 32),
            Block::new(HeapChip, 96),
            Block::new(CalldataChip, 144),
            Block::new(ContextChip, 64),
            Block::new(NearCall, 16),
            Block::new(NearReturn, 16),
            Block::new(Call, 24),
            Block::new(Return, 24),
            Block::new(StorageChip, 96),
            Block::new(AccountChip, 80),
            Block::new(UndoChip, 32),
            Block::new(DropChip, 96),
            Block::new(KeccakCallChip, 8),
            Block::new(KeccakHash, 8),
            Block::new(KeccakWords, 96),
            Block::new(KeccakF, 21),
            Block::new(NodeChip, 128),
        ],
    }
}

/// One head and one body.
pub fn layout() -> Layout {
    Layout { id: 1, shapes: vec![0, 1] }
}
