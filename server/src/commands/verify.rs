//! `lathe verify`: verifies a downloaded proof with nothing but the verifying keys.
use super::{CommandError, print_json};
use crate::keys::Verifier;
use crate::view::ProofView;
use clap::Args;
use lathe_vm::replay::hash_statement;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments.
#[derive(Debug, Args)]
pub struct Verify {
    /// The answer of GET /v1/batches/{number}/proof.
    pub proof: PathBuf,
    /// Folder with `verifying-keys.json`.
    #[arg(long, env = "LATHE_KEYS_DIR", default_value = "lathe-data/keys")]
    pub keys_dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Verifies and prints what the proof says.
///
/// # Errors
/// The file or field at fault, or the reason of rejection.
pub fn run(args: &Verify) -> Result<(), CommandError> {
    let view = read(&args.proof)?;
    let verifier = Verifier::load(&args.keys_dir)?;
    let start = Instant::now();
    check(&view, &verifier).map_err(|what| format!("proof {} REJECTED: {what}", args.proof.display()))?;
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    if args.json {
        return print_json(&serde_json::json!({
            "valid": true, "number": view.number, "statementHash": view.statement_hash, "verifiedMs": ms,
            "oldRoot": view.statement.previous_state_root, "newRoot": view.statement.new_state_root,
            "developmentKeys": verifier.development(),
        }));
    }
    println!("valid: batch {} verified in {ms:.1} ms", view.number);
    println!("  old root  {}", view.statement.previous_state_root);
    println!("  new root  {}", view.statement.new_state_root);
    println!("  for L1    chain {}, contract {}", view.l1.chain_id, view.l1.contract);
    if verifier.development() {
        println!("  note      development keys: anybody can forge proofs under them");
    }
    Ok(())
}

/// Reads a proof file.
///
/// # Errors
/// Names the file.
pub fn read(file: &Path) -> Result<ProofView, CommandError> {
    let named = |e: &dyn std::fmt::Display| format!("proof file {}: {e}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| named(&e))?;
    Ok(serde_json::from_str(&text).map_err(|e| named(&e))?)
}

/// Verifies a proof as received; trusts nothing in it.
///
/// # Errors
/// The field at fault, or the reason of rejection.
pub fn check(view: &ProofView, verifier: &Verifier) -> Result<(), String> {
    let (hash, _) = hash_statement(&view.statement.parse()?);
    let text = format!("0x{}", hex::encode(hash));
    if text != view.statement_hash {
        return Err(format!(
            "statementHash is {}, the statement's words hash to {text}",
            view.statement_hash
        ));
    }
    if view.layout_id != verifier.layout_id() {
        return Err(format!(
            "layoutId {}, these keys are for layout {}",
            view.layout_id,
            verifier.layout_id()
        ));
    }
    let digits = view.proof.strip_prefix("0x").ok_or("proof: 0x is missing")?;
    let proof = hex::decode(digits).map_err(|e| format!("proof: {e}"))?;
    verifier.verify(&view.l1.parse()?, hash, &proof)
}
