//! Receipts from the logs of a run, and their JSON, which Ethereum's tools read.
use alloy_primitives::{Address, B256, Bloom, BloomInput};
use lathe_vm::Word;
use lathe_vm::ethereum::receipt::{ReceiptError, bloom, receipts};
use lathe_vm::ethereum::transaction::{Fees, Key, Kind, Payload, PriorityOperation};
use lathe_vm::ethereum::{Reason, Receipt};
use lathe_vm::machine::{CallStatus, Event, Log};
use lathe_vm::replay::BlockParams;
use proptest::collection::vec;
use proptest::prelude::*;
use sha3::{Digest, Keccak256};

fn log(address: [u8; 20], topics: &[u128]) -> Event {
    Event::Log(Log { address, topics: topics.iter().map(|t| Word::from(*t)).collect(), data: vec![7] })
}

fn end(outcome: u128, gas_used: u128, created: u128) -> Event {
    let topics = [outcome, gas_used, created].map(Word::from).to_vec();
    Event::Log(Log { address: [0; 20], topics, data: Vec::new() })
}

fn call_end(output: &[u8]) -> Event {
    Event::CallEnd { status: CallStatus::Success, output: output.to_vec(), steps: 1, gas: 0 }
}

fn params() -> BlockParams {
    BlockParams { number: 12, chain_id: 4207, base_fee: Word::from(100), ..BlockParams::default() }
}

fn bodies() -> Vec<Vec<u8>> {
    let fees = Fees { max_priority: 5, max: 300 };
    let payload = Payload {
        kind: Kind::Eip1559 { fees, access_list: Vec::new() },
        chain_id: 4207,
        nonce: 0,
        gas_limit: 50_000,
        to: Some([9; 20]),
        value: Word::ZERO,
        data: Vec::new(),
    };
    let key = Key::new([3; 32]).unwrap();
    let creation = Payload { to: None, nonce: 1, ..payload.clone() };
    let priority = PriorityOperation { from: [1; 20], to: [2; 20], ..Default::default() };
    vec![
        priority.encode(),
        key.sign(payload).unwrap().encode(),
        key.sign(creation).unwrap().encode(),
        vec![0x03, 1, 2],
    ]
}

fn events() -> Vec<Event> {
    vec![
        call_end(b"first"),
        end(1, 30_000, 0),
        log([8; 20], &[1, 2]),
        call_end(b"validation"),
        log([9; 20], &[]),
        log([9; 20], &[5]),
        call_end(b"second"),
        end(1, 40_000, 0),
        log([8; 20], &[1, 2, 3]),
        end(0, 1_000, 0xabc),
        end(0x102, 0, 0),
        // What the kernel does behind the last record.
        call_end(b"root"),
    ]
}

#[test]
fn logs_and_gas_go_to_the_transaction_that_they_belong_to() {
    let bodies = bodies();
    let got = receipts(&params(), &bodies, &events()).unwrap();
    let sender = Key::new([3; 32]).unwrap().address();
    let hash: [u8; 32] = Keccak256::digest(&bodies[0]).into();
    assert_eq!((got[0].transaction_hash, got[0].kind, got[0].from), (hash, 0x7e, Some([1; 20])));
    assert_eq!((got[0].status, got[0].effective_gas_price), (true, Word::ZERO));
    assert_eq!((got[1].from, got[1].to, got[1].kind), (Some(sender), Some([9; 20]), 2));
    assert_eq!((got[1].status, got[1].gas_used, got[1].cumulative_gas_used), (true, 40_000, 70_000));
    assert_eq!((got[1].effective_gas_price, &got[1].output[..]), (Word::from(105), &b"second"[..]));
    let places: Vec<_> =
        got[1].logs.iter().map(|l| (l.address[0], l.log_index, l.transaction_index)).collect();
    assert_eq!(places, [(8, 0, 1), (9, 1, 1), (9, 2, 1)]);
    // Three topics, but of a contract.
    assert_eq!((got[2].logs.len(), got[2].logs[0].log_index), (1, 3));
    assert_eq!((got[2].status, got[2].skip_reason, got[2].cumulative_gas_used), (false, None, 71_000));
    let mut created = [0; 20];
    created[18..].copy_from_slice(&[0x0a, 0xbc]);
    assert_eq!((got[2].contract_address, got[2].to), (Some(created), None));
    assert_eq!((got[3].status, got[3].skip_reason), (false, Some(Reason::UnsupportedType)));
    assert_eq!((got[3].kind, got[3].from, got[3].effective_gas_price), (3, None, Word::ZERO));
    assert!(got[3].output.is_empty());
}

