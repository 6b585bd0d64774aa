//! How many PTX instructions per second the interpreter of the tests executes, with all its checks on: field
//! multiplications (registers only, then memory) and inversions (calls, loops, local memory). It measures no GPU.

#[path = "../tests/ptx/mod.rs"]
mod ptx;

use lathe_kernels::KernelError;
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::cuda::{Arg, Device, Stream};
use ptx::Interpreter;
use std::time::Instant;

/// Threads of a launch, and of a block.
const THREADS: usize = 4096;
const BLOCK: u32 = 128;

fn measure(kernel: &str, workers: u32, counted: bool) -> Result<f64, Box<dyn std::error::Error>> {
    let text = MODULES.iter().find(|module| module.name == "field_check").ok_or("no module field_check")?.ptx;
    let device = Interpreter::new(&[text])?.with_workers(workers);
    let operands: Vec<u64> =
        (0..4 * THREADS as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4).collect();
    let upload = || -> Result<_, KernelError> {
        let buffer = device.alloc(THREADS * 32)?;
        device.upload(Stream::Compute, &buffer, 0, bytemuck::cast_slice(&operands))?;
        Ok(buffer)
    };
    let (a, b, out) = (upload()?, upload()?, device.alloc(THREADS * 32 * 9)?);
    let mut args = vec![Arg::Buffer(&out), Arg::Buffer(&a), Arg::Buffer(&b)];
    if counted {
        args.push(Arg::U32(THREADS as u32));
    }
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < 1.0 {
        device.launch(Stream::Compute, kernel, THREADS as u32 / BLOCK, BLOCK, 0, &args)?;
    }
    Ok(device.executed() as f64 / started.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (kernel, counted) in [("fq_mul_gate", false), ("fr_ops", true)] {
        for workers in [1, 2] {
            let rate = measure(kernel, workers, counted)? / 1e6;
            println!("{kernel}: {rate:.0} M instructions per second, {workers} workers");
        }
    }
    Ok(())
}
