//! Ethereum's precompiled contracts, as the Osaka rules have them: pure functions of the input, run by the host.
//! None has a chip yet. What is not computed here is refused by name, never answered wrongly.
mod bn254;
mod ecdsa;
mod ecrecover;
mod encoding;
mod modexp;
mod p256;
mod price;
mod ripemd160;
mod sha256;

use crate::word::Word;

pub use ecrecover::recover;
pub use modexp::MAX_OPERAND as MAX_MODEXP_OPERAND;
pub use price::{ECRECOVER as ECRECOVER_GAS, sha256 as sha256_gas};

/// Why there is no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// Ethereum fails such a call: its status is 0, it hands back nothing, and its value does not move.
    #[error("the input is not valid")]
    Input,
    /// No answer would be right.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

/// What the host does not compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A whole precompile.
    #[error("not supported yet: precompile {number:#x}, {name}")]
    Precompile {
        /// Its address.
        number: u16,
        /// Its name.
        name: &'static str,
    },
    /// `modexp` with an operand of more than [`MAX_MODEXP_OPERAND`] bytes.
    #[error("not supported yet: modexp of {0} bytes")]
    Modexp(u16),
}

/// The signer by the rules of `ecrecover`, as a word; zero if there is none.
pub fn signer(input: &[u8]) -> Word {
    ecrecover::signer(input).map_or(Word::ZERO, Word::from_be_bytes)
}

/// SHA-256 as a word.
pub fn sha256(input: &[u8]) -> Word {
    Word::from_be_bytes(sha256::digest(input))
}

type Function = fn(&[u8]) -> Result<Vec<u8>, Failed>;

/// A precompiled contract.
#[derive(Clone, Copy, Debug)]
pub struct Precompile {
    number: u16,
    name: &'static str,
    function: Option<Function>,
}

/// All of them, in order of address.
pub const ALL: [Precompile; 18] = [
    runs(0x01, "ecrecover", ecrecover::run),
    runs(0x02, "sha256", sha256::run),
    runs(0x03, "ripemd160", ripemd160::run),
    runs(0x04, "identity", |input| Ok(input.to_vec())),
    runs(0x05, "modexp", modexp::run),
    runs(0x06, "bn254 addition", bn254::add),
    runs(0x07, "bn254 multiplication", bn254::mul),
    refused(0x08, "bn254 pairing"),
    refused(0x09, "blake2f"),
    refused(0x0a, "kzg point evaluation"),
    refused(0x0b, "bls12-381 g1 addition"),
    refused(0x0c, "bls12-381 g1 msm"),
    refused(0x0d, "bls12-381 g2 addition"),
    refused(0x0e, "bls12-381 g2 msm"),
    refused(0x0f, "bls12-381 pairing"),
    refused(0x10, "bls12-381 map to g1"),
    refused(0x11, "bls12-381 map to g2"),
    runs(0x100, "p256 verify", p256::run),
];

const fn runs(number: u16, name: &'static str, function: Function) -> Precompile {
    Precompile { number, name, function: Some(function) }
}

const fn refused(number: u16, name: &'static str) -> Precompile {
    Precompile { number, name, function: None }
}

/// The precompile at an address.
pub fn find(address: [u8; 20]) -> Option<Precompile> {
    let (rest, low) = address.split_at(18);
    let number = u16::from_be_bytes([low[0], low[1]]);
    let found = ALL.iter().find(|p| p.number == number)?;
    rest.iter().all(|b| *b == 0).then_some(*found)
}

impl Precompile {
    /// Its address.
    pub fn address(&self) -> [u8; 20] {
        let mut out = [0; 20];
        out[18..].copy_from_slice(&self.number.to_be_bytes());
        out
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// True unless every call is [`Unsupported`].
    pub fn is_supported(&self) -> bool {
        self.function.is_some()
    }

    /// The gas of a call with this input; 0 for what is not computed.
    pub fn gas(&self, input: &[u8]) -> u64 {
        price::of(self, input)
    }

    /// The output for an input of any length; an empty one where Ethereum succeeds without an answer, as for a
    /// signature that is not valid.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn run(&self, input: &[u8]) -> Result<Vec<u8>, Failed> {
        let Precompile { number, name, function } = *self;
        let function = function.ok_or(Unsupported::Precompile { number, name })?;
        function(input)
    }
}
