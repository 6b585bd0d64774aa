//! Settles proven batches on L1 in order: commit, prove, execute. Before each step it asks the contract what is
//! already done, and a signed transaction is stored before it is sent, so that no crash and no repetition posts
//! a batch twice. When L1 does not answer, proofs wait and the relayer tries again.
pub mod backoff;
pub mod contract;
pub mod deploy;
mod submit;

use crate::app::App;
use crate::config::L1Config;
use crate::metrics::METRICS;
use crate::prover::L1Binding;
use crate::store::{ExecutedRow, L1Step, Phase, ProgressRow, StoreError};
use alloy::network::Ethereum;
use alloy::primitives::{Address, B256};
use alloy::providers::{Provider, ProviderBuilder, RootProvider};
use alloy::signers::local::PrivateKeySigner;
use backoff::Backoff;
use contract::LatheRollup;
use lathe_vm::programs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often L1's health is looked at when there is nothing to settle.
const IDLE: Duration = Duration::from_secs(5);
/// Time limit of one call to L1.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a settlement step did not happen.
#[derive(Debug, thiserror::Error)]
pub enum RelayerError {
    /// A setting is wrong; the server does not start.
    #[error("setting {name}: {what}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What is wrong and expected.
        what: String,
    },
    /// The operator's key file.
    #[error("L1 key file {file}: {what}")]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No answer, or not the answer of a node.
    #[error("L1 does not answer: {0}")]
    Transport(String),
    /// The node or the contract refuses the call.
    #[error("L1 refuses {call}: {reason}")]
    Refused {
        /// Which call.
        call: String,
        /// Its reason.
        reason: String,
    },
    /// The contract is not the one this appliance proves for.
    #[error("L1 contract {contract}: {what}")]
    Mismatch {
        /// Its address.
        contract: Address,
        /// What differs.
        what: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored proof or statement is not what it was.
    #[error("batch {number} is not posted: {what}")]
    Batch {
        /// Batch.
        number: u64,
        /// What is wrong.
        what: String,
    },
}

impl RelayerError {
    /// Whether L1 answered at all.
    fn reached_l1(&self) -> bool {
        !matches!(self, RelayerError::Transport(_))
    }
}

/// The relayer's settings, checked.
pub struct Relayer {
    provider: RootProvider<Ethereum>,
    contract: Address,
    signer: PrivateKeySigner,
    confirmations: u64,
    bump_after: Duration,
}

impl Relayer {
    /// Reads the settings; `None` if settlement is off.
    ///
    /// # Errors
    /// The setting that is wrong. Does not call L1.
    pub fn from_config(config: &L1Config) -> Result<Option<Relayer>, RelayerError> {
        let Some(contract) = &config.l1_contract else { return Ok(None) };
        let setting = |name, what: String| RelayerError::Setting { name, what };
        let contract: Address =
            contract.parse().map_err(|e| setting("l1-contract", format!("{contract:?}: {e}")))?;
        let file = config.l1_key_file.clone().ok_or_else(|| {
            setting("l1-key-file", "needed to settle on L1; name a file with a private key".into())
        })?;
        Ok(Some(Relayer {
            provider: provider(&config.l1_rpc)?,
            contract,
            signer: read_key(&file)?,
            confirmations: config.l1_confirmations.max(1),
            bump_after: Duration::from_secs(config.l1_bump_seconds.max(1)),
        }))
    }

    /// Refuses a store that is bound to another contract; needs no L1.
    ///
    /// # Errors
    /// [`RelayerError::Mismatch`].
    pub fn check_binding(&self, app: &App) -> Result<(), RelayerError> {
        match app.binding() {
            Some(bound) if bound.contract != self.contract.into_array() => {
                let bound = Address::from(bound.contract);
                Err(self
                    .mismatch(format!("the data folder holds proofs for {bound}; use another data folder")))
            }
            _ => Ok(()),
        }
    }

    /// Settles until a stop is asked for.
    pub async fn run(self, app: Arc<App>) {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let mut connected = false;
        while !app.stopping() {
            let result = self.turn(&app, &mut connected).await;
            app.settling.end();
            let pause = match result {
                Ok(true) => {
                    backoff.reset();
                    continue;
                }
                Ok(false) => {
                    backoff.reset();
                    IDLE
                }
                Err(error) => {
                    self.report(&app, &error);
                    backoff.next_pause()
                }
            };
            // A new proof ends an idle wait, but not the pause after an error.
            if pause == IDLE {
                let _ = tokio::time::timeout(pause, app.wake_relayer.notified()).await;
            } else {
                pause_unless_stopping(&app, pause).await;
            }
        }
    }

    fn report(&self, app: &App, error: &RelayerError) {
        if error.reached_l1() {
            app.l1.up();
            tracing::error!(%error, "settlement failed; trying again");
            app.set_settle_error(Some(error.to_string()));
        } else {
            app.l1.down(error.to_string());
        }
    }

    /// One batch if there is one to settle; whether there was.
    async fn turn(&self, app: &App, connected: &mut bool) -> Result<bool, RelayerError> {
        if !*connected {
            self.connect(app).await?;
            *connected = true;
        } else {
            self.provider.get_block_number().await.map_err(transport)?;
        }
        app.l1.up();
        let number = app.store.last_executed()? + 1;
        if app.store.last_proven()? < number {
            app.set_settle_error(None);
            return Ok(false);
        }
        self.settle(app, number).await?;
        app.set_settle_error(None);
        Ok(true)
    }

