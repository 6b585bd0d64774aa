//! The PTX interpreter against known results, one small text per family of instructions, and against broken kernels of
//! every kind it must report.
#![cfg(feature = "cuda")]

mod ptx;
#[path = "report/mod.rs"]
mod report;

use ff::Field;
use halo2curves::bn256::Fr;
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::cuda::{Arg, Device, Stream};
use ptx::Interpreter;
use rand_core::SeedableRng;

/// All PTX that ships is understood.
#[test]
fn every_module_loads() {
    for module in MODULES {
        let load =
            || Interpreter::new(&[module.ptx]).unwrap_or_else(|error| panic!("{}: {error}", module.name));
        let loaded = report::case(&format!("PTX of {} loads", module.name), module.ptx.len(), load);
        assert!(!loaded.kernels().is_empty(), "{} has no kernels", module.name);
    }
}

/// Limbs of field elements as the device has them.
fn bytes_of(elements: &[[u64; 4]]) -> Vec<u8> {
    elements.iter().flatten().flat_map(|limb| limb.to_le_bytes()).collect()
}

#[test]
fn shipped_field_multiplication_agrees_with_halo2curves() {
    let ptx = MODULES.iter().find(|module| module.name == "field_check").expect("field_check ships").ptx;
    let device = Interpreter::new(&[ptx]).unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let count = 4096;
    let a: Vec<Fr> = (0..count).map(|_| Fr::random(&mut rng)).collect();
    let b: Vec<Fr> = (0..count).map(|_| Fr::random(&mut rng)).collect();
    let limbs = |all: &[Fr]| bytes_of(&all.iter().map(|x| x.0).collect::<Vec<_>>());
    let buffers = [(); 3].map(|()| device.alloc(count * 32).unwrap());
    device.upload(Stream::Compute, &buffers[1], 0, &limbs(&a)).unwrap();
    device.upload(Stream::Compute, &buffers[2], 0, &limbs(&b)).unwrap();
    let args = [Arg::Buffer(&buffers[0]), Arg::Buffer(&buffers[1]), Arg::Buffer(&buffers[2])];
    device.launch(Stream::Compute, "fr_mul_gate", (count / 128) as u32, 128, 0, &args).unwrap();
    let mut out = vec![0; count * 32];
    device.download(Stream::Compute, &buffers[0], 0, &mut out).unwrap();
    let expected: Vec<Fr> = a.iter().zip(&b).map(|(x, y)| x * y).collect();
    assert_eq!(out, limbs(&expected));
}
