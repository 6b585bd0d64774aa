//! Broken kernels of every kind the PTX interpreter must report, each beside the sound kernel it was broken from; and
//! texts and launches it must refuse.
#![cfg(feature = "cuda")]

mod ptx;

use halo2curves::bn256::Fr;
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::cuda::{Arg, CudaBackend, Device, Stream};
use lathe_kernels::{Backend, CpuBackend, KernelError};
use ptx::Interpreter;
use ptx::small::{Launch, ONE, WARP, fault, load, run, text, text_with};
use std::sync::Arc;

/// Asserts that the message holds all these words.
#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn out_of_bounds_and_freed_and_wild_addresses() {
    let read =
        |offset: i64| text(&format!("ld.global.u64 %rd10, [%rd1+{offset}]; st.global.u64 [%rd0], %rd10;"));
    assert_eq!(run(&read(8), &ONE, &[1, 2], 1).unwrap(), [2]);
    let message = fault(&read(16), &ONE, &[1, 2], 1);
    says(
        &message,
        &["kernel k, block 0, thread 0, PTX line 10", "8 bytes at offset 16 of a buffer of 16 bytes"],
    );
    says(&message, &["ld.global.u64 %rd10, [%rd1+16]"]);
    says(&fault(&read(-8), &ONE, &[1, 2], 1), &["offset -8", "out of bounds"]);
    let wild = text("mov.u64 %rd10, 77; st.global.u64 [%rd10], %rd10;");
    says(&fault(&wild, &ONE, &[], 1), &["address 0x4d belongs to no buffer"]);
    let shared = text(
        ".shared .align 8 .b8 S[16]; mov.u32 %r10, S; add.u32 %r10, %r10, 12; st.shared.u64 [%r10], %rd0;",
    );
    says(&fault(&shared, &ONE, &[], 1), &["8 bytes at offset 12 of 16 bytes of shared memory"]);
    let local = text(".local .align 8 .b8 L[16]; mov.u64 %rd10, L; st.local.u32 [%rd10+16], 1;");
    says(&fault(&local, &ONE, &[], 1), &["of 16 bytes of local memory"]);
}

#[test]
fn a_freed_buffer_is_known() {
    let device = load(&text("st.global.u64 [%rd0], %rd1;"));
    let address = {
        let freed = device.alloc(64).unwrap();
        freed.address()
    };
    let other = device.alloc(64).unwrap();
    assert_ne!(other.address(), address, "a window is never given out twice");
    let args = [Arg::U64(address), Arg::Buffer(&other), Arg::U32(0)];
    let error = device.launch(Stream::Compute, "k", 1, 1, 0, &args).unwrap_err();
    says(&error.to_string(), &["a buffer of 64 bytes that was freed"]);
}

#[test]
fn misaligned_access() {
    let load = |offset: u32| {
        text(&format!("ld.global.v2.u64 {{%rd10, %rd11}}, [%rd1+{offset}]; st.global.u64 [%rd0], %rd11;"))
    };
    assert_eq!(run(&load(16), &ONE, &[1, 2, 3, 4], 1).unwrap(), [4]);
    says(&fault(&load(8), &ONE, &[1, 2, 3, 4], 1), &["offset 8 is not aligned to the access of 16 bytes"]);
    let shared = text(".shared .align 8 .b8 S[16]; mov.u32 %r10, S; st.shared.u32 [%r10+2], 1;");
    says(&fault(&shared, &ONE, &[], 1), &["shared offset 2 is not aligned to the access of 4 bytes"]);
}

#[test]
fn reads_of_what_nothing_has_written() {
    let device = load(&text("ld.global.u32 %r10, [%rd1+4]; st.global.u32 [%rd0], %r10;"));
    let (out, half) = (device.alloc(8).unwrap(), device.alloc(8).unwrap());
    device.upload(Stream::Compute, &half, 0, &[1, 2, 3, 4, 5, 6, 7]).unwrap();
    let args = [Arg::Buffer(&out), Arg::Buffer(&half), Arg::U32(0)];
    let error = device.launch(Stream::Compute, "k", 1, 1, 0, &args).unwrap_err();
    says(&error.to_string(), &["reads bytes at offset 4 that nothing has written"]);
    says(
        &device.download(Stream::Compute, &out, 0, &mut [0; 8]).unwrap_err().to_string(),
        &["nothing has written"],
    );
    device.upload(Stream::Compute, &half, 7, &[8]).unwrap();
    device.launch(Stream::Compute, "k", 1, 1, 0, &args).unwrap();
    let mut result = [0; 4];
    device.download(Stream::Compute, &out, 0, &mut result).unwrap();
    assert_eq!(result, [5, 6, 7, 8]);
    let shared = text(
        ".shared .align 8 .b8 S[16]; mov.u32 %r10, S; st.shared.u32 [%r10], 1; ld.shared.u64 %rd10, [%r10];",
    );
    says(&fault(&shared, &ONE, &[], 1), &["reads shared bytes at offset 4 that nothing has written"]);
    let local = text(".local .align 8 .b8 L[16]; mov.u64 %rd10, L; ld.local.u32 %r10, [%rd10];");
    says(&fault(&local, &ONE, &[], 1), &["reads local bytes at offset 0 that nothing has written"]);
}

