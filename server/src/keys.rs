//! Verifying keys in one small file beside the proving keys, so that a proof can be verified without loading
//! gigabytes. Whoever verifies trusts this file; it is checked point by point when it is read.
use crate::prover::L1Binding;
use lathe_kernels::{Backend, KernelError};
use lathe_prover::batch_verify::{BatchProof, Layout, check_keys, verify_batch};
use lathe_prover::groth16::VerifyingKey;
use lathe_prover::system::{System, SystemError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file in the keys folder.
pub const FILE: &str = "verifying-keys.json";

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The proving system.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The proving device.
    #[error(transparent)]
    Device(#[from] KernelError),
    /// The file.
    #[error("verifying keys {file}: {what}; `lathe setup` writes them")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    layout_id: u32,
    shapes: Vec<usize>,
    keys: Vec<serde_json::Value>,
}

/// Verifying keys and the layout they serve.
#[derive(Clone, Debug)]
pub struct Verifier {
    layout: Layout,
    keys: Vec<VerifyingKey>,
}

impl Verifier {
    /// Of an open system.
    pub fn of(system: &System) -> Verifier {
        Verifier { layout: system.layout().clone(), keys: system.verifying_keys().to_vec() }
    }

    /// Writes the file, replacing an older one in one step.
    ///
    /// # Errors
    /// [`KeysError::File`].
    pub fn save(&self, dir: &Path) -> Result<(), KeysError> {
        let file = dir.join(FILE);
        let refuse = |what: String| KeysError::File { file: file.clone(), what };
        let key = |k: &VerifyingKey| serde_json::from_str(&k.to_json()).map_err(|e| refuse(e.to_string()));
        let keys = self.keys.iter().map(key).collect::<Result<_, _>>()?;
        let stored = Stored { layout_id: self.layout.id, shapes: self.layout.shapes.clone(), keys };
        let text = serde_json::to_string_pretty(&stored).map_err(|e| refuse(e.to_string()))?;
        let temporary = dir.join(format!("{FILE}.tmp"));
        std::fs::write(&temporary, text).map_err(|e| refuse(e.to_string()))?;
        std::fs::rename(&temporary, &file).map_err(|e| refuse(e.to_string()))
    }

    /// Reads the file and checks every key.
    ///
    /// # Errors
    /// [`KeysError::File`].
    pub fn load(dir: &Path) -> Result<Verifier, KeysError> {
        let file = dir.join(FILE);
        let refuse = |what: String| KeysError::File { file: file.clone(), what };
        let text = std::fs::read_to_string(&file).map_err(|e| refuse(e.to_string()))?;
        let stored: Stored = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
        let key = |v: &serde_json::Value| {
            VerifyingKey::from_json(&v.to_string()).map_err(|e| refuse(e.to_string()))
        };
        let keys: Vec<VerifyingKey> = stored.keys.iter().map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() || stored.shapes.is_empty() || stored.shapes.iter().any(|s| *s >= keys.len()) {
            return Err(refuse("the layout names a shape without a key".into()));
        }
        check_keys(&keys).map_err(|e| refuse(e.to_string()))?;
        Ok(Verifier { layout: Layout { id: stored.layout_id, shapes: stored.shapes }, keys })
    }

    /// Id of the layout.
    pub fn layout_id(&self) -> u64 {
        self.layout.id.into()
    }

    /// Whether any key comes from a development setup.
    pub fn development(&self) -> bool {
        self.keys.iter().any(|k| k.info.development)
    }

    /// Verifies proof bytes from anywhere.
    ///
    /// # Errors
    /// The first reason of rejection, in words.
    pub fn verify(&self, l1: &L1Binding, statement: [u8; 32], proof: &[u8]) -> Result<(), String> {
        let proof = BatchProof::from_bytes(&self.layout, proof).map_err(|e| e.to_string())?;
        verify_batch(&self.layout, &self.keys, l1.chain_id, l1.contract, statement, &proof)
            .map_err(|e| e.to_string())
    }
}

/// Opens the proving system in `dir`, making keys that are missing, and writes the verifying keys beside them.
///
/// # Errors
/// See [`KeysError`].
pub fn open(
    dir: &Path,
    backend: Arc<dyn Backend>,
    progress: &dyn Fn(&str, f64),
) -> Result<System, KeysError> {
    let system = System::open(dir, backend, progress)?;
    Verifier::of(&system).save(dir)?;
    Ok(system)
}
