//! Ethereum as revm runs it, with alloy to read what was signed: fork Osaka, fees on, receipts as a node gives them.
use crate::chain::ledger::{Ledger, Outcome, Receipt, Refusal};
use crate::chain::wallet::Fee;
use crate::evm::{Account, Answer, Block, Evm, Executed, Refused, Status};
use crate::world::{Trouble, page};
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::Decodable2718;
use lathe_compiler::compile::Contract;
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use revm::context::TxEnv;
use revm::context::result::{EVMError, InvalidTransaction};
use revm::primitives::hardfork::SpecId;
use std::collections::BTreeMap;

/// The chain.
pub struct Ethereum {
    evm: Evm,
}

impl Ethereum {
    /// An empty chain of this block's id.
    pub fn new(block: Block) -> Ethereum {
        Ethereum { evm: Evm::of(block, SpecId::OSAKA) }
    }

    /// One transaction of a block with this much gas left, which revm does not know.
    fn one(&mut self, raw: &[u8], left: u64) -> Receipt {
        let tx = match read(raw) {
            Ok(tx) if tx.gas_limit > left => return Receipt::refused(Refusal::BlockGas),
            Ok(tx) => tx,
            Err(refusal) => return Receipt::refused(refusal),
        };
        let creates = tx.kind.is_create();
        match self.evm.transact(tx) {
            Ok(done) => receipt(done, creates),
            Err(refused) => Receipt::refused(reason(&refused)),
        }
    }
}

impl Ledger for Ethereum {
    fn name(&self) -> &'static str {
        "revm"
    }

    fn creation(&self, initcode: &[u8], _: &Contract, arguments: &[u8]) -> Result<Vec<u8>, Trouble> {
        Ok([initcode, arguments].concat())
    }

    fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble> {
        self.evm.stand_for(initcode, page(&pages.deploy)?.hash_word().to_be_bytes());
        Ok(())
    }

    fn endow(&mut self, account: [u8; 20], wei: Word, nonce: u64) {
        self.evm.set_balance(account, wei);
        self.evm.set_nonce(account, nonce);
    }

    fn install(&mut self, account: [u8; 20], code: &[u8], _: &Page) {
        self.evm.set_code(account, code);
    }

    fn execute(&mut self, block: &Block, raw: &[Vec<u8>]) -> Result<Vec<Receipt>, Trouble> {
        self.evm.block = block.clone();
        let mut left = block.gas_limit;
        let one = |raw: &Vec<u8>| {
            let receipt = self.one(raw, left);
            left -= receipt.gas;
            receipt
        };
        Ok(raw.iter().map(one).collect())
    }

    fn accounts(&self) -> BTreeMap<[u8; 20], Account> {
        self.evm.accounts()
    }

    /// EIP-1559 burns the base fee.
    fn tip(&self, fee: &Fee, base_fee: u64) -> u128 {
        fee.price(base_fee).saturating_sub(base_fee.into())
    }
}

/// What was signed, and by whom.
fn read(raw: &[u8]) -> Result<TxEnv, Refusal> {
    let tx = TxEnvelope::decode_2718_exact(raw).map_err(|_| Refusal::Malformed)?;
    let tx_type = match &tx {
        TxEnvelope::Legacy(_) => 0,
        TxEnvelope::Eip2930(_) => 1,
        TxEnvelope::Eip1559(_) => 2,
        TxEnvelope::Eip4844(_) | TxEnvelope::Eip7702(_) => return Err(Refusal::UnsupportedType),
    };
    let caller = tx.recover_signer().map_err(|_| Refusal::Signature)?;
    Ok(TxEnv {
        tx_type,
        caller,
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        gas_priority_fee: tx.max_priority_fee_per_gas(),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: tx.chain_id(),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        ..TxEnv::default()
    })
}

fn receipt(done: Executed, creates: bool) -> Receipt {
    let Executed { answer: Answer { status, output, logs, starved, .. }, created, gas } = done;
    let success = status == Status::Success;
    let outcome = if success { Outcome::Success } else { Outcome::Failed };
    let output = if success && creates { Vec::new() } else { output };
    Receipt { outcome, output, logs, created, gas, starved }
}

fn reason(refused: &Refused) -> Refusal {
    use InvalidTransaction as Why;
    let EVMError::Transaction(why) = &refused.0 else { return Refusal::Other("no error of a transaction") };
    match why {
        Why::PriorityFeeGreaterThanMaxFee => Refusal::PriorityAboveFee,
        Why::GasPriceLessThanBasefee => Refusal::FeeBelowBase,
        Why::CallerGasLimitMoreThanBlock => Refusal::BlockGas,
        Why::CallGasCostMoreThanGasLimit { .. } | Why::GasFloorMoreThanGasLimit { .. } => {
            Refusal::IntrinsicGas
        }
        Why::RejectCallerWithCode => Refusal::SenderHasCode,
        Why::LackOfFundForMaxFee { .. } | Why::OverflowPaymentInTransaction => Refusal::Balance,
        Why::NonceOverflowInTransaction => Refusal::NonceAtMaximum,
        Why::NonceTooHigh { .. } => Refusal::NonceTooHigh,
        Why::NonceTooLow { .. } => Refusal::NonceTooLow,
        Why::InvalidChainId | Why::MissingChainId => Refusal::ChainId,
        _ => Refusal::Other("a rule of revm's that Lathe does not have"),
    }
}
