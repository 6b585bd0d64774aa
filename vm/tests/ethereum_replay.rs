//! The way from posted bytes to receipts, trace and selection, under a kernel small enough to know by heart.
use lathe_vm::asm::assemble;
use lathe_vm::code::CodeStore;
use lathe_vm::ethereum::batch::{self, BatchError};
use lathe_vm::ethereum::replay::{LIMITS, ReplayError, execute, replay, select};
use lathe_vm::ethereum::{Reason, Receipt};
use lathe_vm::replay::BlockParams;
use lathe_vm::state::{CellId, Tree};
use lathe_vm::trace::Page;
use lathe_vm::trace_check;
use lathe_vm::word::Word;
use std::sync::Arc;

/// Bodies of one byte and more: 5 is skipped always, 6 in batches of less than 13 bytes, the others succeed and count up
/// a nonce. An 8 does not end its transaction.
const KERNEL: &str = "
.slot size
.slot at
.slot head
.slot length
.slot first
.slot outcome
.slot used
.slot created
.slot nonce
.slot limit
.slot zero
        cdsize size
        seti at, 1
        seti limit, 13
next:
        jge at, size, done
        cdload head, at
        bits length, head, 232, 24
        bits first, head, 224, 8
        addi at, at, 3
        add at, at, length
        jeqi first, 8, next
        jeqi first, 5, skip
        jnei first, 6, run
        jlt size, limit, skip
run:
        aload nonce, zero, 1
        addi nonce, nonce, 1
        astore zero, nonce, 1
        seti outcome, 1
        seti used, 21000
        jmp end
skip:
        seti outcome, 258
        seti used, 0
end:
        log outcome, zero, zero, 3
        jmp next
done:
        seti limit, 96
        return zero, limit
";

fn kernel() -> Arc<Page> {
    assemble(KERNEL).unwrap().into()
}

fn params() -> BlockParams {
    BlockParams { chain_id: 4207, number: 3, gas_limit: 1_000_000, ..Default::default() }
}

fn genesis() -> (Tree, CodeStore) {
    (Tree::from_cells([(CellId::nonce([0; 20]), Word::from(4))]).unwrap(), CodeStore::new())
}

fn outcomes(receipts: &[Receipt]) -> Vec<(bool, Option<Reason>, u64)> {
    receipts.iter().map(|r| (r.status, r.skip_reason, r.cumulative_gas_used)).collect()
}

#[test]
fn both_ways_to_run_a_batch_agree() {
    let (tree, codes) = genesis();
    let bytes = batch::encode(&[vec![3, 3], vec![5], vec![6], vec![7]]).unwrap();
    let fast = execute(&tree, &codes, &kernel(), &params(), &bytes, &LIMITS).unwrap();
    let full = replay(&tree, &codes, &kernel(), &params(), &bytes, &LIMITS).unwrap();
    let skipped = Some(Reason::UnsupportedType);
    let want = [(true, None, 21_000), (false, skipped, 21_000), (true, None, 42_000), (true, None, 63_000)];
    assert_eq!(outcomes(&fast.receipts), want);
    assert_eq!(fast.receipts, full.receipts);
    trace_check::check(&full.trace).unwrap();
    assert_eq!(full.trace.input, bytes);
    assert_eq!(full.trace.steps.len(), fast.steps as usize);
    let mut after = tree.clone();
    after.apply(&fast.touched).unwrap();
    assert_eq!(full.trace.tree.new_root, after.root());
    assert_eq!(after.get_cell(&CellId::nonce([0; 20])), Word::from(7));
    assert_eq!(tree.get_cell(&CellId::nonce([0; 20])), Word::from(4));
}

#[test]
fn a_selection_leaves_out_what_is_skipped_and_what_is_skipped_then() {
    let (tree, codes) = genesis();
    let bodies = [vec![3], vec![5], vec![6]];
    // With all three the 6 would run; without the 5 it is skipped too.
    let all = batch::encode(&bodies).unwrap();
    let receipts = execute(&tree, &codes, &kernel(), &params(), &all, &LIMITS).unwrap().receipts;
    assert_eq!(receipts[2].skip_reason, None);
    let selected = select(&tree, &codes, &kernel(), &params(), &bodies, &LIMITS).unwrap();
    assert_eq!(selected.bytes, batch::encode(&[vec![3]]).unwrap());
    assert_eq!(selected.refused, [(1, Reason::UnsupportedType), (2, Reason::UnsupportedType)]);
    assert_eq!(outcomes(&selected.outcome.receipts), [(true, None, 21_000)]);
}

#[test]
fn what_has_no_outcome_says_why() {
    let (tree, codes) = genesis();
    let run = |bytes: &[u8]| execute(&tree, &codes, &kernel(), &params(), bytes, &LIMITS).unwrap_err();
    let cut = run(&[1, 0, 0, 2, 3]);
    assert!(matches!(
        cut,
        ReplayError::Batch(BatchError::Truncated { index: 0, offset: 1, need: 5, left: 4 })
    ));
    assert_eq!(run(&[1, 0, 0, 1, 8]).to_string(), "the kernel ended 0 transactions of 1");
    let small = lathe_vm::machine::Limits { max_steps: 5, ..LIMITS };
    let bytes = batch::encode(&[vec![3]]).unwrap();
    let stopped = execute(&tree, &codes, &kernel(), &params(), &bytes, &small).unwrap_err();
    assert!(matches!(stopped, ReplayError::Stopped(_)), "{stopped}");
}
