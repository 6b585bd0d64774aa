//! The PTX interpreter against known results, one small text per family of instructions. What it must refuse is in
//! `ptx_faults.rs`.
#![cfg(feature = "cuda")]

mod ptx;
#[path = "report/mod.rs"]
mod report;

use ff::Field;
use halo2curves::bn256::Fr;
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::cuda::{Arg, Device, Stream};
use proptest::prelude::*;
use ptx::Interpreter;
use ptx::small::{Launch, ONE, WARP, load, run, text, text_with};
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

#[test]
fn shipped_field_multiplication_agrees_with_halo2curves() {
    let ptx = MODULES.iter().find(|module| module.name == "field_check").expect("field_check ships").ptx;
    let device = load(ptx);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let count = 4096;
    let a: Vec<Fr> = (0..count).map(|_| Fr::random(&mut rng)).collect();
    let b: Vec<Fr> = (0..count).map(|_| Fr::random(&mut rng)).collect();
    let limbs = |all: &[Fr]| -> Vec<u64> { all.iter().flat_map(|x| x.0).collect() };
    let buffers = [(); 3].map(|()| device.alloc(count * 32).unwrap());
    device.upload(Stream::Compute, &buffers[1], 0, bytemuck::cast_slice(&limbs(&a))).unwrap();
    device.upload(Stream::Compute, &buffers[2], 0, bytemuck::cast_slice(&limbs(&b))).unwrap();
    let args = [Arg::Buffer(&buffers[0]), Arg::Buffer(&buffers[1]), Arg::Buffer(&buffers[2])];
    device.launch(Stream::Compute, "fr_mul_gate", (count / 128) as u32, 128, 0, &args).unwrap();
    let mut out = vec![0u64; count * 4];
    device.download(Stream::Compute, &buffers[0], 0, bytemuck::cast_slice_mut(&mut out)).unwrap();
    let expected: Vec<Fr> = a.iter().zip(&b).map(|(x, y)| x * y).collect();
    assert_eq!(out, limbs(&expected));
}

/// A kernel of one thread that runs every instruction on `a`, `b`, `c` (32 bits in %r10..12, 64 in %rd10..12) and stores
/// the 64 bits of %rd20, into which a 32-bit result in %r20 is widened.
fn table_kernel(instructions: &[(&str, bool)]) -> String {
    let mut body = String::from(
        "ld.global.u64 %rd10, [%rd1]; ld.global.u64 %rd11, [%rd1+8]; ld.global.u64 %rd12, [%rd1+16];\n\
         cvt.u32.u64 %r10, %rd10; cvt.u32.u64 %r11, %rd11; cvt.u32.u64 %r12, %rd12;\n\
         cvt.u16.u64 %rs10, %rd10; cvt.u16.u64 %rs11, %rd11;\n",
    );
    for (at, (instruction, wide)) in instructions.iter().enumerate() {
        body += instruction;
        body += if *wide { "\n" } else { "\ncvt.u64.u32 %rd20, %r20;\n" };
        body += &format!("st.global.u64 [%rd0+{}], %rd20;\n", at * 8);
    }
    text(&body)
}

type Reference = fn(u64, u64, u64) -> u64;

fn check_table(table: &[(&str, bool, Reference)], values: [u64; 3]) {
    let instructions: Vec<(&str, bool)> = table.iter().map(|row| (row.0, row.1)).collect();
    let out = run(&table_kernel(&instructions), &ONE, &values, table.len()).unwrap();
    for (row, got) in table.iter().zip(out) {
        let expected = (row.2)(values[0], values[1], values[2]);
        assert_eq!(got, expected, "{} of {values:x?}", row.0);
    }
}

fn low(value: u64) -> u64 {
    u64::from(value as u32)
}
fn signed(value: u64) -> i64 {
    i64::from(value as i32)
}

