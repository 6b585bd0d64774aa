//! Updates per second of a large state tree on disk: each batch is on disk before its time ends.
use crate::Failure;
use crate::kernels::pool;
use crate::measure::{median, timed};
use lathe_vm::state::{CellId, StateStore, Touched, Tree};
use lathe_vm::word::Word;
use std::path::Path;

/// Cells that a batch writes: half of them are there before, half are new.
const BATCH: u64 = 1000;
const CONTRACT: [u8; 20] = [7; 20];

fn cell(i: u64) -> CellId {
    CellId::storage(CONTRACT, Word::from(u128::from(i)))
}

/// Updates per second, the median over batches, in a folder that is made and removed here.
///
/// # Errors
/// A folder that is there already or cannot be written; a tree that does not have what was written.
pub fn measure(keys: u64, batches: u64, threads: usize, folder: &Path) -> Result<f64, Failure> {
    if folder.exists() {
        return Err(format!("{} is there already; remove it", folder.display()).into());
    }
    let measured = store(keys, batches, threads, folder);
    std::fs::remove_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    measured
}

fn store(keys: u64, batches: u64, threads: usize, folder: &Path) -> Result<f64, Failure> {
    let pool = pool(threads)?;
    let tree = pool.install(|| Tree::from_cells((0..keys).map(|i| (cell(i), Word::from(1)))))?;
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut store = pool.install(|| StateStore::open(folder, tree))?;
    let mut times = Vec::new();
    for number in 1..=batches {
        let touched: Vec<Touched> = (0..BATCH).map(|j| update(keys, number, j)).collect();
        let (time, witness) = timed(&pool, || store.apply(number, &touched));
        witness?;
        times.push(time.as_secs_f64());
        if let Some(lost) = touched.iter().find(|t| store.tree().get(&t.key) != t.new_value) {
            return Err(format!("the tree does not have {lost:?}").into());
        }
    }
    Ok(BATCH as f64 / median(&times))
}

/// Write `j` of a batch, spread over the tree.
fn update(keys: u64, number: u64, j: u64) -> Touched {
    let there = (number * 7919 + j * 104_729) % keys;
    let fresh = keys + number * BATCH + j;
    let key = cell(if j.is_multiple_of(2) { there } else { fresh }).key();
    Touched { key, new_value: Word::from(u128::from(number * BATCH + j + 2)) }
}
