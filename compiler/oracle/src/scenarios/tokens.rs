//! Tokens of three libraries as their users use them.
use crate::abi::Value;
use crate::chain::pair::Chains;
use crate::chain::wallet::Wallet;
use crate::draw::{ACCOUNTS, address_word};
use crate::stage::{Scene, Stage, address, bytes, number};
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

fn most() -> Value {
    Value::Word(Word::new(u128::MAX, u128::MAX))
}

/// Transfers, allowances, and what goes beyond them, of each library's ERC-20.
pub fn erc20_transfers_and_allowances<S: Stage>(s: &mut Scene<S>) {
    for name in ["OzErc20", "SolmateErc20", "SoladyErc20"] {
        let token = s.deploy(name, &[number(1_000_000)], 0);
        let who = |i: usize| address(ACCOUNTS[i]);
        s.ok(0, token, "transfer", &[who(1), number(400_000)]);
        s.ok(1, token, "transfer", &[who(1), number(5)]);
        s.ok(1, token, "transfer", &[who(2), number(0)]);
        s.fails(2, token, "transfer", &[who(1), number(1)]);
        s.ok(1, token, "approve", &[who(3), number(1000)]);
        s.ok(3, token, "transferFrom", &[who(1), who(2), number(600)]);
        s.fails(3, token, "transferFrom", &[who(1), who(2), number(401)]);
        s.ok(1, token, "approve", &[who(3), most()]);
        s.ok(3, token, "transferFrom", &[who(1), who(0), number(100_000)]);
        s.fails(3, token, "transferFrom", &[who(1), who(0), most()]);
        assert_eq!(s.ok(3, token, "allowance", &[who(1), who(3)]), Word::new(u128::MAX, u128::MAX));
        assert_eq!(s.ok(0, token, "balanceOf", &[who(1)]), Word::from(299_400));
        for text in ["name", "symbol", "decimals", "totalSupply"] {
            s.ok(0, token, text, &[]);
        }
        // To nobody: refused by OpenZeppelin alone.
        s.send(0, token.address, 0, token, "transfer", &[address([0; 20]), number(1)]);
        // Wei that no function takes.
        assert!(!s.send(0, token.address, 1, token, "transfer", &[who(1), number(1)]).succeeded);
        assert!(!s.pay(0, token.address, 1));
    }
}

/// Permits that others carry, roles of an owner, and a pause.
pub fn erc20_permits_and_pauses(s: &mut Scene<Chains>) {
    let token = s.deploy("OzErc20Full", &[], 0);
    let who = |i: usize| address(ACCOUNTS[i]);
    s.ok(0, token, "mint", &[who(1), number(1000)]);
    s.fails(1, token, "mint", &[who(1), number(1000)]);
    let separator = s.ok(0, token, "DOMAIN_SEPARATOR", &[]);
    let permit = |nonce: u128, deadline: u128| {
        let kind = Keccak256::digest(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
        );
        let mut message = kind.to_vec();
        let words = [
            address_word(ACCOUNTS[1]),
            address_word(ACCOUNTS[2]),
            Word::from(300),
            Word::from(nonce),
            Word::from(deadline),
        ];
        words.iter().for_each(|word| message.extend(word.to_be_bytes()));
        let digest = Keccak256::new()
            .chain_update([0x19, 1])
            .chain_update(separator.to_be_bytes())
            .chain_update(Keccak256::digest(&message))
            .finalize();
        let signature = Wallet::new(1).sign_digest(digest.into());
        let part = |at: usize| Value::Word(Word::from_first_bytes(&signature[at..]).unwrap_or_default());
        [who(1), who(2), number(300), number(deadline), number(signature[64].into()), part(0), part(32)]
    };
    let later = u128::from(s.stage.block.timestamp) + 1_000_000;
    s.fails(3, token, "permit", &permit(1, later));
    s.fails(3, token, "permit", &permit(0, 1));
    s.ok(3, token, "permit", &permit(0, later));
    s.fails(3, token, "permit", &permit(0, later));
    s.ok(2, token, "transferFrom", &[who(1), who(3), number(200)]);
    s.ok(2, token, "burnFrom", &[who(1), number(50)]);
    s.fails(2, token, "burnFrom", &[who(1), number(51)]);
    s.ok(0, token, "setPaused", &[number(1)]);
    s.fails(3, token, "transfer", &[who(1), number(1)]);
    s.ok(0, token, "transferOwnership", &[who(3)]);
    s.fails(0, token, "setPaused", &[number(0)]);
    s.ok(3, token, "setPaused", &[number(0)]);
    s.ok(3, token, "transfer", &[who(1), number(1)]);
}

