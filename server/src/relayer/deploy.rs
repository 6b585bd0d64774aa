//! Deploys verifier and rollup from the compiled artefacts. Used by the demo and by `lathe setup --deploy`;
//! it never chooses keys: they come from the caller's proving system.
use super::RelayerError;
use alloy::network::{EthereumWallet, TransactionBuilder};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::{Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol;
use alloy::sol_types::{SolValue, private::FixedBytes};
use std::path::{Path, PathBuf};
use std::time::Duration;

sol! {
    /// `BatchVerifier.Key`
    struct Key {
        uint256[34] words;
        bool development;
    }

    /// `BatchVerifier.Layout`
    struct Layout {
        uint32 id;
        bytes shapes;
    }
}

/// Words of one verifying key on L1.
pub const KEY_WORDS: usize = 34;

/// What the contracts are deployed with.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// One verifying key per shape, [`KEY_WORDS`] words each.
    pub keys: Vec<Vec<[u8; 32]>>,
    /// Whether the keys come from a development setup.
    pub development: bool,
    /// Layout id.
    pub layout_id: u32,
    /// Shape of each circuit.
    pub layout: Vec<u8>,
    /// State root before batch 1.
    pub genesis_root: [u8; 32],
    /// Hash of the kernel.
    pub kernel_hash: [u8; 32],
    /// L2 chain id.
    pub chain_id: u64,
    /// Refuses development keys and protocolVersion 0.
    pub production: bool,
}

/// Where the contracts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// `BatchVerifier`
    pub verifier: Address,
    /// `LatheRollup`
    pub rollup: Address,
}

/// Why nothing was deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// An artefact.
    #[error("contract artefact {file}: {what}; build it with `make -C contracts build`")]
    Artefact {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A key has the wrong number of words.
    #[error("verifying key {shape} has {got} words, L1 takes {KEY_WORDS}")]
    Key {
        /// Shape.
        shape: usize,
        /// Its words.
        got: usize,
    },
    /// L1 refused or did not answer.
    #[error("deploying {contract}: {reason}")]
    L1 {
        /// Which contract.
        contract: &'static str,
        /// Why.
        reason: String,
    },
    /// The RPC URL.
    #[error(transparent)]
    Url(#[from] RelayerError),
}

/// Deploys both contracts with `operator` as operator and payer.
///
/// # Errors
/// See [`DeployError`].
pub async fn deploy(
    url: &str,
    operator: &PrivateKeySigner,
    artefacts: &Path,
    deployment: &Deployment,
) -> Result<Deployed, DeployError> {
    let mut keys = Vec::new();
    for (shape, words) in deployment.keys.iter().enumerate() {
        let words: [U256; KEY_WORDS] = words
            .iter()
            .map(|w| U256::from_be_bytes(*w))
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|w: Vec<_>| DeployError::Key { shape, got: w.len() })?;
        keys.push(Key { words, development: deployment.development });
    }
    let layout = Layout { id: deployment.layout_id, shapes: deployment.layout.clone().into() };
    let arguments = (keys, vec![layout]).abi_encode_params();
    let verifier = create(url, operator, artefacts, "BatchVerifier", arguments).await?;
    let arguments = (
        FixedBytes(deployment.genesis_root),
        verifier,
        FixedBytes(deployment.kernel_hash),
        U256::from(deployment.chain_id),
        U256::ZERO,
        operator.address(),
        deployment.production,
    );
    let rollup = create(url, operator, artefacts, "LatheRollup", arguments.abi_encode_params()).await?;
    Ok(Deployed { verifier, rollup })
}

/// Deploys one contract from its artefact and constructor arguments.
///
/// # Errors
/// See [`DeployError`].
pub async fn create(
    url: &str,
    operator: &PrivateKeySigner,
    artefacts: &Path,
    contract: &'static str,
    arguments: Vec<u8>,
) -> Result<Address, DeployError> {
    let mut code = bytecode(artefacts, contract)?;
    code.extend_from_slice(&arguments);
    create_raw(url, operator, contract, code).await
}

/// Deploys creation code as it is.
///
/// # Errors
/// See [`DeployError`].
pub async fn create_raw(
    url: &str,
    operator: &PrivateKeySigner,
    contract: &'static str,
    code: Vec<u8>,
) -> Result<Address, DeployError> {
    let fail = |reason: String| DeployError::L1 { contract, reason };
    let parsed = url.parse().map_err(|e| fail(format!("{url:?}: {e}")))?;
    let client = crate::http_client(Duration::from_secs(60)).map_err(|e| fail(e.to_string()))?;
    let wallet = EthereumWallet::from(operator.clone());
    let provider = ProviderBuilder::new().wallet(wallet).connect_reqwest(client, parsed);
    let request = TransactionRequest::default().with_deploy_code(Bytes::from(code));
    let pending = provider.send_transaction(request).await.map_err(|e| fail(e.to_string()))?;
    let hash: B256 = *pending.tx_hash();
    for _ in 0..600 {
        if let Some(receipt) =
            provider.get_transaction_receipt(hash).await.map_err(|e| fail(e.to_string()))?
        {
            if !receipt.status() {
                return Err(fail(format!("transaction {hash} reverted")));
            }
            return receipt.contract_address.ok_or_else(|| fail("the receipt names no contract".into()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(fail(format!("transaction {hash} was not mined within a minute")))
}

fn bytecode(artefacts: &Path, contract: &str) -> Result<Vec<u8>, DeployError> {
    let file = artefacts.join(format!("{contract}.sol")).join(format!("{contract}.json"));
    let refuse = |what: String| DeployError::Artefact { file: file.clone(), what };
    let text = std::fs::read_to_string(&file).map_err(|e| refuse(e.to_string()))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    let code =
        json["bytecode"]["object"].as_str().ok_or_else(|| refuse("it has no bytecode.object".into()))?;
    hex::decode(code.trim_start_matches("0x")).map_err(|e| refuse(format!("bytecode: {e}")))
}
