//! Times setup, commitment and proof of a synthetic circuit whose witness looks like a real one:
//! mostly bits, bytes and 16-bit limbs, some words' halves, a tenth full-size field elements.
//!
//! `cargo run --release -p lathe-prover --example groth16_timings -- 18 19`

use ff::Field;
use halo2curves::bn256::Fr;
use lathe_kernels::CpuBackend;
use lathe_prover::groth16::{Prover, ProvingKey, SystemSecrets, setup, verify};
use lathe_prover::r1cs::{R1cs, R1csBuilder, Stride, Template};
use rand_core::{RngCore, SeedableRng};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Rows of one template copy: one product of the copy's wires per row.
const WIRES: u32 = 16;

/// Bits of the value on each committed wire of a copy; 0 stands for a full-size element.
const SIZES: [u32; WIRES as usize] = [1, 1, 1, 1, 8, 8, 16, 16, 16, 16, 32, 32, 64, 128, 128, 0];

fn circuit(log: u32) -> R1cs {
    let copies = (1u32 << log) / (WIRES + 2);
    let one = Fr::ONE;
    let mut template = Template::new();
    // Local: 0 ONE, 1..=16 committed values, 17.. products.
    for i in 0..WIRES {
        let neighbours = [(1 + i, one), (1 + (i + 1) % WIRES, Fr::from(256)), (0, -Fr::from(3))];
        template.push_row(&neighbours, &[(1 + (i + 5) % WIRES, one)], &[(1 + WIRES + i, one)]);
    }
    template.push_row(&[(1, one)], &[(1, one), (0, -one)], &[]);
    let columns: Vec<Stride> = (0..=2 * WIRES)
        .map(|v| match v {
            0 => Stride::shared(0),
            v if v <= WIRES => Stride { base: v + 1, stride: WIRES },
            v => Stride { base: 2 + copies * WIRES + (v - 1 - WIRES), stride: WIRES },
        })
        .collect();
    let wires = (copies * WIRES) as usize;
    let mut builder = R1csBuilder::new(1, wires, wires);
    builder.append_copies(&template, &columns, copies as usize).expect("columns exist");
    builder.push_row(&[(1, one)], &[(0, one)], &[(2, one)]);
    builder.finish().expect("columns exist")
}

/// Committed values by size class, then the products: the rows' own values.
fn assign(r1cs: &R1cs) -> Vec<Fr> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let committed: Vec<Fr> = (0..r1cs.num_committed)
        .map(|i| match SIZES[i % WIRES as usize] {
            0 => Fr::random(&mut rng),
            128 => Fr::from(rng.next_u64()) * Fr::from(u64::MAX),
            bits => Fr::from(rng.next_u64() >> (64 - bits)),
        })
        .collect();
    let mut z = [vec![Fr::ONE, committed[0]], committed, vec![Fr::ZERO; r1cs.num_rest]].concat();
    let [a, b] = [&r1cs.a, &r1cs.b].map(|m| m.eval(&r1cs.coeffs, &z));
    for row in 0..r1cs.num_rows() {
        for (col, _) in r1cs.c.row(row) {
            if col as usize >= r1cs.committed_columns().end {
                z[col as usize] = a[row] * b[row];
            }
        }
    }
    z
}

fn main() -> Result<(), Box<dyn Error>> {
    let backend = Arc::new(CpuBackend::new());
    for log in std::env::args().skip(1).map(|arg| arg.parse::<u32>()) {
        let r1cs = Arc::new(circuit(log?));
        println!("rows {} domain {} terms {}", r1cs.num_rows(), r1cs.domain_size(), r1cs.num_terms());
        let start = Instant::now();
        let key = setup(&*backend, &r1cs, "timings", &SystemSecrets::development(b"timings"))?;
        println!("  setup {:?}", start.elapsed());
        let path = std::env::temp_dir().join(format!("lathe-timings-{}.key", std::process::id()));
        let start = Instant::now();
        key.save(&path)?;
        println!("  save {:?}, {} MiB", start.elapsed(), std::fs::metadata(&path)?.len() >> 20);
        drop(key);
        let start = Instant::now();
        let key = ProvingKey::load(&path)?;
        println!("  load {:?}", start.elapsed());
        std::fs::remove_file(&path)?;
        let z = assign(&r1cs);
        let prover = Prover::new(backend.clone(), Arc::new(key), r1cs.clone())?;
        for _ in 0..2 {
            let start = Instant::now();
            let committed = prover.commit(&z[r1cs.committed_columns()])?;
            let commit = start.elapsed();
            let d = committed.commitment();
            let proven = prover.prove(committed, &z, Fr::from(3), Fr::from(4))?;
            println!("  commit {commit:?}, prove {:?}: {:?}", start.elapsed() - commit, proven.timings);
            let start = Instant::now();
            verify(&prover.key().vk, &z[1..2], &d, &proven.proof)?;
            println!("  verify {:?}", start.elapsed());
        }
    }
    Ok(())
}
