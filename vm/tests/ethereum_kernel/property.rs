//! Kernel and host agree on every record: whatever bytes are posted, each is skipped for the reason that the host finds or
//! does what it says, no wei come from nowhere, and the batch comes to its end.
use super::*;
use lathe_vm::ethereum::creation::CreationData;
use lathe_vm::ethereum::intake::Intake;
use lathe_vm::ethereum::transaction::{
    AccessItem, AccountPayload, AccountTransaction, PriorityOperation, Transaction, is_signed,
};
use lathe_vm::ethereum::{Reason, Receipt};
use lathe_vm::machine::{StateRead, alu};
use lathe_vm::state::{Touched, kind as cell_kind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Most gas of a validation.
const VALIDATION_GAS: u64 = intrinsic::VALIDATION;

/// Says yes to all that it is asked, and can do nothing else.
const ACCEPTS: [u8; 20] = [0xac; 20];
const REFUSES: [u8; 20] = [0xa0; 20];
const BURNS: [u8; 20] = [0xbb; 20];
const ZERO: [u8; 20] = [0; 20];

/// Rich, poor, at the last nonce, with code.
fn keys() -> [Key; 4] {
    [0xa1, 2, 3, 4].map(|fill| Key::new([fill; 32]).unwrap())
}

fn world() -> Genesis {
    let [_, poor, last, contract] = keys().map(|k| k.address());
    let accepts = "cdload [1], [90]\n bits [1], [1], 224, 32\n shli [1], [1], 224\n st [1], [90], 0
        seti [2], 32\n return [90], [2]";
    genesis()
        .balance(poor, num(21_000 * 100))
        .balance(last, num(ETHER))
        .nonce(last, u64::MAX)
        .contract(contract, programs::token().clone())
        .balance(contract, num(ETHER))
        .contract(ACCEPTS, text(accepts))
        .balance(ACCEPTS, num(ETHER))
        .contract(REFUSES, text("seti [1], 1\n sstore [1], [1]\n revert [90], [90]"))
        .balance(REFUSES, num(ETHER))
        .contract(BURNS, text("l: jmp l"))
        .balance(ZERO, num(ETHER))
}

/// A state and the cells that a batch has accessed since.
struct View<'a> {
    tree: &'a Tree,
    touched: &'a [Touched],
}

impl StateRead for View<'_> {
    fn read(&self, cell: &CellId) -> Word {
        let key = cell.key();
        let found = self.touched.iter().find(|t| t.key == key);
        found.map_or_else(|| self.tree.get_cell(cell), |t| t.new_value)
    }
}

#[derive(Clone, Debug)]
enum Twist {
    None,
    /// One byte is another.
    Byte(Index, u8),
    /// The rest is missing.
    Cut(Index),
    /// There is more.
    More(Vec<u8>),
    /// A field has this encoding; what remains is signed.
    Field(Index, Vec<u8>),
    /// These bytes behind the first one.
    Raw(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Plan {
    /// Legacy, EIP-2930, EIP-1559, account transaction, priority operation, first byte of no type.
    form: u8,
    sender: usize,
    signer: usize,
    /// From the nonce that the sender has.
    nonce: i8,
    chain: u64,
    fees: (u128, u128),
    gas: u64,
    to: Option<[u8; 20]>,
    value: Word,
    data: Vec<u8>,
    paymaster: Option<[u8; 20]>,
    twist: Twist,
}

/// Encodings of fields, right and wrong in many ways.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let string = |prefix: Vec<u8>, len: usize| [prefix, vec![0x11; len]].concat();
    let fixed = vec![
        vec![],
        vec![0x80],
        vec![0x00],
        vec![0x7f],
        vec![0x81, 0x7f],
        vec![0x81, 0x80],
        vec![0x82, 0x00, 0x80],
        vec![0x82, 0x01, 0x00],
        [vec![0x88], vec![0xff; 8]].concat(),
        [vec![0x89, 1], vec![0; 8]].concat(),
        [vec![0x90], vec![0xff; 16]].concat(),
        [vec![0x91, 1], vec![0; 16]].concat(),
        [vec![0xa0], vec![0xff; 32]].concat(),
        [vec![0xa0, 0], vec![0xff; 31]].concat(),
        [vec![0xa0, 1], vec![0; 31]].concat(),
        [vec![0xa1, 1], vec![0; 32]].concat(),
        string(vec![0x93], 19),
        string(vec![0x94], 20),
        [vec![0x94], vec![0; 20]].concat(),
        string(vec![0x95], 21),
        string(vec![0xb7], 55),
        string(vec![0xb8, 55], 55),
        string(vec![0xb8, 56], 56),
        string(vec![0xb9, 0, 56], 56),
        string(vec![0xb9, 1, 0], 256),
        string(vec![0xbb, 0, 0, 0, 56], 56),
        vec![0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0xc0],
        vec![0xc1, 0xc0],
        string(vec![0xd5, 0x94], 20),
        [string(vec![0xd6, 0x94], 20), vec![0xc0]].concat(),
        [string(vec![0xd7, 0xd6, 0x94], 20), vec![0xc0]].concat(),
        [string(vec![0xf7, 0xf6, 0x94], 20), string(vec![0xe1, 0xa0], 32)].concat(),
        [string(vec![0xf8, 0x38, 0xf7, 0x94], 20), string(vec![0xe1, 0xa0], 32)].concat(),
        [string(vec![0xf7, 0xf6, 0x94], 20), string(vec![0xe1, 0x9f], 31), vec![0x80]].concat(),
        string(vec![0xf8, 55], 55),
    ];
    // A length that leads back over the end of all numbers.
    let wrap = (0xd6..=0xf7u8, 0..8u8).prop_map(|(prefix, high)| {
        let mut out = vec![0xff; 32];
        out[0] = prefix;
        out[25..31].fill(0);
        out[31] = high;
        out
    });
    prop_oneof![4 => select(fixed), 1 => wrap, 1 => vec(any::<u8>(), 1..40)]
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        6 => Just(Twist::None),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(i, b)| Twist::Byte(i, b)),
        1 => any::<Index>().prop_map(Twist::Cut),
        1 => vec(any::<u8>(), 1..40).prop_map(Twist::More),
        3 => (any::<Index>(), field()).prop_map(|(i, f)| Twist::Field(i, f)),
        1 => vec(any::<u8>(), 0..150).prop_map(Twist::Raw),
    ]
}

