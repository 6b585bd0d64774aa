//! The state before the first batch of a chain under the Ethereum kernel: system contracts, accounts with wei, contracts
//! that are there from the start. All its code is known code.
use super::{Address, small};
use crate::code::CodeStore;
use crate::programs;
use crate::state::{CellId, StateError, Tree};
use crate::trace::Page;
use crate::word::Word;
use std::collections::BTreeMap;

/// A state in the making; accounts and pages are there once, whatever the order they come in.
#[derive(Clone, Debug, Default)]
pub struct Genesis {
    cells: BTreeMap<CellId, Word>,
    codes: CodeStore,
}

impl Genesis {
    /// Nothing yet.
    pub fn new() -> Genesis {
        Genesis::default()
    }

    /// With the system contracts at their addresses, as every chain under the Ethereum kernel begins.
    pub fn system(self) -> Genesis {
        programs::system().iter().fold(self, |g, (address, page)| g.contract(*address, page.clone()))
    }

    /// With a contract: its code, known, and nonce 1 as every contract's. For the addresses of [`crate::system`] too.
    pub fn contract(mut self, address: Address, page: Page) -> Genesis {
        let hash = page.hash_word();
        self.cells.insert(CellId::code_hash(address), hash);
        self.cells.insert(CellId::nonce(address), small(1));
        self.page(page)
    }

    /// With a page known, so that contracts can be made of it.
    pub fn page(mut self, page: Page) -> Genesis {
        let words = small(page.words.len() as u64);
        let hash = self.codes.insert(page);
        self.cells.insert(CellId::known_code(hash), words);
        self
    }

    /// With an account that has this much wei.
    pub fn balance(mut self, address: Address, wei: Word) -> Genesis {
        self.cells.insert(CellId::balance(address), wei);
        self
    }

    /// With a storage slot that has this value.
    pub fn storage(mut self, address: Address, slot: Word, value: Word) -> Genesis {
        self.cells.insert(CellId::storage(address, slot), value);
        self
    }

    /// The tree and the code.
    ///
    /// # Errors
    /// Those of [`Tree::from_cells`].
    pub fn build(self) -> Result<(Tree, CodeStore), StateError> {
        Ok((Tree::from_cells(self.cells)?, self.codes))
    }
}
