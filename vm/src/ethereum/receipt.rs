//! Receipts, read off the logs that the kernel and its contracts left while the batch ran.
//! They are outside the statement: they follow from re-executing the posted bytes.
use super::reason::{Reason, SKIPPED};
use super::transaction::Transaction;
use super::{Address, json, keccak};
use crate::machine::{Event, Log};
use crate::replay::BlockParams;
use crate::word::Word;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Bytes of a bloom filter.
pub const BLOOM: usize = 256;

/// The address of the kernel's own logs, which no contract has. One with three topics ends a transaction: outcome, gas
/// used, address created.
const KERNEL: Address = [0; 20];

/// A log in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The contract.
    #[serde(with = "json::data")]
    pub address: Address,
    /// At most four.
    #[serde(with = "json::words")]
    pub topics: Vec<Word>,
    /// The data.
    #[serde(with = "json::data")]
    pub data: Vec<u8>,
    /// Position among the logs of the batch.
    #[serde(with = "json::quantity")]
    pub log_index: u64,
    /// Position of the transaction in the batch.
    #[serde(with = "json::quantity")]
    pub transaction_index: u64,
    /// Its hash.
    #[serde(with = "json::data")]
    pub transaction_hash: [u8; 32],
    /// Batch number.
    #[serde(with = "json::quantity")]
    pub block_number: u64,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The transaction's hash; Keccak-256 of the body where that is no transaction.
    #[serde(with = "json::data")]
    pub transaction_hash: [u8; 32],
    /// Position in the batch.
    #[serde(with = "json::quantity")]
    pub transaction_index: u64,
    /// Batch number.
    #[serde(with = "json::quantity")]
    pub block_number: u64,
    /// EIP-2718's type, 0 for legacy; the first byte where the body is no transaction.
    #[serde(rename = "type", with = "json::quantity")]
    pub kind: u8,
    /// Sender, if there is one.
    #[serde(with = "json::address")]
    pub from: Option<Address>,
    /// Callee; none for a creation.
    #[serde(with = "json::address")]
    pub to: Option<Address>,
    /// The contract created.
    #[serde(with = "json::address")]
    pub contract_address: Option<Address>,
    /// 1 if the call succeeded.
    #[serde(with = "json::quantity")]
    pub status: bool,
    /// Why nothing happened, if nothing did; absent for a transaction that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_reason: Option<Reason>,
    /// Gas used and paid for. Of an account transaction that was refused in its validation: what that used, which the block
    /// has no longer and nobody paid.
    #[serde(with = "json::quantity")]
    pub gas_used: u64,
    /// That and what the transactions before used.
    #[serde(with = "json::quantity")]
    pub cumulative_gas_used: u64,
    /// Wei per gas; 0 if nothing was paid.
    #[serde(with = "json::quantity")]
    pub effective_gas_price: Word,
    /// The logs that lasted.
    pub logs: Vec<LogEntry>,
    /// Their 2048-bit bloom filter.
    #[serde(with = "json::data")]
    pub logs_bloom: [u8; BLOOM],
    /// What the call handed back, cut at [`crate::machine::Limits::max_output_bytes`]; for a transaction that was
    /// skipped, what its validation did.
    #[serde(with = "json::data")]
    pub output: Vec<u8>,
}

/// Why the kernel's logs make no receipts: it is not the Ethereum kernel, or not in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// One log ends one transaction.
    #[error("the kernel ended {ended} transactions of {posted}")]
    Count {
        /// Logs that end a transaction.
        ended: usize,
        /// Records posted.
        posted: usize,
    },
    /// Nothing is logged behind the last transaction.
    #[error("{0} logs behind the last transaction")]
    Astray(usize),
    /// A topic out of range.
    #[error("record {index}: the kernel logged {field} {value}")]
    Topic {
        /// Position in the batch.
        index: usize,
        /// Which topic.
        field: &'static str,
        /// Its value.
        value: Word,
    },
}

/// The bloom filter of logs: three bits for the address and for each topic.
pub fn bloom<'a>(logs: impl IntoIterator<Item = (&'a Address, &'a [Word])>) -> [u8; BLOOM] {
    let mut out = [0; BLOOM];
    let mut add = |bytes: &[u8]| {
        let hash = keccak(&[bytes]);
        for pair in hash[..6].chunks_exact(2) {
            let bit = usize::from(pair[0] & 7) << 8 | usize::from(pair[1]);
            out[BLOOM - 1 - bit / 8] |= 1 << (bit % 8);
        }
    };
    for (address, topics) in logs {
        add(address);
        topics.iter().for_each(|topic| add(&topic.to_be_bytes()));
    }
    out
}

/// What the kernel says of a transaction, and what happened in it.
struct Ended<'a> {
    outcome: Word,
    gas_used: Word,
    created: Word,
    logs: Vec<&'a Log>,
    output: &'a [u8],
}

