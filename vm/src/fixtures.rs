//! Ready-made batches for tests, the demo and the benchmark: genesis, code and records, all deterministic.
//! Signed transactions are made by the server; these are the records that come out of them.
use crate::batch::Record;
use crate::code::CodeStore;
use crate::programs;
use crate::replay::BlockParams;
use crate::state::{CellId, StateError, Tree};
use crate::word::Word;

/// Where the token lives.
pub const TOKEN: [u8; 20] = [0x70; 20];
/// Where the mapping program lives.
pub const MAPPING: [u8; 20] = [0x6d; 20];
/// Who may mint.
pub const OWNER: [u8; 20] = [0x0a; 20];
/// Slot of the token's owner.
pub const OWNER_SLOT: Word = Word { hi: 1 << 127, lo: 0 };
/// What every sender holds at genesis.
pub const START_BALANCE: u128 = 1_000_000;

/// A state, its code and a batch for it.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// State before the batch.
    pub tree: Tree,
    /// Code that the state names.
    pub codes: CodeStore,
    /// The batch.
    pub records: Vec<Record>,
    /// Its block.
    pub params: BlockParams,
}

/// The `i`-th sender.
pub fn sender(i: u8) -> [u8; 20] {
    account(0x5e, i)
}

/// The `i`-th receiver; unknown to the genesis state.
pub fn receiver(i: u8) -> [u8; 20] {
    account(0x4e, i)
}

fn account(tag: u8, i: u8) -> [u8; 20] {
    let mut out = [tag; 20];
    out[19] = i;
    out
}

/// An address as a word: the token's storage slot of its holder.
pub fn word(address: [u8; 20]) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}

/// Selector and arguments in the ABI's layout.
pub fn abi(selector: [u8; 4], arguments: &[Word]) -> Vec<u8> {
    let mut out = selector.to_vec();
    arguments.iter().for_each(|w| out.extend_from_slice(&w.to_be_bytes()));
    out
}

/// `transfer(to, amount)`
pub fn transfer(to: [u8; 20], amount: u128) -> Vec<u8> {
    abi([0xa9, 0x05, 0x9c, 0xbb], &[word(to), Word::from(amount)])
}

/// `mint(to, amount)`
pub fn mint(to: [u8; 20], amount: u128) -> Vec<u8> {
    abi([0x40, 0xc1, 0x0f, 0x19], &[word(to), Word::from(amount)])
}

/// `balanceOf(holder)`
pub fn balance_of(holder: [u8; 20]) -> Vec<u8> {
    abi([0x70, 0xa0, 0x82, 0x31], &[word(holder)])
}

/// Calldata of the mapping program.
pub fn mapping_call(operation: u128, key: u128, value: u128) -> Vec<u8> {
    [operation, key, value].iter().flat_map(|x| Word::from(*x).to_be_bytes()).collect()
}

/// The genesis of all fixtures: token with owner and sixteen funded senders, mapping program.
///
/// # Errors
/// Those of [`Tree::from_cells`]; there are none for these cells.
pub fn genesis() -> Result<(Tree, CodeStore), StateError> {
    let mut codes = CodeStore::new();
    let mut cells = vec![
        (CellId::code_hash(TOKEN), codes.insert(programs::token().clone())),
        (CellId::code_hash(MAPPING), codes.insert(programs::mapping().clone())),
        (CellId::storage(TOKEN, OWNER_SLOT), word(OWNER)),
    ];
    for i in 0..16 {
        cells.push((CellId::storage(TOKEN, word(sender(i))), Word::from(START_BALANCE)));
        cells.push((CellId::nonce(sender(i)), Word::from(u128::from(i) + 1)));
    }
    Ok((Tree::from_cells(cells)?, codes))
}

/// The block of all fixtures.
pub fn params() -> BlockParams {
    BlockParams {
        protocol_version: 0,
        chain_id: 4207,
        number: 1,
        timestamp: 1_700_000_000,
        base_fee: Word::from(1_000_000_000),
        gas_limit: 30_000_000,
        prevrandao: Word::new(7, 11),
        l1_gas_price: Word::from(2_000_000_000),
        past_block_hashes: Word::ZERO,
        fee_recipient: account(0xfe, 1),
    }
}

fn fixture(records: Vec<Record>) -> Result<Fixture, StateError> {
    let (tree, codes) = genesis()?;
    Ok(Fixture { tree, codes, records, params: params() })
}

/// `count` (at most 16) transfers, each with its own sender and a fresh receiver.
///
/// # Errors
/// As [`genesis`].
pub fn transfers(count: u8) -> Result<Fixture, StateError> {
    let record = |i: u8| Record {
        nonce: u64::from(i) + 1,
        from: sender(i),
        to: TOKEN,
        data: transfer(receiver(i), 1000 + u128::from(i)),
    };
    fixture((0..count.min(16)).map(record).collect())
}

/// A batch in which everything happens that a record can do: see the comments.
///
/// # Errors
/// As [`genesis`].
pub fn mixed() -> Result<Fixture, StateError> {
    let call = |nonce, from, to, data| Record { nonce, from, to, data };
    fixture(vec![
        call(2, sender(1), MAPPING, mapping_call(1, 5, 77)),
        // Hashes its calldata, which must begin on a word of the posted bytes: 48 + 96 + 48 is a multiple of 32.
        call(3, sender(1), MAPPING, mapping_call(5, 1, 2)),
        call(0, OWNER, TOKEN, mint(sender(0), 500)),
        call(1, sender(0), TOKEN, transfer(receiver(0), START_BALANCE + 500)),
        // More than is there: reverts before any write.
        call(2, sender(0), TOKEN, transfer(receiver(0), 1)),
        // Wrong nonce: skipped.
        call(9, sender(1), TOKEN, transfer(receiver(1), 1)),
        // Not the owner.
        call(3, sender(2), TOKEN, mint(sender(2), 1)),
        // Reverts after three writes, two of them to the cell set above.
        call(4, sender(1), MAPPING, mapping_call(4, 5, 78)),
        call(5, sender(1), MAPPING, mapping_call(2, 5, 0)),
        call(6, sender(1), MAPPING, mapping_call(3, 12345, 678)),
        // No code there: succeeds without a call.
        call(4, sender(3), receiver(9), vec![1, 2, 3]),
        // Short calldata.
        call(5, sender(3), TOKEN, transfer(receiver(3), 1)[..40].to_vec()),
        call(6, sender(3), TOKEN, Vec::new()),
        // To oneself.
        call(7, sender(3), TOKEN, transfer(sender(3), 10)),
        call(8, sender(3), TOKEN, balance_of(sender(3))),
    ])
}
