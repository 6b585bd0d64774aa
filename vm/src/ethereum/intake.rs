//! The sequencer's check before a batch: which transactions the kernel would skip, and why, found without running it.
//! A transaction that passes can still be refused by its account or its paymaster, which only running it shows.
use super::batch::check_body;
use super::intrinsic::intrinsic_gas;
use super::reason::Reason;
use super::receipt::Receipt;
use super::transaction::{AccountTransaction, Fees, Signed, Transaction, kind};
use super::{Address, small};
use crate::machine::{StateRead, alu};
use crate::replay::BlockParams;
use crate::state::CellId;
use crate::word::Word;

/// No more gas can be counted.
const MAX_GAS: u64 = u32::MAX as u64;

/// Why a transaction does not go into a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} ({detail})")]
pub struct Refused {
    /// The rule.
    pub reason: Reason,
    /// The values that break it.
    pub detail: String,
}

impl Reason {
    fn with(self, detail: impl ToString) -> Refused {
        Refused { reason: self, detail: detail.to_string() }
    }

    /// Refuses unless the rule holds.
    fn unless(self, holds: bool, detail: impl FnOnce() -> String) -> Result<(), Refused> {
        if holds { Ok(()) } else { Err(self.with(detail())) }
    }
}

/// How far a batch has come.
#[derive(Clone, Debug)]
pub struct Intake<'a> {
    params: &'a BlockParams,
    gas_left: u64,
    /// A record of another type has ended the priority operations.
    ordinary: bool,
}

impl<'a> Intake<'a> {
    /// A batch without records.
    pub fn new(params: &'a BlockParams) -> Intake<'a> {
        Intake { params, gas_left: params.gas_limit.min(MAX_GAS), ordinary: false }
    }

    /// Counts a record that the batch has from here on, with what became of it.
    pub fn include(&mut self, body: &[u8], receipt: &Receipt) {
        self.gas_left = self.gas_left.saturating_sub(receipt.gas_used);
        self.ordinary |= body.first() != Some(&kind::PRIORITY);
    }

    /// Checks a body for the state in which it would run.
    ///
    /// # Errors
    /// The first rule it breaks, in the kernel's order; a body that no record can hold counts as malformed.
    pub fn check<V: StateRead>(&self, state: &V, body: &[u8]) -> Result<Transaction, Refused> {
        check_body(0, 0, body).map_err(|e| Reason::Malformed.with(e))?;
        let transaction = Transaction::decode(body).map_err(|e| e.reason().with(e))?;
        match &transaction {
            Transaction::Signed(t) => self.signed(state, t, &transaction),
            Transaction::Account(t) => self.account(state, t, &transaction),
            Transaction::Priority(_) => self.priority(),
        }?;
        Ok(transaction)
    }

    fn signed<V: StateRead>(&self, state: &V, t: &Signed, whole: &Transaction) -> Result<(), Refused> {
        let p = &t.payload;
        self.chain(p.chain_id)?;
        let from = t.sender().ok_or_else(|| Reason::BadSignature.with("no key made it"))?;
        let code = state.read(&CellId::code_hash(from));
        Reason::SenderHasCode.unless(code.is_zero(), || format!("sender {}", text(from)))?;
        nonce(state, from, p.nonce)?;
        self.fees(p.kind.fees())?;
        self.gas(whole)?;
        balance(state, from, p.value, p.kind.fees().most(p.gas_limit))
    }

    fn account<V: StateRead>(
        &self,
        state: &V,
        t: &AccountTransaction,
        whole: &Transaction,
    ) -> Result<(), Refused> {
        let p = &t.payload;
        self.chain(p.chain_id)?;
        if state.read(&CellId::code_hash(p.from)).is_zero() {
            let detail = || format!("sender {} has no code and did not sign", text(p.from));
            Reason::BadSignature.unless(t.is_signed_by_sender(), detail)?;
        }
        nonce(state, p.from, p.nonce)?;
        self.fees(p.fees)?;
        self.gas(whole)?;
        let fee = if p.paymaster.is_none() { p.fees.most(p.gas_limit) } else { Word::ZERO };
        balance(state, p.from, p.value, fee)?;
        if let Some(paymaster) = p.paymaster {
            let (has, fee) = (state.read(&CellId::balance(paymaster)), p.fees.most(p.gas_limit));
            let detail = || format!("paymaster {} has {has}, fee up to {fee}", text(paymaster));
            Reason::PaymasterRefused.unless(has >= fee, detail)?;
            let code = state.read(&CellId::code_hash(paymaster));
            let detail = || format!("paymaster {} has no code", text(paymaster));
            Reason::PaymasterRefused.unless(!code.is_zero(), detail)?;
        }
        Ok(())
    }

    /// L1 has checked all else, and nothing of it can be refused here.
    fn priority(&self) -> Result<(), Refused> {
        Reason::PriorityOutOfOrder.unless(!self.ordinary, || "there are other records before it".into())
    }

    fn chain(&self, got: u64) -> Result<(), Refused> {
        let expected = self.params.chain_id;
        Reason::WrongChainId.unless(got == expected, || format!("chain id {got}, expected {expected}"))
    }

    fn fees(&self, fees: Fees) -> Result<(), Refused> {
        let Fees { max_priority, max } = fees;
        let detail = || format!("priority fee {max_priority}, cap {max}");
        Reason::PriorityFeeAboveFeeCap.unless(max_priority <= max, detail)?;
        let base = self.params.base_fee;
        let detail = || format!("cap {max}, base fee {base}");
        Reason::FeeCapBelowBaseFee.unless(Word::from(max) >= base, detail)
    }

    fn gas(&self, t: &Transaction) -> Result<(), Refused> {
        let (limit, least, left) = (t.gas_limit(), intrinsic_gas(t), self.gas_left);
        let detail = || format!("gas limit {limit}, intrinsic gas {least}");
        Reason::GasLimitBelowIntrinsic.unless(limit >= least, detail)?;
        let detail = || format!("gas limit {limit}, {left} left");
        Reason::GasLimitAboveBlock.unless(limit <= left, detail)
    }
}

fn text(address: Address) -> String {
    format!("0x{}", hex::encode(address))
}

fn nonce<V: StateRead>(state: &V, from: Address, got: u64) -> Result<(), Refused> {
    let (got, expected) = (small(got), state.read(&CellId::nonce(from)));
    let detail = || format!("nonce {}, expected {}", got.lo, expected.lo);
    Reason::NonceTooLow.unless(got >= expected, detail)?;
    Reason::NonceTooHigh.unless(got <= expected, detail)?;
    Reason::NonceAtMaximum.unless(got != small(u64::MAX), detail)
}

/// `from` has value and fee; their sum may need more than 256 bits.
fn balance<V: StateRead>(state: &V, from: Address, value: Word, fee: Word) -> Result<(), Refused> {
    let has = state.read(&CellId::balance(from));
    let enough = has >= value && alu::sub(has, value) >= fee;
    Reason::BalanceTooLow.unless(enough, || format!("balance {has}, value {value}, fee up to {fee}"))
}
