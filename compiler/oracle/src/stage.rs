//! Where scenarios are played: a world of two machines that are called, or chains of signed transactions. A scene has
//! what scripts say on any of them; a difference between the sides panics, as a test does.
use crate::abi::{Value, encode};
use crate::chain::ledger::Receipt;
use crate::chain::pair::{Action, Chains, Counts};
use crate::corpus::{self, Compiled};
use crate::draw::{ACCOUNTS, Call, address_word};
use crate::evm::{Answer, Log, Status};
use crate::world::{Trouble, World};
use lathe_compiler::compile::{Contract, Level};
use lathe_vm::word::Word;

/// What all sides say of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Whether it returned.
    pub succeeded: bool,
    /// Return or revert data.
    pub output: Vec<u8>,
    /// Events of a success.
    pub logs: Vec<Log>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply { succeeded: answer.status == Status::Success, output: answer.output, logs: answer.logs }
    }
}

impl From<Receipt> for Reply {
    fn from(receipt: Receipt) -> Reply {
        Reply { succeeded: receipt.succeeded(), output: receipt.output, logs: receipt.logs }
    }
}

/// Machines side by side on which contracts are deployed and called.
pub trait Stage {
    /// Makes a contract that others create known to all sides.
    ///
    /// # Errors
    /// Code that is no page.
    fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble>;

    /// Deploys, from the account of a number; `None` if all sides refuse.
    ///
    /// # Errors
    /// A difference, or a machine that gives up.
    fn deploy(
        &mut self,
        from: usize,
        code: &Compiled,
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Reply, Option<[u8; 20]>), Trouble>;

    /// Calls, from the account of a number.
    ///
    /// # Errors
    /// A difference, or a machine that gives up.
    fn call(&mut self, from: usize, to: [u8; 20], value: Word, data: &[u8]) -> Result<Reply, Trouble>;
}

impl Stage for World {
    fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble> {
        World::announce(self, initcode, pages)
    }

    fn deploy(
        &mut self,
        from: usize,
        code: &Compiled,
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Reply, Option<[u8; 20]>), Trouble> {
        let deployed = World::deploy(self, ACCOUNTS[from], &code.initcode, pages, arguments, value);
        deployed.map(|(agreed, address)| (agreed.evm.into(), address))
    }

    fn call(&mut self, from: usize, to: [u8; 20], value: Word, data: &[u8]) -> Result<Reply, Trouble> {
        let call = Call { name: String::new(), from: ACCOUNTS[from], value, data: data.to_vec() };
        World::call(self, to, &call).map(|agreed| agreed.evm.into())
    }
}

impl Stage for Chains {
    fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble> {
        Chains::announce(self, initcode, pages)
    }

    fn deploy(
        &mut self,
        from: usize,
        code: &Compiled,
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Reply, Option<[u8; 20]>), Trouble> {
        let (initcode, arguments) = (code.initcode.clone(), arguments.to_vec());
        let action = Action::Create { initcode, pages: Box::new(pages.clone()), arguments };
        let receipt = self.run_one(self.intent(from, value, action))?;
        let created = receipt.created;
        Ok((receipt.into(), created))
    }

    fn call(&mut self, from: usize, to: [u8; 20], value: Word, data: &[u8]) -> Result<Reply, Trouble> {
        let action = Action::Call { to, data: data.to_vec() };
        self.run_one(self.intent(from, value, action)).map(Reply::from)
    }
}

/// Contracts by address on a stage of their own.
pub struct Scene<S> {
    /// Where they are.
    pub stage: S,
    /// The level that its contracts are compiled at.
    pub level: Level,
}

/// A deployed contract.
#[derive(Clone, Copy)]
pub struct Deployed {
    /// Where it is.
    pub address: [u8; 20],
    /// What it is.
    pub code: &'static Compiled,
}

impl Deployed {
    /// A contract of the corpus that something else put at an address.
    ///
    /// # Panics
    /// The corpus has no such contract.
    pub fn at(address: [u8; 20], name: &str) -> Deployed {
        let all = corpus::compiled().unwrap_or_else(|error| panic!("{error}"));
        let code = all.iter().find(|code| code.name == name);
        Deployed { address, code: code.unwrap_or_else(|| panic!("the corpus has no {name}")) }
    }

    /// Calldata of a call of this function.
    ///
    /// # Panics
    /// The contract has no such function.
    pub fn data(&self, function: &str, arguments: &[Value]) -> Vec<u8> {
        let found = self.code.abi.function(function);
        found.unwrap_or_else(|| panic!("{} has no {function}", self.code.name)).call(arguments)
    }
}

