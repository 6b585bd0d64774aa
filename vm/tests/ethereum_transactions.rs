//! Transactions against alloy's, which is what wallets and nodes of others use, and against published vectors.
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{SignableTransaction, Transaction as _, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::U256;
use alloy_sol_types::{SolStruct, eip712_domain};
use lathe_vm::Word;
use lathe_vm::ethereum::intrinsic::intrinsic_gas;
use lathe_vm::ethereum::reason::{REASONS, Reason};
use lathe_vm::ethereum::transaction::{
    AccessItem, AccountPayload, AccountTransaction, DecodeError, Fees, Key, Kind, Payload, PriorityOperation,
    RawError, Signature, Signed, kind,
};
use lathe_vm::ethereum::{Problem, Transaction};
use proptest::collection::vec;
use proptest::prelude::*;

fn key(fill: u8) -> Key {
    Key::new([fill; 32]).unwrap()
}

fn hex32(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// The transaction of EIP-155's example.
fn example() -> Payload {
    Payload {
        kind: Kind::Legacy { gas_price: 20_000_000_000 },
        chain_id: 1,
        nonce: 9,
        gas_limit: 21_000,
        to: Some([0x35; 20]),
        value: Word::from(1_000_000_000_000_000_000),
        data: Vec::new(),
    }
}

#[test]
fn the_example_of_eip_155() {
    let payload = example();
    let signed_bytes =
        "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080";
    assert_eq!(hex::encode(payload.encode()), signed_bytes);
    let hash = hex32("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    assert_eq!(payload.signing_hash(), hash);
    let signed = key(0x46).sign(payload).unwrap();
    let raw = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025\
               a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\
               a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    assert_eq!(hex::encode(signed.to_raw()), raw);
    assert_eq!(signed.sender(), Some(key(0x46).address()));
    assert_eq!(hex::encode(key(0x46).address()), "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
}

mod typed {
    alloy_sol_types::sol! {
        struct Transaction {
            uint256 nonce;
            uint256 maxPriorityFeePerGas;
            uint256 maxFeePerGas;
            uint256 gasLimit;
            address from;
            address to;
            uint256 value;
            bytes data;
            address paymaster;
            bytes paymasterInput;
        }
    }
}

fn word() -> impl Strategy<Value = Word> {
    // Of every length, so that leading zeros are common.
    (any::<[u8; 32]>(), 0usize..=32).prop_map(|(mut bytes, zeros)| {
        bytes[..zeros].fill(0);
        Word::from_be_bytes(bytes)
    })
}

fn long() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..=63).prop_map(|(x, shift)| x >> shift)
}

fn price() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0u32..=127).prop_map(|(x, shift)| x >> shift)
}

fn fees() -> impl Strategy<Value = Fees> {
    (price(), price()).prop_map(|(max_priority, max)| Fees { max_priority, max })
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![]),
        any::<u8>().prop_map(|b| vec![b]),
        vec(any::<u8>(), 0..80),
        vec(any::<u8>(), 200..400)
    ]
}

fn access_list() -> impl Strategy<Value = Vec<AccessItem>> {
    let item = (any::<[u8; 20]>(), vec(any::<[u8; 32]>(), 0..4));
    vec(item.prop_map(|(address, slots)| AccessItem { address, slots }), 0..4)
}

fn payload() -> impl Strategy<Value = Payload> {
    let kind = prop_oneof![
        price().prop_map(|gas_price| Kind::Legacy { gas_price }),
        (price(), access_list())
            .prop_map(|(gas_price, access_list)| Kind::Eip2930 { gas_price, access_list }),
        (fees(), access_list()).prop_map(|(fees, access_list)| Kind::Eip1559 { fees, access_list }),
    ];
    let to = proptest::option::of(any::<[u8; 20]>());
    (kind, long(), long(), long(), to, word(), data()).prop_map(
        |(kind, chain_id, nonce, gas_limit, to, value, data)| Payload {
            kind,
            chain_id,
            nonce,
            gas_limit,
            to,
            value,
            data,
        },
    )
}

