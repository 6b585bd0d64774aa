//! What pure instructions mean, in big integers, independent of the machine: the judge of the chips' tests.
use super::PureRow;
use crate::chips::message::KEEP;
use crate::chips::testing::{Fixture, Message, element, element_int};
use crate::circuit::{Chip, MessageKind, Tag};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::op;
use num_bigint::BigUint;
use proptest::prelude::*;

/// A word as an integer.
pub fn big(w: Word) -> BigUint {
    BigUint::from_bytes_be(&w.to_be_bytes())
}

/// An integer modulo 2^256 as a word.
pub fn word(x: &BigUint) -> Word {
    let modulus: BigUint = BigUint::from(1u8) << 256;
    let bytes = (x % modulus).to_bytes_be();
    let mut be = [0; 32];
    be[32 - bytes.len()..].copy_from_slice(&bytes);
    Word::from_be_bytes(be)
}

/// What the instruction writes and whether it jumps; `None` where it halts or is not pure.
pub fn eval(opcode: u16, imm: u64, t: u64, a: Word, b: Word) -> Option<(Word, bool)> {
    let one = BigUint::from(1u8);
    let (x, y, t) = (big(a), big(b), BigUint::from(t));
    let small = |n: &BigUint| (*n < BigUint::from(256u32)).then(|| n.iter_u64_digits().next().unwrap_or(0));
    let flag = |c: bool| BigUint::from(u8::from(c));
    let modulus = &one << 256;
    let k_imm = &t >> 14;
    let value = match opcode {
        op::ADD => &x + &y,
        op::SUB => &x + &modulus - &y,
        op::MUL => &x * &y,
        op::LT => flag(x < y),
        op::EQ => flag(x == y),
        op::AND => &x & &y,
        op::OR => &x | &y,
        op::XOR => &x ^ &y,
        op::NOT => &modulus - &one - &x,
        op::SHL => small(&y).map_or(flag(false), |n| &x << n),
        op::SHR => small(&y).map_or(flag(false), |n| &x >> n),
        op::MOV => x,
        op::SETI => t,
        op::ADDI => &x + &t,
        op::SUBI => &x + &modulus - &t,
        op::EQI => flag(x == t),
        op::SHLI => small(&t).map_or(flag(false), |n| &x << n),
        op::BITS if (1..=256).contains(&imm) => (&x >> small(&t)?) % (&one << imm),
        op::JMP => return (imm == 0).then_some((Word::ZERO, true)),
        op::JEQ => return (imm == 0).then_some((Word::ZERO, x == y)),
        op::JNE => return (imm == 0).then_some((Word::ZERO, x != y)),
        op::JLT => return (imm == 0).then_some((Word::ZERO, x < y)),
        op::JGE => return (imm == 0).then_some((Word::ZERO, x >= y)),
        op::JEQI => return (imm == 0).then_some((Word::ZERO, x == k_imm)),
        op::JNEI => return (imm == 0).then_some((Word::ZERO, x != k_imm)),
        _ => return None,
    };
    (imm == 0 || opcode == op::BITS).then(|| (word(&value), false))
}

/// A row with the oracle's result.
pub fn row(opcode: u16, imm: u16, t: u64, a: Word, b: Word) -> PureRow {
    let (new, _) = eval(opcode, imm.into(), t, a, b).expect("a defined instruction");
    PureRow { opcode, imm, t, a, b, new, count: 3 }
}

/// Whether every `Alu` message says something true, or something no CPU can ask for (operands that are no words,
/// immediates beyond their fields).
pub fn truth(messages: &[Message]) -> bool {
    messages.iter().all(|(kind, key, _)| {
        assert_eq!(
            (*kind, key.0),
            (MessageKind::Provide, Tag::Alu),
            "a pure chip offers Alu and nothing else"
        );
        let ints: Option<Vec<u128>> = [0, 1, 2, 3, 4, 8].iter().map(|p| element_int(key, *p)).collect();
        let Some(&[code, a_lo, a_hi, b_lo, b_hi, t]) = ints.as_deref() else { return true };
        let (opcode, imm) = ((code & 1023) as u16, (code as u64 % KEEP) >> 10);
        let t_bits = match opcode >> 7 {
            0 => 0,
            1 | 3 => 14,
            _ => 28,
        };
        if t >= 1 << t_bits {
            return true;
        }
        let (a, b) = (Word::new(a_hi, a_lo), Word::new(b_hi, b_lo));
        let Some((new, taken)) = eval(opcode, imm, t as u64, a, b) else { return false };
        let delta = if taken { Fr::from(t as u64 & 0x3fff) - Fr::from(8192) } else { Fr::ZERO };
        let halves = (element_int(key, 5), element_int(key, 6));
        u64::from(opcode >= 1 << 7 && matches!(opcode >> 7, 1 | 5)) == (code >> 22) as u64
            && halves == (Some(new.lo), Some(new.hi))
            && element(key, 7) == delta
    })
}

/// Words at the borders of halves and at random.
pub fn any_word() -> impl Strategy<Value = Word> {
    let edges = [
        Word::ZERO,
        Word::from(1),
        Word::from(255),
        Word::from(256),
        Word::from(u128::MAX),
        Word::new(1, 0),
        Word::new(1 << 127, 0),
        Word::new(u128::MAX, u128::MAX),
        Word::new(u128::MAX, 0),
    ];
    prop_oneof![
        2 => proptest::sample::select(edges.to_vec()),
        2 => any::<(u128, u128)>().prop_map(|(hi, lo)| Word::new(hi, lo)),
        1 => any::<u64>().prop_map(|x| Word::from(u128::from(x))),
    ]
}

/// Rows satisfy the chip, offer exactly what the oracle says as often as they count, and padding offers nothing.
pub fn check_rows<C: Chip<Row = PureRow>>(chip: C, rows: &[PureRow]) -> Fixture {
    let f = Fixture::new(chip, rows, 1);
    f.assert_satisfied();
    for (i, r) in rows.iter().enumerate() {
        let messages = f.messages(i);
        assert!(truth(&messages), "{r:?} {messages:?}");
        let [(_, key, m)] = messages.as_slice() else { panic!("one message per row: {messages:?}") };
        assert_eq!(*m, Fr::from(r.count));
        let ints = [1, 2, 3, 4, 5, 6, 8].map(|p| element_int(key, p).expect("halves"));
        let expected = [r.a.lo, r.a.hi, r.b.lo, r.b.hi, r.new.lo, r.new.hi, u128::from(r.t)];
        assert_eq!(ints, expected, "{r:?}");
        let code = u128::from(super::alu_code(r.opcode)) + 1024 * u128::from(r.imm);
        assert_eq!(element_int(key, 0), Some(code));
    }
    assert!(f.messages(rows.len()).is_empty(), "padding offers nothing");
    f
}

/// Single-wire mutations of every row and of the padding.
pub fn mutate_all(f: &mut Fixture) {
    for row in 0..f.block.capacity {
        let (tried, rejected) = f.mutate(row, truth);
        assert!(tried > 0 && (rejected > 0 || row + 1 == f.block.capacity));
    }
}
