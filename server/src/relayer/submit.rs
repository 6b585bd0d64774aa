//! One settlement step: ask, sign, store, send, wait. The stored transaction is the only one that may ever be
//! sent for its nonce, apart from replacements with the same nonce and content and higher fees.
use super::contract::{self, LatheRollup, header};
use super::{Relayer, RelayerError, stage_name, transport};
use crate::app::App;
use crate::metrics::METRICS;
use crate::store::{BatchRow, L1Step, L1Tx, Mined};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TransactionBuilder;
use alloy::primitives::{B256, Bytes, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use std::time::Duration;
use tokio::time::Instant;

/// How often L1 is asked for a receipt.
const POLL: Duration = Duration::from_millis(400);

/// Looks at a receipt, [`POLL`] apart, before a used nonce counts as somebody else's.
const RECEIPT_LAG: usize = 12;

/// What became of the nonce of a stored transaction.
enum Fate {
    /// Mined, successfully or not.
    Mined(Box<TransactionReceipt>),
    /// Another transaction took its nonce.
    Replaced,
    /// Not mined yet, or never seen by the node.
    Pending,
}

impl Relayer {
    /// Brings batch `row` past `step`, sending a transaction only if the contract says that it is needed.
    pub(super) async fn ensure(&self, app: &App, row: &BatchRow, step: L1Step) -> Result<(), RelayerError> {
        loop {
            let stored = app.store.l1_tx(row.number, step)?;
            if self.done(row, step).await? {
                return self.note_receipt(app, row.number, step, stored).await;
            }
            let tx = match stored {
                Some(tx) => match self.fate(&tx).await? {
                    Fate::Pending => self.send_again(app, row.number, step, tx).await?,
                    // Mined and yet not done: it failed, or a reorganisation or `revertBatches` undid it.
                    Fate::Mined(_) | Fate::Replaced => self.send_new(app, row, step).await?,
                },
                None => self.send_new(app, row, step).await?,
            };
            self.wait(app, row.number, step, tx).await?;
            if app.stopping() && !self.done(row, step).await? {
                return Err(RelayerError::Batch { number: row.number, what: "the server stops".into() });
            }
        }
    }

    /// Whether the contract is past the step, with this very batch.
    async fn done(&self, row: &BatchRow, step: L1Step) -> Result<bool, RelayerError> {
        let rollup = self.rollup();
        let total = match step {
            L1Step::Commit => rollup.totalBatchesCommitted().call().await,
            L1Step::Prove => rollup.totalBatchesProven().call().await,
            L1Step::Execute => rollup.totalBatchesExecuted().call().await,
        };
        if total.map_err(|e| contract::call_error(step.name(), e))? < row.number {
            return Ok(false);
        }
        let statement = rollup.storedStatement(U256::from(row.number)).call().await;
        let statement = statement.map_err(|e| contract::call_error("storedStatement", e))?.to_string();
        if statement != row.statement_hash {
            let ours = &row.statement_hash;
            return Err(
                self.mismatch(format!("batch {} there has statement {statement}, ours {ours}", row.number))
            );
        }
        Ok(true)
    }

    async fn note_receipt(
        &self,
        app: &App,
        number: u64,
        step: L1Step,
        stored: Option<L1Tx>,
    ) -> Result<(), RelayerError> {
        let Some(mut tx) = stored.filter(|tx| tx.mined.is_none()) else { return Ok(()) };
        if let Fate::Mined(receipt) = self.fate(&tx).await? {
            tx.hash = receipt.transaction_hash.to_string();
            tx.mined = Some(mined(&receipt));
            app.store.put_l1_tx(number, step, &tx)?;
        }
        Ok(())
    }

    async fn fate(&self, tx: &L1Tx) -> Result<Fate, RelayerError> {
        // A node may count a nonce as used a little before it can show the receipt.
        for _ in 0..RECEIPT_LAG {
            if let Some(receipt) = self.receipt(tx).await? {
                return Ok(Fate::Mined(Box::new(receipt)));
            }
            let used = self.provider.get_transaction_count(self.signer.address()).await.map_err(transport)?;
            if used <= tx.nonce {
                return Ok(Fate::Pending);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(Fate::Replaced)
    }

    /// The receipt of a stored transaction, or of one that it replaced.
    async fn receipt(&self, tx: &L1Tx) -> Result<Option<TransactionReceipt>, RelayerError> {
        for hash in std::iter::once(&tx.hash).chain(&tx.replaced) {
            let hash: B256 =
                hash.parse().map_err(|_| transport("a stored transaction hash does not parse"))?;
            if let Some(receipt) = self.provider.get_transaction_receipt(hash).await.map_err(transport)? {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    async fn send_new(&self, app: &App, row: &BatchRow, step: L1Step) -> Result<L1Tx, RelayerError> {
        let input = self.calldata(app, row, step).await?;
        let from = self.signer.address();
        let nonce = self.provider.get_transaction_count(from).pending().await.map_err(transport)?;
        let request =
            TransactionRequest::default().with_from(from).with_to(self.contract).with_input(input.clone());
        let gas = self.provider.estimate_gas(request).await;
        let gas = gas.map_err(|e| contract::rpc_error(&format!("{}Batch", step.name()), &e))?;
        let fees = self.provider.estimate_eip1559_fees().await.map_err(transport)?;
        let chain_id = self.provider.get_chain_id().await.map_err(transport)?;
        let tx = TxEip1559 {
            chain_id,
            nonce,
            // A quarter more than estimated: the state may move between estimate and inclusion.
            gas_limit: gas + gas / 4,
            max_fee_per_gas: fees.max_fee_per_gas,
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
            to: TxKind::Call(self.contract),
            value: U256::ZERO,
            input,
            ..TxEip1559::default()
        };
        self.store_and_send(app, row.number, step, tx, Vec::new()).await
    }

    /// Signs, stores, sends, in this order.
    async fn store_and_send(
        &self,
        app: &App,
        number: u64,
        step: L1Step,
        tx: TxEip1559,
        replaced: Vec<String>,
    ) -> Result<L1Tx, RelayerError> {
        let sign =
            |e: alloy::signers::Error| RelayerError::Refused { call: "sign".into(), reason: e.to_string() };
        let signature = self.signer.sign_hash_sync(&tx.signature_hash()).map_err(sign)?;
        let nonce = tx.nonce;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        let raw = envelope.encoded_2718();
        let row = L1Tx { hash: envelope.tx_hash().to_string(), nonce, raw, replaced, mined: None };
        app.store.put_l1_tx(number, step, &row)?;
        self.send(step, number, &row).await?;
        Ok(row)
    }

    /// Sends stored bytes. A node that knows them already is no error.
    async fn send(&self, step: L1Step, number: u64, tx: &L1Tx) -> Result<(), RelayerError> {
        METRICS.l1_sent(step.name());
        tracing::info!(batch = number, step = step.name(), hash = %tx.hash, "sent to L1");
        let Err(error) = self.provider.send_raw_transaction(&tx.raw).await else { return Ok(()) };
        let known = ["already known", "already imported", "nonce too low", "AlreadyKnown"];
        if known.iter().any(|k| error.to_string().contains(k)) {
            return Ok(());
        }
        Err(contract::rpc_error(step.name(), &error))
    }

    /// Sends a stored transaction once more; after a restart the node may never have seen it.
    async fn send_again(&self, app: &App, number: u64, step: L1Step, tx: L1Tx) -> Result<L1Tx, RelayerError> {
        tracing::info!(batch = number, stage = stage_name(step), "found a stored transaction");
        match self.send(step, number, &tx).await {
            Ok(()) => Ok(tx),
            // Too cheap by now, for one: the same nonce at today's fees.
            Err(RelayerError::Refused { .. }) => self.bump(app, number, step, &tx).await,
            Err(error) => Err(error),
        }
    }

    /// Waits until the transaction is mined and confirmed; sends it again with higher fees when that takes long.
    async fn wait(&self, app: &App, number: u64, step: L1Step, mut tx: L1Tx) -> Result<(), RelayerError> {
        let mut sent = Instant::now();
        while !app.stopping() {
            match self.fate(&tx).await? {
                Fate::Replaced => return Ok(()),
                Fate::Mined(receipt) => {
                    if !self.confirmed(&receipt).await? {
                        tokio::time::sleep(POLL).await;
                        continue;
                    }
                    tx.hash = receipt.transaction_hash.to_string();
                    tx.mined = Some(mined(&receipt));
                    app.store.put_l1_tx(number, step, &tx)?;
                    if !receipt.status() {
                        let (call, hash) = (format!("{}Batch", step.name()), &tx.hash);
                        return Err(RelayerError::Refused {
                            call,
                            reason: format!("transaction {hash} reverted"),
                        });
                    }
                    return Ok(());
                }
                Fate::Pending if sent.elapsed() > self.bump_after => {
                    tx = self.bump(app, number, step, &tx).await?;
                    sent = Instant::now();
                }
                Fate::Pending => {}
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    async fn confirmed(&self, receipt: &TransactionReceipt) -> Result<bool, RelayerError> {
        let Some(block) = receipt.block_number else { return Ok(false) };
        let latest = self.provider.get_block_number().await.map_err(transport)?;
        Ok(latest + 1 >= block + self.confirmations)
    }

    /// The same transaction with the same nonce and fees at least 25% higher, more than nodes ask for.
    async fn bump(&self, app: &App, number: u64, step: L1Step, old: &L1Tx) -> Result<L1Tx, RelayerError> {
        let mut tx = decode(old)?;
        let fees = self.provider.estimate_eip1559_fees().await.map_err(transport)?;
        let raise = |old: u128, now: u128| (old + old / 4 + 1).max(now);
        tx.max_fee_per_gas = raise(tx.max_fee_per_gas, fees.max_fee_per_gas);
        tx.max_priority_fee_per_gas = raise(tx.max_priority_fee_per_gas, fees.max_priority_fee_per_gas);
        tracing::warn!(batch = number, step = step.name(), fee = %tx.max_fee_per_gas, "not mined; raising its fees");
        let mut replaced = old.replaced.clone();
        replaced.push(old.hash.clone());
        self.store_and_send(app, number, step, tx, replaced).await
    }

    async fn calldata(&self, app: &App, row: &BatchRow, step: L1Step) -> Result<Bytes, RelayerError> {
        let refuse = |what: String| RelayerError::Batch { number: row.number, what };
        let bytes = match step {
            L1Step::Execute => LatheRollup::executeBatchCall { number: U256::from(row.number) }.abi_encode(),
            L1Step::Commit => {
                let posted =
                    hex::decode(row.posted.trim_start_matches("0x")).map_err(|e| refuse(e.to_string()))?;
                LatheRollup::commitBatchCall { h: header(row)?, batchData: posted.into() }.abi_encode()
            }
            L1Step::Prove => {
                let proof =
                    app.store.proof(row.number)?.ok_or_else(|| refuse("its proof is missing".into()))?;
                self.check_proof(app, row, &proof.proof)?;
                let layout = U256::from(proof.layout_id);
                LatheRollup::proveBatchCall { h: header(row)?, layoutId: layout, proof: proof.proof.into() }
                    .abi_encode()
            }
        };
        Ok(bytes.into())
    }

    /// The last look before posting: milliseconds here against gas there.
    fn check_proof(&self, app: &App, row: &BatchRow, proof: &[u8]) -> Result<(), RelayerError> {
        let refuse = |what: String| RelayerError::Batch { number: row.number, what };
        let binding = app.binding().ok_or_else(|| refuse("the L1 binding is unknown".into()))?;
        let mut statement = [0; 32];
        hex::decode_to_slice(row.statement_hash.trim_start_matches("0x"), &mut statement)
            .map_err(|e| refuse(format!("statement hash: {e}")))?;
        app.prover.verify(&binding, statement, proof).map_err(|e| refuse(e.to_string()))
    }
}

fn mined(receipt: &TransactionReceipt) -> Mined {
    Mined { block: receipt.block_number.unwrap_or(0), gas_used: receipt.gas_used }
}

fn decode(row: &L1Tx) -> Result<TxEip1559, RelayerError> {
    use alloy::eips::eip2718::Decodable2718;
    let refuse = |reason: &str| RelayerError::Refused { call: "replace".into(), reason: reason.into() };
    match TxEnvelope::decode_2718_exact(&row.raw) {
        Ok(TxEnvelope::Eip1559(tx)) => Ok(tx.into_parts().0),
        _ => Err(refuse("the stored transaction does not decode")),
    }
}
