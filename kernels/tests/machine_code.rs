//! The gate on the machine code that ships: no kernel spills, a field multiplication stays as short as it was measured,
//! and registers leave room for the threads each kernel is meant to run at once. No GPU is needed.
#![cfg(feature = "cuda")]

#[path = "report/mod.rs"]
mod report;
mod sass;

use lathe_kernels::cuda::modules::MODULES;
use sass::{KernelCode, inspect, launch_bounds};
use std::sync::OnceLock;

/// The targets that ship.
const TARGETS: [&str; 4] = ["sm_80", "sm_90", "sm_100", "sm_120"];
/// A field multiplication with its loads and stores, as nvcc 13.5 assembles it: 200 instructions on sm_80, 203 on the
/// others, of which 123 are `IMAD.WIDE`, in 40 registers. The bounds leave room for another assembler's scheduling, and
/// none for a lost carry chain (row-wise chains take 518).
const MULTIPLICATION: [(&str, u32); 2] = [("", 208), ("IMAD.WIDE", 124)];
const MULTIPLICATION_REGISTERS: u32 = 40;
/// Registers of a multiprocessor, on all targets; a warp takes them in units of 256.
const FILE: u32 = 65536;
/// Warps per multiprocessor that suffice to keep the multipliers busy with independent chains. A kernel whose launch
/// bounds ask for more must reach those.
const WARPS: u32 = 16;
/// Kernels meant to run with fewer warps, and how many: a sum of two points in extended coordinates holds eight field
/// elements, 64 registers in G1 and 128 in G2, beside the products in flight; and these kernels have few threads to run.
const FEWER_WARPS: &[(&str, u32)] =
    &[("msm_reduce_g1", 12), ("msm_multiples_g2", 8), ("msm_merge_g2", 8), ("msm_reduce_g2", 8)];

/// Warps of a kernel that fit a multiprocessor by their registers.
fn warps(registers: u32) -> u32 {
    FILE / (registers * 32).next_multiple_of(256)
}

/// All kernels of all modules, read once; a tool that is missing fails every test here.
fn all_code() -> &'static [KernelCode] {
    static CODE: OnceLock<Result<Vec<KernelCode>, String>> = OnceLock::new();
    let read =
        || Ok(MODULES.iter().map(inspect).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect());
    CODE.get_or_init(read).as_deref().unwrap_or_else(|error| panic!("{error}"))
}

/// Fails with all complaints at once.
fn none_of(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "the machine code is not what it must be:\n{}", complaints.join("\n"));
}

fn over(code: &KernelCode, what: &str, got: u32, bound: u32) -> Option<String> {
    let place = format!("{} for {}", code.kernel, code.target);
    (got > bound).then(|| format!("{place}: {got} {what}, at most {bound} allowed: {} too many", got - bound))
}

#[test]
fn every_kernel_is_built_for_every_target() {
    let code = report::case("machine code of all modules is read", MODULES.len(), all_code);
    for module in MODULES {
        let entries = module.ptx.matches(".visible .entry ").count();
        for target in TARGETS {
            let found = code.iter().filter(|c| c.module == module.name && c.target == target).count();
            assert_eq!(found, entries, "kernels of {} for {target}", module.name);
        }
    }
}

#[test]
fn no_kernel_spills_registers() {
    let code = all_code();
    let check = || none_of(code.iter().filter_map(|c| over(c, "bytes spilled", c.spill_bytes, 0)).collect());
    report::case("no kernel spills", code.len(), check);
    // Local memory that is no spill is an array the kernel's source declares: then the PTX declares it too.
    let arrays = code.iter().filter(|c| c.count("STL") + c.count("LDL") > 0).filter_map(|c| {
        let module = MODULES.iter().find(|module| module.name == c.module)?;
        let declared = module.ptx.contains(".local .align");
        (!declared || c.stack == 0)
            .then(|| format!("{} for {} uses local memory that its PTX does not", c.kernel, c.target))
    });
    none_of(arrays.collect());
}

#[test]
fn a_field_multiplication_is_as_short_as_measured() {
    let code = all_code();
    let gates: Vec<_> = code.iter().filter(|c| matches!(&*c.kernel, "fq_mul_gate" | "fr_mul_gate")).collect();
    assert_eq!(gates.len(), 2 * TARGETS.len(), "both fields' multiplications for every target");
    let check = || {
        let mut complaints = Vec::new();
        for code in &gates {
            for (name, bound) in MULTIPLICATION {
                complaints.extend(over(code, &format!("instructions {name}"), code.count(name), bound));
            }
            complaints.extend(over(code, "registers", code.registers, MULTIPLICATION_REGISTERS));
        }
        none_of(complaints);
    };
    report::case("field multiplications within their bounds", gates.len(), check);
}

#[test]
fn registers_leave_room_for_the_warps_intended() {
    let code = all_code();
    let check = || {
        let complaints = code.iter().filter_map(|c| {
            let module = MODULES.iter().find(|module| module.name == c.module)?;
            let (threads, blocks) = launch_bounds(module.ptx, &c.kernel);
            let asked = threads.unwrap_or(0).div_ceil(32) * blocks.unwrap_or(0);
            let fewer = FEWER_WARPS.iter().find(|row| row.0 == c.kernel).map(|row| row.1);
            let intended = if asked > 0 { asked } else { fewer.unwrap_or(WARPS) };
            let bound = FILE / (32 * intended) / 8 * 8;
            over(
                c,
                &format!("registers (room for {} warps, {intended} intended)", warps(c.registers)),
                c.registers,
                bound,
            )
        });
        none_of(complaints.collect());
    };
    report::case("registers leave room for the warps intended", code.len(), check);
}
