//! Every pure instruction against big integers: results, and nothing but results, must agree.
use lathe_vm::isa::{Class, Family, Instruction, OPS, op};
use lathe_vm::machine::HaltKind;
use lathe_vm::machine::alu;
use lathe_vm::word::Word;
use num_bigint::{BigInt, BigUint};
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
        Word::new(u128::MAX >> 1, u128::MAX),
        Word::new(u128::MAX, u128::MAX - 1),
        Word::new(1 << 127, 1),
        Word::new(1 << 127, u128::MAX),
        // Limbs on which an estimated digit of a quotient is too large.
        Word::new(u128::MAX << 64, 0),
        Word::new(1 << 127, u128::from(u64::MAX)),
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
        op::MULHI => (a * b) >> 256,
        op::DIV => or_zero(b, || a / b),
        op::MOD => or_zero(b, || a % b),
        op::SDIV => or_zero(b, || unsigned(signed(a) / signed(b))),
        op::SMOD => or_zero(b, || unsigned(signed(a) % signed(b))),
        op::ADDMOD => or_zero(old, || (a + b) % old),
        op::MULMOD => or_zero(old, || (a * b) % old),
        op::EXP => a.modpow(b, &modulus()),
        op::SIGNEXTEND if *a >= BigUint::from(31u8) => b.clone(),
        op::SIGNEXTEND => {
            let bits = 8 * (shift(a) + 1);
            let (low, sign) = (b % (one() << bits), b.bit(bits - 1));
            if sign { modulus() + low - (one() << bits) } else { low }
        }
        op::SLT => flag(signed(a) < signed(b)),
        op::BYTE if *a >= BigUint::from(32u8) => BigUint::ZERO,
        op::BYTE => (b >> (8 * (31 - shift(a)))) % BigUint::from(256u16),
        // BigInt shifts towards minus infinity, as `sar` does.
        op::SAR => unsigned(signed(a) >> shift(b)),
        op::LTI => flag(*a < t_big),
        op::GTI => flag(*a > t_big),
        op::SETL => t_big + (BigUint::from(imm) << 28),
        _ => unreachable!("not in the list"),
    }
}

fn or_zero(divisor: &BigUint, value: impl FnOnce() -> BigUint) -> BigUint {
    if *divisor == BigUint::ZERO { BigUint::ZERO } else { value() }
}

/// Two's complement.
fn signed(x: &BigUint) -> BigInt {
    BigInt::from(x.clone()) - if x.bit(255) { BigInt::from(modulus()) } else { BigInt::ZERO }
}

fn unsigned(x: BigInt) -> BigUint {
    let modulus = BigInt::from(modulus());
    let positive = (x % &modulus + &modulus) % &modulus;
    positive.to_biguint().unwrap_or_default()
}

/// All of the family but `const`, which needs a page.
fn pure() -> Vec<u16> {
    OPS.iter().filter(|o| o.family == Family::Alu && o.opcode != op::CONST).map(|o| o.opcode).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn pure_instructions_agree_with_big_integers(
        code in prop::sample::select(pure()), a in words(), b in words(), same in any::<bool>(), old in words(),
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
        prop_assert_eq!(alu::eval(i, || a, || b, || old), Ok(expected));
    }

    #[test]
    fn overflow_is_what_big_integers_say(a in words(), b in words()) {
        let (x, y) = (big(a), big(b));
        prop_assert_eq!(alu::add_overflow(a, b), (word(&x + &y), &x + &y >= modulus()));
        prop_assert_eq!(alu::mul_overflow(a, b), (word(&x * &y), &x * &y >= modulus()));
        prop_assert_eq!(alu::sub_overflow(a, b), (word(modulus() + &x - &y), x < y));
    }

    #[test]
    fn quotients_of_products_are_exact(a in words(), b in words(), c in words()) {
        // A multiple of the divisor, and its neighbours: where an estimated digit goes wrong.
        let product = alu::mul(a, b);
        for x in [product, alu::sub(product, Word::from(1)), alu::add(product, c)] {
            if !b.is_zero() {
                let (q, r) = (big(x) / big(b), big(x) % big(b));
                prop_assert_eq!(alu::div_rem(x, b), (word(q), word(r)));
            }
        }
    }

    #[test]
    fn bits_outside_its_ranges_halts(a in words(), from in 0u16..1 << 14, count in 0u16..1 << 12) {
        let i = Instruction { opcode: op::BITS, imm: count, d: 0, a: 0, b: from };
        let fits = from <= 255 && (1..=256).contains(&count);
        let halt = Err(HaltKind::BitsRange);
        prop_assert_eq!(alu::eval(i, || a, || a, || a) == halt, !fits);
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

#[test]
fn edges_of_signed_arithmetic() {
    let one = Word::from(1);
    let minus = |n: u128| alu::sub(Word::ZERO, Word::from(n));
    let least = Word::new(1 << 127, 0);
    assert_eq!(alu::sdiv(least, minus(1)), least);
    assert_eq!(alu::smod(least, minus(1)), Word::ZERO);
    assert_eq!(alu::sdiv(minus(7), Word::from(2)), minus(3));
    assert_eq!(alu::smod(minus(7), Word::from(2)), minus(1));
    assert_eq!(alu::smod(Word::from(7), minus(2)), one);
    assert_eq!(alu::sdiv(least, Word::ZERO), Word::ZERO);
    for n in [Word::from(255), Word::from(256), least, minus(1)] {
        assert_eq!(alu::sar(least, n), minus(1), "{n}");
        assert_eq!(alu::sar(alu::sub(least, one), n), Word::ZERO, "{n}");
    }
    for (index, want) in
        [(0, minus(1)), (1, Word::from(0xff)), (30, Word::from(0xff)), (31, Word::from(0xff))]
    {
        assert_eq!(alu::signextend(Word::from(index), Word::from(0xff)), want, "{index}");
    }
    let high = alu::shl(one, Word::from(247));
    assert_eq!(alu::signextend(Word::from(30), high), alu::sub(Word::ZERO, high));
    for index in [31, 32] {
        assert_eq!(alu::signextend(Word::from(index), high), high);
    }
    let all = minus(1);
    assert_eq!(alu::exp(Word::ZERO, Word::ZERO), one);
    assert_eq!(alu::exp(Word::from(2), Word::from(256)), Word::ZERO);
    assert_eq!(alu::exp(all, all), all);
    assert_eq!(alu::mulmod(all, all, all), Word::ZERO);
    assert_eq!(alu::mulmod(all, all, minus(2)), one);
    assert_eq!(alu::addmod(all, all, minus(2)), Word::from(2));
}
