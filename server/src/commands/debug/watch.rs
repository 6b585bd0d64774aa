//! Cutting a run of the kernel into its transactions: each begins where the kernel reads its sender's nonce.
use crate::inspect::project::Project;
use crate::inspect::steps::{Listing, Row};
use lathe_vm::Word;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::machine::HaltKind;
use lathe_vm::sandbox::{CallStatus, Seen};
use lathe_vm::state::{CellId, kind};
use std::collections::BTreeMap;

/// What one transaction did.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// The sender's nonce before it.
    pub nonce: Option<Word>,
    /// Steps of contracts.
    pub steps: u64,
    /// Steps of the kernel, up to where it turns to the next transaction.
    pub kernel_steps: u64,
    /// Why its call halted, if it did.
    pub halt: Option<HaltKind>,
    cells: BTreeMap<CellId, (Word, Word)>,
}

impl Transaction {
    /// Cells that have another value after it than before.
    pub fn changes(&self) -> impl Iterator<Item = (&CellId, &(Word, Word))> {
        self.cells.iter().filter(|(cell, (old, new))| old != new && cell.kind != kind::TRANSIENT)
    }
}

/// Watches a run.
pub struct Watcher<'p> {
    transactions: Vec<Transaction>,
    /// The transaction whose steps are wanted, and the listing that makes rows of them.
    traced: Option<(usize, Listing<'p>)>,
    rows: Vec<Row>,
}

impl<'p> Watcher<'p> {
    /// With the rows of the steps of one transaction, so many at most.
    pub fn new(project: &'p Project, traced: Option<(usize, u64)>) -> Watcher<'p> {
        let traced = traced.map(|(tx, limit)| (tx, Listing::new(project, limit)));
        Watcher { transactions: Vec::new(), traced, rows: Vec::new() }
    }

    /// Takes a step in.
    pub fn step(&mut self, seen: &Seen) {
        let nonce = seen.cells.first().filter(|access| {
            let reads = Instruction::decode(seen.word).opcode == op::ALOAD;
            seen.regs.ctx == 0 && reads && access.cell.kind == kind::NONCE
        });
        if let Some(nonce) = nonce {
            self.transactions.push(Transaction { nonce: Some(nonce.old), ..Transaction::default() });
        }
        let index = self.transactions.len();
        let Some(now) = self.transactions.last_mut() else { return };
        match seen.regs.ctx {
            0 => now.kernel_steps += 1,
            _ => now.steps += 1,
        }
        for access in seen.cells {
            now.cells.entry(access.cell).or_insert((access.old, access.old)).1 = access.new;
        }
        if let Some(closed) = seen.closed.filter(|_| seen.regs.depth == 0) {
            now.halt = match closed.status {
                CallStatus::Halted(kind) => Some(kind),
                CallStatus::Success | CallStatus::Reverted => None,
            };
        }
        if let Some((traced, listing)) = &mut self.traced
            && *traced + 1 == index
        {
            let rows = &mut self.rows;
            listing.step(seen, &mut |row| rows.push(row));
        }
    }

    /// The transactions begun, and the rows of the one that was wanted.
    pub fn finish(mut self) -> (Vec<Transaction>, Vec<Row>) {
        self.rows.extend(self.traced.and_then(|(_, listing)| listing.left()));
        (self.transactions, self.rows)
    }
}
