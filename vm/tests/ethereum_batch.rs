//! The posted batch, format 1: what is read is what was written, and what is refused says where.
use lathe_vm::Word;
use lathe_vm::ethereum::Transaction;
use lathe_vm::ethereum::batch::{BatchError, MAX_BODY, batch_data_hash, decode, encode, priority_ops_hash};
use lathe_vm::ethereum::transaction::{AccountPayload, Fees, Key, Kind, Payload, PriorityOperation};
use proptest::collection::vec;
use proptest::prelude::*;
use sha3::{Digest, Keccak256};

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// A body that the format carries: signed types have room for their signature.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (prop_oneof![Just(1u8), Just(2), 0xc0..=0xffu8], vec(any::<u8>(), 64..150)),
        (prop_oneof![Just(0u8), 3..=0xbfu8], vec(any::<u8>(), 0..150)),
    ]
    .prop_map(|(first, rest)| [vec![first], rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bodies_survive_their_batch(bodies in vec(body(), 0..6)) {
        let bytes = encode(&bodies).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), bodies);
    }

    #[test]
    fn changed_bytes_are_read_as_they_stand_or_not_at_all(
        bodies in vec(body(), 1..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = encode(&bodies).unwrap();
        let at = at.index(bytes.len());
        match cut {
            true => bytes.truncate(at),
            false => bytes[at] = byte,
        }
        let hash = batch_data_hash(&bytes);
        match decode(&bytes) {
            Ok(read) => prop_assert_eq!(encode(&read).unwrap(), bytes),
            Err(error) => prop_assert_eq!(hash, Err(error)),
        }
    }

    #[test]
    fn any_bytes_are_read_as_they_stand_or_not_at_all(bytes in vec(any::<u8>(), 0..100)) {
        let versioned = [&[1], &bytes[..]].concat();
        for bytes in [bytes, versioned] {
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(encode(&read).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn every_byte_of_a_batch_is_bound_by_its_hash(
        bodies in vec(body(), 1..4),
        others in vec(body(), 1..4),
    ) {
        let hash = |bodies: &[Vec<u8>]| batch_data_hash(&encode(bodies).unwrap()).unwrap();
        prop_assert_eq!(hash(&bodies) == hash(&others), bodies == others);
        let mut longer = bodies.clone();
        longer.push(vec![3]);
        prop_assert_ne!(hash(&bodies), hash(&longer));
    }
}

#[test]
fn what_the_kernel_cannot_walk_is_refused_with_its_place() {
    assert_eq!(decode(&[]), Err(BatchError::Empty));
    assert_eq!(decode(&[2, 0, 0, 1, 3]), Err(BatchError::Version(2)));
    assert_eq!(decode(&[1]), Ok(vec![]));
    let cut = |index, offset, need, left| Err(BatchError::Truncated { index, offset, need, left });
    assert_eq!(decode(&[1, 0, 0]), cut(0, 1, 3, 2));
    assert_eq!(decode(&[1, 0, 0, 2, 3]), cut(0, 1, 5, 4));
    assert_eq!(decode(&[1, 0, 0, 1, 3, 0xff, 0xff, 0xff, 7]), cut(1, 5, 3 + 0xff_ffff, 4));
    assert_eq!(decode(&[1, 0, 0, 1, 3, 0, 0, 0]), Err(BatchError::EmptyBody { index: 1, offset: 5 }));
    for first in [1, 2, 0xc0, 0xff] {
        let short = [&[1, 0, 0, 64, first][..], &[0; 63]].concat();
        assert_eq!(decode(&short), Err(BatchError::NoSignature { index: 0, offset: 1, len: 64 }));
        let enough = [&[1, 0, 0, 65, first][..], &[0; 64]].concat();
        assert_eq!(decode(&enough).map(|b| b.len()), Ok(1));
    }
    let error = decode(&[1, 0, 0, 2, 3]).unwrap_err();
    assert_eq!(error.to_string(), "record 0 at byte 1 needs 5 bytes, 4 are left");
}

#[test]
fn what_cannot_be_posted_is_not_written() {
    assert_eq!(encode(&[vec![3; MAX_BODY + 1]]), Err(BatchError::TooLong { index: 0, len: MAX_BODY + 1 }));
    assert_eq!(encode(&[vec![3], vec![]]), Err(BatchError::EmptyBody { index: 1, offset: 5 }));
    assert_eq!(encode(&[vec![2; 64]]), Err(BatchError::NoSignature { index: 0, offset: 1, len: 64 }));
    let longest = encode(&[vec![3; MAX_BODY]]).unwrap();
    assert_eq!(longest[..5], [1, 0xff, 0xff, 0xff, 3]);
    assert_eq!(decode(&longest).unwrap()[0].len(), MAX_BODY);
}

#[test]
fn the_hashes_are_what_they_are_said_to_be() {
    let signed = [vec![2, 0xc0], vec![0x11; 32], vec![0x22; 32]].concat();
    let other = [vec![0x4c, 0xc0], vec![0x33; 70]].concat();
    let words = [&keccak(&[2, 0xc0])[..], &[0x11; 32], &[0x22; 32], &keccak(&other), &[0; 64]].concat();
    let bytes = encode(&[signed, other]).unwrap();
    assert_eq!(batch_data_hash(&bytes), Ok(keccak(&words)));
    assert_eq!(batch_data_hash(&[1]), Ok(keccak(&[])));
    let [a, b] = [[1; 32], [2; 32]];
    let first = keccak(&[[0; 32], a].concat());
    assert_eq!(priority_ops_hash([]), [0; 32]);
    assert_eq!(priority_ops_hash([a, b]), keccak(&[first, b].concat()));
}

/// The blocks of the page's example: lines without their comments.
fn shown() -> Vec<Vec<&'static str>> {
    let page = include_str!("../../docs/batch.md");
    let (_, example) = page.split_once("\n## Example\n").expect("the page has an example");
    let blocks = example.split("```text\n").skip(1).map(|b| b.split_once("```").expect("a block ends").0);
    blocks.map(|b| b.lines().map(|l| l.split('#').next().unwrap_or_default()).collect()).collect()
}

fn bytes(lines: &[&str]) -> Vec<u8> {
    let digits: String = lines.concat().split_whitespace().collect();
    hex::decode(digits).expect("the page has hex")
}

#[test]
fn the_example_of_the_page_is_what_is_written_here() {
    let [batch, hashes, raw] = &shown()[..] else { panic!("the page has three blocks") };
    let key = Key::new([0x46; 32]).unwrap();
    let operation = PriorityOperation {
        id: 5,
        from: [0x11; 20],
        to: [0x22; 20],
        minted: 1000,
        value: Word::from(1000),
        gas_limit: 100_000,
        refund_recipient: [0x11; 20],
        data: Vec::new(),
    };
    let fees = Fees { max_priority: 1, max: 2_000_000_000 };
    let payload = Payload {
        kind: Kind::Eip1559 { fees, access_list: Vec::new() },
        chain_id: 4207,
        nonce: 9,
        gas_limit: 50_000,
        to: Some([0x35; 20]),
        value: Word::from(1),
        data: vec![0xab, 0xcd],
    };
    let account = AccountPayload {
        chain_id: 4207,
        nonce: 10,
        fees,
        gas_limit: 60_000,
        from: key.address(),
        to: [0x35; 20],
        value: Word::ZERO,
        data: vec![0xef],
        paymaster: None,
        paymaster_input: Vec::new(),
    };
    let signed = key.sign(payload).unwrap();
    let account = key.sign_account(account).unwrap();
    let posted = encode(&[operation.encode(), signed.encode(), account.encode()]).unwrap();
    assert_eq!(bytes(batch), posted);
    assert_eq!(bytes(raw), signed.to_raw());
    let want = [
        ("operation hash", operation.hash()),
        ("priorityOpsHash", priority_ops_hash([operation.hash()])),
        ("signing hash", signed.payload.signing_hash()),
        ("transaction hash", signed.hash()),
        ("EIP-712 digest", account.payload.digest()),
        ("account hash", Transaction::Account(account.clone()).hash()),
        ("batchDataHash", batch_data_hash(&posted).unwrap()),
    ];
    let want = want.map(|(name, hash)| format!("{name:<22}{}", hex::encode(hash)));
    assert_eq!(hashes[..], want);
    let read: Result<Vec<Transaction>, _> =
        decode(&posted).unwrap().into_iter().map(Transaction::decode).collect();
    let signed = Transaction::Signed(signed);
    assert_eq!(read, Ok(vec![Transaction::Priority(operation), signed, Transaction::Account(account)]));
}