/// Each thread writes its word and reads its neighbour's, in shared or global memory.
fn neighbours(between: &str, space: &str) -> String {
    let place = if space == "shared" { "mov.u32 %r10, S;" } else { "" };
    let (own, next) = if space == "shared" { ("%r13", "%r16") } else { ("%rd13", "%rd16") };
    text(&format!(
        ".shared .align 8 .b8 S[1024]; {place} shl.b32 %r11, %r1, 2; mov.u32 %r12, %ntid.x; add.u32 %r14, %r1, 1;
         rem.u32 %r14, %r14, %r12; shl.b32 %r15, %r14, 2; add.u32 %r13, %r10, %r11; add.u32 %r16, %r10, %r15;
         cvt.u64.u32 %rd11, %r11; add.u64 %rd13, %rd0, %rd11; cvt.u64.u32 %rd15, %r15; add.u64 %rd16, %rd0, %rd15;
         st.{space}.u32 [{own}], %r1; {between} ld.{space}.u32 %r17, [{next}]; bar.sync 0; st.{space}.u32 [{own}], %r17;
         bar.sync 0; ld.{space}.u32 %r18, [{own}]; add.u64 %rd17, %rd0, %rd11; st.global.u32 [%rd17], %r18;"
    ))
}

#[test]
fn a_missing_barrier_is_a_race() {
    let block = Launch { grid: 1, block: 64, shared: 0 };
    for space in ["shared", "global"] {
        let out = run(&neighbours("bar.sync 0;", space), &block, &[], 32).unwrap();
        assert_eq!(out[31], 63, "thread 62 has 63, thread 63 has 0");
        // Without the barrier, thread 62 reads word 63 before it is written, and thread 63 what 0 wrote: the first of
        // these is a read of unwritten shared memory, the zeroed output shows the second.
        let message = fault(&neighbours("", space), &block, &[], 32);
        assert!(message.contains("nothing has written") || message.contains("races"), "{message}");
    }
    // Within one warp its own barrier suffices, for more than one warp it does not.
    assert!(run(&neighbours("bar.warp.sync -1;", "shared"), &WARP, &[], 16).is_ok());
    let message = fault(&neighbours("bar.warp.sync -1;", "shared"), &block, &[], 32);
    assert!(message.contains("nothing has written") || message.contains("races"), "{message}");
}

#[test]
fn races_in_shared_memory_by_kind() {
    let start =
        ".shared .align 8 .b8 S[64]; mov.u32 %r10, S; setp.eq.u32 %p1, %r1, 0; setp.eq.u32 %p2, %r1, 40;
                 @%p1 st.shared.u32 [%r10], 5; bar.sync 0;";
    let block = Launch { grid: 1, block: 64, shared: 0 };
    let with = |rest: &str| text(&format!("{start} {rest}"));
    assert!(run(&with("ld.shared.u32 %r11, [%r10];"), &block, &[], 1).is_ok(), "all may read");
    assert!(run(&with("atom.shared.add.u32 %r11, [%r10], 1;"), &block, &[], 1).is_ok(), "atomics may meet");
    let write_after_read = with("@%p1 ld.shared.u32 %r11, [%r10]; @%p2 st.shared.u32 [%r10], 6;");
    says(
        &fault(&write_after_read, &block, &[], 1),
        &["thread 40", "races: writes shared offset 0, read by thread 0"],
    );
    let read_after_write = with("@%p1 st.shared.u32 [%r10], 6; @%p2 ld.shared.u32 %r11, [%r10];");
    says(
        &fault(&read_after_write, &block, &[], 1),
        &["thread 40", "races: reads shared offset 0, written by thread 0"],
    );
    let write_after_write = with("@%p1 st.shared.u32 [%r10], 6; @%p2 st.shared.u32 [%r10], 6;");
    says(&fault(&write_after_write, &block, &[], 1), &["races: writes shared offset 0, written by thread 0"]);
    let read_beside_atomic =
        with("@%p1 atom.shared.add.u32 %r11, [%r10], 1; @%p2 ld.shared.u32 %r11, [%r10];");
    says(&fault(&read_beside_atomic, &block, &[], 1), &["races: reads shared offset 0"]);
    let atomic_after_reads = with("ld.shared.u32 %r11, [%r10]; @%p2 atom.shared.add.u32 %r11, [%r10], 1;");
    says(&fault(&atomic_after_reads, &block, &[], 1), &["races: writes shared offset 0, read by"]);
}

