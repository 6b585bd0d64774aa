//! Claims about whole batches: what the fixtures do, and that their traces hold together.
use lathe_vm::batch::{self, BatchError};
use lathe_vm::code;
use lathe_vm::fixtures::{self, Fixture, MAPPING, START_BALANCE, TOKEN};
use lathe_vm::isa::{Instruction, OPS, Status};
use lathe_vm::machine::Limits;
use lathe_vm::programs;
use lathe_vm::receipt::ReceiptStatus::{self, Reverted, Skipped, Success};
use lathe_vm::replay::{Replay, ReplayError, execute, fr_of, replay_with_receipts};
use lathe_vm::state::CellId;
use lathe_vm::trace::{BatchTrace, Effect};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};
use std::collections::HashSet;

fn run(f: &Fixture) -> Replay {
    replay_with_receipts(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &Limits::default())
        .unwrap()
}

fn value(t: &BatchTrace, cell: CellId) -> Option<Word> {
    t.state_cells.iter().find(|c| c.cell == cell).map(|c| c.new)
}

#[test]
fn transfers_move_balances_and_nonces() {
    for count in [1, 2, 16] {
        let f = fixtures::transfers(count).unwrap();
        let r = run(&f);
        check(&r.trace).unwrap();
        assert_eq!(r.receipts.len(), usize::from(count));
        for i in 0..count {
            let moved = 1000 + u128::from(i);
            let slot = |who| CellId::storage(TOKEN, fixtures::word(who));
            assert_eq!(value(&r.trace, slot(fixtures::sender(i))), Some(Word::from(START_BALANCE - moved)));
            assert_eq!(value(&r.trace, slot(fixtures::receiver(i))), Some(Word::from(moved)));
            assert_eq!(
                value(&r.trace, CellId::nonce(fixtures::sender(i))),
                Some(Word::from(u128::from(i) + 2))
            );
            let receipt = &r.receipts[usize::from(i)];
            assert_eq!(receipt.status, Success);
            assert_eq!(receipt.output, Word::from(1).to_be_bytes());
        }
        let posted: [u8; 32] = Keccak256::digest(batch::encode(&f.records).unwrap()).into();
        assert_eq!(r.trace.statement.batch_data_hash, Word::from_be_bytes(posted));
        let kernel = r.trace.steps.iter().filter(|s| s.regs.ctx == 0).count();
        println!("{count} transfers: {} steps, {kernel} in the kernel", r.trace.steps.len());
    }
}

#[test]
fn an_empty_batch_is_refused_by_name() {
    let f = fixtures::transfers(0).unwrap();
    let refused = replay_with_receipts(
        &f.tree,
        &f.codes,
        programs::kernel(),
        &f.params,
        &f.records,
        &Limits::default(),
    );
    assert!(matches!(refused, Err(ReplayError::Empty)));
}

#[test]
fn the_mixed_batch_ends_as_its_comments_say() {
    let f = fixtures::mixed().unwrap();
    let r = run(&f);
    check(&r.trace).unwrap();
    let statuses: Vec<ReceiptStatus> = r.receipts.iter().map(|x| x.status).collect();
    let want = [
        Success, Success, Success, Success, Reverted, Skipped, Reverted, Reverted, Success, Success, Success,
        Reverted, Reverted, Success, Success,
    ];
    assert_eq!(statuses, want);
    // What set(5, 77) wrote survives the call that spoiled and reverted.
    assert_eq!(r.receipts[8].output, Word::from(77).to_be_bytes());
    assert_eq!(r.receipts[7].output.len(), 32);
    let data: [u8; 32] = Keccak256::digest(fixtures::mapping_call(5, 1, 2)).into();
    assert_eq!(r.receipts[1].output, data);
    assert_eq!(r.receipts[14].output, Word::from(START_BALANCE).to_be_bytes());
    assert_eq!(value(&r.trace, CellId::nonce(fixtures::sender(2))), Some(Word::from(4)));
    assert_eq!(value(&r.trace, CellId::nonce(fixtures::sender(1))), Some(Word::from(7)));
}