/// 32-bit arithmetic, from the PTX manual's definitions.
const ARITHMETIC: &[(&str, bool, Reference)] = &[
    ("add.s32 %r20, %r10, %r11;", false, |a, b, _| low(a.wrapping_add(b))),
    ("add.s32 %r20, %r10, -7;", false, |a, _, _| low(a.wrapping_sub(7))),
    ("sub.u32 %r20, %r10, %r11;", false, |a, b, _| low(a.wrapping_sub(b))),
    ("neg.s32 %r20, %r10;", false, |a, _, _| low(a.wrapping_neg())),
    ("abs.s32 %r20, %r10;", false, |a, _, _| low(signed(a).unsigned_abs())),
    ("mul.lo.s32 %r20, %r10, %r11;", false, |a, b, _| low(a.wrapping_mul(b))),
    ("mul.hi.u32 %r20, %r10, %r11;", false, |a, b, _| (low(a) * low(b)) >> 32),
    ("mul.hi.s32 %r20, %r10, %r11;", false, |a, b, _| low(((signed(a) * signed(b)) >> 32) as u64)),
    ("mul.wide.u32 %rd20, %r10, %r11;", true, |a, b, _| low(a) * low(b)),
    ("mul.wide.s32 %rd20, %r10, %r11;", true, |a, b, _| (signed(a) * signed(b)) as u64),
    ("mad.lo.u32 %r20, %r10, %r11, %r12;", false, |a, b, c| low(a.wrapping_mul(b).wrapping_add(c))),
    ("mad.hi.u32 %r20, %r10, %r11, %r12;", false, |a, b, c| low(((low(a) * low(b)) >> 32) + c)),
    ("mad.wide.u32 %rd20, %r10, %r11, %rd12;", true, |a, b, c| (low(a) * low(b)).wrapping_add(c)),
    ("mul.lo.u64 %rd20, %rd10, %rd11;", true, |a, b, _| a.wrapping_mul(b)),
    ("mul.hi.u64 %rd20, %rd10, %rd11;", true, |a, b, _| ((u128::from(a) * u128::from(b)) >> 64) as u64),
    ("mul.hi.s64 %rd20, %rd10, %rd11;", true, |a, b, _| {
        ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
    }),
    ("mad.lo.u64 %rd20, %rd10, %rd11, %rd12;", true, |a, b, c| a.wrapping_mul(b).wrapping_add(c)),
    ("or.b32 %r19, %r11, 1; div.u32 %r20, %r10, %r19;", false, |a, b, _| low(a) / low(b | 1)),
    ("or.b32 %r19, %r11, 1; rem.u32 %r20, %r10, %r19;", false, |a, b, _| low(a) % low(b | 1)),
    ("or.b32 %r19, %r11, 1; div.s32 %r20, %r10, %r19;", false, |a, b, _| {
        low((signed(a) / signed(b | 1)) as u64)
    }),
    ("or.b64 %rd19, %rd11, 1; rem.u64 %rd20, %rd10, %rd19;", true, |a, b, _| a % (b | 1)),
    ("min.s32 %r20, %r10, %r11;", false, |a, b, _| low(signed(a).min(signed(b)) as u64)),
    ("max.u64 %rd20, %rd10, %rd11;", true, |a, b, _| a.max(b)),
    ("add.s16 %rs20, %rs10, %rs11; cvt.u32.u16 %r20, %rs20;", false, |a, b, _| a.wrapping_add(b) & 0xffff),
    ("shr.s16 %rs20, %rs10, 3; cvt.u32.u16 %r20, %rs20;", false, |a, _, _| ((a as i16) >> 3) as u16 as u64),
    ("mul.wide.s16 %r20, %rs10, %rs11;", false, |a, b, _| {
        low((i64::from(a as i16) * i64::from(b as i16)) as u64)
    }),
];