fn creation() -> Vec<u8> {
    let runtime = text("return [90], [90]");
    let source = format!(
        ".const HASH {}\n const [1], HASH\n st [1], [90], 0\n seti [2], 32\n return [90], [2]",
        runtime.hash_word()
    );
    let page = text(&source);
    let deploy = page.hash_word();
    CreationData { pages: vec![page, runtime], deploy, arguments: Vec::new() }.encode().unwrap()
}

/// One of these, the first more often than not.
fn mostly<T: Clone + std::fmt::Debug + 'static>(first: T, others: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![3 => Just(first), 2 => select(others)]
}

fn plan() -> impl Strategy<Value = Plan> {
    let data = prop_oneof![
        Just(vec![]),
        Just(creation()),
        Just(creation()[..200].to_vec()),
        vec(any::<u8>(), 0..100),
    ];
    let mut precompile = ZERO;
    precompile[19] = 4;
    let tos =
        vec![None, Some(TOKEN), Some(ACCEPTS), Some(REFUSES), Some(BURNS), Some(precompile), Some(ZERO)];
    let values =
        vec![num(1), num(ETHER / 2), num(ETHER), Word::new(u128::MAX, u128::MAX), Word::new(1 << 127, 0)];
    let fees = vec![(0, 7), (7, 7), (0, 6), (101, 100), (0, u128::MAX), (u128::MAX, u128::MAX)];
    let gas = vec![0, 20_999, 21_000, 31_000, 60_000, 3_000_000, 3_000_001, u64::from(u32::MAX), u64::MAX];
    let account = (0..7usize, mostly(0usize, vec![1, 2, 3]), mostly(0i8, vec![-1, 1, -2]));
    let numbers = (mostly(CHAIN, vec![0, 1, u64::MAX]), mostly((2, 100), fees), mostly(300_000, gas));
    let call = (mostly(Some(BOB), tos), mostly(Word::ZERO, values), data);
    let paymaster = mostly(None, vec![Some(ACCEPTS), Some(REFUSES), Some(BOB), Some(BURNS)]);
    let form = prop_oneof![Just(0u8), Just(1), Just(2), Just(3), Just(3), Just(4), Just(5)];
    (form, account, numbers, call, paymaster, twist()).prop_map(
        |(form, (sender, signer, nonce), (chain, fees, gas), (to, value, data), paymaster, twist)| Plan {
            form,
            sender,
            // As a rule who sends signs.
            signer: if signer == 0 { sender % 4 } else { signer },
            nonce,
            chain,
            fees,
            gas,
            to,
            value,
            data,
            paymaster,
            twist,
        },
    )
}

/// The encodings of the fields of a list that is as it should be.
fn fields(list: &[u8]) -> Vec<Vec<u8>> {
    let size = |item: &[u8]| match item[0] {
        0..0x80 => (0, 1),
        p @ 0x80..0xb8 => (1, usize::from(p) - 0x80),
        p @ (0xb8..0xc0 | 0xf8..) => {
            let digits = usize::from(p & 7) + 1;
            (1 + digits, item[1..=digits].iter().fold(0, |n, b| n << 8 | usize::from(*b)))
        }
        p => (1, usize::from(p) - 0xc0),
    };
    let mut rest = &list[size(list).0..];
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (head, length) = size(rest);
        let (item, behind) = rest.split_at(head + length);
        out.push(item.to_vec());
        rest = behind;
    }
    out
}