fn signed() -> impl Strategy<Value = Signed> {
    (payload(), 1u8..=254).prop_map(|(payload, fill)| key(fill).sign(payload).unwrap())
}

fn account() -> impl Strategy<Value = AccountTransaction> {
    let paymaster = proptest::option::of(any::<[u8; 20]>().prop_filter("not zero", |a| *a != [0; 20]));
    let addresses = (any::<[u8; 20]>(), any::<[u8; 20]>(), paymaster);
    (long(), long(), fees(), long(), addresses, word(), (data(), data(), data())).prop_map(
        |(
            chain_id,
            nonce,
            fees,
            gas_limit,
            (from, to, paymaster),
            value,
            (data, paymaster_input, signature),
        )| {
            let payload = AccountPayload {
                chain_id,
                nonce,
                fees,
                gas_limit,
                from,
                to,
                value,
                data,
                paymaster,
                paymaster_input,
            };
            AccountTransaction { payload, signature }
        },
    )
}

fn priority() -> impl Strategy<Value = PriorityOperation> {
    let addresses = (any::<[u8; 20]>(), any::<[u8; 20]>(), any::<[u8; 20]>());
    (long(), addresses, any::<u128>(), word(), long(), data()).prop_map(
        |(id, (from, to, refund_recipient), minted, value, gas_limit, data)| PriorityOperation {
            id,
            from,
            to,
            minted,
            value,
            gas_limit,
            refund_recipient,
            data,
        },
    )
}

fn transaction() -> impl Strategy<Value = Transaction> {
    prop_oneof![
        3 => signed().prop_map(Transaction::Signed),
        1 => account().prop_map(Transaction::Account),
        1 => priority().prop_map(Transaction::Priority),
    ]
}

/// A change of some bytes: one overwritten, inserted or taken out, or the end cut.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(i, b)| Change::Set(i, b)),
        1 => (at(), any::<u8>()).prop_map(|(i, b)| Change::Insert(i, b)),
        1 => at().prop_map(Change::Remove),
        1 => at().prop_map(Change::Cut),
    ]
}

fn changed(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    match change {
        Change::Set(i, b) => {
            let i = i.index(bytes.len());
            bytes[i] = *b;
        }
        Change::Insert(i, b) => bytes.insert(i.index(bytes.len() + 1), *b),
        Change::Remove(i) => drop(bytes.remove(i.index(bytes.len()))),
        Change::Cut(i) => bytes.truncate(i.index(bytes.len())),
    }
    bytes
}