/// Bits, selections, conversions.
const BITS: &[(&str, bool, Reference)] = &[
    ("and.b32 %r20, %r10, %r11;", false, |a, b, _| low(a & b)),
    ("xor.b64 %rd20, %rd10, %rd11;", true, |a, b, _| a ^ b),
    ("not.b32 %r20, %r10;", false, |a, _, _| low(!a)),
    ("lop3.b32 %r20, %r10, %r11, %r12, 0xe8;", false, |a, b, c| low((a & b) | (b & c) | (a & c))),
    ("and.b32 %r19, %r11, 63; shl.b32 %r20, %r10, %r19;", false, |a, b, _| match b & 63 {
        n @ 0..=31 => low(a << n),
        _ => 0,
    }),
    ("and.b32 %r19, %r11, 63; shr.s32 %r20, %r10, %r19;", false, |a, b, _| {
        low((signed(a) >> (b & 63).min(31)) as u64)
    }),
    ("and.b32 %r19, %r11, 127; shr.u64 %rd20, %rd10, %r19;", true, |a, b, _| match b & 127 {
        n @ 0..=63 => a >> n,
        _ => 0,
    }),
    ("shf.l.wrap.b32 %r20, %r10, %r11, %r12;", false, |a, b, c| {
        low(((low(b) << 32 | low(a)) << (c & 31)) >> 32)
    }),
    ("shf.r.clamp.b32 %r20, %r10, %r11, 40;", false, |_, b, _| low(b)),
    ("shf.r.wrap.b32 %r20, %r10, %r11, %r12;", false, |a, b, c| low((low(b) << 32 | low(a)) >> (c & 31))),
    ("popc.b64 %r20, %rd10;", false, |a, _, _| u64::from(a.count_ones())),
    ("clz.b32 %r20, %r10;", false, |a, _, _| u64::from((a as u32).leading_zeros())),
    ("clz.b64 %r20, %rd10;", false, |a, _, _| u64::from(a.leading_zeros())),
    ("brev.b32 %r20, %r10;", false, |a, _, _| u64::from((a as u32).reverse_bits())),
    ("bfind.u32 %r20, %r10;", false, |a, _, _| match a as u32 {
        0 => 0xffff_ffff,
        value => u64::from(31 - value.leading_zeros()),
    }),
    ("bfe.u32 %r20, %r10, 5, 9;", false, |a, _, _| a >> 5 & 0x1ff),
    ("bfe.s32 %r20, %r10, 5, 9;", false, |a, _, _| low(((a as i32) << 18 >> 23) as u64)),
    ("bfe.u64 %rd20, %rd10, 60, 9;", true, |a, _, _| a >> 60),
    ("bfi.b32 %r20, %r10, %r11, 8, 12;", false, |a, b, _| low((b & !0xf_ff00) | (a & 0xfff) << 8)),
    ("prmt.b32 %r20, %r10, %r11, 0x5410;", false, |a, b, _| (a & 0xffff) | (b & 0xffff) << 16),
    ("prmt.b32 %r20, %r10, %r11, 0x0123;", false, |a, _, _| u64::from((a as u32).swap_bytes())),
    ("setp.lt.s32 %p1, %r10, %r11; selp.b32 %r20, %r10, %r12, %p1;", false, |a, b, c| {
        low(if signed(a) < signed(b) { a } else { c })
    }),
    ("setp.ge.u64 %p1, %rd10, %rd11; selp.b64 %rd20, 1, 2, %p1;", true, |a, b, _| if a >= b { 1 } else { 2 }),
    (
        "setp.ne.u32 %p2, %r11, 0; setp.hi.and.u32 %p1|%p3, %r10, %r12, %p2; selp.u32 %r18, 1, 0, %p1; \
      selp.u32 %r19, 2, 0, %p3; or.b32 %r20, %r18, %r19;",
        false,
        |a, b, c| match (low(b) != 0, low(a) > low(c)) {
            (false, _) => 0,
            (_, true) => 1,
            (_, false) => 2,
        },
    ),
    ("cvt.s64.s32 %rd20, %r10;", true, |a, _, _| signed(a) as u64),
    ("cvt.u32.u16 %r20, %rs10;", false, |a, _, _| a & 0xffff),
    ("cvt.s32.s8 %r20, %r10;", false, |a, _, _| low(a as i8 as i64 as u64)),
    ("cvt.u16.u64 %rs20, %rd10; cvt.s32.s16 %r20, %rs20;", false, |a, _, _| low(a as i16 as i64 as u64)),
    ("mov.b64 {%r18, %r19}, %rd10; mov.b64 %rd20, {%r19, %r18};", true, |a, _, _| a.rotate_left(32)),
    ("mov.b32 {%rs18, %rs19}, %r10; mov.b32 %r20, {%rs19, %rs18};", false, |a, _, _| {
        u64::from((a as u32).rotate_left(16))
    }),
];

