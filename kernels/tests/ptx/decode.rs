//! Statements to a program: registers become slots, symbols addresses, labels positions, calls lists of copies.
//! A name that cannot be resolved or a statement that is not understood is an error here, never at run time.

use super::code::*;
use super::parse::{Function, Module, Operand, PtxError, Statement, Variable, parse};
use std::collections::HashMap;

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// A slot of the frame, and its bits.
    Register(u32, u32),
    /// A parameter in the frame: first slot, bytes.
    Param(u32, u32),
    /// An offset in the function's local memory.
    Local(u32),
    /// An offset in the block's shared memory.
    Shared(u32),
    DynamicShared,
    /// A module variable.
    Address(u64),
}

#[derive(Default)]
struct Scope {
    id: usize,
    names: HashMap<String, Entry>,
    /// `%r<41>`: the count and bits of registers under a prefix.
    ranges: HashMap<String, (u32, u32)>,
    /// Slots of call parameters declared here, to be used again after the scope.
    params: Vec<(u32, u32)>,
}

/// A place in the code that waits for a label: instruction, or an entry of `lists`.
enum Reference {
    Target(usize),
    List(usize),
}

struct PendingCall {
    site: usize,
    name: String,
    arguments: Vec<u32>,
    results: Vec<u32>,
    line: u32,
}

/// Decodes one function.
pub struct Decoder<'p> {
    pub program: &'p mut Program,
    module_names: &'p HashMap<String, Entry>,
    pub function: FunctionCode,
    scopes: Vec<Scope>,
    /// Parent of every scope there was.
    parents: Vec<usize>,
    labels: HashMap<(usize, String), u32>,
    tables: HashMap<String, (u32, u32)>,
    references: Vec<(Reference, usize, String, u32)>,
    calls: Vec<PendingCall>,
    constants: HashMap<u64, u32>,
    spare_params: Vec<(u32, u32)>,
    module: u16,
    pub line: u32,
    /// Whether the carry flag was written earlier in this straight line of code.
    pub carry: bool,
}