    /// Checks that the contract is the one whose batches this appliance proves, and binds the proofs to it.
    async fn connect(&self, app: &App) -> Result<(), RelayerError> {
        let chain_id = self.provider.get_chain_id().await.map_err(transport)?;
        if self.provider.get_code_at(self.contract).await.map_err(transport)?.is_empty() {
            return Err(self.mismatch(format!("no code there on chain {chain_id}; deploy the contracts")));
        }
        let rollup = self.rollup();
        let call = |name| move |e: alloy::contract::Error| contract::call_error(name, e);
        let l2 = rollup.chainId().call().await.map_err(call("chainId"))?;
        let version = rollup.protocolVersion().call().await.map_err(call("protocolVersion"))?;
        let kernel = rollup.kernelHash().call().await.map_err(call("kernelHash"))?;
        let root = rollup
            .storedStateRoot(alloy::primitives::U256::ZERO)
            .call()
            .await
            .map_err(call("storedStateRoot"))?;
        let operator = rollup.operator().call().await.map_err(call("operator"))?;
        let want_kernel = B256::from(programs::kernel().hash_word().to_be_bytes());
        let differ = |what: &str, theirs: String, ours: String| {
            (theirs != ours)
                .then(|| self.mismatch(format!("its {what} is {theirs}, this appliance has {ours}")))
        };
        let genesis = B256::from(app.acceptor.genesis_root());
        let checks = [
            differ("L2 chain id", l2.to_string(), app.chain_id.to_string()),
            differ("protocolVersion", version.to_string(), "0".into()),
            differ("kernelHash", kernel.to_string(), want_kernel.to_string()),
            differ("genesis state root", root.to_string(), genesis.to_string()),
            differ("operator", operator.to_string(), self.signer.address().to_string()),
        ];
        if let Some(error) = checks.into_iter().flatten().next() {
            return Err(error);
        }
        app.bind(L1Binding { chain_id, contract: self.contract.into_array() })?;
        tracing::info!(chain_id, contract = %self.contract, "settling on L1");
        Ok(())
    }

    /// Takes a proven batch through all three steps and requires L1's own word that it is executed.
    async fn settle(&self, app: &App, number: u64) -> Result<(), RelayerError> {
        let row =
            app.store.batch(number)?.ok_or(RelayerError::Batch { number, what: "it is missing".into() })?;
        app.settling.begin(number, stage_name(L1Step::Commit));
        for step in L1Step::ALL {
            app.settling.at(stage_name(step), 0.0);
            self.ensure(app, &row, step).await?;
        }
        let rollup = self.rollup();
        let root = rollup
            .storedStateRoot(alloy::primitives::U256::from(number))
            .call()
            .await
            .map_err(|e| contract::call_error("storedStateRoot", e))?
            .to_string();
        if root != row.statement.new_state_root {
            let ours = &row.statement.new_state_root;
            return Err(self.mismatch(format!("batch {number} is executed with root {root}, ours is {ours}")));
        }
        let mut stages_ms = app.store.progress(number)?.unwrap_or_default().stages_ms;
        stages_ms.extend(app.settling.end());
        let progress = ProgressRow { phase: Phase::Executed, stages_ms, error: None };
        app.store.insert_executed(number, &ExecutedRow { root: root.clone() }, &progress)?;
        METRICS.last_batch("executed", number);
        tracing::info!(batch = number, %root, "executed on L1");
        Ok(())
    }

    fn rollup(&self) -> LatheRollup::LatheRollupInstance<RootProvider<Ethereum>> {
        LatheRollup::new(self.contract, self.provider.clone())
    }

    fn mismatch(&self, what: String) -> RelayerError {
        RelayerError::Mismatch { contract: self.contract, what }
    }
}

/// Name of a step in views, logs and metrics.
pub fn stage_name(step: L1Step) -> &'static str {
    match step {
        L1Step::Commit => "settleCommit",
        L1Step::Prove => "settleProve",
        L1Step::Execute => "settleExecute",
    }
}

async fn pause_unless_stopping(app: &App, pause: Duration) {
    let end = tokio::time::Instant::now() + pause;
    while !app.stopping() && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100).min(pause)).await;
    }
}

/// An L1 client with a time limit per call.
///
/// # Errors
/// [`RelayerError::Setting`] for a URL that is none.
pub fn provider(url: &str) -> Result<RootProvider<Ethereum>, RelayerError> {
    let setting = |what: String| RelayerError::Setting { name: "l1-rpc", what };
    let url: reqwest::Url = url.parse().map_err(|e| setting(format!("{url:?}: {e}")))?;
    let client = crate::http_client(CALL_TIMEOUT).map_err(|e| setting(e.to_string()))?;
    Ok(ProviderBuilder::new().disable_recommended_fillers().connect_reqwest(client, url))
}

/// Reads a private key from a file with one line of 0x hex.
///
/// # Errors
/// [`RelayerError::KeyFile`]; the text never holds the key.
pub fn read_key(file: &std::path::Path) -> Result<PrivateKeySigner, RelayerError> {
    let refuse = |what: String| RelayerError::KeyFile { file: file.to_path_buf(), what };
    let text = std::fs::read_to_string(file).map_err(|e| refuse(e.to_string()))?;
    text.trim().parse().map_err(|_| refuse("0x and 64 hex digits of a secp256k1 key expected".into()))
}

fn transport(error: impl std::fmt::Display) -> RelayerError {
    RelayerError::Transport(error.to_string())
}