/// What alloy makes of raw bytes, if it is one of the three types, for one chain, and written in the one right way.
fn alloy_reads(raw: &[u8]) -> Option<TxEnvelope> {
    let envelope = TxEnvelope::decode_2718_exact(raw).ok()?;
    let known = matches!(envelope, TxEnvelope::Legacy(_) | TxEnvelope::Eip2930(_) | TxEnvelope::Eip1559(_));
    let top = envelope.signature().s().bit(255);
    (known && envelope.chain_id().is_some() && !top && envelope.encoded_2718() == raw).then_some(envelope)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alloy_reads_what_is_signed_here(signed in signed()) {
        let raw = signed.to_raw();
        let envelope = alloy_reads(&raw).expect("alloy reads it");
        prop_assert_eq!(envelope.tx_hash().0, signed.hash());
        prop_assert_eq!(envelope.signature_hash().0, signed.payload.signing_hash());
        let from = envelope.recover_signer().unwrap().into_array();
        prop_assert_eq!(Some(from), signed.sender());
        let payload = match &envelope {
            TxEnvelope::Legacy(t) => t.tx().encoded_for_signing(),
            TxEnvelope::Eip2930(t) => t.tx().encoded_for_signing(),
            TxEnvelope::Eip1559(t) => t.tx().encoded_for_signing(),
            _ => unreachable!("alloy_reads"),
        };
        prop_assert_eq!(payload, signed.payload.encode());
        prop_assert_eq!(Signed::from_raw(&raw), Ok(signed));
    }

    #[test]
    fn raw_bytes_are_read_if_and_only_if_alloy_reads_them(signed in signed(), change in change()) {
        let raw = changed(signed.to_raw(), &change);
        let read = Signed::from_raw(&raw);
        let theirs = alloy_reads(&raw);
        prop_assert_eq!(read.is_ok(), theirs.is_some(), "{:?} and {:?}", read, theirs);
        if let (Ok(signed), Some(envelope)) = (read, theirs) {
            prop_assert_eq!(&signed.to_raw(), &raw);
            prop_assert_eq!(signed.sender(), envelope.recover_signer().ok().map(|a| a.into_array()));
        }
    }

    #[test]
    fn a_transaction_survives_its_body(t in transaction()) {
        prop_assert_eq!(Transaction::decode(&t.encode()), Ok(t));
    }

    #[test]
    fn a_changed_body_is_read_as_it_stands_or_not_at_all(t in transaction(), change in change()) {
        let body = changed(t.encode(), &change);
        if let Ok(other) = Transaction::decode(&body) {
            prop_assert_eq!(other.encode(), body);
        }
    }

    #[test]
    fn any_bytes_are_read_as_they_stand_or_not_at_all(
        first in prop_oneof![Just(kind::EIP2930), Just(kind::EIP1559), Just(kind::ACCOUNT), Just(kind::PRIORITY), any::<u8>()],
        rest in vec(any::<u8>(), 0..200),
    ) {
        let body = [&[first], &rest[..]].concat();
        if let Ok(t) = Transaction::decode(&body) {
            prop_assert_eq!(t.encode(), body.clone());
        }
        if let Ok(t) = Transaction::from_raw(&body) {
            prop_assert!(matches!(t, Transaction::Signed(_) | Transaction::Account(_)));
        }
    }

    #[test]
    fn the_digest_of_an_account_transaction_is_that_of_eip_712(t in account()) {
        let p = &t.payload;
        let big = |w: Word| U256::from_be_bytes(w.to_be_bytes());
        let theirs = typed::Transaction {
            nonce: U256::from(p.nonce),
            maxPriorityFeePerGas: U256::from(p.fees.max_priority),
            maxFeePerGas: U256::from(p.fees.max),
            gasLimit: U256::from(p.gas_limit),
            from: p.from.into(),
            to: p.to.into(),
            value: big(p.value),
            data: p.data.clone().into(),
            paymaster: p.paymaster.unwrap_or_default().into(),
            paymasterInput: p.paymaster_input.clone().into(),
        };
        let domain = eip712_domain! { name: "Lathe", version: "1", chain_id: p.chain_id, };
        prop_assert_eq!(theirs.eip712_signing_hash(&domain).0, p.digest());
    }
}

fn sample(kind: Kind) -> Payload {
    Payload { kind, chain_id: 4207, data: vec![1, 2, 3], ..example() }
}

fn dynamic() -> Payload {
    sample(Kind::Eip1559 { fees: Fees { max_priority: 1, max: 2_000_000_000 }, access_list: Vec::new() })
}

#[test]
fn an_account_without_code_signs_in_65_bytes() {
    let payload = AccountPayload { from: key(7).address(), chain_id: 4207, ..Default::default() };
    let mut t = key(7).sign_account(payload.clone()).unwrap();
    assert_eq!(t.signature.len(), 65);
    assert!(t.is_signed_by_sender());
    assert!(!key(8).sign_account(payload).unwrap().is_signed_by_sender());
    t.payload.nonce = 1;
    assert!(!t.is_signed_by_sender());
    t.payload.nonce = 0;
    t.signature[64] -= 27;
    assert!(!t.is_signed_by_sender());
}

#[test]
fn the_zero_address_is_no_paymaster() {
    let mut t = AccountTransaction::default();
    assert!(Transaction::decode(&t.encode()).is_ok());
    t.payload.paymaster = Some([0; 20]);
    let DecodeError::Malformed(fault) = Transaction::decode(&t.encode()).unwrap_err() else { panic!() };
    assert_eq!((fault.field, fault.problem), ("paymaster", Problem::Value(0)));
}

