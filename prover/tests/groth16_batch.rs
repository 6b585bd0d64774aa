//! The batch proof of the toy circuits: what it accepts and everything it must reject.

#[path = "../examples/toy_batch/toy.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod toy;

use halo2curves::bn256::Fr;
use lathe_prover::batch_verify::tamper::{Target, tamper};
use lathe_prover::batch_verify::{BatchProof, Layout, verify_batch};
use lathe_prover::groth16::VerifyError;
use lathe_prover::groth16::encode::parse_scalar;
use lathe_prover::transcript::{Challenges, Context};
use toy::Toy;

fn context(first: u8) -> Context {
    Context { l1_chain_id: 31337, contract: [0x11; 20], statement: statement(first), layout_id: 1 }
}

/// A hash-like statement whose halves differ.
fn statement(first: u8) -> [u8; 32] {
    std::array::from_fn(|i| first.wrapping_add((37 * i) as u8))
}

#[test]
fn every_broken_batch_proof_and_key_is_rejected() {
    let toy = Toy::new(b"tamper");
    let (context, other) = (context(0xa5), context(0x5a));
    let (proof, other) = (toy.prove(&context, 1), toy.prove(&other, 2));
    let target = Target { layout: &toy.layout, keys: &toy.keys, context, proof: &proof, other: &other };
    let tally = tamper(&target);
    assert_eq!(tally.survivors, Vec::<String>::new());
    assert_eq!(tally.tried, tally.rejected);
    assert!(tally.tried > 150, "only {} attacks ran", tally.tried);
}

#[test]
fn proofs_of_one_statement_differ_in_bytes_but_all_verify() {
    let toy = Toy::new(b"blinding");
    let context = context(3);
    let (one, two) = (toy.prove(&context, 1), toy.prove(&context, 2));
    assert_ne!(one.to_bytes(), two.to_bytes());
    for proof in [one, two] {
        let decoded = BatchProof::from_bytes(&toy.layout, &proof.to_bytes()).unwrap();
        assert_eq!(decoded, proof);
        let verdict = verify_batch(&toy.layout, &toy.keys, 31337, [0x11; 20], statement(3), &decoded);
        assert_eq!(verdict, Ok(()));
    }
}

#[test]
fn rejections_name_their_rule() {
    let toy = Toy::new(b"rules");
    let context = context(9);
    let proof = toy.prove(&context, 1);
    let verify = |layout: &Layout, keys: &[_], proof: &BatchProof| {
        verify_batch(layout, keys, 31337, [0x11; 20], statement(9), proof)
    };
    let mut broken = proof.clone();
    broken.circuits[0].partial_sum += Fr::from(1);
    assert!(matches!(verify(&toy.layout, &toy.keys, &broken), Err(VerifyError::PartialSums { .. })));
    broken.circuits.pop();
    let count = VerifyError::CircuitCount { expected: 2, got: 1 };
    assert_eq!(verify(&toy.layout, &toy.keys, &broken), Err(count));
    let missing = VerifyError::MissingKey { layout: 1, shape: 1, keys: 1 };
    assert_eq!(verify(&toy.layout, &toy.keys[..1], &proof), Err(missing));
    let empty = Layout { id: 1, shapes: vec![] };
    assert_eq!(verify(&empty, &toy.keys, &proof), Err(VerifyError::EmptyLayout { layout: 1 }));
    let renamed = BatchProof { layout_id: 4, ..proof.clone() };
    assert_eq!(verify(&toy.layout, &toy.keys, &renamed), Err(VerifyError::Layout { expected: 1, got: 4 }));
    let mut wrong = proof;
    wrong.circuits[1].proof.c = -wrong.circuits[1].proof.c;
    assert_eq!(verify(&toy.layout, &toy.keys, &wrong), Err(VerifyError::Pairing));
}

/// The fixture that the contracts' tests read still verifies and still has this transcript.
#[test]
fn the_fixture_of_the_contract_tests_is_current() {
    let text = include_str!("../../contracts/test/fixtures/toy-batch.json");
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let bytes = |v: &serde_json::Value| hex::decode(v.as_str().unwrap().trim_start_matches("0x")).unwrap();
    let word = |v: &serde_json::Value| <[u8; 32]>::try_from(bytes(v)).unwrap();
    let toy = Toy::new(b"toy batch");
    let context = Context {
        l1_chain_id: json["chainId"].as_u64().unwrap(),
        contract: bytes(&json["contract"]).try_into().unwrap(),
        statement: word(&json["statement"]),
        layout_id: json["layoutId"].as_u64().unwrap() as u32,
    };
    for (vk, json) in toy.keys.iter().zip(json["vks"].as_array().unwrap()) {
        let words: Vec<_> = json["words"].as_array().unwrap().iter().map(word).collect();
        assert_eq!(words, vk.evm_words());
        assert_eq!(word(&json["hash"]), vk.evm_hash());
    }
    let proof = BatchProof::from_bytes(&toy.layout, &bytes(&json["proof"])).unwrap();
    let Context { l1_chain_id, contract, statement, .. } = context;
    let verdict = verify_batch(&toy.layout, &toy.keys, l1_chain_id, contract, statement, &proof);
    assert_eq!(verdict, Ok(()));
    let commitments: Vec<_> = toy.keys.iter().zip(&proof.circuits).map(|(vk, c)| (vk, c.d)).collect();
    let challenges = Challenges::for_keys(&context, &commitments);
    assert_eq!(challenges.h1, word(&json["h1"]));
    assert_eq!(challenges.r, parse_scalar("r", &word(&json["r"])).unwrap());
    assert_eq!(challenges.c, parse_scalar("c", &word(&json["c"])).unwrap());
}