impl Decoder<'_> {
    pub fn emit(&mut self, op: Op, d: u32, a: u32, b: u32, c: u32) {
        self.program.code.push(Insn { op, d, a, b, c });
        self.program.lines.push((self.module, self.line));
    }

    /// New slots of the frame.
    pub fn slots(&mut self, count: u32) -> u32 {
        let first = self.function.slots;
        self.function.slots += count;
        first
    }

    pub fn constant(&mut self, value: u64) -> u32 {
        if let Some(&slot) = self.constants.get(&value) {
            return slot;
        }
        let slot = self.slots(1);
        self.constants.insert(value, slot);
        self.function.constants.push((slot, value));
        slot
    }

    /// Looks a name up, innermost scope first; a register gets its slot on its first use.
    pub fn lookup(&mut self, name: &str) -> Option<Entry> {
        let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit());
        for at in (0..self.scopes.len()).rev() {
            if let Some(&entry) = self.scopes[at].names.get(name) {
                return Some(entry);
            }
            let Some(&(count, bits)) = self.scopes[at].ranges.get(prefix) else { continue };
            if name[prefix.len()..].parse::<u32>().is_ok_and(|n| n < count) {
                let entry = Entry::Register(self.slots(1), bits);
                self.scopes[at].names.insert(name.into(), entry);
                return Some(entry);
            }
        }
        self.module_names.get(name).copied()
    }

    /// The slot that an operand is read from; literals are cut to `bits`.
    pub fn source(&mut self, operand: &Operand, bits: u32) -> Result<u32, String> {
        match operand {
            Operand::Number(value) => Ok(self.constant(cut(*value, bits))),
            Operand::Name(name, offset) => self.named(name, *offset),
            Operand::Not(inner) => {
                let a = self.source(inner, bits)?;
                let d = self.slots(1);
                self.emit(Op::NotPred, d, a, 0, 0);
                Ok(d)
            }
            other => Err(format!("{other:?} cannot be read")),
        }
    }

    fn named(&mut self, name: &str, offset: i64) -> Result<u32, String> {
        if name == "WARP_SZ" {
            return Ok(self.constant(32));
        }
        if let Some(which) = SPECIALS.iter().position(|special| *special == name) {
            let d = self.slots(1);
            self.emit(Op::Special, d, 0, which as u32, 0);
            return Ok(d);
        }
        match self.lookup(name) {
            Some(Entry::Register(slot, _)) if offset == 0 => Ok(slot),
            Some(Entry::Address(address)) => Ok(self.constant(address.wrapping_add_signed(offset))),
            Some(Entry::Shared(at)) => Ok(self.constant(u64::from(at).wrapping_add_signed(offset))),
            Some(Entry::Local(at)) => {
                let d = self.slots(1);
                self.emit(Op::LocalAddress, d, 0, (i64::from(at) + offset) as u32, 0);
                Ok(d)
            }
            Some(Entry::DynamicShared) => {
                let d = self.slots(1);
                self.emit(Op::DynamicShared, d, 0, offset as u32, 0);
                Ok(d)
            }
            Some(other) => Err(format!("`{name}` ({other:?}) cannot be read as a value")),
            None => Err(format!("`{name}` is not declared, or not a special register known here")),
        }
    }

    /// The slot and bits of a register that is written.
    pub fn target(&mut self, operand: &Operand) -> Result<(u32, u32), String> {
        match operand {
            Operand::Name(name, 0) if name == "_" => Ok((SINK, 64)),
            Operand::Name(name, 0) => match self.lookup(name) {
                Some(Entry::Register(slot, bits)) => Ok((slot, bits)),
                other => Err(format!("`{name}` is no register but {other:?}")),
            },
            other => Err(format!("{other:?} cannot be written")),
        }
    }

    /// A memory operand: address slot and offset. A parameter's is a byte offset into the frame, without a slot.
    pub fn address(&mut self, operand: &Operand) -> Result<(Option<u32>, u32), String> {
        let Operand::Address(base, offset) = operand else {
            return Err(format!("{operand:?} is no address"));
        };
        let small =
            i32::try_from(*offset).map_err(|_| format!("offset {offset} does not fit 32 bits"))? as u32;
        let Some(name) = base else { return Ok((Some(self.constant(*offset as u64)), 0)) };
        match self.lookup(name) {
            Some(Entry::Register(slot, _)) => Ok((Some(slot), small)),
            Some(Entry::Param(slot, bytes)) if *offset >= 0 && *offset < i64::from(bytes) => {
                Ok((None, slot * 8 + small))
            }
            Some(Entry::Param(_, bytes)) => Err(format!("offset {offset} in a parameter of {bytes} bytes")),
            _ => Ok((Some(self.named(name, *offset)?), 0)),
        }
    }

    /// Emits a branch whose target is known later.
    pub fn branch(&mut self, op: Op, a: u32, label: &str) {
        let scope = self.scopes.last().map_or(0, |s| s.id);
        self.references.push((Reference::Target(self.program.code.len()), scope, label.into(), self.line));
        self.emit(op, 0, a, 0, 0);
    }

    pub fn branch_index(&mut self, a: u32, table: &str) -> Result<(), String> {
        let &(first, count) =
            self.tables.get(table).ok_or(format!("no branch table `{table}` before its use"))?;
        self.emit(Op::BraIndex, 0, a, first, count);
        Ok(())
    }

    /// Emits a call, resolved once all functions are known.
    pub fn call(&mut self, results: &[Operand], name: &str, arguments: &[Operand]) -> Result<(), String> {
        let mut slots = |list: &[Operand]| -> Result<Vec<u32>, String> {
            let slot = |operand: &Operand| match operand {
                Operand::Name(name, 0) => match self.lookup(name) {
                    Some(Entry::Param(slot, _)) => Ok(slot),
                    other => Err(format!("`{name}` is no call parameter but {other:?}")),
                },
                other => Err(format!("{other:?} is no call parameter")),
            };
            list.iter().map(slot).collect()
        };
        let (arguments, results) = (slots(arguments)?, slots(results)?);
        let site = self.program.calls.len();
        self.program.calls.push(CallSite { function: 0, arguments: Vec::new(), results: Vec::new() });
        self.calls.push(PendingCall { site, name: name.into(), arguments, results, line: self.line });
        self.emit(Op::Call, 0, 0, site as u32, 0);
        Ok(())
    }

    fn open(&mut self) {
        let parent = self.scopes.last().map_or(usize::MAX, |s| s.id);
        self.scopes.push(Scope { id: self.parents.len(), ..Scope::default() });
        self.parents.push(parent);
    }

    fn param_slots(&mut self, bytes: u64) -> (u32, u32) {
        let words = (bytes as u32).div_ceil(8).max(1);
        match self.spare_params.iter().position(|spare| spare.1 == words) {
            Some(at) => self.spare_params.swap_remove(at),
            None => (self.slots(words), words),
        }
    }

    fn declare(&mut self, variable: &Variable) -> Result<(), String> {
        let entry = match variable.space.as_str() {
            "param" => {
                let (slot, words) = self.param_slots(variable.bytes);
                self.scopes.last_mut().expect("inside a body").params.push((slot, words));
                Entry::Param(slot, variable.bytes as u32)
            }
            "local" => {
                let at = u64::from(self.function.local).next_multiple_of(variable.align.max(1));
                self.function.local = (at + variable.bytes).next_multiple_of(16) as u32;
                Entry::Local(at as u32)
            }
            "shared" if self.module_names.contains_key(&variable.name) => return Ok(()),
            "shared" => {
                let at = u64::from(self.function.shared).next_multiple_of(variable.align.max(1));
                self.function.shared = (at + variable.bytes) as u32;
                Entry::Shared(at as u32)
            }
            other => return Err(format!("a variable of space `{other}` inside a function is not supported")),
        };
        self.scopes.last_mut().expect("inside a body").names.insert(variable.name.clone(), entry);
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), String> {
        match statement {
            Statement::Open => self.open(),
            Statement::Close => {
                let scope = self.scopes.pop().expect("the parser balances braces");
                if !self.scopes.is_empty() {
                    self.spare_params.extend(scope.params);
                }
            }
            Statement::Registers(name, count, bits) => match count {
                Some(count) => {
                    let scope = self.scopes.last_mut().expect("inside a body");
                    scope.ranges.insert(name.clone(), (*count, *bits));
                }
                None => {
                    let entry = Entry::Register(self.slots(1), *bits);
                    self.scopes.last_mut().expect("inside a body").names.insert(name.clone(), entry);
                }
            },
            Statement::Variable(variable) => {
                self.line = variable.line;
                self.declare(variable)?;
            }
            Statement::Label(name, line) => {
                let scope = self.scopes.last().map_or(0, |s| s.id);
                self.carry = false;
                if self.labels.insert((scope, name.clone()), self.program.code.len() as u32).is_some() {
                    self.line = *line;
                    return Err(format!("label `{name}` stands twice in one scope"));
                }
            }
            Statement::Targets(name, targets) => {
                let first = self.program.lists.len();
                let scope = self.scopes.last().map_or(0, |s| s.id);
                for (at, label) in targets.iter().enumerate() {
                    self.program.lists.push(0);
                    self.references.push((Reference::List(first + at), scope, label.clone(), self.line));
                }
                self.tables.insert(name.clone(), (first as u32, targets.len() as u32));
            }
            Statement::Instruction { guard, parts, operands, line } => {
                self.line = *line;
                self.guarded(guard.as_ref(), parts, operands)?;
            }
        }
        Ok(())
    }

    fn guarded(
        &mut self,
        guard: Option<&(String, bool)>,
        parts: &[String],
        operands: &[Operand],
    ) -> Result<(), String> {
        let Some((name, negated)) = guard else { return self.lower(parts, operands, None) };
        let (slot, _) = self.target(&Operand::Name(name.clone(), 0))?;
        if parts[0] == "bra" {
            return self.lower(parts, operands, Some((slot, *negated)));
        }
        let at = self.program.code.len();
        self.emit(if *negated { Op::SkipIf } else { Op::SkipUnless }, 0, slot, 0, 0);
        self.lower(parts, operands, None)?;
        self.program.code[at].b = (self.program.code.len() - at - 1) as u32;
        Ok(())
    }

    fn body(&mut self, statements: &[Statement]) -> Result<(), PtxError> {
        for statement in statements {
            self.statement(statement).map_err(|what| PtxError { line: self.line, what })?;
        }
        // Control that falls out of the end of a function returns.
        self.emit(Op::Ret, 0, 0, 0, 0);
        for (reference, scope, label, line) in std::mem::take(&mut self.references) {
            let mut at = scope;
            let target = loop {
                if let Some(&target) = self.labels.get(&(at, label.clone())) {
                    break target;
                }
                match self.parents.get(at) {
                    Some(&parent) => at = parent,
                    None => return Err(PtxError { line, what: format!("label `{label}` does not exist") }),
                }
            };
            match reference {
                Reference::Target(insn) => self.program.code[insn].b = target,
                Reference::List(entry) => self.program.lists[entry] = target,
            }
        }
        Ok(())
    }
}