/// Cuts the events where the kernel ends a transaction.
fn ended(events: &[Event]) -> Result<Vec<Ended<'_>>, ReceiptError> {
    let mut out = Vec::new();
    let (mut logs, mut output, mut validated) = (Vec::new(), &[][..], false);
    for event in events {
        match event {
            Event::Log(log) => match (log.address, &log.topics[..]) {
                (KERNEL, &[outcome, gas_used, created]) => {
                    let (logs, output) = (std::mem::take(&mut logs), std::mem::take(&mut output));
                    validated = false;
                    out.push(Ended { outcome, gas_used, created, logs, output });
                }
                _ => logs.push(log),
            },
            Event::CallEnd { output: bytes, .. } => output = bytes,
            // The sender's nonce moves between the calls that validate and the one that the transaction is.
            Event::NonceWrite(_) if !validated => (output, validated) = (&[][..], true),
            Event::NonceRead(_) | Event::NonceWrite(_) => {}
        }
    }
    match logs.len() {
        0 => Ok(out),
        n => Err(ReceiptError::Astray(n)),
    }
}

/// Who a body is from and what it costs.
struct Head {
    hash: [u8; 32],
    kind: u8,
    from: Option<Address>,
    to: Option<Address>,
    price: Word,
}

impl Head {
    fn of(body: &[u8], base_fee: Word) -> Head {
        match Transaction::decode(body) {
            Ok(t) => Head {
                hash: t.hash(),
                kind: t.kind(),
                from: t.sender(),
                to: t.to(),
                price: t.gas_price(base_fee),
            },
            Err(_) => {
                let kind = body.first().copied().unwrap_or_default();
                Head { hash: keccak(&[body]), kind, from: None, to: None, price: Word::ZERO }
            }
        }
    }
}

/// The receipts of a batch's bodies, from the events of the run.
///
/// # Errors
/// Events that the Ethereum kernel does not leave.
pub fn receipts<B: AsRef<[u8]> + Sync>(
    params: &BlockParams,
    bodies: &[B],
    events: &[Event],
) -> Result<Vec<Receipt>, ReceiptError> {
    let ended = ended(events)?;
    if ended.len() != bodies.len() {
        return Err(ReceiptError::Count { ended: ended.len(), posted: bodies.len() });
    }
    let heads: Vec<Head> = bodies.par_iter().map(|b| Head::of(b.as_ref(), params.base_fee)).collect();
    let (mut cumulative, mut log_index) = (0u64, 0);
    let mut out = Vec::with_capacity(bodies.len());
    for (index, (head, end)) in heads.into_iter().zip(ended).enumerate() {
        let fault = |field, value| ReceiptError::Topic { index, field, value };
        let (status, skip_reason) = outcome(end.outcome).ok_or_else(|| fault("outcome", end.outcome))?;
        let gas_used = json::Number::from_word(end.gas_used);
        let gas_used: u64 = gas_used.ok_or_else(|| fault("gas used", end.gas_used))?;
        cumulative = cumulative.checked_add(gas_used).ok_or_else(|| fault("gas used", end.gas_used))?;
        let created = address(end.created).ok_or_else(|| fault("created address", end.created))?;
        let place = |(i, log): (u64, &Log)| LogEntry {
            address: log.address,
            topics: log.topics.clone(),
            data: log.data.clone(),
            log_index: log_index + i,
            transaction_index: index as u64,
            transaction_hash: head.hash,
            block_number: params.number,
        };
        let logs: Vec<LogEntry> = (0..).zip(end.logs.iter().copied()).map(place).collect();
        log_index += logs.len() as u64;
        out.push(Receipt {
            transaction_hash: head.hash,
            transaction_index: index as u64,
            block_number: params.number,
            kind: head.kind,
            from: head.from,
            to: head.to,
            contract_address: Some(created).filter(|a| *a != [0; 20]),
            status,
            skip_reason,
            gas_used,
            cumulative_gas_used: cumulative,
            effective_gas_price: if skip_reason.is_some() { Word::ZERO } else { head.price },
            logs_bloom: bloom(logs.iter().map(|l| (&l.address, &l.topics[..]))),
            logs,
            output: end.output.to_vec(),
        });
    }
    Ok(out)
}

/// Success and the reason to skip.
fn outcome(word: Word) -> Option<(bool, Option<Reason>)> {
    match json::Number::from_word(word)? {
        0u64 => Some((false, None)),
        1 => Some((true, None)),
        n => Reason::from_number(n.checked_sub(SKIPPED)?).map(|reason| (false, Some(reason))),
    }
}

fn address(word: Word) -> Option<Address> {
    let be = word.to_be_bytes();
    let (high, low) = be.split_at(12);
    low.try_into().ok().filter(|_| high.iter().all(|b| *b == 0))
}