/// An address as an argument.
pub fn address(address: [u8; 20]) -> Value {
    Value::Word(address_word(address))
}

/// A number as an argument.
pub fn number(number: u128) -> Value {
    Value::Word(Word::from(number))
}

/// Bytes as an argument.
pub fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

/// The address in a word.
pub fn low160(word: Word) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&word.to_be_bytes()[12..]);
    out
}

impl<S: Stage> Scene<S> {
    /// An empty stage, for contracts compiled at a level.
    pub fn new(stage: S, level: Level) -> Scene<S> {
        Scene { stage, level }
    }

    /// Deploys a contract of the corpus, from the first account.
    ///
    /// # Panics
    /// It is not deployed, or not alike on all sides.
    pub fn deploy(&mut self, name: &str, arguments: &[Value], value: u128) -> Deployed {
        let address = self.try_deploy(0, name, arguments, value);
        Deployed::at(address.unwrap_or_else(|| panic!("{name} is not deployed")), name)
    }

    /// Deploys a contract of the corpus from some account; `None` if its constructor fails.
    ///
    /// # Panics
    /// The sides differ.
    pub fn try_deploy(
        &mut self,
        from: usize,
        name: &str,
        arguments: &[Value],
        value: u128,
    ) -> Option<[u8; 20]> {
        let (code, pages) = corpus::built(name, self.level).unwrap_or_else(|error| panic!("{error}"));
        let arguments = encode(&code.abi.constructor, arguments);
        let known = corpus::announce_created(&mut self.stage, &pages);
        known.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        let deployed = self.stage.deploy(from, code, &pages, &arguments, value.into());
        deployed.unwrap_or_else(|trouble| panic!("{name}: {trouble}")).1
    }

    /// The hash of a contract's deploy page: its creation code, as contracts see it.
    ///
    /// # Panics
    /// The corpus has no such contract, or it does not compile.
    pub fn deploy_hash(&self, name: &str) -> Word {
        let (_, pages) = corpus::built(name, self.level).unwrap_or_else(|error| panic!("{error}"));
        let page = pages.deploy.page();
        page.unwrap_or_else(|error| panic!("{name}: {error}")).hash_word()
    }

    /// Calls a contract that may be a proxy before the one whose function it is.
    ///
    /// # Panics
    /// The sides differ.
    pub fn send(
        &mut self,
        from: usize,
        to: [u8; 20],
        value: u128,
        of: Deployed,
        function: &str,
        args: &[Value],
    ) -> Reply {
        let sent = self.stage.call(from, to, value.into(), &of.data(function, args));
        sent.unwrap_or_else(|trouble| panic!("{function}: {trouble}"))
    }

    /// A call that must succeed; its first word.
    ///
    /// # Panics
    /// It fails, or the sides differ.
    pub fn ok(&mut self, from: usize, to: Deployed, function: &str, args: &[Value]) -> Word {
        self.ok_at(from, to.address, to, function, args)
    }

    /// The same at another address than the contract's own.
    ///
    /// # Panics
    /// It fails, or the sides differ.
    pub fn ok_at(&mut self, from: usize, at: [u8; 20], of: Deployed, function: &str, args: &[Value]) -> Word {
        let reply = self.send(from, at, 0, of, function, args);
        assert!(reply.succeeded, "{function} fails: 0x{}", hex::encode(&reply.output));
        Word::from_first_bytes(&reply.output).unwrap_or_default()
    }

    /// A call that must fail.
    ///
    /// # Panics
    /// It succeeds, or the sides differ.
    pub fn fails(&mut self, from: usize, to: Deployed, function: &str, args: &[Value]) {
        assert!(!self.send(from, to.address, 0, to, function, args).succeeded, "{function} succeeds");
    }

    /// Wei to an account, with or without code; whether it took them.
    ///
    /// # Panics
    /// The sides differ.
    pub fn pay(&mut self, from: usize, to: [u8; 20], value: u128) -> bool {
        let paid = self.stage.call(from, to, value.into(), &[]);
        paid.unwrap_or_else(|trouble| panic!("a payment: {trouble}")).succeeded
    }
}

impl Scene<Chains> {
    /// All transactions of the scene once more in larger blocks; what was compared in both rounds.
    ///
    /// # Panics
    /// The sides differ.
    pub fn again(&self) -> Counts {
        let mut counts = self.stage.counts;
        counts += self.stage.again(8).unwrap_or_else(|trouble| panic!("{trouble}\n{}", self.stage.told()));
        counts
    }
}