#[test]
fn events_of_another_kernel_are_refused() {
    let bodies = bodies();
    let refused = |events: &[Event]| receipts(&params(), &bodies, events).unwrap_err();
    assert_eq!(refused(&events()[..8]), ReceiptError::Count { ended: 2, posted: 4 });
    let astray = [events(), vec![log([8; 20], &[])]].concat();
    assert_eq!(refused(&astray), ReceiptError::Astray(1));
    let with_first = |first| [vec![first], events()[2..].to_vec()].concat();
    let topic = |field, value: Word| ReceiptError::Topic { index: 0, field, value };
    for outcome in [2, 0x100, 0x112, 1 << 64] {
        assert_eq!(refused(&with_first(end(outcome, 0, 0))), topic("outcome", Word::from(outcome)));
    }
    assert_eq!(refused(&with_first(end(1, 1 << 64, 0))), topic("gas used", Word::from(1 << 64)));
    let mut wide = end(1, 0, 0);
    if let Event::Log(log) = &mut wide {
        log.topics[2] = Word::new(1 << 32, 0);
    }
    assert_eq!(refused(&with_first(wide)), topic("created address", Word::new(1 << 32, 0)));
}

#[test]
fn json_has_the_names_of_ethereum() {
    let got = receipts(&params(), &bodies(), &events()).unwrap();
    let json = serde_json::to_value(&got).unwrap();
    let receipt = &json[1];
    for (field, value) in [
        ("type", "0x2"),
        ("status", "0x1"),
        ("blockNumber", "0xc"),
        ("transactionIndex", "0x1"),
        ("gasUsed", "0x9c40"),
        ("cumulativeGasUsed", "0x11170"),
        ("effectiveGasPrice", "0x69"),
        ("to", "0x0909090909090909090909090909090909090909"),
        ("output", "0x7365636f6e64"),
    ] {
        assert_eq!(receipt[field], value, "{field}");
    }
    assert!(receipt["contractAddress"].is_null());
    assert!(receipt.get("skipReason").is_none());
    assert_eq!(receipt["logsBloom"].as_str().map(str::len), Some(2 + 512));
    assert_eq!(receipt["logs"][2]["logIndex"], "0x2");
    assert_eq!(receipt["logs"][2]["topics"][0], format!("0x{:064x}", 5));
    assert_eq!(json[3]["skipReason"], "unsupportedType");
    let back: Vec<Receipt> = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(back, got);
    for (field, value) in [("status", "0x2"), ("gasUsed", "0x01"), ("to", "0x09"), ("transactionHash", "0x")]
    {
        let mut wrong = json[1].clone();
        wrong[field] = value.into();
        assert!(serde_json::from_value::<Receipt>(wrong).is_err(), "{field}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bloom_filter_is_that_of_ethereum(
        logs in vec((any::<[u8; 20]>(), vec(any::<[u8; 32]>(), 0..5)), 0..6),
    ) {
        let mut theirs = Bloom::default();
        for (address, topics) in &logs {
            let topics: Vec<B256> = topics.iter().map(B256::from).collect();
            theirs.accrue_raw_log(Address::from(*address), &topics);
        }
        let logs: Vec<([u8; 20], Vec<Word>)> =
            logs.into_iter().map(|(a, t)| (a, t.into_iter().map(Word::from_be_bytes).collect())).collect();
        let ours = bloom(logs.iter().map(|(a, t)| (a, &t[..])));
        prop_assert_eq!(ours, *theirs.data());
        for (address, _) in &logs {
            prop_assert!(Bloom::from(ours).contains_input(BloomInput::Raw(address)));
        }
    }
}
