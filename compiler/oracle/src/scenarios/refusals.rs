//! Transactions that Ethereum does not begin: they stand in a block here, and must do nothing.
use crate::chain::ledger::{Outcome, Refusal};
use crate::chain::pair::{Action, Chains, Intent};
use crate::chain::wallet::{Fee, Unsigned, Wallet};
use crate::draw::ACCOUNTS;
use crate::stage::{Scene, number};
use lathe_vm::word::Word;

/// Every reason, each between transactions that go through.
pub fn transactions_that_ethereum_refuses_change_nothing(s: &mut Scene<Chains>) {
    let (contract, last) = (Wallet::new(7).address(), Wallet::new(8).address());
    s.stage.endow(contract, Word::from(1 << 60), 1);
    s.stage.install(contract);
    s.stage.endow(last, Word::from(1 << 60), u64::MAX);
    let token = s.deploy("SoladyErc20", &[number(1000)], 0);
    let poor = Wallet::new(9).address();
    let base = u128::from(s.stage.block.base_fee);
    assert!(s.pay(0, poor, 1_000_000));
    let call = |to: [u8; 20]| Action::Call { to, data: Vec::new() };
    let usual = |s: &Scene<Chains>, from| s.stage.intent(from, Word::from(1), call(ACCOUNTS[2]));
    let next = |s: &Scene<Chains>, from| s.stage.next_nonce(from);
    let dynamic = |max, priority| Fee::Dynamic { max, priority, list: Vec::new() };

    for (why, change) in [
        (Refusal::NonceTooLow, Intent { nonce: Some(0), ..usual(s, 0) }),
        (Refusal::NonceTooHigh, Intent { nonce: Some(next(s, 0) + 1), ..usual(s, 0) }),
        (Refusal::ChainId, Intent { chain_id: Some(1), ..usual(s, 0) }),
        (Refusal::FeeBelowBase, Intent { fee: Fee::Legacy(base - 1), ..usual(s, 0) }),
        (Refusal::FeeBelowBase, Intent { fee: Fee::AccessList(0, Vec::new()), ..usual(s, 0) }),
        (Refusal::FeeBelowBase, Intent { fee: dynamic(base - 1, 0), ..usual(s, 0) }),
        (Refusal::PriorityAboveFee, Intent { fee: dynamic(base + 1, base + 2), ..usual(s, 0) }),
        (Refusal::IntrinsicGas, Intent { gas: 100, ..usual(s, 0) }),
        (Refusal::IntrinsicGas, Intent { gas: 0, ..usual(s, 0) }),
        (Refusal::SenderHasCode, usual(s, 7)),
        (Refusal::NonceAtMaximum, usual(s, 8)),
        (Refusal::NonceTooLow, Intent { nonce: Some(u64::MAX - 1), ..usual(s, 8) }),
        (Refusal::Balance, usual(s, 9)),
        (Refusal::Balance, Intent { value: Word::new(1, 0), ..usual(s, 1) }),
        (Refusal::Balance, Intent { fee: Fee::Legacy(1 << 100), ..usual(s, 1) }),
        (Refusal::Balance, Intent { fee: Fee::Legacy(u128::MAX), ..usual(s, 1) }),
    ] {
        let told = change.told();
        let block = [usual(s, 1), change, usual(s, 3)];
        let receipts = s.stage.run(&block).unwrap_or_else(|trouble| panic!("{told}\n{trouble}"));
        let outcomes: Vec<Outcome> = receipts.iter().map(|receipt| receipt.outcome).collect();
        assert_eq!(outcomes, [Outcome::Success, Outcome::Refused(why), Outcome::Success], "{told}");
    }
    one_block_is_full(s);
    bytes_that_are_no_transaction(s);

    // A gap is closed in the same block, and the transaction that came too early may come again.
    let ahead = Intent { nonce: Some(next(s, 0) + 1), ..usual(s, 0) };
    let block = [ahead.clone(), usual(s, 0), ahead];
    let receipts = s.stage.run(&block).unwrap_or_else(|trouble| panic!("{trouble}"));
    let succeeded: Vec<bool> = receipts.iter().map(|receipt| receipt.succeeded()).collect();
    assert_eq!(succeeded, [false, true, true]);
    // A wallet spends all it has, to the last wei that is not gas.
    let last = Intent { fee: Fee::Legacy(base), gas: 100_000, value: Word::from(300_001), ..usual(s, 9) };
    let told = s.stage.run_one(last).unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(told.outcome, Outcome::Refused(Refusal::Balance), "700,000 for gas and a wei too many");
    let last = Intent { fee: Fee::Legacy(base), gas: 100_000, value: Word::from(300_000), ..usual(s, 9) };
    let told = s.stage.run_one(last).unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(told.outcome, Outcome::Success);
    s.ok(0, token, "totalSupply", &[]);
}

