//! Claims about whole batches: what the fixtures do, and that their traces hold together.
use lathe_vm::batch;
use lathe_vm::fixtures::{self, Fixture, START_BALANCE, TOKEN};
use lathe_vm::machine::Limits;
use lathe_vm::programs;
use lathe_vm::receipt::ReceiptStatus::Success;
use lathe_vm::replay::{Replay, replay_with_receipts};
use lathe_vm::state::CellId;
use lathe_vm::trace::BatchTrace;
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

fn run(f: &Fixture) -> Replay {
    replay_with_receipts(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &Limits::default())
        .unwrap()
}

fn value(t: &BatchTrace, cell: CellId) -> Option<Word> {
    t.state_cells.iter().find(|c| c.cell == cell).map(|c| c.new)
}

#[test]
fn transfers_move_balances_and_nonces() {
    for count in [0, 1, 2, 16] {
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