/// The low `bits` of a value.
pub fn cut(value: u64, bits: u32) -> u64 {
    if bits >= 64 { value } else { value & ((1 << bits) - 1) }
}

/// Module variables: addresses of their own for `.global` and `.const`, offsets for `.shared`.
fn module_names(program: &mut Program, module: &Module) -> (HashMap<String, Entry>, u32) {
    let (mut names, mut shared) = (HashMap::new(), 0u64);
    let inner = module.functions.iter().filter(|f| !f.entry).flat_map(|f| f.body.iter().flatten());
    let inner = inner.filter_map(|statement| match statement {
        Statement::Variable(variable) if variable.space == "shared" => Some(variable),
        _ => None,
    });
    for variable in module.variables.iter().chain(inner) {
        let entry = match variable.space.as_str() {
            "shared" if variable.external => Entry::DynamicShared,
            "shared" => {
                let at = shared.next_multiple_of(variable.align.max(1));
                shared = at + variable.bytes;
                Entry::Shared(at as u32)
            }
            space => {
                let address = (FIRST_WINDOW + program.variables.len() as u64) << WINDOW_BITS;
                let mut bytes = variable.init.clone();
                bytes.resize(variable.bytes as usize, 0);
                program.variables.push(GlobalVariable { address, bytes, constant: space == "const" });
                Entry::Address(address)
            }
        };
        names.insert(variable.name.clone(), entry);
    }
    (names, shared as u32)
}

