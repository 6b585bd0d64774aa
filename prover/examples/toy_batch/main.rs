//! Writes a batch proof of two toy circuits as JSON, with everything a verifier in another language
//! needs to check itself: keys, proof, and every intermediate value of the transcript.
//!
//! `cargo run --release -p lathe-prover --example toy_batch [contract address] [L1 chain id]`

mod toy;

use lathe_prover::batch_verify::verify_batch;
use lathe_prover::groth16::encode::scalar_word;
use lathe_prover::transcript::{Challenges, Context};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::error::Error;

fn hex0x(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn context() -> Result<Context, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "0x00000000000000000000000000000000001a77e1".into());
    let mut contract = [0; 20];
    hex::decode_to_slice(address.trim_start_matches("0x"), &mut contract)?;
    let l1_chain_id = args.next().map_or(Ok(31337), |id| id.parse())?;
    let statement = Keccak256::digest(b"toy statement").into();
    Ok(Context { l1_chain_id, contract, statement, layout_id: 1 })
}

fn main() -> Result<(), Box<dyn Error>> {
    let context = context()?;
    let toy = toy::Toy::new(b"toy batch");
    let proof = toy.prove(&context, 7);
    verify_batch(&toy.layout, &toy.keys, context.l1_chain_id, context.contract, context.statement, &proof)?;

    let commitments: Vec<_> = toy.keys.iter().zip(&proof.circuits).map(|(vk, c)| (vk, c.d)).collect();
    let challenges = Challenges::for_keys(&context, &commitments);
    let proofs: Vec<_> = proof.circuits.iter().map(|c| (&c.proof, c.partial_sum)).collect();
    let h2 = Challenges::proofs_hash(&proofs);
    let rho = challenges.batching(&h2, proofs.len());
    let keys: Vec<Value> = toy
        .keys
        .iter()
        .map(|vk| {
            json!({
                "name": vk.info.name,
                "development": vk.info.development,
                "words": vk.evm_words().iter().map(hex0x).collect::<Vec<_>>(),
                "hash": hex0x(vk.evm_hash()),
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({
        "chainId": context.l1_chain_id,
        "contract": hex0x(context.contract),
        "statement": hex0x(context.statement),
        "layoutId": toy.layout.id,
        "shapes": toy.layout.shapes,
        "vks": keys,
        "proof": hex0x(proof.to_bytes()),
        "partialSums": proof.circuits.iter().map(|c| hex0x(scalar_word(&c.partial_sum))).collect::<Vec<_>>(),
        "h1": hex0x(challenges.h1),
        "r": hex0x(scalar_word(&challenges.r)),
        "c": hex0x(scalar_word(&challenges.c)),
        "h2": hex0x(h2),
        "rho": rho.iter().map(|x| hex0x(scalar_word(x))).collect::<Vec<_>>(),
    }))?;
    println!("{text}");
    Ok(())
}