fn list(fields: &[Vec<u8>]) -> Vec<u8> {
    let items = fields.concat();
    let length = items.len();
    match u8::try_from(length) {
        Ok(n @ 0..56) => [&[0xc0 + n], &items[..]].concat(),
        Ok(n) => [&[0xf8, n], &items[..]].concat(),
        Err(_) => [&[0xf9, (length >> 8) as u8, length as u8], &items[..]].concat(),
    }
}

impl Plan {
    fn from(&self) -> [u8; 20] {
        match self.sender {
            i @ 0..4 => keys()[i].address(),
            4 => ACCEPTS,
            5 => REFUSES,
            _ => ZERO,
        }
    }

    fn fees(&self) -> Fees {
        Fees { max_priority: self.fees.0, max: self.fees.1 }
    }

    fn payload(&self, state: &View) -> Payload {
        let access_list = vec![AccessItem { address: BOB, slots: vec![[7; 32]; self.gas as usize % 3] }];
        let kind = match self.form {
            0 => Kind::Legacy { gas_price: self.fees.1 },
            1 => Kind::Eip2930 { gas_price: self.fees.1, access_list },
            _ => Kind::Eip1559 { fees: self.fees(), access_list },
        };
        let signer = keys()[self.signer].address();
        Payload {
            kind,
            chain_id: self.chain,
            nonce: self.nonce(state, signer),
            gas_limit: self.gas,
            to: self.to,
            value: self.value,
            data: self.data.clone(),
        }
    }

    fn nonce(&self, state: &View, account: [u8; 20]) -> u64 {
        let nonce = state.read(&CellId::nonce(account)).lo as u64;
        if self.nonce == -2 { u64::MAX } else { nonce.wrapping_add_signed(self.nonce.into()) }
    }

    /// The bytes before a signature.
    fn unsigned(&self, state: &View) -> Vec<u8> {
        let to = self.to.unwrap_or(BOB);
        match self.form {
            0..3 => self.payload(state).encode(),
            3 => AccountPayload {
                chain_id: self.chain,
                nonce: self.nonce(state, self.from()),
                fees: self.fees(),
                gas_limit: self.gas,
                from: self.from(),
                to,
                value: self.value,
                data: self.data.clone(),
                paymaster: self.paymaster,
                paymaster_input: self.data.iter().take(7).copied().collect(),
            }
            .encode(),
            4 => PriorityOperation {
                id: 7,
                from: self.from(),
                to,
                minted: self.fees.1 % ETHER,
                value: self.value,
                gas_limit: self.gas.min(1_000_000),
                refund_recipient: BOB,
                data: self.data.clone(),
            }
            .encode(),
            _ => vec![0x03, 0xc0],
        }
    }

    fn sign(&self, mut payload: Vec<u8>) -> Vec<u8> {
        let key = &keys()[self.signer];
        if is_signed(payload[0]) {
            payload.extend(key.sign_digest(keccak(&payload)).unwrap().to_bytes());
        } else if let (0x4c, Ok(t)) = (payload[0], AccountTransaction::decode(&payload)) {
            payload.extend(key.sign_digest(t.payload.digest()).unwrap().to_rsv());
        }
        payload
    }