#[test]
fn races_in_global_memory() {
    let blocks = Launch { grid: 3, block: 1, shared: 0 };
    // Blocks write one word: the same value may pass, different values may not.
    assert_eq!(run(&text("mov.u64 %rd10, 4; st.global.u64 [%rd0], %rd10;"), &blocks, &[], 1).unwrap(), [4]);
    let different = text("cvt.u64.u32 %rd10, %r2; st.global.u64 [%rd0], %rd10;");
    says(&fault(&different, &blocks, &[], 1), &["races: writes offset 0", "in another block"]);
    // One block reads what another wrote.
    let handed = |fence: &str| {
        text(&format!(
            "setp.ne.u32 %p1, %r2, 0; @%p1 bra READ; st.global.u64 [%rd0], 7; {fence} st.relaxed.gpu.global.u32 [%rd0+8], 1; bra END;
             READ: ld.relaxed.gpu.global.u32 %r10, [%rd0+8]; setp.eq.u32 %p2, %r10, 0; @%p2 bra READ; {fence}
             ld.global.u64 %rd10, [%rd0]; END:"
        ))
    };
    let two = Launch { grid: 2, block: 1, shared: 0 };
    assert!(run(&handed("membar.gl;"), &two, &[], 2).is_ok());
    says(
        &fault(&handed(""), &two, &[], 2),
        &["races: reads offset 0", "in another block, without a fence between"],
    );
    // A load through the read-only path of what the launch writes.
    let read_only = text("st.global.u32 [%rd0], 1; ld.global.nc.u32 %r10, [%rd0];");
    says(&fault(&read_only, &ONE, &[], 1), &["as constant, which this launch writes"]);
}

#[test]
fn divergent_barriers_end_in_an_error() {
    let block = Launch { grid: 1, block: 64, shared: 0 };
    let early = text("setp.gt.u32 %p1, %r1, 50; @%p1 bra END; bar.sync 0; END:");
    says(&fault(&early, &block, &[], 1), &["divergent barrier: 13 threads of the block ended before it"]);
    let two = text("setp.gt.u32 %p1, %r1, 50; @%p1 bra OTHER; bar.sync 0; bra END;\nOTHER: bar.sync 0; END:");
    says(&fault(&two, &block, &[], 1), &["divergent barrier: thread 51 waits at another, on line 11"]);
    let lanes = text(
        "setp.gt.u32 %p1, %r1, 20; @%p1 bra END; shfl.sync.idx.b32 %r10, %r1, 0, 31, -1; END: bar.sync 0;",
    );
    says(&fault(&lanes, &WARP, &[], 1), &["waits in a warp operation for lanes that never come to it"]);
    let stranger = text("shfl.sync.idx.b32 %r10, %r1, 0, 31, 0xffff;");
    says(&fault(&stranger, &WARP, &[], 1), &["thread 16", "is not in the member mask 0xffff it gives"]);
    let absent = text("setp.gt.u32 %p1, %r1, 20; @%p1 exit; shfl.sync.idx.b32 %r10, %r1, 25, 31, -1;");
    says(&fault(&absent, &WARP, &[], 1), &["shuffles from lane 25, which takes no part"]);
}

#[test]
fn traps_divisions_by_zero_and_endless_recursion() {
    says(&fault(&text("trap;"), &ONE, &[], 1), &["reaches a trap at `trap;`"]);
    says(&fault(&text("mov.u32 %r10, 0; div.u32 %r11, %r0, %r10;"), &ONE, &[], 1), &["divides by zero"]);
    let deep = ".func f() { call f; ret; }";
    says(&fault(&text_with(deep, "call f;"), &ONE, &[], 1), &["calls nest deeper than 64"]);
    let before = ".const .align 4 .u32 T[2] = {1, 2};";
    says(
        &fault(&text_with(before, "mov.u64 %rd10, T; st.u32 [%rd10], 3;"), &ONE, &[], 1),
        &["writes constant memory"],
    );
}