proptest! {
    #[test]
    fn arithmetic_is_that_of_the_manual(a: u64, b: u64, c: u64) {
        check_table(ARITHMETIC, [a, b, c]);
    }

    #[test]
    fn bit_operations_are_those_of_the_manual(a: u64, b: u64, c: u64) {
        check_table(BITS, [a, b, c]);
    }

    /// Carry chains of both widths against 128-bit arithmetic: a + b, a - b, and the low half of a b + c.
    #[test]
    fn carry_chains_are_wide_arithmetic(a: u128, b: u128, c: u128) {
        let split = |x: u128| [x as u64, (x >> 64) as u64];
        let mut body = String::new();
        for at in 0..3 {
            for half in 0..2 {
                body += &format!("ld.global.v2.u32 {{%r{}, %r{}}}, [%rd1+{}];\n", 10 * at + 10 + 2 * half,
                    10 * at + 11 + 2 * half, 16 * at + 8 * half);
                body += &format!("ld.global.u64 %rd{}, [%rd1+{}];\n", 10 * at + 10 + half, 16 * at + 8 * half);
            }
        }
        // Sums and differences, 32 bits at a time; the last carry goes to a word of its own.
        for (name, out) in [("add", 0), ("sub", 24)] {
            body += &format!("{name}.cc.u32 %r40, %r10, %r20; {name}c.cc.u32 %r41, %r11, %r21;
                {name}c.cc.u32 %r42, %r12, %r22; {name}c.cc.u32 %r43, %r13, %r23; {name}c.u32 %r44, 0, 0;
                cvt.u64.u32 %rd44, %r44; st.global.v4.u32 [%rd0+{out}], {{%r40, %r41, %r42, %r43}};
                st.global.u64 [%rd0+{}], %rd44;\n", out + 16);
        }
        // The low 128 bits of a b + c, 64 bits at a time.
        body += "mad.lo.cc.u64 %rd40, %rd10, %rd20, %rd30; madc.hi.u64 %rd41, %rd10, %rd20, %rd31;
            mad.lo.u64 %rd41, %rd10, %rd21, %rd41; mad.lo.u64 %rd41, %rd11, %rd20, %rd41;
            st.global.v2.u64 [%rd0+48], {%rd40, %rd41};\n";
        // And the product of the low halves with 32-bit chains.
        body += "mul.lo.u32 %r50, %r10, %r20; mul.hi.u32 %r51, %r10, %r20;
            mad.lo.cc.u32 %r51, %r10, %r21, %r51; madc.hi.u32 %r52, %r10, %r21, 0;
            mad.lo.cc.u32 %r51, %r11, %r20, %r51; madc.hi.cc.u32 %r52, %r11, %r20, %r52; addc.u32 %r53, 0, 0;
            mad.lo.cc.u32 %r52, %r11, %r21, %r52; madc.hi.u32 %r53, %r11, %r21, %r53;
            st.global.v4.u32 [%rd0+64], {%r50, %r51, %r52, %r53};\n";
        // 16-byte vectors need 16-byte offsets: 24 is none, so that store is made in halves.
        let body = body.replace("st.global.v4.u32 [%rd0+24], {%r40, %r41, %r42, %r43};",
            "st.global.v2.u32 [%rd0+24], {%r40, %r41}; st.global.v2.u32 [%rd0+32], {%r42, %r43};");
        let input = [split(a), split(b), split(c)].concat();
        let out = run(&text(&body), &ONE, &input, 10).unwrap();
        let (sum, carry) = a.overflowing_add(b);
        let (difference, borrow) = a.overflowing_sub(b);
        prop_assert_eq!(&out[..3], &[split(sum)[0], split(sum)[1], u64::from(carry)]);
        // subc of zeros leaves minus the borrow, in 32 bits.
        let minus = if borrow { 0xffff_ffff } else { 0 };
        prop_assert_eq!(&out[3..6], &[split(difference)[0], split(difference)[1], minus]);
        let product = a.wrapping_mul(b).wrapping_add(c);
        prop_assert_eq!(&out[6..8], &split(product));
        let low = u128::from(a as u64) * u128::from(b as u64);
        prop_assert_eq!(&out[8..10], &split(low));
    }
}

#[test]
fn loads_and_stores_of_every_width() {
    let body = "ld.global.u8 %r10, [%rd1+7]; ld.global.s8 %r11, [%rd1+7]; ld.global.u16 %r12, [%rd1+6];
        ld.global.s16 %r13, [%rd1+6]; ld.global.s32 %rd14, [%rd1+4]; ld.global.v2.u64 {%rd15, %rd16}, [%rd1];
        cvt.u64.u32 %rd10, %r10; cvt.u64.u32 %rd11, %r11; cvt.u64.u32 %rd12, %r12; cvt.u64.u32 %rd13, %r13;
        st.global.u64 [%rd0], %rd10; st.global.u64 [%rd0+8], %rd11; st.global.u64 [%rd0+16], %rd12;
        st.global.u64 [%rd0+24], %rd13; st.global.u64 [%rd0+32], %rd14; st.global.u64 [%rd0+40], %rd16;
        st.global.u8 [%rd0+48], %r10; st.global.u16 [%rd0+50], %r12; st.global.u32 [%rd0+52], -2;";
    let out = run(&text(body), &ONE, &[0x89ab_0000_1111_2222, 77], 7).unwrap();
    let last = 0xffff_fffe_89ab_0089;
    assert_eq!(out, [0x89, 0xffff_ff89, 0x89ab, 0xffff_89ab, 0xffff_ffff_89ab_0000, 77, last]);
}

/// Static, dynamic and local memory, by their own addresses and by generic ones; constant and global variables.
#[test]
fn every_state_space_by_name_and_by_generic_address() {
    let before = ".const .align 4 .u32 T[4] = {5, 6, 7, 8};\n.global .align 8 .b8 G[16] = {1, 2};\n\
                  .extern .shared .align 16 .b8 D[];";
    let body = ".local .align 8 .b8 depot[16]; .shared .align 8 .b8 S[64];
        mov.u64 %rd10, depot; cvta.local.u64 %rd11, %rd10; st.u32 [%rd11+4], 41; ld.local.u32 %r10, [%rd10+4];
        mov.u32 %r11, S; cvt.u64.u32 %rd12, %r11; cvta.shared.u64 %rd13, %rd12; st.shared.u32 [S+8], 42;
        ld.u32 %r12, [%rd13+8]; mov.u32 %r13, D; sub.u32 %r14, %r13, %r11; st.shared.u32 [%r13+28], 43;
        ld.shared.u32 %r15, [D+28]; mov.u64 %rd14, T; ld.const.u32 %r16, [%rd14+8]; ld.global.u8 %r17, [G+1];
        ld.global.u32 %r18, [G+12]; cvta.to.local.u64 %rd15, %rd11; ld.local.u32 %r19, [%rd15+4];
        st.global.v4.u32 [%rd0], {%r10, %r12, %r14, %r15}; st.global.v4.u32 [%rd0+16], {%r16, %r17, %r18, %r19};";
    let out = run(&text_with(before, body), &Launch { grid: 1, block: 1, shared: 32 }, &[], 4).unwrap();
    let words: &[u32] = bytemuck::cast_slice(&out);
    assert_eq!(words, [41, 42, 64, 43, 7, 2, 0, 41]);
}

#[test]
fn functions_take_and_give_structures_and_may_recurse() {
    let before = "
        .func (.param .align 16 .b8 result[16]) swap(.param .align 16 .b8 pair[16]) {
          .reg .b64 %rd<3>; ld.param.v2.u64 {%rd1, %rd2}, [pair]; st.param.v2.b64 [result], {%rd2, %rd1}; ret; }
        .func (.param .b32 result) factorial(.param .b32 n) {
          .reg .pred %p<2>; .reg .b32 %r<9>; .local .align 4 .b8 depot[4]; .reg .b64 %rd<2>;
          ld.param.u32 %r1, [n]; mov.u64 %rd1, depot; st.local.u32 [%rd1], %r1; setp.gt.u32 %p1, %r1, 1; @%p1 bra DEEPER;
          st.param.b32 [result+0], 1; ret;
          DEEPER: sub.u32 %r2, %r1, 1;
          { .param .b32 p0; st.param.b32 [p0+0], %r2; .param .b32 r0; call.uni (r0), factorial, (p0); ld.param.b32 %r3, [r0+0]; }
          ld.local.u32 %r4, [%rd1]; mul.lo.u32 %r5, %r3, %r4; st.param.b32 [result+0], %r5; ret; }";
    let body = "{ .param .align 16 .b8 p0[16]; ld.global.v2.u64 {%rd10, %rd11}, [%rd1]; st.param.v2.b64 [p0+0], {%rd10, %rd11};
        .param .align 16 .b8 r0[16]; call.uni (r0), swap, (p0); ld.param.b64 %rd12, [r0+0]; ld.param.v2.b32 {%r10, %r11}, [r0+8]; }
        { .param .b32 p0; st.param.b32 [p0+0], 6; .param .b32 r0; call (r0), factorial, (p0); ld.param.b32 %r12, [r0+0]; }
        st.global.u64 [%rd0], %rd12; st.global.v2.u32 [%rd0+8], {%r10, %r11}; cvt.u64.u32 %rd13, %r12; st.global.u64 [%rd0+16], %rd13;";
    assert_eq!(run(&text_with(before, body), &ONE, &[11, 22 << 32 | 3], 3).unwrap(), [22 << 32 | 3, 11, 720]);
}

