//! Account transactions, type 0x4c: from any account, validated by its own code if it has some, paid for by a
//! paymaster if it names one. Wallets sign them as EIP-712 typed data.
use super::super::rlp::{Fields, Malformed, Problem, Writer};
use super::super::{Address, address_word, keccak, small};
use super::kind;
use super::payload::Fees;
use super::signature::Signature;
use crate::word::Word;

const DOMAIN: &str = "EIP712Domain(string name,string version,uint256 chainId)";
const TYPE: &str = "Transaction(uint256 nonce,uint256 maxPriorityFeePerGas,uint256 maxFeePerGas,\
                    uint256 gasLimit,address from,address to,uint256 value,bytes data,address paymaster,\
                    bytes paymasterInput)";

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccountPayload {
    /// The chain it is for.
    pub chain_id: u64,
    /// The account's nonce.
    pub nonce: u64,
    /// Fee caps.
    pub fees: Fees,
    /// The most gas it may use, validation included.
    pub gas_limit: u64,
    /// The account.
    pub from: Address,
    /// Callee.
    pub to: Address,
    /// Wei sent along.
    pub value: Word,
    /// Calldata.
    pub data: Vec<u8>,
    /// Who pays in place of the account; never the zero address, which stands for none in the digest.
    pub paymaster: Option<Address>,
    /// What the paymaster is told.
    pub paymaster_input: Vec<u8>,
}

/// A payload and what its account takes for a signature.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccountTransaction {
    /// What was signed.
    pub payload: AccountPayload,
    /// Any bytes; those of an account without code are `r | s | v`.
    pub signature: Vec<u8>,
}

impl AccountPayload {
    /// The body's bytes before the signature.
    pub fn encode(&self) -> Vec<u8> {
        let fees = self.fees;
        let fields =
            Writer::default().u64(self.chain_id).u64(self.nonce).u128(fees.max_priority).u128(fees.max);
        let fields = fields.u64(self.gas_limit).bytes(&self.from).bytes(&self.to).word(self.value);
        let fields = fields.bytes(&self.data).optional_address(self.paymaster).bytes(&self.paymaster_input);
        fields.finish(&[kind::ACCOUNT])
    }

    /// The EIP-712 digest: domain `Lathe`, version `1`, the chain id.
    pub fn digest(&self) -> [u8; 32] {
        let domain = keccak(&[
            &keccak(&[DOMAIN.as_bytes()]),
            &keccak(&[b"Lathe"]),
            &keccak(&[b"1"]),
            &small(self.chain_id).to_be_bytes(),
        ]);
        let words = [
            small(self.nonce),
            Word::from(self.fees.max_priority),
            Word::from(self.fees.max),
            small(self.gas_limit),
            address_word(self.from),
            address_word(self.to),
            self.value,
            Word::from_be_bytes(keccak(&[&self.data])),
            address_word(self.paymaster.unwrap_or_default()),
            Word::from_be_bytes(keccak(&[&self.paymaster_input])),
        ];
        let mut fields = keccak(&[TYPE.as_bytes()]).to_vec();
        words.iter().for_each(|w| fields.extend_from_slice(&w.to_be_bytes()));
        keccak(&[&[0x19, 0x01], &domain, &keccak(&[&fields])])
    }
}

impl AccountTransaction {
    /// Reads a body: type, list, signature.
    ///
    /// # Errors
    /// The field that is not as it should be.
    pub fn decode(body: &[u8]) -> Result<AccountTransaction, Malformed> {
        let first = body.first().copied().unwrap_or_default();
        if first != kind::ACCOUNT {
            return Err(Problem::Value(first.into()).of("type"));
        }
        let (mut f, signature) = Fields::of_first(&body[1..], "transaction")?;
        let payload = AccountPayload {
            chain_id: f.u64("chainId")?,
            nonce: f.u64("nonce")?,
            fees: Fees { max_priority: f.u128("maxPriorityFeePerGas")?, max: f.u128("maxFeePerGas")? },
            gas_limit: f.u64("gasLimit")?,
            from: f.address("from")?,
            to: f.address("to")?,
            value: f.word("value")?,
            data: f.bytes("data")?.to_vec(),
            paymaster: f.optional_address("paymaster")?,
            paymaster_input: f.bytes("paymasterInput")?.to_vec(),
        };
        f.end()?;
        if payload.paymaster == Some([0; 20]) {
            return Err(Problem::Value(0).of("paymaster"));
        }
        Ok(AccountTransaction { payload, signature: signature.to_vec() })
    }

    /// The body of its record, which is also what a wallet sends.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.payload.encode();
        out.extend_from_slice(&self.signature);
        out
    }

    /// True if the signature is what an account without code needs: its own, over the digest.
    pub fn is_signed_by_sender(&self) -> bool {
        let signature = Signature::from_rsv(&self.signature);
        signature.and_then(|s| s.signer(self.payload.digest())) == Some(self.payload.from)
    }
}
