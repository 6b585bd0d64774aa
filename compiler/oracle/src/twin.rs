//! One contract on both machines: a [`World`] in which every call goes to it.
use crate::draw::{ACCOUNTS, Call};
use crate::world::World;
use lathe_compiler::compile::Contract;
use lathe_vm::word::Word;

pub use crate::world::{Agreed, Trouble, block};

/// A contract twice, at one address.
pub struct Twin {
    /// The machines.
    pub world: World,
    /// Where the contract is.
    pub address: [u8; 20],
}

impl Twin {
    /// Deploys on both machines. The first account deploys; `None` if both refuse, the constructor having failed.
    ///
    /// # Errors
    /// A difference, or a machine that gives up.
    pub fn deploy(
        initcode: &[u8],
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Agreed, Option<Twin>), Trouble> {
        let mut world = World::new();
        let (agreed, address) = world.deploy(ACCOUNTS[0], initcode, pages, arguments, value)?;
        Ok((agreed, address.map(|address| Twin { world, address })))
    }

    /// Puts a plain Yul object on both machines: EVM creation code that deploys it, and its only page.
    ///
    /// # Errors
    /// The EVM's deployment fails, or the page is none.
    pub fn install(initcode: &[u8], pages: &Contract) -> Result<Twin, Trouble> {
        let mut world = World::new();
        let address = world.install(initcode, pages)?;
        Ok(Twin { world, address })
    }

    /// Writes a slot on both machines.
    pub fn set_storage(&mut self, slot: Word, value: Word) {
        self.world.set_storage(self.address, slot, value);
    }

    /// Calls on both machines.
    ///
    /// # Errors
    /// A difference, or a machine that gives up; the twin is of no more use then.
    pub fn call(&mut self, call: &Call) -> Result<Agreed, Trouble> {
        self.world.call(self.address, call)
    }
}