#[test]
fn s_in_the_upper_half_is_no_signature() {
    let signed = key(1).sign(dynamic()).unwrap();
    let order = hex32("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let minus = |s: [u8; 32]| {
        let (n, s) = (Word::from_be_bytes(order), Word::from_be_bytes(s));
        lathe_vm::machine::alu::sub(n, s).to_be_bytes()
    };
    let high = minus(signed.signature.s());
    // The same signature in its other form, which Ethereum refuses since EIP-2; it does not even fit.
    assert_eq!(Signature::new(signed.signature.r, high, !signed.signature.odd()), None);
    let half = hex32("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
    let digest = signed.payload.signing_hash();
    let with = |s| Signature::new(signed.signature.r, s, false).unwrap().signer(digest);
    assert!(with(half).is_some());
    assert_eq!(with(minus(half)), None);
    assert_eq!(with([0; 32]), None);
}

#[test]
fn what_cannot_be_posted_is_refused_by_name() {
    let raw = key(0x46).sign(example()).unwrap().to_raw();
    let at = raw.iter().rposition(|b| *b == 0x25).unwrap();
    let refused = |raw: &[u8]| Transaction::from_raw(raw).unwrap_err();
    assert_eq!(refused(&[&raw[..at], &[27], &raw[at + 1..]].concat()), RawError::Unprotected);
    let error = refused(&[&raw[..at], &[34], &raw[at + 1..]].concat());
    assert_eq!(error.to_string(), "v: the value 34 is not allowed here");
    for first in [0x00, 0x03, 0x04, 0x7e, 0x80, 0xbf] {
        let error = refused(&[first, 0xc0]);
        assert_eq!(
            (error, error.reason()),
            (DecodeError::Unsupported(first).into(), Reason::UnsupportedType)
        );
    }
    assert_eq!(refused(&[]).reason(), Reason::Malformed);
}

/// A list of at most 255 bytes.
fn list(items: &[u8]) -> Vec<u8> {
    let head: &[u8] = if items.len() < 56 { &[0xc0 + items.len() as u8] } else { &[0xf8, items.len() as u8] };
    [head, items].concat()
}

/// The body of an EIP-1559 transaction with one item of its list replaced.
fn with_item(at: usize, item: &[u8]) -> Vec<u8> {
    let mut items: Vec<&[u8]> =
        vec![&[0x82, 0x10, 0x6f], &[9], &[1], &[2], &[0x82, 0x52, 0x08], &[0x80], &[0x80], &[0x80], &[0xc0]];
    items[at] = item;
    [&[kind::EIP1559][..], &list(&items.concat()), &[1; 64]].concat()
}

#[test]
fn every_departure_from_the_one_encoding_is_refused() {
    assert!(Transaction::decode(&with_item(1, &[9])).is_ok());
    let nine = [&[0x89][..], &[1; 9]].concat();
    let seventeen = [&[0x91][..], &[1; 17]].concat();
    let thirty_three = [&[0xa1][..], &[1; 33]].concat();
    let short_address = [&[0x93][..], &[1; 19]].concat();
    let access_list = |address: usize, slot: usize| {
        let slots = list(&[&[0x80 + slot as u8][..], &vec![1; slot]].concat());
        list(&list(&[&[0x80 + address as u8][..], &vec![1; address], &slots].concat()))
    };
    let good = access_list(20, 32);
    assert!(Transaction::decode(&with_item(8, &good)).is_ok());
    let cases: &[(usize, &[u8], &str)] = &[
        (1, &[0x00], "nonce: an integer begins with a zero byte"),
        (1, &[0x81, 0x09], "nonce: non-canonical single byte"),
        (1, &[0x82, 0x00, 0x09], "nonce: an integer begins with a zero byte"),
        (1, &[0xb8, 0x01, 0x80], "nonce: non-canonical size"),
        (1, &[0xc0], "nonce: unexpected list"),
        (1, &nine, "nonce: an integer of 9 bytes, at most 8 are allowed"),
        (3, &seventeen, "maxFeePerGas: an integer of 17 bytes, at most 16 are allowed"),
        (5, &short_address, "to: 19 bytes, expected 20"),
        (6, &thirty_three, "value: an integer of 33 bytes, at most 32 are allowed"),
        (8, &[0x80], "accessList: unexpected string"),
        (8, &[0xc1, 0x80], "accessList: unexpected string"),
        (8, &[0xc1, 0xc0], "accessList: input too short"),
        (8, &[], "accessList: input too short"),
        (8, &[0xc0, 0x01], "transaction: 1 bytes are left behind the last field"),
    ];
    for (at, item, message) in cases {
        let error = Transaction::decode(&with_item(*at, item)).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.reason()), (*message, Reason::Malformed));
    }
    for (address, slot) in [(19, 32), (21, 32), (20, 31), (20, 33)] {
        let error = Transaction::decode(&with_item(8, &access_list(address, slot))).unwrap_err();
        assert!(error.to_string().starts_with("accessList: "), "{error}");
    }
}