#[test]
fn branches_loops_tables_and_scopes() {
    // The sum of 0..n, then a table by its remainder modulo 3; the inner block's names hide the outer ones.
    let body = "mov.u64 %rd10, 0; mov.u64 %rd11, 0; cvt.u64.u32 %rd12, %r0;
        LOOP: setp.ge.u64 %p1, %rd11, %rd12; @%p1 bra DONE; add.u64 %rd10, %rd10, %rd11; add.u64 %rd11, %rd11, 1; bra.uni LOOP;
        DONE: rem.u32 %r10, %r0, 3;
        TABLE: .branchtargets ZERO, ONE, TWO;
        brx.idx %r10, TABLE;
        ZERO: mov.u64 %rd13, 100; bra.uni END; ONE: mov.u64 %rd13, 101; bra.uni END; TWO: mov.u64 %rd13, 102;
        END: { .reg .b64 %rd13; mov.u64 %rd13, 5; bra END; END: setp.eq.u64 %p2, %rd13, 6; }
        @!%p2 add.u64 %rd13, %rd13, 1000; @%p2 add.u64 %rd13, %rd13, 2000;
        st.global.v2.u64 [%rd0], {%rd10, %rd13};";
    for n in 0..7u64 {
        let out = run(&text(body), &ONE, &vec![0; n as usize], 2).unwrap();
        assert_eq!(out, [n * n.saturating_sub(1) / 2, 1100 + n % 3], "{n}");
    }
}