fn function(
    program: &mut Program,
    names: &HashMap<String, Entry>,
    shared: u32,
    source: &Function,
    module: u16,
) -> Result<(FunctionCode, Vec<PendingCall>), PtxError> {
    let code = FunctionCode {
        name: source.name.clone(),
        start: program.code.len() as u32,
        slots: 1,
        shared,
        max_threads: source.max_threads,
        ..FunctionCode::default()
    };
    let mut decoder = Decoder {
        program,
        module_names: names,
        function: code,
        scopes: Vec::new(),
        parents: Vec::new(),
        labels: HashMap::new(),
        tables: HashMap::new(),
        references: Vec::new(),
        calls: Vec::new(),
        constants: HashMap::new(),
        spare_params: Vec::new(),
        module,
        line: source.line,
        carry: false,
    };
    decoder.open();
    for (list, result) in [(&source.params, false), (&source.returns, true)] {
        for variable in list {
            let slot = decoder.slots((variable.bytes as u32).div_ceil(8).max(1));
            let bytes = variable.bytes as u32;
            let entry =
                if variable.space == "param" { Entry::Param(slot, bytes) } else { unreachable!("parsed") };
            decoder.scopes[0].names.insert(variable.name.clone(), entry);
            let kept = if result { &mut decoder.function.returns } else { &mut decoder.function.params };
            kept.push((slot, bytes));
        }
    }
    let statements = source.body.as_deref().unwrap_or_default();
    decoder.body(statements)?;
    Ok((decoder.function, decoder.calls))
}

/// Decodes PTX texts into one program. Kernels of different texts must differ in name; all other names are each text's
/// own.
///
/// # Errors
/// The number of the text (from zero) and a [`PtxError`].
pub fn decode(texts: &[&str]) -> Result<Program, (usize, PtxError)> {
    let mut program = Program::default();
    for (number, text) in texts.iter().enumerate() {
        module(&mut program, number, text).map_err(|error| (number, error))?;
        program.sources.push(text.lines().map(String::from).collect());
    }
    Ok(program)
}

fn module(program: &mut Program, number: usize, text: &str) -> Result<(), PtxError> {
    let module = parse(text)?;
    let (names, shared) = module_names(program, &module);
    let (mut known, mut pending) = (HashMap::new(), Vec::new());
    for source in module.functions.iter().filter(|f| f.body.is_some()) {
        let (code, calls) = function(program, &names, shared, source, number as u16)?;
        let id = program.functions.len();
        if source.entry && program.kernels.insert(source.name.clone(), id).is_some() {
            let what = format!("a kernel `{}` was loaded already", source.name);
            return Err(PtxError { line: source.line, what });
        }
        known.insert(source.name.clone(), id);
        program.functions.push(code);
        pending.extend(calls);
    }
    for call in pending {
        let fail = |what| PtxError { line: call.line, what };
        let &id =
            known.get(&call.name).ok_or_else(|| fail(format!("no function `{}` in this text", call.name)))?;
        let callee = &program.functions[id];
        if callee.params.len() != call.arguments.len() || callee.returns.len() != call.results.len() {
            return Err(fail(format!("`{}` has other numbers of parameters or results", call.name)));
        }
        let words = |bytes: u32| bytes.div_ceil(8).max(1);
        let site = &mut program.calls[call.site];
        site.function = id;
        let pairs = call.arguments.iter().zip(&callee.params);
        site.arguments = pairs.map(|(&from, &(to, bytes))| (from, to, words(bytes))).collect();
        let pairs = call.results.iter().zip(&callee.returns);
        site.results = pairs.map(|(&to, &(from, bytes))| (from, to, words(bytes))).collect();
    }
    Ok(())
}