/// A transaction may ask for all gas of a block, and for no more; what those before it used counts.
fn one_block_is_full(s: &mut Scene<Chains>) {
    let limits = s.deploy("Limits", &[], 0);
    let usual = s.stage.block.gas_limit;
    s.stage.block.gas_limit = 10_000_000;
    for (gas, why) in [(10_000_001, Some(Refusal::BlockGas)), (10_000_000, None)] {
        let action = Action::Call { to: ACCOUNTS[0], data: Vec::new() };
        let intent = Intent { gas, ..s.stage.intent(1, Word::ZERO, action) };
        let receipt = s.stage.run_one(intent).unwrap_or_else(|trouble| panic!("{trouble}"));
        assert_eq!(receipt.outcome, why.map_or(Outcome::Success, Outcome::Refused));
    }
    // It takes all its gas, on every machine.
    let burn = Action::Call { to: limits.address, data: limits.data("burn", &[]) };
    let first = Intent { gas: 6_000_000, ..s.stage.intent(1, Word::ZERO, burn) };
    let action = Action::Call { to: ACCOUNTS[0], data: Vec::new() };
    let rest = |from, gas| Intent { gas, ..s.stage.intent(from, Word::ZERO, action.clone()) };
    let block = [first, rest(2, 4_000_001), rest(3, 4_000_000)];
    let receipts = s.stage.run(&block).unwrap_or_else(|trouble| panic!("{trouble}"));
    let outcomes: Vec<Outcome> = receipts.iter().map(|receipt| receipt.outcome).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Refused(Refusal::BlockGas), Outcome::Success]);
    s.stage.block.gas_limit = usual;
}

/// Bytes in a transaction's place, and signatures of nobody.
fn bytes_that_are_no_transaction(s: &mut Scene<Chains>) {
    let signed = |s: &Scene<Chains>, fee: Fee| {
        Wallet::new(1).sign(&Unsigned {
            chain_id: s.stage.block.chain_id,
            nonce: s.stage.next_nonce(1),
            fee,
            gas: 100_000,
            to: Some(ACCOUNTS[0]),
            value: Word::from(1),
            data: b"data".to_vec(),
        })
    };
    let dynamic = signed(s, Fee::Dynamic { max: 100, priority: 1, list: Vec::new() });
    let mut cut = dynamic.clone();
    cut.pop();
    let mut longer = dynamic.clone();
    longer.push(0);
    // The last 32 bytes are s: none at all, and one in the upper half of the range (EIP-2).
    let (mut zero, mut high) = (dynamic.clone(), dynamic.clone());
    let at = dynamic.len() - 32;
    zero[at..].fill(0);
    high[at..].fill(0xff);
    high[at] = 0x7f;
    for raw in [cut, longer, zero, high] {
        let told = hex::encode(&raw);
        let receipt = s.stage.run_one(s.stage.intent(1, Word::ZERO, Action::Raw(raw)));
        let receipt = receipt.unwrap_or_else(|trouble| panic!("{told}: {trouble}"));
        assert!(matches!(receipt.outcome, Outcome::Refused(_)), "{told}: {:?}", receipt.outcome);
    }
}
