//! Cutting a run of a kernel into its transactions, by what the kernel does where one begins or ends.
use crate::inspect::project::Project;
use crate::inspect::steps::{Listing, Row};
use lathe_vm::Word;
use lathe_vm::isa::{Instruction, op};
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
    /// How the last call that the kernel made for it ended, if that ran code.
    pub ended: Option<CallStatus>,
    cells: BTreeMap<CellId, (Word, Word)>,
}

impl Transaction {
    /// Cells that have another value after it than before.
    pub fn changes(&self) -> impl Iterator<Item = (&CellId, &(Word, Word))> {
        self.cells.iter().filter(|(cell, (old, new))| old != new && cell.kind != kind::TRANSIENT)
    }

    /// What a cell held before it, if it was accessed.
    pub fn before(&self, cell: &CellId) -> Option<Word> {
        self.cells.get(cell).map(|(old, _)| *old)
    }
}

/// Where one transaction ends and the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The records kernel reads a sender's nonce first.
    NonceRead,
    /// The Ethereum kernel logs three topics last.
    KernelLog,
}

/// What was seen.
pub struct Watched {
    /// The transactions begun; with [`Cut::KernelLog`] those ended.
    pub transactions: Vec<Transaction>,
    /// What came behind the last end.
    pub rest: Transaction,
    /// The rows of the transaction that was wanted.
    pub rows: Vec<Row>,
}

/// Watches a run.
pub struct Watcher<'p> {
    cut: Cut,
    transactions: Vec<Transaction>,
    /// The transaction whose steps are wanted, and the listing that makes rows of them.
    traced: Option<(usize, Listing<'p>)>,
    rows: Vec<Row>,
}

impl<'p> Watcher<'p> {
    /// With the rows of the steps of one transaction, so many at most.
    pub fn new(cut: Cut, project: &'p Project, traced: Option<(usize, u64)>) -> Watcher<'p> {
        let traced = traced.map(|(tx, limit)| (tx, Listing::new(project, limit)));
        let transactions = match cut {
            Cut::NonceRead => Vec::new(),
            Cut::KernelLog => vec![Transaction::default()],
        };
        Watcher { cut, transactions, traced, rows: Vec::new() }
    }

    /// Takes a step in.
    pub fn step(&mut self, seen: &Seen) {
        let own = Some(Instruction::decode(seen.word)).filter(|_| seen.regs.ctx == 0);
        let nonce = seen.cells.first().filter(|access| {
            let reads = own.is_some_and(|i| i.opcode == op::ALOAD);
            self.cut == Cut::NonceRead && reads && access.cell.kind == kind::NONCE
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
            now.ended = Some(closed.status);
        }
        if let Some((traced, listing)) = &mut self.traced
            && *traced + 1 == index
        {
            let rows = &mut self.rows;
            listing.step(seen, &mut |row| rows.push(row));
        }
        if self.cut == Cut::KernelLog && own.is_some_and(|i| i.opcode == op::LOG && i.imm == 3) {
            self.transactions.push(Transaction::default());
        }
    }

    /// What was seen until now.
    pub fn finish(mut self) -> Watched {
        self.rows.extend(self.traced.and_then(|(_, listing)| listing.left()));
        let rest = match self.cut {
            Cut::NonceRead => None,
            Cut::KernelLog => self.transactions.pop(),
        };
        Watched { transactions: self.transactions, rest: rest.unwrap_or_default(), rows: self.rows }
    }
}