#[test]
fn texts_that_are_not_understood_are_refused_with_their_line() {
    let refused = |body: &str| Interpreter::new(&[&text(body)]).map(|_| ()).unwrap_err().to_string();
    says(
        &refused("mov.u32 %r10, 1;\nwgmma.fence;"),
        &["PTX line 11: `wgmma.fence`", "the line reads `wgmma.fence;`"],
    );
    says(&refused("add.sat.s32 %r10, %r11, %r12;"), &["`add.sat.s32`", "sat"]);
    says(&refused("add.f32 %r10, %r11, %r12;"), &["type `.f32` is not supported"]);
    says(&refused("ld.global.magic.u32 %r10, [%rd0];"), &["magic"]);
    says(&refused("addc.u32 %r10, %r11, %r12;"), &["reads the carry flag, which nothing before it"]);
    says(&refused("add.cc.u32 %r10, %r11, %r12; L: addc.u32 %r10, %r11, %r12;"), &["reads the carry flag"]);
    says(&refused("mov.u32 %r10, %clusterid.x;"), &["`%clusterid.x` is not declared"]);
    says(&refused("mov.u32 %q10, 1;"), &["%q10"]);
    says(&refused("bra NOWHERE;"), &["label `NOWHERE` does not exist"]);
    says(&refused("call nobody;"), &["no function `nobody`"]);
    says(&refused("mov.u32 %r10 1;"), &["`,` expected"]);
    let error = Interpreter::new(&[&text(""), &text("")]).map(|_| ()).unwrap_err();
    says(&error.to_string(), &["PTX text 1", "a kernel `k` was loaded already"]);
}

#[test]
fn launches_that_a_driver_would_refuse() {
    let shared = text_with("", ".shared .align 8 .b8 S[1024]; st.shared.u32 [S], 1;");
    let device = load(&shared.replace("k_param_2)\n{", "k_param_2)\n.maxntid 256, 1, 1\n{"));
    let buffer = device.alloc(8).unwrap();
    let args = [Arg::Buffer(&buffer), Arg::Buffer(&buffer), Arg::U32(0)];
    let refused = |kernel: &str, grid, block, shared, args: &[Arg<'_>]| {
        device.launch(Stream::Compute, kernel, grid, block, shared, args).unwrap_err().to_string()
    };
    says(&refused("l", 1, 1, 0, &args), &["no such kernel is loaded; there are [\"k\"]"]);
    says(&refused("k", 0, 1, 0, &args), &["0 blocks of 1 threads"]);
    says(&refused("k", 1, 257, 0, &args), &["blocks of 1 to 256 threads"]);
    says(&refused("k", 1, 1, 99 << 10, &args), &["shared memory"]);
    says(&refused("k", 1, 1, 0, &args[..2]), &["2 arguments given, the kernel has 3 parameters"]);
    says(
        &refused("k", 1, 1, 0, &[args[0], args[1], Arg::U64(0)]),
        &["argument 2 has 8 bytes, the parameter 4"],
    );
    says(&refused("k", 1, 1, 0, &[Arg::At(&buffer, 9), args[1], args[2]]), &["argument 0: offset 9"]);
    device.launch(Stream::Compute, "k", 1, 256, 98 << 10, &args).map_or_else(
        |error| says(&error.to_string(), &["races: writes shared offset 0, written by thread 0"]),
        |()| panic!("256 threads write one word"),
    );
    device.launch(Stream::Compute, "k", 1, 1, 98 << 10, &args).unwrap();
}

#[test]
fn memory_is_budgeted() {
    let device = load(&text("")).with_memory(1000);
    assert_eq!(device.memory(), 1000);
    let first = device.alloc(900).unwrap();
    let error = device.alloc(101).unwrap_err();
    assert_eq!(error, KernelError::OutOfDeviceMemory { backend: "cuda", needed: 101, available: 100 });
    let second = device.alloc(100).unwrap();
    assert_eq!(device.memory_used(), 1000);
    drop((first, second));
    assert_eq!(device.memory_used(), 0);
    device.alloc(1000).unwrap();
}

#[test]
fn copies_are_checked_like_accesses() {
    let device = load(&text(""));
    let buffer = device.alloc(16).unwrap();
    says(&device.upload(Stream::Copy, &buffer, 9, &[0; 8]).unwrap_err().to_string(), &["out of bounds"]);
    says(&device.zero(Stream::Copy, &buffer, 16, 1).unwrap_err().to_string(), &["out of bounds"]);
    device.upload(Stream::Copy, &buffer, 3, &[1, 2, 3, 4, 5, 6]).unwrap();
    let mut out = [0; 5];
    device.download(Stream::Copy, &buffer, 4, &mut out).unwrap();
    assert_eq!(out, [2, 3, 4, 5, 6]);
    says(
        &device.download(Stream::Copy, &buffer, 5, &mut out).unwrap_err().to_string(),
        &["nothing has written"],
    );
}

