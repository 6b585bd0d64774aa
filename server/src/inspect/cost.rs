//! What a step costs to prove. Gas follows proving cost, so that what a step takes of its context's gas says it; this
//! module tells apart what that was taken for.
use lathe_vm::isa::price;
use lathe_vm::sandbox::Seen;
use lathe_vm::state::{CellId, kind};
use std::collections::HashSet;

/// Constraints that so much gas stands for.
pub fn constraints(gas: u64) -> u64 {
    gas * u64::from(price::CONSTRAINTS_PER_GAS)
}

/// What one run has used so far; cells and pages cost something when they are first used.
#[derive(Debug, Default)]
pub struct Costs {
    cells: HashSet<CellId>,
    pages: HashSet<u32>,
}

/// Gas of one step by what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The step and its operation.
    pub step: u64,
    /// Leaves and nodes of the state tree, for cells touched for the first time.
    pub tree: u64,
    /// The code page of the contract that it calls, if that runs for the first time.
    pub page: u64,
}

impl Costs {
    /// The cost of a step of a metered context, or of the kernel's call that opens one.
    pub fn of(&mut self, seen: &Seen) -> Cost {
        let mut tree = 0;
        for access in seen.cells.iter().filter(|access| access.cell.kind != kind::TRANSIENT) {
            if self.cells.insert(access.cell) {
                tree += u64::from(price::COLD_CELL);
            }
            if seen.undone.is_none() && access.old.is_zero() && !access.new.is_zero() {
                tree += u64::from(price::NEW_CELL);
            }
        }
        let page = match seen.opened {
            Some(opened) if self.pages.insert(opened.code) => price::page(opened.page.words.len()),
            _ => 0,
        };
        let spent = u64::from(seen.spent);
        // The kernel pays nothing: what its call costs comes off the callee's gas.
        if seen.regs.ctx == 0 {
            return Cost { step: 0, tree: 0, page };
        }
        let tree = tree.min(spent);
        Cost { step: (spent - tree).saturating_sub(page), tree, page }
    }
}