#[test]
fn the_mixed_batch_uses_every_live_instruction() {
    let trace = run(&fixtures::mixed().unwrap()).trace;
    let used: HashSet<u16> = trace.steps.iter().map(|s| Instruction::decode(s.word).opcode).collect();
    let missing: Vec<&str> = OPS
        .iter()
        .filter(|o| o.status == Status::Live && !used.contains(&o.opcode))
        .map(|o| o.name)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_revert_undoes_each_write_newest_first() {
    let trace = run(&fixtures::mixed().unwrap()).trace;
    let undone: Vec<_> = trace
        .steps
        .iter()
        .filter_map(|s| if let Effect::Undo { entry, cell } = s.effect { Some((entry, cell)) } else { None })
        .collect();
    assert_eq!(undone.len(), 3);
    assert!(undone.windows(2).all(|w| w[0].0.id > w[1].0.id));
    assert_eq!(undone[0].0.cell, undone[2].0.cell);
    assert_eq!(undone[2].1.new, Word::from(77));
    for s in &trace.state_cells {
        assert!(s.cell != CellId::storage(MAPPING, Word::from(5)) || s.new.is_zero());
    }
    // What stays in the journal is what was written and not undone.
    assert!(undone.iter().all(|(e, _)| trace.journal.iter().all(|j| j.id != e.id)));
}

#[test]
fn the_same_batch_gives_the_same_trace() {
    let print = |f: &Fixture| format!("{:?}", run(f).trace);
    let (a, b) = (fixtures::mixed().unwrap(), fixtures::mixed().unwrap());
    assert!(print(&a) == print(&b));
}

#[test]
fn the_fast_mode_reaches_the_same_state() {
    for f in [fixtures::mixed().unwrap(), fixtures::transfers(16).unwrap()] {
        let full = run(&f);
        let fast = execute(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &Limits::default())
            .unwrap();
        assert_eq!(fast.receipts, full.receipts);
        let mut tree = f.tree.clone();
        let witness = tree.apply(&fast.touched).unwrap();
        assert_eq!(witness, full.trace.tree);
        assert_eq!(code::word_of(tree.root()), full.trace.statement.new_state_root);
        assert_eq!(fr_of(full.trace.statement.new_state_root), Some(tree.root()));
        assert_eq!(fr_of(Word::new(u128::MAX, 0)), None);
    }
}

#[test]
fn a_transfer_stays_within_its_budget_of_steps() {
    let steps = |n| run(&fixtures::transfers(n).unwrap()).trace.steps.len();
    let each = steps(16) - steps(15);
    assert!(each <= 50, "{each} steps per transfer");
}

#[test]
fn records_survive_the_posted_form() {
    let f = fixtures::mixed().unwrap();
    let bytes = batch::encode(&f.records).unwrap();
    assert_eq!(batch::decode(&bytes).unwrap(), f.records);
    assert_eq!(batch::encode(&fixtures::transfers(1).unwrap().records).unwrap().len(), 116);
    for cut in [1, 47, bytes.len() - 1] {
        assert!(batch::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut r = f.records[0].clone();
    r.nonce = 1 << 48;
    assert!(matches!(batch::encode(&[r.clone()]), Err(BatchError::Nonce { index: 0, .. })));
    r.nonce = 0;
    r.data = vec![0; 65536];
    assert!(matches!(batch::encode(&[r]), Err(BatchError::Data { len: 65536, .. })));
}

/// Changes to a good trace; the checker must see every one.
#[test]
fn a_spoiled_trace_is_rejected() {
    type Spoil = fn(&mut BatchTrace);
    let spoils: [Spoil; 14] = [
        |t| t.steps.to_mut()[9].a.old.lo ^= 1,
        |t| t.steps.to_mut()[9].d.new.lo ^= 1,
        |t| t.steps.to_mut()[9].b.old_time += 1,
        |t| t.steps.to_mut()[9].regs.fp += 1,
        |t| t.steps.to_mut()[9].word ^= 1 << 40,
        |t| t.cells[3].value.hi ^= 1,
        |t| t.cells.swap(1, 2),
        |t| t.input[5] ^= 1,
        |t| t.state_cells[1].new.lo ^= 1,
        |t| t.keccaks[1].digest.lo ^= 1,
        |t| t.statement.new_state_root.lo ^= 1,
        |t| t.pages[1].words[0] ^= 1,
        |t| t.journal.truncate(2),
        |t| t.steps.to_mut().truncate(100),
    ];
    let good = run(&fixtures::mixed().unwrap()).trace;
    check(&good).unwrap();
    for (i, spoil) in spoils.iter().enumerate() {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert!(check(&bad).is_err(), "change {i} went unseen");
    }
}
