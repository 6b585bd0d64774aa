//! Runs the calls of one test on the machine, as isoltest does on its EVM: the same accounts, the same block values, one
//! block for each call.
use super::calls::{Action, Log, Step};
use super::skips::Skips;
use crate::compile::{Contract, Options, compile};
use lathe_vm::machine::Halt;
use lathe_vm::sandbox::{Answer, Environment, Message, Sandbox, Status, Stopped};
use lathe_vm::word::Word;
use std::collections::BTreeMap;

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every line held.
    Passed,
    /// Some line did not; what it gave.
    Failed(String),
    /// It was not run, or not to its end; the reason's name.
    Skipped(String),
}

/// solc's Yul of the contracts of a test.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Yul by `file:Name`.
    pub yul: BTreeMap<String, String>,
    /// The tested contract, as `file:Name`.
    pub tested: String,
}

/// The first sender; the others follow at a distance.
const FIRST_ACCOUNT: Word = Word::new(0x12121212, 0x12121212121212121212120000000012);
const ACCOUNT_DISTANCE: u128 = 0x1000;
/// How many of them have wei, and how much.
const RICH_ACCOUNTS: u64 = 10;
const WEALTH: u128 = 1 << 100;

/// Runs a test.
pub fn run(steps: &[Step], sources: &Sources, skips: &Skips) -> Verdict {
    let mut run = Run::new(sources, skips);
    for step in steps {
        if let Err(verdict) = run.step(step) {
            return match verdict {
                Verdict::Failed(message) => Verdict::Failed(format!("{}\n    {message}", step.text)),
                other => other,
            };
        }
    }
    Verdict::Passed
}

struct Run<'a> {
    sources: &'a Sources,
    skips: &'a Skips,
    sandbox: Sandbox,
    sender: [u8; 20],
    libraries: BTreeMap<String, [u8; 20]>,
    /// The tested contract, once it is deployed.
    contract: Option<[u8; 20]>,
}

/// What a line gave.
struct Given {
    success: bool,
    output: Vec<u8>,
    answer: Option<Answer>,
}

