//! `create` and `create2`: a contract from the hash of its deploy page, at the address that Ethereum would give it.
use super::environment::address_word;
use super::far::{Surroundings, Transfer};
use super::gas::Planned;
use super::storage::account;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, MAX_DEPTH, Machine, Operands, Window, alu};
use crate::isa::price;
use crate::state::CellId;
use crate::trace::{Regs, mode};
use crate::word::Word;
use sha3::{Digest, Keccak256};

/// Bytes of the deploy page's hash, with which creation code begins.
const HASH: u32 = 32;

/// Where CREATE puts the contract that `sender` makes with this nonce: the last 20 bytes of
/// `keccak(rlp([sender, nonce]))`.
pub fn contract_address(sender: [u8; 20], nonce: u64) -> [u8; 20] {
    let bytes = nonce.to_be_bytes();
    let digits = &bytes[nonce.leading_zeros() as usize / 8..];
    let mut list = vec![0x80 + 20];
    list.extend_from_slice(&sender);
    match digits {
        [small @ 1..=0x7f] => list.push(*small),
        _ => {
            list.push(0x80 + digits.len() as u8);
            list.extend_from_slice(digits);
        }
    }
    last20(Keccak256::new().chain_update([0xc0 + list.len() as u8]).chain_update(&list))
}

/// Where CREATE2 puts it: the last 20 bytes of `keccak(0xff ++ sender ++ salt ++ keccak(creation code))`.
pub fn contract_address_salted(sender: [u8; 20], salt: Word, creation_code: &[u8]) -> [u8; 20] {
    let code = Keccak256::digest(creation_code);
    let head = Keccak256::new().chain_update([0xff]).chain_update(sender);
    last20(head.chain_update(salt.to_be_bytes()).chain_update(code))
}

fn last20(hasher: Keccak256) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&hasher.finalize()[12..]);
    out
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `create d, a, b, imm`
    pub(super) fn create(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        if self.frames.is_empty() {
            return Err(HaltKind::ContractOnly.into());
        }
        if s.i.imm > 1 {
            return Err(HaltKind::Mode.into());
        }
        self.changes_state()?;
        let block = u32::from(s.i.b);
        let code = Self::bounded(self.heap_range(s.a, s.b)?.0)?;
        let value = self.slot(block + 1, 4)?.old;
        let salt = if s.i.imm == 1 { Some(self.slot(block + 2, 8)?.old) } else { None };
        let own = self.register(2, 7)?.old;
        let creator = account(own)?;
        if self.regs.depth >= MAX_DEPTH || self.cannot_send(creator, value)? {
            return self.done(s, Word::ZERO, self.nothing());
        }
        let mut bytes = Vec::new();
        let read = if salt.is_some() { code.length } else { code.length.min(HASH) };
        let hashed =
            if salt.is_some() { price::keccak(read) + price::keccak(85) } else { price::keccak(HASH) };
        self.charge(hashed)?;
        self.hashes(read)?;
        self.read_bytes(Window { length: read, ..code }, 5, &mut bytes)?;
        let nonce = self.world.peek(&CellId::nonce(creator));
        let address = match salt {
            Some(salt) => contract_address_salted(creator, salt, &bytes),
            None => contract_address(creator, nonce.lo as u64),
        };
        let counted = (CellId::nonce(creator), Some(alu::add(nonce, Word::from(1))));
        let page = Word::from_first_bytes(&bytes);
        self.charge_creation(counted, page, Transfer { from: creator, to: address, value })?;
        let counted = self.state(counted.0, 5, counted.1)?;
        self.enter(counted, next);
        let Some(page) = page else {
            return self.done(s, Word::ZERO, self.nothing());
        };
        match self.state(CellId::known_code(page), 10, None)?.old.is_zero() {
            true => self.done(s, Word::ZERO, self.nothing()),
            false => self.create_at(s, address, page, (own, value), code, next),
        }
    }

    /// Takes the price of the cells of a creation, and of the deploy page's first run.
    fn charge_creation(&mut self, counted: Planned, page: Option<Word>, wei: Transfer) -> Result<(), Halt> {
        let mut cells = vec![counted];
        let known = page.map(CellId::known_code);
        cells.extend(known.map(|known| (known, None)));
        if let Some(page) = page.filter(|_| known.is_some_and(|known| !self.world.peek(&known).is_zero())) {
            let taken = self.is_taken(wei.to);
            cells.push((CellId::code_hash(wei.to), None));
            cells.push((CellId::nonce(wei.to), (!taken).then_some(Word::from(1))));
            if !taken {
                cells.extend(self.planned_transfer(wei));
                self.charge_page(page)?;
            }
        }
        Ok(self.charge_cells(&cells)?)
    }

    /// True if there is an account that no contract may replace.
    fn is_taken(&self, address: [u8; 20]) -> bool {
        [CellId::code_hash(address), CellId::nonce(address)].iter().any(|c| !self.world.peek(c).is_zero())
    }

    /// Opens the constructor's context, unless there is a contract at the address.
    fn create_at(
        &mut self,
        s: &Operands<T::Stamp>,
        address: [u8; 20],
        page: Word,
        (creator, value): (Word, Word),
        code: Window,
        next: &mut Regs,
    ) -> Result<(), Halt> {
        // The creator's nonce counts even if the constructor fails.
        let jhead = next.jhead;
        let taken = self.is_taken(address);
        let gas = if self.metered() { self.forward(Word::from(u128::MAX)) } else { 0 };
        self.state(CellId::code_hash(address), 7, None)?;
        if taken {
            // The gas is gone, as if the constructor had failed.
            self.state(CellId::nonce(address), 6, None)?;
            return self.done(s, Word::ZERO, self.nothing());
        }
        let first = self.state(CellId::nonce(address), 6, Some(Word::from(1)))?;
        self.enter(first, next);
        self.transfer(account(creator)?, address, value, 8, next)?;
        let calldata = Window { base: code.base + HASH, length: code.length - HASH, ..code };
        let around = Surroundings {
            calldata,
            address: address_word(address),
            caller: creator,
            value,
            code: None,
            mode: mode::DEPLOY | self.regs.mode & mode::METERED,
            gas,
        };
        self.enter_context(s, page, around, jhead, next)
    }

    /// True if an account has less than `value`.
    fn cannot_send(&mut self, account: [u8; 20], value: Word) -> Result<bool, Halt> {
        let cell = CellId::balance(account);
        let lacks = self.world.peek(&cell) < value;
        if lacks {
            self.charge_cell(&cell, None)?;
            self.state(cell, 8, None)?;
        }
        Ok(lacks)
    }
}