/// Tokens with ids: minted, approved, moved to accounts and to contracts that take them or not.
pub fn erc721_tokens_change_hands<S: Stage>(s: &mut Scene<S>) {
    let receiver = s.deploy("Receiver", &[], 0);
    for name in ["OzErc721", "SolmateErc721", "SoladyErc721"] {
        let token = s.deploy(name, &[], 0);
        let who = |i: usize| address(ACCOUNTS[i]);
        for id in 1..=4 {
            s.ok(0, token, "mint", &[who(1), number(id)]);
        }
        s.fails(0, token, "mint", &[who(2), number(1)]);
        s.fails(2, token, "transferFrom", &[who(1), who(2), number(1)]);
        s.ok(1, token, "approve", &[who(2), number(1)]);
        s.ok(2, token, "transferFrom", &[who(1), who(2), number(1)]);
        s.fails(2, token, "transferFrom", &[who(2), who(3), number(2)]);
        s.ok(1, token, "setApprovalForAll", &[who(3), number(1)]);
        s.ok(3, token, "safeTransferFrom", &[who(1), who(0), number(2)]);
        // The receiver's fallback answers with other words than the standard's.
        s.fails(1, token, "safeTransferFrom", &[who(1), address(receiver.address), number(3)]);
        s.fails(1, token, "safeTransferFrom", &[who(1), address(token.address), number(3)]);
        s.ok(1, token, "transferFrom", &[who(1), address(receiver.address), number(3)]);
        s.ok(1, token, "burn", &[number(4)]);
        s.fails(1, token, "burn", &[number(4)]);
        s.ok(0, token, "balanceOf", &[who(1)]);
        s.send(0, token.address, 0, token, "tokenURI", &[number(2)]);
        s.send(0, token.address, 0, token, "ownerOf", &[number(4)]);
    }
}

/// Tokens with ids and amounts, alone and in batches.
pub fn erc1155_batches_move<S: Stage>(s: &mut Scene<S>) {
    let receiver = s.deploy("Receiver", &[], 0);
    let list = |numbers: &[u128]| Value::List(numbers.iter().map(|n| number(*n)).collect());
    for name in ["OzErc1155", "SolmateErc1155", "SoladyErc1155"] {
        let token = s.deploy(name, &[], 0);
        let who = |i: usize| address(ACCOUNTS[i]);
        for (id, amount) in [(1, 100), (2, 50), (3, 7)] {
            s.ok(0, token, "mint", &[who(1), number(id), number(amount), bytes(b"new")]);
        }
        s.fails(0, token, "mint", &[address(receiver.address), number(1), number(1), bytes(&[])]);
        let batch = |from: usize, to: usize, amounts: &[u128]| {
            [who(from), who(to), list(&[1, 2, 3]), list(amounts), bytes(b"batch")]
        };
        s.fails(2, token, "safeBatchTransferFrom", &batch(1, 2, &[1, 1, 1]));
        s.ok(1, token, "setApprovalForAll", &[who(2), number(1)]);
        s.ok(2, token, "safeBatchTransferFrom", &batch(1, 2, &[10, 50, 0]));
        s.fails(2, token, "safeBatchTransferFrom", &batch(1, 3, &[10, 1, 0]));
        s.fails(1, token, "safeBatchTransferFrom", &batch(1, 3, &[10, 1]));
        s.ok(1, token, "safeTransferFrom", &[who(1), who(3), number(3), number(7), bytes(&[])]);
        let owners = Value::List(vec![who(1), who(2), who(3)]);
        s.ok(0, token, "balanceOfBatch", &[owners, list(&[1, 2, 3])]);
        s.ok(0, token, "uri", &[number(3)]);
    }
}
