//! Contracts one call at a time, outside any batch: for the compiler's tests and for trying programs out.
//! It runs the real machine with all that is executed and not proven yet; what it does is never posted or proven.
use crate::code::CodeStore;
use crate::machine::tracer::{NoTrace, Recorder, Tracer};
use crate::machine::{self, Event, Finished, Halt, HaltKind, Limits, Touched, Watch};
use crate::programs;
use crate::replay::{self, BlockParams};
use crate::state::{CellId, Tree, kind};
use crate::trace::Page;
use crate::trace_check;
use crate::word::Word;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};

pub use crate::machine::{
    CallStatus, Closed, Environment, Log, Opened, Seen, Stopped, contract_address, contract_address_salted,
};

/// A run of more steps than this is not traced: checking a trace takes some thousand bytes for each step.
pub const MAX_TRACED_STEPS: u32 = 1 << 19;

/// A call to be made.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Sender.
    pub from: [u8; 20],
    /// Callee.
    pub to: [u8; 20],
    /// Wei sent along.
    pub value: Word,
    /// Calldata.
    pub data: &'a [u8],
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// By `return`, or the callee has no code.
    Success,
    /// By `revert`.
    Reverted,
    /// By an exceptional halt.
    Halted(HaltKind),
}

/// What a call left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// What the callee handed back.
    pub output: Vec<u8>,
    /// Its logs, if it succeeded.
    pub logs: Vec<Log>,
    /// Steps of the contract's contexts, undo steps included; the kernel's are not counted.
    pub steps: u32,
    /// Gas used; 0 if it is not metered.
    pub gas_used: u32,
}

/// Accounts, their code and storage, and a machine to call them with.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// What contracts can ask about block and transaction.
    pub environment: Environment,
    /// Bounds on one call. A run that breaks one stops with [`Halt::Limit`] and changes nothing.
    pub limits: Limits,
    /// Every run is also traced, its trace checked and its outcome compared; a difference panics, as a test does.
    pub traced: bool,
    /// Gas that each call and deployment gets; without it nothing is metered.
    pub gas: Option<u32>,
    cells: HashMap<CellId, Word, RandomState>,
    codes: CodeStore,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

/// 20 million steps; 64 MiB hashed, 256 MiB moved, 512 MiB held; outputs kept up to 16 MiB.
const LIMITS: Limits = Limits {
    unproven: true,
    max_steps: 20_000_000,
    max_hashed_bytes: 1 << 26,
    max_moved_bytes: 1 << 28,
    max_memory_bytes: 1 << 29,
    // Whether a run is traced must not change where it stops.
    max_trace_bytes: u64::MAX,
    max_input_bytes: 1 << 24,
    max_output_bytes: 1 << 24,
};

/// Set in the kernel's gas word if the call is metered.
const METERED: u128 = 1 << 32;

impl Sandbox {
    /// No accounts; block 1 of chain 1 with a gas limit of 30 million.
    pub fn new() -> Sandbox {
        let environment = Environment {
            number: 1,
            timestamp: 1,
            gas_limit: 30_000_000,
            chain_id: 1,
            blob_base_fee: Word::from(1),
            ..Environment::default()
        };
        Sandbox {
            environment,
            limits: LIMITS,
            traced: false,
            gas: None,
            cells: HashMap::default(),
            codes: CodeStore::new(),
        }
    }

    /// Gives an account its balance.
    pub fn set_balance(&mut self, address: [u8; 20], wei: Word) {
        self.set(CellId::balance(address), wei);
    }

    /// An account's balance.
    pub fn balance(&self, address: [u8; 20]) -> Word {
        self.get(&CellId::balance(address))
    }

    /// An account's nonce: transactions it has sent, and one for having been created.
    pub fn nonce(&self, address: [u8; 20]) -> u64 {
        self.get(&CellId::nonce(address)).lo as u64
    }

    /// Sets an account's nonce.
    pub fn set_nonce(&mut self, address: [u8; 20], nonce: u64) {
        self.set(CellId::nonce(address), Word::from(u128::from(nonce)));
    }

    /// Every state cell that is not zero.
    pub fn cells(&self) -> impl Iterator<Item = (&CellId, &Word)> {
        self.cells.iter()
    }

