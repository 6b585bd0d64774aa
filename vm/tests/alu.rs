//! Every pure instruction against big integers: results, and nothing but results, must agree.
use lathe_vm::isa::{Class, Instruction, op};
use lathe_vm::machine::alu;
use lathe_vm::machine::{Halt, HaltKind};
use lathe_vm::word::Word;
use num_bigint::BigUint;
use proptest::prelude::*;

fn big(w: Word) -> BigUint {
    BigUint::from_bytes_be(&w.to_be_bytes())
}

fn modulus() -> BigUint {
    BigUint::from(1u8) << 256
}

fn word(x: BigUint) -> Word {
    let bytes = (x % modulus()).to_bytes_be();
    let mut be = [0; 32];
    be[32 - bytes.len()..].copy_from_slice(&bytes);
    Word::from_be_bytes(be)
}

/// Words of every size, with edges.
fn words() -> impl Strategy<Value = Word> {
    let edge = prop::sample::select(vec![
        Word::ZERO,
        Word::from(1),
        Word::from(u128::MAX),
        Word::new(1, 0),
        Word::new(u128::MAX, u128::MAX),
        Word::new(1 << 127, 0),
        Word::from(u128::from(u64::MAX)),
        Word::from(1 << 64),
    ]);
    let any = (any::<u128>(), any::<u128>(), 0u32..128, 0u32..128);
    prop_oneof![
        edge,
        any.prop_map(|(h, l, i, j)| Word::new(h >> i, l >> j)),
        (0u128..600).prop_map(Word::from)
    ]
}

/// The model, written from the table in `docs/isa.md`.
fn model(code: u16, a: &BigUint, b: &BigUint, old: &BigUint, t: u64, imm: u64) -> BigUint {
    let one = || BigUint::from(1u8);
    let flag = |x: bool| BigUint::from(u8::from(x));
    let t_big = BigUint::from(t);
    let shift =
        |n: &BigUint| if *n >= BigUint::from(256u16) { 256 } else { n.iter_u64_digits().next().unwrap_or(0) };
    match code {
        op::ADD => a + b,
        op::SUB => modulus() + a - b,
        op::MUL => a * b,
        op::LT => flag(a < b),
        op::EQ => flag(a == b),
        op::AND => a & b,
        op::OR => a | b,
        op::XOR => a ^ b,
        op::NOT => modulus() - one() - a,
        op::SHL => a << shift(b),
        op::SHR => a >> shift(b),
        op::MOV => a.clone(),
        op::SETI => t_big,
        op::ADDI => a + t_big,
        op::SUBI => modulus() + a - t_big,
        op::EQI => flag(*a == t_big),
        op::SHLI => a << shift(&t_big),
        op::BITS => (a >> t) % (one() << imm),
        op::SELECT => {
            if *old == BigUint::ZERO {
                b.clone()
            } else {
                a.clone()
            }
        }
        _ => unreachable!("not in the list"),
    }
}

const PURE: [u16; 19] = [
    op::ADD,
    op::SUB,
    op::MUL,
    op::LT,
    op::EQ,
    op::AND,
    op::OR,
    op::XOR,
    op::NOT,
    op::SHL,
    op::SHR,
    op::MOV,
    op::SETI,
    op::ADDI,
    op::SUBI,
    op::EQI,
    op::SHLI,
    op::BITS,
    op::SELECT,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pure_instructions_agree_with_big_integers(
        code in prop::sample::select(&PURE[..]), a in words(), b in words(), same in any::<bool>(), old in words(),
        fa in 0u16..1 << 14, fb in prop_oneof![0u16..1 << 14, 0u16..300], imm in 0u16..1 << 12,
    ) {
        let b = if same { a } else { b };
        let bits = code == op::BITS;
        let (fb, imm) = if bits { (fb % 256, imm % 256 + 1) } else { (fb, imm) };
        let i = Instruction { opcode: code, imm, d: 0, a: fa, b: fb };
        let t = match i.class() {
            Class::I => u64::from(fa) + (u64::from(fb) << 14),
            _ => u64::from(fb),
        };
        let expected = word(model(code, &big(a), &big(b), &big(old), t, imm.into()));
        prop_assert_eq!(alu::eval(i, a, b, old), Ok(expected));
    }

    #[test]
    fn bits_outside_its_ranges_halts(a in words(), from in 0u16..1 << 14, count in 0u16..1 << 12) {
        let i = Instruction { opcode: op::BITS, imm: count, d: 0, a: 0, b: from };
        let fits = from <= 255 && (1..=256).contains(&count);
        let halt = Err(Halt::Exceptional(HaltKind::BitsRange));
        prop_assert_eq!(alu::eval(i, a, a, a) == halt, !fits);
    }

    #[test]
    fn numbers_parse_as_big_integers_do(w in words(), extra in 0u8..10) {
        let decimal = big(w).to_string();
        prop_assert_eq!(decimal.parse::<Word>().unwrap(), w);
        prop_assert_eq!(format!("0x{:x}", big(w)).parse::<Word>().unwrap(), w);
        let longer = format!("{decimal}{extra}");
        let fits = longer.parse::<BigUint>().unwrap() < modulus();
        prop_assert_eq!(longer.parse::<Word>().is_ok(), fits);
    }
}
