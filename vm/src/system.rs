//! The system's addresses, and what the machine does for those who live there and for nobody else.
//! Privilege is a matter of the own address: `docs/decisions/0013-system-contracts-by-address.md`.
use crate::state::{CellId, kind};
use crate::word::Word;

/// The kernel, as the contracts that it calls on its own account see their caller.
pub const KERNEL: [u8; 20] = address(0x8000);
/// The base token.
pub const BASE_TOKEN: [u8; 20] = address(0x8001);
/// Nonces.
pub const NONCES: [u8; 20] = address(0x8002);
/// Creation at addresses that do not depend on a nonce.
pub const DEPLOYER: [u8; 20] = address(0x8003);
/// Known code.
pub const KNOWN_CODE: [u8; 20] = address(0x8004);
/// Messages to L1.
pub const MESSENGER: [u8; 20] = address(0x8005);
/// What is known of this batch and those before.
pub const BLOCK_CONTEXT: [u8; 20] = address(0x8006);

/// The addresses of system contracts.
const CONTRACTS: std::ops::RangeInclusive<u16> = 0x8001..=0x80ff;
/// [`Service::Cell`].
const CELL: u16 = 0x8100;
/// [`Service::PageHash`].
const PAGE_HASH: u16 = 0x8101;

const fn address(number: u16) -> [u8; 20] {
    let mut out = [0; 20];
    [out[18], out[19]] = number.to_be_bytes();
    out
}

/// The number of an address below 2^16.
fn number(address: [u8; 20]) -> Option<u16> {
    let (rest, low) = address.split_at(18);
    rest.iter().all(|b| *b == 0).then_some(u16::from_be_bytes([low[0], low[1]]))
}

/// What a call of a system precompile asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// A state cell, see [`CellRequest`].
    Cell,
    /// The hash of the code page that the input is.
    PageHash,
}

/// The service behind an address, if the caller with this own address is a system contract.
pub fn service(own: [u8; 20], callee: [u8; 20]) -> Option<Service> {
    number(own).filter(|n| CONTRACTS.contains(n))?;
    match number(callee)? {
        CELL => Some(Service::Cell),
        PAGE_HASH => Some(Service::PageHash),
        _ => None,
    }
}

/// An input of [`Service::Cell`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellRequest {
    /// Kind and key, 32 bytes each: the output is the cell's value.
    Read(CellId),
    /// Kind, key and value: the cell becomes the value; there is no output.
    Write(CellId, Word),
}

impl CellRequest {
    /// Reads an input. Kinds are nonce, balance and code hash, whose key is an address, and known code, whose
    /// key is a page hash. Code hashes are not written, and what is known stays known: no halt of a deploy
    /// page may be undone into a success.
    pub fn parse(input: &[u8]) -> Option<CellRequest> {
        let word = |i: usize| Word::from_first_bytes(input.get(32 * i..)?);
        let (kind, key) = (word(0)?, word(1)?);
        let kind = u8::try_from(kind.lo).ok().filter(|_| kind.hi == 0)?;
        let cell = match kind {
            kind::NONCE | kind::BALANCE | kind::CODE_HASH if key.hi >> 32 == 0 => {
                let mut address = [0; 20];
                address.copy_from_slice(&key.to_be_bytes()[12..]);
                CellId { kind, address, slot: Word::ZERO }
            }
            kind::KNOWN_CODE => CellId::known_code(key),
            _ => return None,
        };
        match (input.len(), word(2)) {
            (64, _) => Some(CellRequest::Read(cell)),
            (96, Some(value))
                if kind != kind::CODE_HASH && !(kind == kind::KNOWN_CODE && value.is_zero()) =>
            {
                Some(CellRequest::Write(cell, value))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_system_contracts_are_served() {
        for (own, served) in [(0x8000, false), (0x8001, true), (0x80ff, true), (0x8100, false), (0, false)] {
            assert_eq!(service(address(own), address(0x8100)), served.then_some(Service::Cell), "{own:#x}");
            assert_eq!(service(address(own), address(0x8101)), served.then_some(Service::PageHash));
            assert_eq!(service(address(own), address(0x8102)), None);
        }
        // The same low bytes elsewhere are another address.
        let mut far = address(0x8001);
        far[0] = 1;
        assert_eq!(service(far, address(0x8100)), None);
        assert_eq!(service(address(0x8001), [0x81; 20]), None);
    }
}