    /// Makes a page known, so that a deploy page or a creation can name it; answers its hash.
    pub fn add_code(&mut self, page: Page) -> Word {
        let words = Word::from(page.words.len() as u128);
        let hash = self.codes.insert(page);
        self.set(CellId::known_code(hash), words);
        hash
    }

    /// Makes an account with this runtime code; its nonce is at least 1, as every contract's.
    pub fn install(&mut self, address: [u8; 20], page: Page) {
        let hash = self.add_code(page);
        if self.nonce(address) == 0 {
            self.set(CellId::nonce(address), Word::from(1));
        }
        self.set(CellId::code_hash(address), hash);
    }

    /// The code of an account.
    pub fn code(&self, address: [u8; 20]) -> Option<&Page> {
        self.codes.get(self.get(&CellId::code_hash(address))).map(|p| &**p)
    }

    /// A storage slot.
    pub fn storage(&self, address: [u8; 20], slot: Word) -> Word {
        self.get(&CellId::storage(address, slot))
    }

    /// The storage slots of an account that are not zero.
    pub fn storage_slots(&self, address: [u8; 20]) -> BTreeMap<Word, Word> {
        let own = self.cells.iter().filter(|(c, _)| c.kind == kind::STORAGE && c.address == address);
        own.map(|(c, w)| (c.slot, *w)).collect()
    }

    /// Writes a storage slot.
    pub fn set_storage(&mut self, address: [u8; 20], slot: Word, value: Word) {
        self.set(CellId::storage(address, slot), value);
    }

    /// Runs a deploy page with constructor arguments at the sender's next contract address. It halts if the hash that it
    /// hands back is not that of a page made known before. The address is answered if the deployment succeeded.
    ///
    /// # Errors
    /// What stops the machine, or a sender with too little wei.
    pub fn deploy(
        &mut self,
        from: [u8; 20],
        value: Word,
        page: &Page,
        arguments: &[u8],
    ) -> Result<(Answer, Option<[u8; 20]>), Stopped> {
        let (message, hash) = self.creation(from, value, page, arguments);
        let answer = self.run(&message, hash, NoTrace)?;
        Ok(created(answer, message.to))
    }

    /// [`Self::deploy`], with every step told to `tell`.
    ///
    /// # Errors
    /// Those of [`Self::deploy`].
    pub fn deploy_watched(
        &mut self,
        from: [u8; 20],
        value: Word,
        page: &Page,
        arguments: &[u8],
        tell: &mut dyn FnMut(&Seen),
    ) -> Result<(Answer, Option<[u8; 20]>), Stopped> {
        let (message, hash) = self.creation(from, value, page, arguments);
        let answer = self.run(&message, hash, Watch::new(tell))?;
        Ok(created(answer, message.to))
    }