/// The lanes that a shuffle reads, said in another way than the interpreter does.
#[test]
fn shuffles_votes_matches_and_reductions() {
    let body = "mul.lo.u32 %r10, %r1, 3; mul.wide.u32 %rd10, %r1, 64; add.u64 %rd10, %rd0, %rd10;
        shfl.sync.down.b32 %r11|%p1, %r10, 5, 0x1f, -1; shfl.sync.up.b32 %r12, %r10, 5, 0, -1;
        shfl.sync.bfly.b32 %r13, %r10, 9, 0x1f, -1; shfl.sync.idx.b32 %r14, %r10, 2, 0x181f, -1;
        selp.u32 %r15, 1, 0, %p1; setp.lt.u32 %p2, %r1, 7; vote.sync.ballot.b32 %r16, %p2, -1; vote.sync.any.pred %p3, %p2, -1;
        vote.sync.all.pred %p4, %p2, -1; selp.u32 %r17, 1, 0, %p3; selp.u32 %r18, 1, 0, %p4; and.b32 %r19, %r1, 3;
        match.any.sync.b32 %r20, %r19, -1; redux.sync.add.u32 %r21, %r10, -1; redux.sync.max.u32 %r22, %r10, -1;
        match.all.sync.b32 %r23|%p5, %r22, -1; bar.warp.sync -1; activemask.b32 %r24; shr.u32 %r24, %r24, %r1; and.b32 %r24, %r24, 1;
        st.global.v4.u32 [%rd10], {%r11, %r12, %r13, %r14}; st.global.v4.u32 [%rd10+16], {%r15, %r16, %r17, %r18};
        st.global.v4.u32 [%rd10+32], {%r20, %r21, %r22, %r23}; st.global.u32 [%rd10+48], %r24;";
    let out = run(&text(body), &WARP, &[], 256).unwrap();
    let words: &[u32] = bytemuck::cast_slice(&out);
    for lane in 0..32u32 {
        let down = if lane + 5 < 32 { lane + 5 } else { lane };
        let up = if lane >= 5 { lane - 5 } else { lane };
        let own = [
            [3 * down, 3 * up, 3 * (lane ^ 9), 3 * (lane / 8 * 8 + 2)],
            [u32::from(lane < 27), 0x7f, 1, 0],
            [0x1111_1111 << (lane % 4), 3 * 31 * 16, 93, u32::MAX],
            [1, 0, 0, 0],
        ];
        assert_eq!(&words[16 * lane as usize..][..16], own.as_flattened(), "lane {lane}");
    }
}

