//! Keys on disk: they come back equal, and every kind of damage is an error that names the file.

#[path = "../examples/toy_batch/toy.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod toy;

use halo2curves::bn256::Fr;
use lathe_kernels::CpuBackend;
use lathe_prover::groth16::{KeyError, KeyFileError, Prover, ProvingKey, SystemSecrets, VerifyingKey, setup};
use lathe_prover::transcript::{Challenges, Context};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toy::Role;

fn saved(dir: &Path) -> (ProvingKey, PathBuf) {
    let secrets = SystemSecrets::development(b"files");
    let key = setup(&CpuBackend::new(), &Role::Head.r1cs(), "head", &secrets).unwrap();
    let path = dir.join("head.key");
    key.save(&path).unwrap();
    (key, path)
}

#[test]
fn a_loaded_key_is_the_saved_one_and_proves_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (key, path) = saved(dir.path());
    let loaded = ProvingKey::load(&path).unwrap();
    assert_eq!(loaded.vk, key.vk);
    assert_eq!(ProvingKey::read_info(&path).unwrap(), key.vk.info);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    let context = Context { l1_chain_id: 1, contract: [2; 20], statement: [3; 32], layout_id: 4 };
    let proofs: Vec<_> = [key, loaded]
        .into_iter()
        .map(|key| {
            let r1cs = Arc::new(Role::Head.r1cs());
            let prover = Prover::new(Arc::new(CpuBackend::new()), Arc::new(key), r1cs).unwrap();
            let committed = prover.commit(&Role::Head.committed(&context)).unwrap();
            let challenges = Challenges::for_keys(&context, &[(&prover.key().vk, committed.commitment())]);
            let (z, _) = Role::Head.assign(&context, &challenges);
            prover.prove(committed, &z, Fr::from(1), Fr::from(2)).unwrap().proof
        })
        .collect();
    assert_eq!(proofs[0], proofs[1]);
}

#[test]
fn damage_anywhere_is_noticed_and_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = saved(dir.path());
    let good = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| -> KeyFileError {
        std::fs::write(&path, bytes).unwrap();
        let error = ProvingKey::load(&path).map(|_| ()).expect_err("damage was not noticed");
        assert!(error.to_string().contains("head.key"), "{error}");
        error
    };
    // Every header byte, and a sample of the body.
    for at in (0..512).chain((512..good.len()).step_by(97)).chain([good.len() - 1]) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        match (at, refused(&bytes)) {
            (0..8, KeyFileError::NotAKey { .. }) => {}
            (8..12, KeyFileError::Version { expected: 1, .. }) => {}
            (12..512, KeyFileError::Damaged { part: "header", .. }) => {}
            (512.., KeyFileError::Damaged { part: "body", .. }) => {}
            (at, other) => panic!("byte {at}: {other}"),
        }
    }
    for len in [0, 1, 511, 512, 513, good.len() / 2, good.len() - 1] {
        assert!(matches!(refused(&good[..len]), KeyFileError::Length { .. }), "cut to {len}");
    }
    assert!(matches!(refused(&[&good[..], &[0; 64]].concat()), KeyFileError::Length { .. }));
    std::fs::write(&path, &good).unwrap();
    assert!(ProvingKey::load(&path).is_ok());
    std::fs::remove_file(&path).unwrap();
    let error = ProvingKey::load(&path).map(|_| ()).expect_err("missing file");
    assert!(matches!(&error, KeyFileError::Io { .. }) && error.to_string().contains("head.key"));
}

/// A header that lies about lengths but carries a correct hash, as an attacker would write it.
#[test]
fn lengths_that_do_not_add_up_are_refused_without_allocating() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = saved(dir.path());
    let good = std::fs::read(&path).unwrap();
    let at_header_hash = 128 + 16 * 9 + 32;
    let forged = |at: usize, value: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        let hash = blake3::hash(&bytes[..at_header_hash]);
        bytes[at_header_hash..at_header_hash + 32].copy_from_slice(hash.as_bytes());
        std::fs::write(&path, &bytes).unwrap();
        ProvingKey::load(&path).map(|_| ()).expect_err("a lie was believed")
    };
    for section in 0..9 {
        for len in [0, 1, 64, u64::MAX, u64::MAX - 1000, 1 << 60] {
            forged(128 + 16 * section + 8, &len.to_le_bytes());
        }
        forged(128 + 16 * section, &7u64.to_le_bytes());
    }
    for count in 0..4 {
        let error = forged(112 + 4 * count, &u32::MAX.to_le_bytes());
        assert!(matches!(error, KeyFileError::Key { .. }), "{error}");
    }
}

#[test]
fn verifying_keys_round_trip_as_json_and_broken_text_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (key, _) = saved(dir.path());
    let json = key.vk.to_json();
    assert_eq!(VerifyingKey::from_json(&json), Ok(key.vk.clone()));
    assert_eq!(VerifyingKey::from_evm_words(&key.vk.evm_words(), key.vk.info.clone()), Ok(key.vk.clone()));
    for (from, to) in [("\"words\"", "\"word\""), ("key-1", "key-2"), ("0x", "0y"), ("\"0x2", "\"0xf")] {
        assert!(VerifyingKey::from_json(&json.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
    assert!(matches!(VerifyingKey::from_json("{}"), Err(KeyError::Format(_))));
    let words = key.vk.evm_words();
    let short = VerifyingKey::from_evm_words(&words[1..], key.vk.info.clone());
    assert!(matches!(short, Err(KeyError::Point(_))));
}
