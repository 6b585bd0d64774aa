//! What Ethereum's transaction types say before they are signed: legacy with a chain id (EIP-155), EIP-2930, EIP-1559.
use super::super::rlp::{Fields, Malformed, Problem, Writer};
use super::super::{Address, keccak};
use super::{DecodeError, kind};
use crate::machine::alu;
use crate::word::Word;

/// What is paid per gas, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fees {
    /// `maxPriorityFeePerGas`; the whole price where there is no base fee.
    pub max_priority: u128,
    /// `maxFeePerGas`.
    pub max: u128,
}

impl Fees {
    /// `min(max, base fee + max priority)`.
    pub fn effective(&self, base_fee: Word) -> Word {
        let max = Word::from(self.max);
        // A base fee above the cap is refused elsewhere; below it the sum has at most 129 bits.
        alu::add(base_fee.min(max), Word::from(self.max_priority)).min(max)
    }

    /// What `gas` costs at most; below 2^192.
    pub fn most(&self, gas: u64) -> Word {
        alu::mul(Word::from(self.max), Word::from(u128::from(gas)))
    }
}

/// An account and the slots of it that a transaction says it will access. It warms nothing here, and is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccessItem {
    /// The account.
    pub address: Address,
    /// Its slots.
    pub slots: Vec<[u8; 32]>,
}

/// The type with the fields that only it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Before EIP-2718.
    Legacy {
        /// Wei per gas.
        gas_price: u128,
    },
    /// With an access list.
    Eip2930 {
        /// Wei per gas.
        gas_price: u128,
        /// The list.
        access_list: Vec<AccessItem>,
    },
    /// With fee caps.
    Eip1559 {
        /// The caps.
        fees: Fees,
        /// The list.
        access_list: Vec<AccessItem>,
    },
}

impl Kind {
    /// EIP-2718's type, 0 for legacy.
    pub fn number(&self) -> u8 {
        match self {
            Kind::Legacy { .. } => 0,
            Kind::Eip2930 { .. } => kind::EIP2930,
            Kind::Eip1559 { .. } => kind::EIP1559,
        }
    }

    /// The fee caps; a gas price is both.
    pub fn fees(&self) -> Fees {
        match *self {
            Kind::Legacy { gas_price } | Kind::Eip2930 { gas_price, .. } => {
                Fees { max_priority: gas_price, max: gas_price }
            }
            Kind::Eip1559 { fees, .. } => fees,
        }
    }

    /// The access list, empty for legacy.
    pub fn access_list(&self) -> &[AccessItem] {
        match self {
            Kind::Legacy { .. } => &[],
            Kind::Eip2930 { access_list, .. } | Kind::Eip1559 { access_list, .. } => access_list,
        }
    }
}

/// One of Ethereum's transactions before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Type, price, access list.
    pub kind: Kind,
    /// The chain it is for.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// The most gas it may use.
    pub gas_limit: u64,
    /// Callee; `None` creates a contract.
    pub to: Option<Address>,
    /// Wei sent along.
    pub value: Word,
    /// Calldata or creation data.
    pub data: Vec<u8>,
}

/// Bytes of the access list's items, without the header of the list.
pub(in super::super) fn access_list_bytes(items: &[AccessItem]) -> usize {
    write_access_list(items).len()
}

fn write_access_list(items: &[AccessItem]) -> Writer {
    items.iter().fold(Writer::default(), |list, item| {
        let slots = item.slots.iter().fold(Writer::default(), |slots, slot| slots.bytes(slot));
        list.list(Writer::default().bytes(&item.address).list(slots))
    })
}

fn read_access_list(mut list: Fields) -> Result<Vec<AccessItem>, Malformed> {
    const FIELD: &str = "accessList";
    let mut items = Vec::new();
    while !list.is_empty() {
        let mut item = list.list(FIELD)?;
        let address = item.address(FIELD)?;
        let mut keys = item.list(FIELD)?;
        item.end()?;
        let mut slots = Vec::new();
        while !keys.is_empty() {
            slots.push(keys.fixed(FIELD)?);
        }
        items.push(AccessItem { address, slots });
    }
    Ok(items)
}