#[test]
fn a_legacy_payload_ends_as_eip_155_has_it() {
    let good = key(1).sign(example()).unwrap().encode();
    assert!(Transaction::decode(&good).is_ok());
    // Without chain id, r and s it is the unprotected form.
    let mut bare = good.clone();
    let end = good.len() - 64;
    bare.drain(end - 3..end);
    bare[0] -= 3;
    assert_eq!(Transaction::decode(&bare).unwrap_err().to_string(), "chainId: input too short");
    let mut seven = good.clone();
    seven[end - 1] = 7;
    assert_eq!(Transaction::decode(&seven).unwrap_err().to_string(), "s: 1 bytes, expected 0");
}

#[test]
fn prices_are_those_of_eip_1559() {
    let fees = Fees { max_priority: 3, max: 10 };
    let price = |base: u128| fees.effective(Word::from(base));
    assert_eq!([0, 7, 8, 10].map(price), [3, 10, 10, 10].map(Word::from));
    let huge = Fees { max_priority: u128::MAX, max: u128::MAX };
    assert_eq!(huge.effective(Word::from(u128::MAX)), Word::from(u128::MAX));
    let top = (1u128 << 64) - 1;
    assert_eq!(huge.most(u64::MAX), Word::new(top - 1, u128::MAX - top + 1));
}

#[test]
fn intrinsic_gas_counts_posted_bytes() {
    let gas = |p: Payload| intrinsic_gas(&Transaction::Signed(key(1).sign(p).unwrap()));
    assert_eq!(gas(example()), 21_000);
    assert_eq!(gas(dynamic()), 21_000 + 3 * 16);
    assert_eq!(gas(Payload { to: None, ..dynamic() }), 21_000 + 3 * 16 + 32_000);
    let access_list = vec![AccessItem { address: [1; 20], slots: vec![[2; 32]] }];
    // 21 bytes of address, a list of 33 bytes, and the header of the item.
    assert_eq!(gas(sample(Kind::Eip2930 { gas_price: 1, access_list })), 21_000 + 16 * (3 + 1 + 21 + 1 + 33));
    let t = AccountTransaction {
        payload: AccountPayload { data: vec![0; 5], paymaster_input: vec![0; 7], ..Default::default() },
        signature: vec![0; 65],
    };
    assert_eq!(intrinsic_gas(&Transaction::Account(t)), 31_000 + 16 * (5 + 7 + 65));
    let op = PriorityOperation { data: vec![0; 9], ..Default::default() };
    assert_eq!(intrinsic_gas(&Transaction::Priority(op)), 21_000 + 16 * 9);
}

#[test]
fn reasons_have_the_numbers_of_their_place() {
    for (i, reason) in REASONS.into_iter().enumerate() {
        assert_eq!(usize::from(reason.number()), i + 1);
        assert_eq!(reason.outcome(), 0x100 + i as u64 + 1);
        assert_eq!(Reason::from_number(i as u64 + 1), Some(reason));
    }
    assert_eq!(Reason::from_number(0), None);
    assert_eq!(Reason::from_number(18), None);
}