/// A tree sum in shared memory per block, added up over blocks by an atomic: 2 workers, many blocks.
#[test]
fn blocks_share_memory_between_barriers_and_meet_in_atomics() {
    let body = ".shared .align 8 .b8 S[1024]; mov.u32 %r10, %ntid.x; mad.lo.u32 %r11, %r2, %r10, %r1;
        mul.wide.u32 %rd10, %r11, 8; add.u64 %rd10, %rd1, %rd10; ld.global.u64 %rd11, [%rd10]; mov.u32 %r12, S;
        shl.b32 %r13, %r1, 3; add.u32 %r14, %r12, %r13; st.shared.u64 [%r14], %rd11; shr.u32 %r15, %r10, 1;
        LOOP: bar.sync 0; setp.ge.u32 %p1, %r1, %r15; @%p1 bra NEXT; shl.b32 %r16, %r15, 3; add.u32 %r17, %r14, %r16;
        ld.shared.u64 %rd12, [%r17]; add.u64 %rd11, %rd11, %rd12; st.shared.u64 [%r14], %rd11;
        NEXT: shr.u32 %r15, %r15, 1; setp.ne.u32 %p2, %r15, 0; @%p2 bra LOOP;
        setp.ne.u32 %p3, %r1, 0; @%p3 bra END; atom.global.add.u64 %rd13, [%rd0], %rd11; red.global.max.u32 [%rd0+8], %r2;
        atom.global.inc.u32 %r20, [%rd0+12], 9; END:";
    let input: Vec<u64> = (0..128 * 50).map(|n| (n * n) << 20).collect();
    let out = run(&text(body), &Launch { grid: 50, block: 128, shared: 0 }, &input, 2).unwrap();
    // `inc` wraps to zero after 9, so that 50 increments end at zero.
    assert_eq!(out, [input.iter().sum::<u64>(), 49]);
}

#[test]
fn shared_atomics_and_compare_and_swap() {
    // Every thread adds its number under a lock-free loop; bucket counts by an atomic.
    let body = ".shared .align 8 .b8 S[32]; mov.u32 %r10, S; setp.ne.u32 %p1, %r1, 0; @%p1 bra GO;
        st.shared.v4.u32 [%r10], {0, 0, 0, 0}; st.shared.v2.u64 [%r10+16], {0, 0}; GO: bar.sync 0;
        ld.volatile.shared.u32 %r11, [%r10];
        LOOP: add.u32 %r12, %r11, %r1; atom.shared.cas.b32 %r13, [%r10], %r11, %r12; setp.eq.u32 %p2, %r13, %r11;
        mov.u32 %r11, %r13; @!%p2 bra LOOP; and.b32 %r14, %r1, 1; shl.b32 %r14, %r14, 2; add.u32 %r15, %r10, %r14;
        atom.shared.add.u32 %r16, [%r15+16], 1; atom.shared.exch.b32 %r17, [%r10+4], 9; atom.shared.min.s32 %r18, [%r10+8], -3;
        bar.sync 0; @%p1 bra END; ld.shared.v2.u64 {%rd10, %rd11}, [%r10]; ld.shared.u64 %rd12, [%r10+16];
        st.global.v2.u64 [%rd0], {%rd10, %rd11}; st.global.u64 [%rd0+16], %rd12; END:";
    let out = run(&text(body), &Launch { grid: 1, block: 96, shared: 0 }, &[], 3).unwrap();
    assert_eq!(out, [(9 << 32) | (95 * 48), 0xffff_fffd, 48 << 32 | 48]);
}

#[test]
fn barriers_reduce() {
    let body =
        "setp.lt.u32 %p1, %r1, 40; bar.red.popc.u32 %r10, 0, %p1; setp.ne.u32 %p2, %r1, 0; @%p2 bra END;
        cvt.u64.u32 %rd10, %r10; st.global.u64 [%rd0], %rd10; END:";
    assert_eq!(run(&text(body), &Launch { grid: 1, block: 64, shared: 0 }, &[], 1).unwrap(), [40]);
}
