//! Calls that mean something: tokens that are minted before they are moved.
use crate::Failure;
use lathe_oracle::abi::{Value, encode};
use lathe_oracle::corpus::Compiled;
use lathe_oracle::draw::{ACCOUNTS, Call, address_word};
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

/// An argument.
pub enum Arg {
    /// A number.
    N(u128),
    /// One of [`ACCOUNTS`].
    Who(usize),
    /// `bytes` or `string`.
    Text(&'static str),
    /// `keccak256` of a name.
    Hash(&'static str),
    /// An array of numbers.
    Numbers(&'static [u128]),
    /// An array of accounts.
    Accounts(&'static [usize]),
}

/// A call by one of [`ACCOUNTS`]; it must succeed.
pub struct Step {
    from: usize,
    /// The function's name.
    pub function: &'static str,
    arguments: &'static [Arg],
}

/// A deployment and calls of what was deployed.
pub struct Script {
    contract: &'static str,
    constructor: &'static [Arg],
    /// In order.
    pub calls: &'static [Step],
}

use Arg::{Accounts, Hash, N, Numbers, Text, Who};

const fn step(from: usize, function: &'static str, arguments: &'static [Arg]) -> Step {
    Step { from, function, arguments }
}

/// What every ERC-20 with a supply for its deployer can do.
const ERC20: &[Step] = &[
    step(0, "transfer", &[Who(1), N(1000)]),
    step(1, "transfer", &[Who(2), N(10)]),
    step(0, "approve", &[Who(1), N(500)]),
    step(1, "transferFrom", &[Who(0), Who(2), N(300)]),
    step(3, "balanceOf", &[Who(1)]),
];
const ERC721: &[Step] = &[
    step(0, "mint", &[Who(0), N(7)]),
    step(0, "approve", &[Who(1), N(7)]),
    step(1, "transferFrom", &[Who(0), Who(2), N(7)]),
    step(3, "ownerOf", &[N(7)]),
    step(3, "tokenURI", &[N(7)]),
];

const SCRIPTS: &[Script] = &[
    Script { contract: "OzErc20", constructor: &[N(1_000_000)], calls: ERC20 },
    Script { contract: "SolmateErc20", constructor: &[N(1_000_000)], calls: ERC20 },
    Script { contract: "SoladyErc20", constructor: &[N(1_000_000)], calls: ERC20 },
    Script {
        contract: "OzErc20Full",
        constructor: &[],
        calls: &[
            step(0, "mint", &[Who(0), N(1_000_000)]),
            step(0, "transfer", &[Who(1), N(1000)]),
            step(1, "burn", &[N(10)]),
        ],
    },
    Script { contract: "OzErc721", constructor: &[], calls: ERC721 },
    Script { contract: "SolmateErc721", constructor: &[], calls: ERC721 },
    Script { contract: "SoladyErc721", constructor: &[], calls: ERC721 },
    Script {
        contract: "OzErc1155",
        constructor: &[],
        calls: &[
            step(0, "mint", &[Who(0), N(7), N(100), Text("")]),
            step(0, "safeTransferFrom", &[Who(0), Who(1), N(7), N(10), Text("")]),
            step(3, "balanceOfBatch", &[Accounts(&[0, 1, 2]), Numbers(&[7, 7, 8])]),
            step(0, "burnBatch", &[Who(0), Numbers(&[7]), Numbers(&[5])]),
        ],
    },
    Script {
        contract: "OzAccessControl",
        constructor: &[],
        calls: &[
            step(0, "grantRole", &[Hash("KEEPER"), Who(1)]),
            step(1, "keep", &[N(5)]),
            step(0, "hasRole", &[Hash("KEEPER"), Who(2)]),
        ],
    },
];

/// The script of a contract.
pub fn of(contract: &str) -> Option<&'static Script> {
    SCRIPTS.iter().find(|s| s.contract == contract)
}

fn value(argument: &Arg) -> Value {
    let number = |n: &u128| Value::Word(Word::from(*n));
    let account = |i: &usize| Value::Word(address_word(ACCOUNTS[*i]));
    match argument {
        N(n) => number(n),
        Who(i) => account(i),
        Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Hash(name) => Value::Word(Word::from_be_bytes(Keccak256::digest(name.as_bytes()).into())),
        Numbers(list) => Value::List(list.iter().map(number).collect()),
        Accounts(list) => Value::List(list.iter().map(account).collect()),
    }
}

impl Script {
    /// The constructor's arguments.
    pub fn constructor(&self, contract: &Compiled) -> Vec<u8> {
        let values: Vec<Value> = self.constructor.iter().map(value).collect();
        encode(&contract.abi.constructor, &values)
    }
}

impl Step {
    /// The call.
    ///
    /// # Errors
    /// A function that the contract does not have.
    pub fn call(&self, contract: &Compiled) -> Result<Call, Failure> {
        let values: Vec<Value> = self.arguments.iter().map(value).collect();
        let function = contract.abi.function(self.function);
        let function = function.ok_or_else(|| format!("{} has no {}", contract.name, self.function))?;
        Ok(Call {
            name: function.signature.clone(),
            from: ACCOUNTS[self.from],
            value: Word::ZERO,
            data: function.call(&values),
        })
    }
}