impl Payload {
    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        let fields = self.fields();
        match &self.kind {
            Kind::Legacy { .. } => fields.u64(self.chain_id).bytes(&[]).bytes(&[]).finish(&[]),
            kind => fields.finish(&[kind.number()]),
        }
    }

    /// What the sender signs: Keccak-256 of the bytes.
    pub fn signing_hash(&self) -> [u8; 32] {
        keccak(&[&self.encode()])
    }

    /// The fields that the signed and the unsigned form share.
    pub(super) fn fields(&self) -> Writer {
        let head = |w: Writer| match &self.kind {
            Kind::Legacy { gas_price } => w.u64(self.nonce).u128(*gas_price),
            Kind::Eip2930 { gas_price, .. } => w.u64(self.chain_id).u64(self.nonce).u128(*gas_price),
            Kind::Eip1559 { fees, .. } => {
                w.u64(self.chain_id).u64(self.nonce).u128(fees.max_priority).u128(fees.max)
            }
        };
        let fields = head(Writer::default())
            .u64(self.gas_limit)
            .optional_address(self.to)
            .word(self.value)
            .bytes(&self.data);
        match &self.kind {
            Kind::Legacy { .. } => fields,
            kind => fields.list(write_access_list(kind.access_list())),
        }
    }

    /// Reads the bytes that are signed.
    ///
    /// # Errors
    /// Anything but the canonical encoding of one of the three types.
    pub fn decode(bytes: &[u8]) -> Result<Payload, DecodeError> {
        let (mut payload, mut fields) = Payload::read_shared(bytes)?;
        if matches!(payload.kind, Kind::Legacy { .. }) {
            payload.chain_id = fields.u64("chainId")?;
            for field in ["r", "s"] {
                let there = fields.bytes(field)?;
                if !there.is_empty() {
                    return Err(Problem::Length { expected: 0, got: there.len() }.of(field).into());
                }
            }
        }
        fields.end()?;
        Ok(payload)
    }

    /// Reads the fields up to where the signed and the unsigned form part; `chain_id` of a legacy one is still 0.
    pub(super) fn read_shared(bytes: &[u8]) -> Result<(Payload, Fields<'_>), DecodeError> {
        let (number, list) = match bytes.split_first() {
            None => return Err(DecodeError::Empty),
            Some((kind::LEGACY.., _)) => (0, bytes),
            Some((&number @ (kind::EIP2930 | kind::EIP1559), list)) => (number, list),
            Some((&number, _)) => return Err(DecodeError::Unsupported(number)),
        };
        let mut f = Fields::of_list(list, "transaction")?;
        let chain_id = if number == 0 { 0 } else { f.u64("chainId")? };
        let nonce = f.u64("nonce")?;
        let fees = match number {
            kind::EIP1559 => {
                Fees { max_priority: f.u128("maxPriorityFeePerGas")?, max: f.u128("maxFeePerGas")? }
            }
            _ => Fees { max_priority: 0, max: f.u128("gasPrice")? },
        };
        let gas_limit = f.u64("gasLimit")?;
        let to = f.optional_address("to")?;
        let value = f.word("value")?;
        let data = f.bytes("data")?.to_vec();
        let kind = match number {
            kind::EIP2930 => {
                Kind::Eip2930 { gas_price: fees.max, access_list: read_access_list(f.list("accessList")?)? }
            }
            kind::EIP1559 => Kind::Eip1559 { fees, access_list: read_access_list(f.list("accessList")?)? },
            _ => Kind::Legacy { gas_price: fees.max },
        };
        Ok((Payload { kind, chain_id, nonce, gas_limit, to, value, data }, f))
    }
}
