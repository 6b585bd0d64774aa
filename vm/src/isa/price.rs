//! What instructions cost in gas: one gas for every eight constraints that proving them takes, as measured in
//! `docs/proof-system.md`, or budgeted where there is no chip yet. `docs/isa.md` has the table.
use super::op;

/// Constraints that one gas pays for.
pub const CONSTRAINTS_PER_GAS: u32 = 8;

/// Gas for this many constraints.
pub const fn gas(constraints: u32) -> u32 {
    constraints.div_ceil(CONSTRAINTS_PER_GAS)
}

/// A CPU step without its operation.
const STEP: u32 = 70;

/// A state cell that the batch touches for the first time: its leaf before and after, and the nodes above.
pub const COLD_CELL: u32 = gas(12_000);
/// A cell that becomes other than zero: it may need a leaf of its own.
pub const NEW_CELL: u32 = gas(13_000);
/// What a call with value costs besides its cells; more than [`STIPEND`], or calls would make gas.
pub const VALUE: u32 = 2_500;
/// Gas that a callee gets on top with value.
pub const STIPEND: u32 = 2_300;
/// `sstore` halts with this much gas or less (EIP-2200), so that a callee that has only the stipend cannot write.
pub const STORE_SENTRY: u32 = STIPEND;
/// A bit of `exp`'s exponent.
pub const EXP_BIT: u32 = gas(160);
/// A load or store of a word that lies in two words of memory.
pub const STRADDLE: u32 = gas(160);
/// A word that `copy` moves.
pub const COPY_WORD: u32 = gas(200);
/// A permutation of Keccak-f, 136 bytes.
pub const KECCAK_BLOCK: u32 = gas(11_859);
/// A word that is hashed.
pub const KECCAK_WORD: u32 = gas(284);
/// A byte of a log; logs are no part of the proof, but nodes keep them.
pub const LOG_BYTE: u32 = 2;
/// A topic of a log.
pub const LOG_TOPIC: u32 = 8;
/// An instruction of a page that runs for the first time in the batch, of the padded page.
pub const PAGE_WORD: u32 = gas(96);

/// What a step costs whatever its operands are, by opcode; 0 for what has no name. `return` and `revert` are paid for
/// by the call: undoing writes must not run out of gas.
pub const fn base(opcode: u16) -> u32 {
    let operation = match opcode {
        op::RETURN | op::REVERT => return 0,
        op::SETI | op::SETL | op::CONST | op::MOV | op::JMP => 25,
        op::EQ | op::EQI | op::JEQ | op::JNE | op::JEQI | op::JNEI => 32,
        op::ADD | op::SUB | op::ADDI | op::SUBI | op::NOT | op::LT | op::LTI | op::GTI | op::SLT => 45,
        op::JLT | op::JGE | op::JSLT | op::JSGE | op::JLTI | op::JGEI | op::ADDO | op::SUBO => 45,
        op::SELECT | op::NCALL | op::NRET => 40,
        op::SHL | op::SHLI | op::SHR | op::MUL | op::MULHI | op::MULO => 74,
        op::BITS | op::BYTE => 81,
        op::AND | op::OR | op::XOR => 118,
        op::SAR | op::SIGNEXTEND => 110,
        op::DIV | op::MOD => 120,
        op::SDIV | op::SMOD | op::ADDMOD => 160,
        op::MULMOD => 200,
        op::EXP => 40,
        op::LD | op::ST => 65,
        op::ST8 => 260,
        op::CDLOAD | op::CDLD => 172,
        op::COPY => 90,
        op::KECCAK | op::SHA256 | op::PAGEHASH => 110,
        op::ECRECOVER => 60_000,
        op::SLOAD | op::TLOAD | op::ILOAD | op::ALOAD | op::BALANCE | op::EXTCODEHASH => 450,
        op::EXTCODESIZE => 850,
        op::SSTORE | op::TSTORE | op::ISTORE | op::ASTORE => 650,
        op::LOG => 1_500,
        op::CALL | op::STATICCALL | op::DELEGATECALL => 1_200,
        op::MIMICCALL => 1_200,
        op::CREATE => 3_000,
        op::SELFDESTRUCT => 1_200,
        op::CDSIZE | op::CALLER | op::ADDRESS | op::RDSIZE | op::CALLVALUE | op::GAS => 20,
        op::BLOCKVALUE | op::TXVALUE | op::BLOCKHASH | op::BLOBHASH => 20,
        _ => 25,
    };
    gas(STEP + operation)
}

/// What hashing `bytes` costs.
pub const fn keccak(bytes: u32) -> u64 {
    let (bytes, block, word) = (bytes as u64, KECCAK_BLOCK as u64, KECCAK_WORD as u64);
    (bytes / 136 + 1) * block + bytes.div_ceil(32) * word
}

/// What moving `bytes` costs.
pub const fn copy(bytes: u32) -> u64 {
    (bytes as u64).div_ceil(32) * COPY_WORD as u64
}

/// What a log with this many bytes and topics costs.
pub const fn log(bytes: u32, topics: u32) -> u64 {
    bytes as u64 * LOG_BYTE as u64 + topics as u64 * LOG_TOPIC as u64
}

/// What `exp` costs for an exponent of so many bits.
pub const fn exp(bits: u32) -> u64 {
    bits as u64 * EXP_BIT as u64
}

/// What the hash of a page of so many bytes costs.
pub const fn page_hash(bytes: u32) -> u64 {
    (bytes as u64).div_ceil(8) * PAGE_WORD as u64
}

/// What the first run of a page of `words` costs.
pub const fn page(words: usize) -> u64 {
    words as u64 * PAGE_WORD as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{OPS, Status};

    #[test]
    fn every_instruction_but_the_ends_of_a_context_costs_something() {
        for row in OPS {
            let ends = matches!(row.opcode, op::RETURN | op::REVERT);
            assert_eq!(base(row.opcode) == 0, ends, "{}", row.name);
        }
    }

    /// Every row `| gas | instructions |` of the page, and that no instruction is missing.
    #[test]
    fn the_page_has_these_prices() {
        let page = include_str!("../../../docs/isa.md");
        let section = page.split("## Gas").nth(1).expect("there is a section on gas");
        let mut told = std::collections::BTreeMap::new();
        for row in section.lines().skip_while(|l| *l != "| gas | instructions |").skip(2) {
            let Some((gas, names)) = row.trim_matches('|').split_once('|') else { break };
            let gas: u32 = gas.trim().parse().expect("a number");
            told.extend(names.split('`').skip(1).step_by(2).map(|name| (name, gas)));
        }
        for row in OPS.iter().filter(|row| row.status != Status::Reserved) {
            assert_eq!(told.remove(row.name), Some(base(row.opcode)), "{}", row.name);
        }
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn a_call_with_value_makes_no_gas() {
        assert!(VALUE > STIPEND);
    }

    #[test]
    fn a_block_more_costs_a_block_more() {
        assert_eq!(keccak(135), u64::from(KECCAK_BLOCK + 5 * KECCAK_WORD));
        assert_eq!(keccak(136) - keccak(135), u64::from(KECCAK_BLOCK));
        assert_eq!((keccak(0), copy(0), copy(1), copy(33)), (1483, 0, 25, 50));
    }
}