    /// The message that deploys a page, and the page's hash.
    fn creation<'m>(
        &mut self,
        from: [u8; 20],
        value: Word,
        page: &Page,
        arguments: &'m [u8],
    ) -> (Message<'m>, Word) {
        let to = contract_address(from, self.nonce(from));
        (Message { from, to, value, data: arguments }, self.add_code(page.clone()))
    }

    /// Calls an account. The sender's nonce goes up; the value moves unless the call fails. A call to an account
    /// without code succeeds and answers nothing.
    ///
    /// # Errors
    /// What stops the machine, or a sender with too little wei. Nothing has changed then.
    pub fn call(&mut self, message: &Message) -> Result<Answer, Stopped> {
        self.run(message, Word::ZERO, NoTrace)
    }

    /// [`Self::call`], with every step told to `tell`, those of the sandbox's own kernel (context 0) included.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub fn call_watched(
        &mut self,
        message: &Message,
        tell: &mut dyn FnMut(&Seen),
    ) -> Result<Answer, Stopped> {
        self.run(message, Word::ZERO, Watch::new(tell))
    }

    fn run<T: Tracer>(&mut self, m: &Message, deploy: Word, tracer: T) -> Result<Answer, Stopped> {
        let has = self.balance(m.from);
        if has < m.value {
            let missing = machine::alu::sub(m.value, has);
            return Err(Stopped::at_boot(Halt::Balance { missing }));
        }
        let mut input = Vec::with_capacity(192 + m.data.len());
        let gas = self.gas.map_or(Word::ZERO, |gas| Word::from(METERED + u128::from(gas)));
        for word in [word(m.from), word(m.to), m.value, deploy, gas, self.environment.gas_price] {
            input.extend_from_slice(&word.to_be_bytes());
        }
        input.extend_from_slice(m.data);
        let run = self.machine(&input, tracer);
        if self.traced && run.as_ref().map_or_else(|s| s.clock, |r| r.steps) <= MAX_TRACED_STEPS {
            self.compare(input, &run);
        }
        let run = run?;
        for Touched { cell, new, .. } in run.touched.into_iter().filter(|t| t.new != t.old) {
            self.set(cell, new);
        }
        for page in run.published {
            self.codes.insert(Page::clone(&page));
        }
        Ok(answer(run.events, self.gas.unwrap_or_default()))
    }

    fn machine<T: Tracer>(&self, input: &[u8], tracer: T) -> Result<Finished<T>, Stopped> {
        let kernel = programs::sandbox();
        machine::run_with(&self.cells, &self.codes, kernel, &self.environment, input, &self.limits, tracer)
    }

    /// Runs once more with a trace, checks it, and compares the two runs.
    ///
    /// # Panics
    /// If the trace is not sound or the runs differ: then the machine is wrong.
    fn compare<T: Tracer>(&self, input: Vec<u8>, fast: &Result<Finished<T>, Stopped>) {
        let (fast, full) = match (fast, self.machine(&input, Recorder::default())) {
            (Ok(fast), Ok(full)) => (fast, full),
            (Err(fast), Err(full)) => return assert_eq!(*fast, full, "the modes stop differently"),
            (fast, full) => panic!("the modes differ: {:?} and {:?}", fast.as_ref().err(), full.err()),
        };
        let cells = |touched: &[Touched]| -> BTreeMap<CellId, (Word, Word)> {
            touched.iter().map(|t| (t.cell, (t.old, t.new))).collect()
        };
        assert_eq!((fast.steps, &fast.events), (full.steps, &full.events), "the modes differ");
        assert_eq!(cells(&fast.touched), cells(&full.touched), "the modes differ");
        let tree =
            Tree::from_cells(self.cells.iter().map(|(c, w)| (*c, *w))).expect("cells have their own keys");
        let params = BlockParams::default();
        let trace = replay::trace(&tree, programs::sandbox(), &params, input, full);
        let trace = trace.expect("the touched cells have their own keys");
        if let Err(fault) = trace_check::check(&trace) {
            panic!("the trace is not sound: {fault}");
        }
    }

    fn get(&self, cell: &CellId) -> Word {
        self.cells.get(cell).copied().unwrap_or_default()
    }

    /// Cells of zero are not kept.
    fn set(&mut self, cell: CellId, value: Word) {
        match value.is_zero() {
            true => self.cells.remove(&cell),
            false => self.cells.insert(cell, value),
        };
    }
}

/// The answer to a deployment, and the address if it succeeded.
fn created(answer: Answer, to: [u8; 20]) -> (Answer, Option<[u8; 20]>) {
    let done = answer.status == Status::Success;
    (answer, done.then_some(to))
}

/// What the one call of a run left; an account without code leaves nothing.
fn answer(events: Vec<Event>, gas: u32) -> Answer {
    let (output, logs) = (Vec::new(), Vec::new());
    let mut answer = Answer { status: Status::Success, output, logs, steps: 0, gas_used: 0 };
    for event in events {
        match event {
            Event::Log(log) => answer.logs.push(log),
            Event::CallEnd { status, output, steps, gas: left } => {
                answer.gas_used = gas - left;
                answer.status = match status {
                    CallStatus::Success => Status::Success,
                    CallStatus::Reverted => Status::Reverted,
                    CallStatus::Halted(kind) => Status::Halted(kind),
                };
                (answer.output, answer.steps) = (output, steps);
            }
            Event::NonceRead(_) | Event::NonceWrite(_) => {}
        }
    }
    answer
}

fn word(address: [u8; 20]) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}