    /// The body for this state; one that no record can hold becomes another.
    fn body(&self, state: &View) -> Vec<u8> {
        let mut payload = self.unsigned(state);
        let head = usize::from(payload[0] < 0xc0);
        let mut body = match &self.twist {
            Twist::Field(at, encoding) if self.form < 5 => {
                let mut fields = fields(&payload[head..]);
                let at = at.index(fields.len());
                fields[at] = encoding.clone();
                self.sign([&payload[..head], &list(&fields)].concat())
            }
            Twist::Raw(bytes) => {
                payload.truncate(1);
                [payload, bytes.clone()].concat()
            }
            _ => self.sign(payload),
        };
        match &self.twist {
            Twist::Byte(at, byte) => {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            Twist::Cut(at) => body.truncate(at.index(body.len())),
            Twist::More(bytes) => body.extend(bytes),
            _ => {}
        }
        if batch::encode(&[&body]).is_ok() { body } else { vec![0x05] }
    }
}

fn execute(tree: &Tree, codes: &CodeStore, bodies: &[Vec<u8>]) -> Outcome {
    let bytes = batch::encode(bodies).unwrap();
    replay::execute(tree, codes, programs::ethereum(), &block(), &bytes, &LIMITS).unwrap()
}

fn block() -> BlockParams {
    BlockParams { gas_limit: 3_000_000, ..params() }
}

/// What happened to a record is what the host says.
fn agrees(intake: &Intake, before: &View, after: &View, body: &[u8], receipt: &Receipt) {
    let expected = intake.check(before, body);
    let context = || format!("{}: {receipt:?}, expected {expected:?}", hex::encode(body));
    let transaction = match &expected {
        Ok(transaction) => transaction,
        Err(refused) => {
            assert_eq!(receipt.skip_reason, Some(refused.reason), "{}", context());
            return unchanged(before, after);
        }
    };
    match (transaction, receipt.skip_reason) {
        (_, None) => {}
        // Only running them shows it.
        (Transaction::Account(t), Some(Reason::AccountRefused)) => {
            let code = before.read(&CellId::code_hash(t.payload.from));
            assert!(!code.is_zero() && receipt.gas_used <= VALIDATION_GAS, "{}", context());
            return unchanged(before, after);
        }
        (Transaction::Account(t), Some(Reason::PaymasterRefused)) => {
            let gas = receipt.gas_used;
            assert!(t.payload.paymaster.is_some() && gas <= 2 * VALIDATION_GAS, "{}", context());
            return unchanged(before, after);
        }
        _ => panic!("{}", context()),
    }
    if !matches!(transaction, Transaction::Priority(_)) {
        let nonce = CellId::nonce(transaction.sender().unwrap());
        assert_eq!(after.read(&nonce), alu::add(before.read(&nonce), num(1)), "{}", context());
        assert!(receipt.gas_used >= intrinsic::intrinsic_gas(transaction), "{}", context());
    }
    assert!(receipt.gas_used <= transaction.gas_limit(), "{}", context());
}

fn unchanged(before: &View, after: &View) {
    for now in after.touched {
        let then = before.touched.iter().find(|t| t.key == now.key).map(|t| t.new_value);
        let then = then.unwrap_or_else(|| before.tree.get(&now.key));
        assert_eq!(now.new_value, then);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kernel_and_host_agree_on_every_record(plans in vec(plan(), 1..6)) {
        let (tree, codes) = world().build().unwrap();
        let params = block();
        let mut intake = Intake::new(&params);
        let mut bodies = Vec::new();
        let mut before = execute(&tree, &codes, &bodies);
        for plan in plans {
            let view = View { tree: &tree, touched: &before.touched };
            bodies.push(plan.body(&view));
            let after = execute(&tree, &codes, &bodies);
            prop_assert_eq!(after.receipts.len(), bodies.len());
            prop_assert_eq!(&after.receipts[..bodies.len() - 1], &before.receipts);
            let (body, receipt) = (&bodies[bodies.len() - 1], &after.receipts[bodies.len() - 1]);
            agrees(&intake, &view, &View { tree: &tree, touched: &after.touched }, body, receipt);
            intake.include(body, receipt);
            before = after;
        }
        conserves(&tree, &codes, &bodies, &before);
    }
}

/// The whole batch with its trace: hashes, and no wei but those minted.
fn conserves(tree: &Tree, codes: &CodeStore, bodies: &[Vec<u8>], outcome: &Outcome) {
    let bytes = batch::encode(bodies).unwrap();
    let full = replay::replay(tree, codes, programs::ethereum(), &block(), &bytes, &LIMITS).unwrap();
    trace_check::check(&full.trace).unwrap();
    assert_eq!(full.receipts, outcome.receipts);
    let operations = bodies.iter().take_while(|b| b[0] == kind::PRIORITY).map(|b| keccak(b));
    let hashes = [batch::batch_data_hash(&bytes).unwrap(), batch::priority_ops_hash(operations)];
    assert_eq!(outcome.result[..2], hashes.map(Word::from_be_bytes));
    let mut change = Word::ZERO;
    for c in full.trace.state_cells.iter().filter(|c| c.cell.kind == cell_kind::BALANCE) {
        change = alu::sub(alu::add(change, c.new), c.old);
    }
    let ran = bodies.iter().zip(&outcome.receipts).filter(|(_, r)| r.skip_reason.is_none());
    let mut minted = Word::ZERO;
    let mut fees = Word::ZERO;
    for (body, receipt) in ran {
        if let Ok(Transaction::Priority(o)) = Transaction::decode(body) {
            minted = alu::add(minted, num(o.minted));
        }
        let gas = num(receipt.gas_used.into());
        fees = alu::add(fees, alu::mul(gas, receipt.effective_gas_price));
    }
    assert_eq!(change, minted);
    let recipient = View { tree, touched: &outcome.touched }.read(&CellId::balance(OPERATOR));
    assert_eq!(recipient, fees);
}
