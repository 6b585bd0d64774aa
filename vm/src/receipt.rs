//! What became of each record, read off the kernel's own accesses while the batch ran.
//! Receipts are outside the statement: they follow from re-executing the posted bytes.
use crate::batch::Record;
use crate::machine::{CallStatus, Event};
use crate::replay::ReplayError;
use serde::{Deserialize, Serialize};

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptStatus {
    /// Wrong nonce; nothing happened.
    Skipped,
    /// The call returned, or the callee has no code.
    Success,
    /// The call reverted or halted exceptionally; only the nonce moved.
    Reverted,
}

/// The receipt of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How it ended.
    pub status: ReceiptStatus,
    /// What the callee handed back, at most [`crate::machine::MAX_OUTPUT`] bytes.
    pub output: Vec<u8>,
}

/// Assigns the kernel's events to the records: each record begins with the read of its sender's nonce.
pub(crate) fn receipts(records: &[Record], events: &[Event]) -> Result<Vec<Receipt>, ReplayError> {
    let mut out: Vec<Receipt> = Vec::with_capacity(records.len());
    for event in events {
        let seen = out.len();
        match (event, out.last_mut()) {
            (Event::NonceRead(cell), _) if records.get(seen).is_some_and(|r| r.from == cell.address) => {
                out.push(Receipt { status: ReceiptStatus::Skipped, output: Vec::new() });
            }
            (Event::NonceWrite(_), Some(last)) => last.status = ReceiptStatus::Success,
            // Receipts have no logs yet.
            (Event::Log(_), Some(_)) => {}
            (Event::CallEnd { status, output, .. }, Some(last)) => {
                let status = match status {
                    CallStatus::Success => ReceiptStatus::Success,
                    CallStatus::Reverted | CallStatus::Halted(_) => ReceiptStatus::Reverted,
                };
                *last = Receipt { status, output: output.clone() };
            }
            _ => return Err(ReplayError::Kernel { seen, posted: records.len() }),
        }
    }
    if out.len() != records.len() {
        return Err(ReplayError::Kernel { seen: out.len(), posted: records.len() });
    }
    Ok(out)
}
