//! Keys on disk: they come back equal, and every kind of damage is an error that names the file.

#[path = "../examples/toy_batch/toy.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod toy;

use ff::Field;
use halo2curves::CurveAffine;
use halo2curves::bn256::{Fq, Fq2, Fr, G2Affine};
use lathe_kernels::{CpuBackend, CurvePoint};
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

/// A file whose hashes are right and one of whose points is not of its group, as somebody who makes keys for others
/// could write it.
#[test]
fn a_well_hashed_file_with_a_bad_point_is_refused_by_section_and_index() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = saved(dir.path());
    let good = std::fs::read(&path).unwrap();
    let start = |section: usize| {
        let at = 128 + 16 * section;
        u64::from_le_bytes(good[at..at + 8].try_into().unwrap()) as usize
    };
    let forge = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        let body: [u8; 32] = blake3::hash(&file[512..]).into();
        file[272..304].copy_from_slice(&body);
        let header: [u8; 32] = blake3::hash(&file[..304]).into();
        file[304..336].copy_from_slice(&header);
        std::fs::write(&path, &file).unwrap();
        ProvingKey::load(&path)
    };
    assert!(forge(start(1), &[]).is_ok(), "the forger's hashes are right");
    // h, l, ck, a, b_g1, b_g2 with 64 or 128 bytes a point; the third point of each.
    for (number, name, size) in
        [(1, "h", 64), (2, "l", 64), (3, "ck", 64), (5, "a", 64), (7, "b_g1", 64), (8, "b_g2", 128)]
    {
        let at = start(number) + 2 * size;
        for (bytes, part) in [(&[0xff; 32][..], "below the field's order"), (&[1; 8], "not on the curve")] {
            let error = forge(at, bytes).map(|_| ()).expect_err("a bad point was taken").to_string();
            assert!(error.contains(&format!("`{name}`")) && error.contains("point 2"), "{error}");
            assert!(error.contains(part) && error.contains("head.key"), "{error}");
        }
    }
    // On the twist and outside the subgroup: found by the full check.
    let stray = stray().to_raw().map(u64::to_le_bytes).concat();
    let key = forge(start(8) + 128, &stray).expect("the curves are right");
    let error = key.check_points().unwrap_err().to_string();
    assert!(error.contains("`b_g2`") && error.contains("point 1") && error.contains("subgroup"), "{error}");
    assert!(forge(start(8), &[]).unwrap().check_points().is_ok());
}

/// A point of the twist outside the subgroup, as almost all of them are.
fn stray() -> G2Affine {
    let on_twist = |i: u64| {
        let x = Fq2::new(Fq::from(i), Fq::ONE);
        let y: Option<Fq2> = (x.square() * x + G2Affine::b()).sqrt().into();
        y.map(|y| G2Affine { x, y })
    };
    (1..).find_map(on_twist).unwrap()
}