/// The interpreter runs everything at once; what a GPU may run side by side must be ordered all the same.
#[test]
fn streams_that_nothing_orders_are_races() {
    let double =
        text("ld.global.u64 %rd10, [%rd1]; add.u64 %rd10, %rd10, %rd10; st.global.u64 [%rd0], %rd10;");
    let device = load(&double);
    let (out, inp) = (device.alloc(8).unwrap(), device.alloc(8).unwrap());
    let args = [Arg::Buffer(&out), Arg::Buffer(&inp), Arg::U32(0)];
    let launch = || device.launch(Stream::Compute, "k", 1, 1, 0, &args);
    let upload = |value: u64| device.upload(Stream::Copy, &inp, 0, &value.to_le_bytes());
    let result = |stream| {
        let mut bytes = [0; 8];
        device.download(stream, &out, 0, &mut bytes).map(|()| u64::from_le_bytes(bytes))
    };
    // A kernel that does not wait for the upload, and one that does.
    upload(5).unwrap();
    let error = launch().unwrap_err().to_string();
    says(&error, &["races: reads offset 0, written by an operation on the other stream"]);
    device.wait(Stream::Compute, Stream::Copy).unwrap();
    launch().unwrap();
    // An upload over what a kernel may still be reading, and one that waits for it.
    says(
        &upload(6).unwrap_err().to_string(),
        &["races: writes offset 0, read by an operation on the other stream"],
    );
    device.wait(Stream::Copy, Stream::Compute).unwrap();
    upload(6).unwrap();
    // A download on the stream that did not make the result, and on the one that did: the host has then waited.
    device.wait(Stream::Compute, Stream::Copy).unwrap();
    launch().unwrap();
    says(&result(Stream::Copy).unwrap_err().to_string(), &["races: reads offset 0, written by an operation"]);
    assert_eq!(result(Stream::Compute).unwrap(), 12);
    upload(7).unwrap();
    device.sync(Stream::Copy).unwrap();
    launch().unwrap();
    says(
        &device.zero(Stream::Copy, &out, 0, 8).unwrap_err().to_string(),
        &["races: writes offset 0, written by"],
    );
    // An order that goes by way of the other stream.
    device.wait(Stream::Copy, Stream::Compute).unwrap();
    assert_eq!(result(Stream::Copy).unwrap(), 14);
}

/// Numbers of operations start again without a false alarm.
#[test]
fn many_launches() {
    let device = load(&text("st.global.u64 [%rd0], %rd1;")).with_workers(1);
    let buffer = device.alloc(8).unwrap();
    let args = [Arg::Buffer(&buffer), Arg::Buffer(&buffer), Arg::U32(0)];
    for round in 0..40_000u32 {
        let stream = if round % 2 == 0 { Stream::Compute } else { Stream::Copy };
        let other = if round % 2 == 0 { Stream::Copy } else { Stream::Compute };
        device.wait(stream, other).unwrap();
        device.launch(stream, "k", 1, 1, 0, &args).unwrap();
    }
}

/// Transforms of 2^12 elements, one after the other.
fn transformed(backend: &dyn Backend) -> Result<Vec<Fr>, KernelError> {
    let mut values: Vec<Fr> = (0..1 << 12).map(Fr::from).collect();
    backend.coset_fft(&mut values)?;
    backend.ifft(&mut values)?;
    backend.quotient(values.clone(), values.clone(), values)
}

/// The transforms that ship, each time without one of their barriers: the race is reported, unless the barrier is one
/// that no thread of these sizes depends on, and then the result is right.
#[test]
fn a_barrier_missing_in_the_shipped_transforms_is_reported() {
    let ptx = MODULES.iter().find(|module| module.name == "fft").expect("fft ships").ptx;
    let expected = transformed(&CpuBackend::new()).unwrap();
    let barriers: Vec<usize> = ptx.match_indices("bar.sync").map(|(at, _)| at).collect();
    let mut harmless = Vec::new();
    for &at in &barriers {
        let end = at + ptx[at..].find(';').expect("statements end");
        let broken = format!("{}{}", &ptx[..at], &ptx[end..]);
        match transformed(&CudaBackend::on(Arc::new(load(&broken)))) {
            Ok(result) => {
                assert!(result == expected, "a wrong result without a report");
                harmless.push(ptx[..at].lines().count());
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("races") || text.contains("nothing has written"), "{text}");
            }
        }
    }
    assert!(
        harmless.len() * 2 < barriers.len(),
        "{} barriers, those on lines {harmless:?} unused",
        barriers.len()
    );
}