impl<'a> Run<'a> {
    fn new(sources: &'a Sources, skips: &'a Skips) -> Run<'a> {
        let mut sandbox = Sandbox::new();
        sandbox.environment = Environment {
            number: 0,
            timestamp: 0,
            base_fee: Word::from(7),
            gas_limit: 20_000_000,
            prevrandao: Word::new(0xa86c2e601b6c44eb4848f7d23d9df311, 0x3fbcac42041c49cbed5000cb4f118777),
            fee_recipient: [0x78; 20],
            chain_id: 1,
            gas_price: Word::from(3_000_000_000),
            ..sandbox.environment
        };
        for index in 0..RICH_ACCOUNTS {
            sandbox.set_balance(account(index), WEALTH.into());
            // isoltest deploys from nonce 1, and its tests know the addresses that come of it.
            sandbox.set_nonce(account(index), 1);
        }
        Run { sources, skips, sandbox, sender: account(0), libraries: BTreeMap::new(), contract: None }
    }

    fn step(&mut self, step: &Step) -> Result<(), Verdict> {
        let given = self.act(&step.action)?;
        if given.success == step.failure {
            let how = if given.success { "it succeeds" } else { "it fails" };
            return Err(Verdict::Failed(format!("{how} with 0x{}", hex::encode(&given.output))));
        }
        if matches!(step.action, Action::Builtin(_)) {
            return Ok(());
        }
        if given.output != step.output
            && !matches!(step.action, Action::Construct { .. } | Action::Library(_))
        {
            let shown = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
            return Err(Verdict::Failed(format!(
                "expected {}\n    obtained {}",
                shown(&step.output),
                shown(&given.output)
            )));
        }
        match given.answer {
            Some(answer) => self.same_logs(&step.logs, &answer),
            None => Ok(()),
        }
    }

    fn same_logs(&self, expected: &[Log], answer: &Answer) -> Result<(), Verdict> {
        let own = self.contract.unwrap_or_default();
        let same = expected.len() == answer.logs.len()
            && expected.iter().zip(&answer.logs).all(|(wanted, log)| {
                (wanted.address.unwrap_or(own), &wanted.topics, &wanted.data)
                    == (log.address, &log.topics, &log.data)
            });
        if same {
            return Ok(());
        }
        Err(Verdict::Failed(format!("events expected: {expected:?}\n    obtained: {:?}", answer.logs)))
    }

    fn act(&mut self, action: &Action) -> Result<Given, Verdict> {
        let word = |word: Word| Given { success: true, output: word.to_be_bytes().to_vec(), answer: None };
        match action {
            Action::Library(name) => {
                let key = self.sources.yul.keys().find(|key| key.rsplit(':').next() == Some(name)).cloned();
                let key = key.ok_or_else(|| Verdict::Failed(format!("no library {name}")))?;
                let (given, address) = self.deploy(&key, Word::ZERO, &[])?;
                let address = address.ok_or_else(|| Verdict::Failed("the library is not deployed".into()))?;
                self.libraries.insert(key, address);
                Ok(given)
            }
            Action::Construct { value, arguments } => self.construct(*value, arguments),
            Action::Account(index) => {
                self.sender = account(*index);
                Ok(word(address_word(self.sender)))
            }
            Action::Builtin(_) => Ok(Given { success: true, output: Vec::new(), answer: None }),
            Action::Balance(of) => {
                let own = self.constructed()?;
                Ok(word(self.sandbox.balance(of.unwrap_or(own))))
            }
            Action::StorageEmpty => {
                let own = self.constructed()?;
                Ok(word(Word::from(u128::from(self.sandbox.storage_slots(own).is_empty()))))
            }
            Action::Call { value, data, .. } => {
                let to = self.constructed()?;
                self.next_block();
                let message = Message { from: self.sender, to, value: *value, data };
                let answer = self.sandbox.call(&message).map_err(|stopped| self.stopped(&stopped))?;
                Ok(Given {
                    success: answer.status == Status::Success,
                    output: answer.output.clone(),
                    answer: Some(answer),
                })
            }
        }
    }

    /// The tested contract's address; it is deployed first if no line has done so.
    fn constructed(&mut self) -> Result<[u8; 20], Verdict> {
        if self.contract.is_none() && !self.construct(Word::ZERO, &[])?.success {
            return Err(Verdict::Failed("the contract is not deployed".into()));
        }
        self.contract.ok_or_else(|| Verdict::Failed("the contract is not deployed".into()))
    }

    fn construct(&mut self, value: Word, arguments: &[u8]) -> Result<Given, Verdict> {
        let tested = self.sources.tested.clone();
        let (given, address) = self.deploy(&tested, value, arguments)?;
        self.contract = address;
        Ok(given)
    }

    fn deploy(
        &mut self,
        key: &str,
        value: Word,
        arguments: &[u8],
    ) -> Result<(Given, Option<[u8; 20]>), Verdict> {
        let contract = self.compiled(key)?;
        self.make_known(&contract)?;
        let page = contract.deploy.page().map_err(|error| Verdict::Failed(error.to_string()))?;
        self.next_block();
        let deployed = self.sandbox.deploy(self.sender, value, &page, arguments);
        let (answer, address) = deployed.map_err(|stopped| self.stopped(&stopped))?;
        let success = answer.status == Status::Success;
        let output = if success { Vec::new() } else { answer.output.clone() };
        Ok((Given { success, output, answer: Some(answer) }, address))
    }

    fn compiled(&self, key: &str) -> Result<Contract, Verdict> {
        let yul = self.sources.yul.get(key).filter(|yul| !yul.is_empty());
        let yul = yul.ok_or_else(|| Verdict::Failed(format!("solc gives no Yul for {key}")))?;
        let options = Options { libraries: self.libraries.clone(), ..Options::default() };
        compile(yul, &options).map_err(|errors| {
            let message = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            match self.skips.of_message(&message) {
                Some(reason) => Verdict::Skipped(reason),
                None => Verdict::Failed(format!("{key} does not compile: {message}")),
            }
        })
    }

    /// Everything that the contract may deploy.
    fn make_known(&mut self, contract: &Contract) -> Result<(), Verdict> {
        for part in contract.runtime.iter().chain([&contract.deploy]) {
            let page = part.page().map_err(|error| Verdict::Failed(error.to_string()))?;
            self.sandbox.add_code(page);
        }
        contract.created.iter().try_for_each(|created| self.make_known(created))
    }

    fn stopped(&self, stopped: &Stopped) -> Verdict {
        let reason = match &stopped.halt {
            Halt::NotYetProvable(name) => self.skips.of_instruction(name),
            Halt::Unsupported(what) => self.skips.of_instruction(&what.to_string()),
            _ => None,
        };
        reason.map_or_else(|| Verdict::Failed(stopped.to_string()), Verdict::Skipped)
    }

    /// Every message is mined in a block of its own.
    fn next_block(&mut self) {
        self.sandbox.environment.number += 1;
        self.sandbox.environment.timestamp += 15;
    }
}

/// The sender of this number.
fn account(index: u64) -> [u8; 20] {
    let word =
        Word::new(FIRST_ACCOUNT.hi, FIRST_ACCOUNT.lo.wrapping_add(ACCOUNT_DISTANCE * u128::from(index)));
    let mut out = [0; 20];
    out.copy_from_slice(&word.to_be_bytes()[12..]);
    out
}

fn address_word(address: [u8; 20]) -> Word {
    let mut bytes = [0; 32];
    bytes[12..].copy_from_slice(&address);
    Word::from_be_bytes(bytes)
}
