//! From a running page and pc to contract, function and line.
use super::abi::method;
use super::project::{Code, Contract, Project};
use super::source::{Line, Span};
use lathe_vm::isa::{Instruction, JUMP_BIAS};
use lathe_vm::sandbox::{Opened, Seen};
use std::collections::HashMap;

/// The pages of one run by their numbers, as far as the project knows them.
pub struct Places<'p> {
    /// What was compiled.
    pub project: &'p Project,
    pages: HashMap<u32, (&'p Contract, &'p Code)>,
}

/// Instructions looked through for the function that a near call leads to.
const PROLOGUE: u32 = 16;

impl<'p> Places<'p> {
    /// None known yet.
    pub fn new(project: &'p Project) -> Places<'p> {
        Places { project, pages: HashMap::new() }
    }

    /// Learns the page of a new context.
    pub fn learn(&mut self, opened: &Opened) {
        if let Some(found) = self.project.by_page(&opened.page) {
            self.pages.insert(opened.code, found);
        }
    }

    /// The contract whose page has this number.
    pub fn contract(&self, code: u32) -> Option<&'p Contract> {
        self.pages.get(&code).map(|(contract, _)| *contract)
    }

    fn span(&self, code: u32, pc: u32) -> Option<Span> {
        *self.pages.get(&code)?.1.places.get(pc as usize)?
    }

    /// The line of an instruction, unless it is the compiler's own.
    pub fn line(&self, code: u32, pc: u32) -> Option<Line> {
        self.project.sources.line(self.span(code, pc)?)
    }

    /// The function of an instruction, unless it is the compiler's own.
    pub fn function(&self, code: u32, pc: u32) -> Option<&'p str> {
        self.project.sources.function(self.span(code, pc)?)
    }

    /// The function that the near call of this step leads to, if its first instructions say.
    pub fn callee(&self, seen: &Seen) -> Option<&'p str> {
        let target = i64::from(seen.regs.pc) + 1 + i64::from(Instruction::decode(seen.word).d) - JUMP_BIAS;
        let target = u32::try_from(target).ok()?;
        (target..target + PROLOGUE).find_map(|pc| self.function(seen.regs.code, pc))
    }

    /// What a context runs: `Contract.method(types)`, or an address for code that the project does not know.
    pub fn title(&self, opened: &Opened) -> String {
        match self.contract(opened.code) {
            Some(contract) => format!("{}.{}", contract.name, method(&contract.abi, opened)),
            None => format!("0x{}", hex::encode(opened.address)),
        }
    }
}
