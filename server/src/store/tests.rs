//! The store's promises: order, durability across a reopen, refusal of other chains and of damaged rows.
use super::*;
use crate::store::rows::*;

fn identity() -> Identity {
    Identity::new(1, "0x01".into(), "0x02".into())
}

fn row(number: u64) -> BatchRow {
    BatchRow {
        number,
        timestamp: 5,
        content: "0xaa".into(),
        transactions: Vec::new(),
        posted: "0x".into(),
        statement: StatementHex::of(&lathe_vm::trace::Statement::default()),
        statement_hash: "0xbb".into(),
        receipts: Vec::new(),
        steps: 3,
        accepted_at_ms: 9,
    }
}

#[test]
fn batches_are_stored_in_order_and_survive_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &identity()).unwrap();
    assert!(matches!(store.insert_batch(&row(2)), Err(StoreError::Order { last: 0, got: 2, .. })));
    store.insert_batch(&row(1)).unwrap();
    assert!(matches!(store.insert_batch(&row(1)), Err(StoreError::Order { last: 1, got: 1, .. })));
    let tx =
        L1Tx { hash: "0x1".into(), nonce: 4, raw: vec![1, 2], replaced: vec!["0x0".into()], mined: None };
    store.put_l1_tx(1, L1Step::Prove, &tx).unwrap();
    drop(store);
    let store = Store::open(dir.path(), &identity()).unwrap();
    assert_eq!(store.batch(1).unwrap().unwrap(), row(1));
    assert_eq!(store.progress(1).unwrap().unwrap().phase, Phase::Accepted);
    assert_eq!(store.l1_tx(1, L1Step::Prove).unwrap().unwrap(), tx);
    assert!(store.l1_tx(1, L1Step::Commit).unwrap().is_none());
    assert_eq!((store.last_accepted().unwrap(), store.last_proven().unwrap()), (1, 0));
}

#[test]
fn another_chain_or_another_contract_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &identity()).unwrap();
    let binding = L1Binding { chain_id: 7, contract: [3; 20] };
    store.bind_l1(&binding).unwrap();
    store.bind_l1(&binding).unwrap();
    assert_eq!(store.l1_binding().unwrap(), Some(binding));
    assert!(matches!(store.bind_l1(&L1Binding::NONE), Err(StoreError::Identity { .. })));
    drop(store);
    let other = Identity::new(2, "0x01".into(), "0x02".into());
    assert!(matches!(Store::open(dir.path(), &other), Err(StoreError::Identity { .. })));
}

#[test]
fn a_row_with_a_flipped_bit_is_an_error_that_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &identity()).unwrap();
    store.insert_batch(&row(1)).unwrap();
    let mut sealed = seal(&row(1));
    for at in [0, 40, sealed.len() - 1] {
        sealed[at] ^= 1;
        store
            .write(|tx| {
                tx.open_table(BATCHES)?.insert(1, sealed.as_slice())?;
                Ok(())
            })
            .unwrap();
        let error = store.batch(1).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { batch: 1, .. }), "{error}");
        assert!(error.to_string().contains(FILE), "{error}");
        sealed[at] ^= 1;
    }
}

#[test]
fn a_file_that_is_no_database_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), vec![0x5a; 5000]).unwrap();
    let error = Store::open(dir.path(), &identity()).err().unwrap();
    assert!(error.to_string().contains(FILE), "{error}");
}

#[test]
fn statement_words_survive_hex() {
    let words: Vec<_> = (1..=16u128).map(|i| lathe_vm::Word::new(i << 100, i)).collect();
    let mut s =
        lathe_vm::trace::Statement { chain_id: words[1], fee_recipient: words[15], ..Default::default() };
    s.new_state_root = words[5];
    let mut hex = StatementHex::of(&s);
    assert_eq!(hex.parse().unwrap(), s);
    hex.prevrandao.pop();
    assert!(hex.parse().unwrap_err().contains("prevrandao"));
}
