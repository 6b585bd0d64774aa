//! Random well-formed modules that always end: loops are counted, calls go to later functions only.
//! Variables become phis wherever paths meet, with edges left critical as LLVM leaves them.
use lathe_compiler::mir::*;
use lathe_vm::Word;

/// A stream of choices from a seed.
pub struct Choices(u64);

impl Choices {
    /// From a seed.
    pub fn new(seed: u64) -> Choices {
        Choices(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn word(&mut self) -> Word {
        let n = self.next();
        match self.below(9) {
            0 => Word::ZERO,
            1 => Word::from(1),
            2 => Word::new(u128::MAX, u128::MAX),
            3 => Word::from(u128::from(n & 0x3fff)),
            4 => Word::from(u128::from(n & 0xffff_ffff)),
            5 => Word::new(u128::MAX, u128::MAX - u128::from(n & 0x1ff)),
            6 => lathe_vm::machine::alu::shl(Word::from(1), Word::from(u128::from(n & 255))),
            7 => {
                lathe_vm::machine::alu::shr(Word::new(u128::MAX, u128::MAX), Word::from(u128::from(n & 255)))
            }
            _ => Word::new(u128::from(n) << 64 | u128::from(self.next()), u128::from(self.next()) << 3),
        }
    }
}

/// A random module of about the given size.
pub fn module(seed: u64, size: usize) -> Module {
    let mut choices = Choices::new(seed);
    let count = 1 + choices.below(4);
    let signatures: Vec<(u32, u32)> = (0..count)
        .map(|i| if i == 0 { (0, 0) } else { (choices.below(5) as u32, choices.below(4) as u32) })
        .collect();
    let functions = (0..count).map(|i| function(&mut choices, i, &signatures, size)).collect();
    let data = (0..100).map(|i| i as u8 ^ 0x5a).collect();
    Module { functions, data, libraries: Vec::new() }
}

struct Builder<'a> {
    choices: &'a mut Choices,
    signatures: &'a [(u32, u32)],
    id: usize,
    f: Function,
    at: BlockId,
    vars: Vec<Operand>,
    /// Blocks that fail, shared by all that want to.
    panics: Vec<BlockId>,
    budget: usize,
    depth: usize,
}

fn function(choices: &mut Choices, id: usize, signatures: &[(u32, u32)], size: usize) -> Function {
    let (parameters, results) = signatures[id];
    let f =
        Function { name: format!("f{id}"), parameters, results, values: parameters, ..Function::default() };
    let count = 2 + choices.below(6);
    let mut vars: Vec<Operand> = (0..parameters).map(Operand::Value).collect();
    while vars.len() < count {
        vars.push(Operand::Const(choices.word()));
    }
    let mut b =
        Builder { choices, signatures, id, f, at: 0, vars, panics: Vec::new(), budget: size, depth: 0 };
    b.block();
    for _ in 0..2 {
        let panic = b.block();
        b.panics.push(panic);
        b.f.blocks[panic].instructions.push(Instruction {
            op: Op::Store(constant(0), Operand::Const(Word::new(0x4e48_7b71 << 96, panic as u128))),
            results: vec![],
            loc: None,
        });
        b.f.blocks[panic].end = End::Revert(constant(0), constant(36));
    }
    if id == 0 {
        for i in 0..b.vars.len() {
            let loaded = b.value(Op::Lookup(Lookup::Calldata, constant(32 * i as u128 + 4)));
            b.vars[i] = loaded;
        }
    }
    let n = 2 + size / 3;
    b.statements(n);
    b.leave();
    b.f
}

fn constant(n: u128) -> Operand {
    Operand::Const(Word::from(n))
}

impl Builder<'_> {
    fn block(&mut self) -> BlockId {
        self.f.blocks.push(Block { phis: vec![], instructions: vec![], end: End::Unreachable, loc: None });
        self.f.blocks.len() - 1
    }

    fn fresh(&mut self) -> ValueId {
        self.f.values += 1;
        self.f.values - 1
    }

    fn emit(&mut self, op: Op, results: Vec<ValueId>) {
        self.f.blocks[self.at].instructions.push(Instruction { op, results, loc: None });
    }

    fn value(&mut self, op: Op) -> Operand {
        let v = self.fresh();
        self.emit(op, vec![v]);
        Operand::Value(v)
    }

    fn end(&mut self, end: End) {
        self.f.blocks[self.at].end = end;
    }

    fn operand(&mut self) -> Operand {
        match self.choices.below(3) {
            0 => Operand::Const(self.choices.word()),
            _ => self.var(),
        }
    }

    fn var(&mut self) -> Operand {
        let i = self.choices.below(self.vars.len());
        self.vars[i]
    }

    fn assign(&mut self, o: Operand) {
        let i = self.choices.below(self.vars.len());
        self.vars[i] = o;
    }

    /// A heap address between 0x100 and 0x500.
    fn address(&mut self) -> Operand {
        match self.choices.below(4) {
            0 => return constant(0x100 + 8 * self.choices.below(64) as u128),
            1 => return constant(0x100 + 32 * self.choices.below(4) as u128),
            _ => {}
        }
        let value = self.var();
        let low = self.value(Op::Bits { value, from: 0, count: 9 });
        self.value(Op::Binary(Binary::Add, low, constant(0x100)))
    }

    fn condition(&mut self, depth: usize) -> Operand {
        let kind = self.choices.below(if depth > 2 { 4 } else { 8 });
        let (a, b) = (self.operand(), self.operand());
        let op = match kind {
            0 => Op::Binary(Binary::Lt, a, b),
            1 => Op::Binary(Binary::Slt, a, b),
            2 => Op::Binary(Binary::Eq, a, b),
            3 => Op::Bits { value: a, from: 3, count: 1 },
            4 => Op::Binary(Binary::Eq, self.condition(depth + 1), constant(0)),
            5 => Op::Binary(Binary::Xor, self.condition(depth + 1), constant(1)),
            6 => Op::Binary(
                self.choices.pick(&[Binary::Or, Binary::And]),
                self.condition(depth + 1),
                self.condition(depth + 1),
            ),
            _ => {
                let (condition, other) = (self.condition(depth + 1), self.condition(depth + 1));
                match self.choices.below(2) {
                    0 => Op::Select { condition, yes: constant(1), no: other },
                    _ => Op::Select { condition, yes: other, no: constant(0) },
                }
            }
        };
        self.value(op)
    }

    fn statements(&mut self, n: usize) {
        for _ in 0..n {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            self.statement();
        }
    }

    fn statement(&mut self) {
        let nested = if self.depth < 4 { 22 } else { 15 };
        match self.choices.below(nested) {
            0 | 1 => self.arithmetic(),
            2 => self.mapping(),
            3 => self.compared(),
            4 => {
                let (i, j) = (self.choices.below(self.vars.len()), self.choices.below(self.vars.len()));
                self.vars.swap(i, j);
            }
            5 | 6 => self.checked(),
            7 => self.heap(),
            8 => self.state(),
            9 => {
                let (condition, yes, no) = (self.condition(0), self.operand(), self.operand());
                let v = self.value(Op::Select { condition, yes, no });
                self.assign(v);
            }
            10 | 11 => self.call(),
            12 => self.guard(),
            13 => self.compared(),
            14 => self.mapping(),
            15..=17 => self.branch(),
            18 | 19 => self.repeat(),
            _ => self.switch(),
        }
    }

    fn arithmetic(&mut self) {
        use Binary::*;
        const ALL: [Binary; 20] = [
            Add, Sub, Mul, Mulhi, Div, Mod, Sdiv, Smod, Exp, And, Or, Xor, Shl, Shr, Sar, Lt, Slt, Eq, Byte,
            Signextend,
        ];
        let (a, b, c) = (self.operand(), self.operand(), self.operand());
        let small = Operand::Const(Word::from(self.choices.below(300) as u128));
        let op = match self.choices.below(12) {
            0 => Op::Bits {
                value: a,
                from: self.choices.below(256) as u16,
                count: 1 + self.choices.below(256) as u16,
            },
            1 => Op::AddMod(a, b, c),
            2 => Op::MulMod(a, b, c),
            3 => Op::Lookup(Lookup::Calldata, a),
            4 => Op::Binary(self.choices.pick(&[Shl, Shr, Sar, Add, Sub]), a, small),
            5 => Op::Binary(self.choices.pick(&[Byte, Signextend, Lt, Sub]), small, a),
            _ => Op::Binary(self.choices.pick(&ALL), a, b),
        };
        let v = self.value(op);
        self.assign(v);
    }

    fn checked(&mut self) {
        let kind = self.choices.pick(&[Checked::Add, Checked::Sub, Checked::Mul]);
        let (a, b) = (self.operand(), self.operand());
        let (sum, flag) = (self.fresh(), self.fresh());
        self.emit(Op::Checked(kind, a, b), vec![sum, flag]);
        let (sum, flag) = (Operand::Value(sum), Operand::Value(flag));
        match self.choices.below(4) {
            0 => self.assign(flag),
            1 => {
                self.assign(sum);
                self.arithmetic();
                self.panic_if(flag);
            }
            2 => {
                let other = self.condition(1);
                let either = self.value(Op::Binary(Binary::Or, flag, other));
                self.assign(sum);
                self.panic_if(either);
            }
            _ => {
                self.panic_if(flag);
                self.assign(sum);
            }
        }
    }

    /// Leaves for a block that fails, in one of the two senses.
    fn panic_if(&mut self, condition: Operand) {
        let panic = self.choices.pick(&self.panics.clone());
        let next = self.block();
        if self.choices.below(3) == 0 {
            let negated = self.value(Op::Binary(Binary::Eq, condition, constant(0)));
            self.end(End::Branch { condition: negated, yes: next, no: panic });
        } else {
            self.end(End::Branch { condition, yes: panic, no: next });
        }
        self.at = next;
    }

    /// An exit with a random condition, to a block of its own.
    fn guard(&mut self) {
        let condition = self.condition(0);
        let (out, next) = (self.block(), self.block());
        self.end(End::Branch { condition, yes: out, no: next });
        self.at = out;
        let (address, v) = (self.address(), self.var());
        self.emit(Op::Store(address, v), vec![]);
        let end = match self.choices.below(3) {
            0 => End::Revert(address, constant(32)),
            1 => End::Finish(address, constant(32)),
            _ => End::Invalid,
        };
        self.end(end);
        self.at = next;
    }

    fn heap(&mut self) {
        let (address, v) = (self.address(), self.operand());
        match self.choices.below(5) {
            0 => self.emit(Op::Store(address, v), vec![]),
            1 => self.emit(Op::Store8(address, v), vec![]),
            2 => {
                let from = self.choices.pick(&[CopyFrom::Heap, CopyFrom::Calldata, CopyFrom::Code]);
                let offset = match from {
                    CopyFrom::Code => Operand::Data(self.choices.below(30) as u32),
                    _ => self.address(),
                };
                let length = constant(self.choices.below(70) as u128);
                self.emit(Op::Copy { from, to: address, offset, length }, vec![]);
            }
            3 => {
                let length = constant(self.choices.below(70) as u128);
                let hash = self.value(Op::Keccak(address, length));
                self.assign(hash);
            }
            _ => {
                let loaded = self.value(Op::Load(address));
                self.assign(loaded);
            }
        }
    }

    /// As Solidity looks into a mapping: key and slot to the heap, hashed, then the cell read, perhaps written.
    fn mapping(&mut self) {
        let (key, slot) = (self.var(), constant(self.choices.below(2) as u128));
        let at = constant(0x100 + 32 * self.choices.below(2) as u128);
        let Operand::Const(w) = at else { return };
        self.emit(Op::Store(at, key), vec![]);
        self.emit(Op::Store(constant(w.lo + 32), slot), vec![]);
        let length = constant(32 * (1 + self.choices.below(2) as u128));
        let hash = self.value(Op::Keccak(at, length));
        let old = self.value(Op::Lookup(Lookup::Storage, hash));
        if self.choices.below(2) == 0 {
            let v = self.var();
            self.emit(Op::StoreStorage(hash, v), vec![]);
        }
        self.assign(old);
    }

    /// Overflow checks the way they look after LLVM: a comparison and the operation apart.
    fn compared(&mut self) {
        let (a, b) = (self.operand(), self.operand());
        let constant = self.choices.word();
        let max = Word::new(u128::MAX, u128::MAX);
        let complement = Operand::Const(lathe_vm::machine::alu::sub(max, constant));
        let constant = Operand::Const(constant);
        let (kind, x, y) = match self.choices.below(4) {
            0 | 1 => (Binary::Add, a, b),
            2 => (Binary::Add, a, constant),
            _ => (Binary::Sub, a, b),
        };
        let first = self.choices.below(2) == 0;
        let early = if first { Some(self.value(Op::Binary(kind, x, y))) } else { None };
        let overflow = match (kind, early) {
            (Binary::Sub, _) => Op::Binary(Binary::Lt, x, y),
            (_, Some(sum)) => Op::Binary(Binary::Lt, sum, self.choices.pick(&[x, y])),
            (_, None) if y == constant => Op::Binary(Binary::Lt, complement, x),
            (_, None) => {
                let not = self.value(Op::Binary(Binary::Xor, y, Operand::Const(max)));
                Op::Binary(Binary::Lt, not, x)
            }
        };
        let overflow = self.value(overflow);
        match self.choices.below(4) {
            0 => self.assign(overflow),
            _ => self.panic_if(overflow),
        }
        let result = match early {
            Some(result) => result,
            None => self.value(Op::Binary(kind, x, y)),
        };
        self.assign(result);
    }

    fn state(&mut self) {
        let (key, v) = (constant(self.choices.below(5) as u128), self.operand());
        match self.choices.below(5) {
            0 => self.emit(Op::StoreStorage(key, v), vec![]),
            1 => self.emit(Op::StoreTransient(key, v), vec![]),
            2 => {
                let topics = (0..self.choices.below(5)).map(|_| self.operand()).collect();
                let (address, length) = (self.address(), constant(self.choices.below(40) as u128));
                self.emit(Op::Log(address, length, topics), vec![]);
            }
            n => {
                let kind = if n == 3 { Lookup::Storage } else { Lookup::Transient };
                let read = self.value(Op::Lookup(kind, key));
                self.assign(read);
            }
        }
    }

    fn call(&mut self) {
        if self.id + 1 >= self.signatures.len() || self.depth > 2 {
            return;
        }
        let callee = self.id + 1 + self.choices.below(self.signatures.len() - self.id - 1);
        let (parameters, results) = self.signatures[callee];
        let arguments = (0..parameters).map(|_| self.operand()).collect();
        let results: Vec<ValueId> = (0..results).map(|_| self.fresh()).collect();
        self.emit(Op::Call(callee, arguments), results.clone());
        for r in results {
            if self.choices.below(4) > 0 {
                self.assign(Operand::Value(r));
            }
        }
    }

    /// Paths that meet: a phi for each variable that may differ, sometimes for all.
    fn meet(&mut self, at: BlockId, arms: &[(BlockId, Vec<Operand>)]) {
        self.at = at;
        for i in 0..self.vars.len() {
            let same = arms.iter().all(|(_, vars)| vars[i] == arms[0].1[i]);
            self.vars[i] = arms[0].1[i];
            if !same || self.choices.below(4) == 0 {
                let result = self.fresh();
                let incoming = arms.iter().map(|(b, vars)| (*b, vars[i])).collect();
                self.f.blocks[at].phis.push(Phi { result, incoming });
                self.vars[i] = Operand::Value(result);
            }
        }
    }

    fn arm(&mut self, at: BlockId, vars: &[Operand], join: BlockId) -> (BlockId, Vec<Operand>) {
        self.at = at;
        self.vars = vars.to_vec();
        let n = 1 + self.choices.below(4);
        self.statements(n);
        self.end(End::Jump(join));
        (self.at, self.vars.clone())
    }

    fn branch(&mut self) {
        self.depth += 1;
        let condition = self.condition(0);
        let (from, vars) = (self.at, self.vars.clone());
        let (yes, join) = (self.block(), self.block());
        let no = if self.choices.below(2) == 0 { join } else { self.block() };
        let (first, second) = if self.choices.below(2) == 0 { (yes, no) } else { (no, yes) };
        self.end(End::Branch { condition, yes: first, no: second });
        let mut arms = vec![self.arm(yes, &vars, join)];
        if no == join {
            arms.push((from, vars));
        } else {
            arms.push(self.arm(no, &vars, join));
        }
        self.meet(join, &arms);
        self.depth -= 1;
    }

    fn switch(&mut self) {
        self.depth += 1;
        let value = self.var();
        let count = self.choices.below(8);
        let wide = self.choices.below(2) == 0;
        let value = match wide {
            true => value,
            false => self.value(Op::Bits { value, from: 0, count: 3 }),
        };
        let (from, vars) = (self.at, self.vars.clone());
        let (default, join) = (self.block(), self.block());
        let mut cases: Vec<(Word, BlockId)> = Vec::new();
        let mut starts = vec![default];
        let mut direct = false;
        for i in 0..count {
            let w = if wide { self.choices.word() } else { Word::from(i as u128) };
            if cases.iter().any(|(c, _)| *c == w) {
                continue;
            }
            let to = match self.choices.below(4) {
                0 => self.choices.pick(&starts),
                1 => {
                    direct = true;
                    join
                }
                _ => {
                    let to = self.block();
                    starts.push(to);
                    to
                }
            };
            cases.push((w, to));
        }
        self.end(End::Switch { value, cases, default });
        let mut arms: Vec<_> = starts.into_iter().map(|s| self.arm(s, &vars, join)).collect();
        if direct {
            arms.push((from, vars));
        }
        self.meet(join, &arms);
        self.depth -= 1;
    }

    /// A counted loop: every variable a phi; tested at the top or at the bottom.
    fn repeat(&mut self) {
        self.depth += 1;
        let (before, start) = (self.at, self.vars.clone());
        let (head, body, after) = (self.block(), self.block(), self.block());
        self.end(End::Jump(head));
        let count = Operand::Value(self.fresh());
        let phis: Vec<ValueId> = start.iter().map(|_| self.fresh()).collect();
        self.vars = phis.iter().map(|p| Operand::Value(*p)).collect();
        self.at = head;
        let runs = constant(1 + self.choices.below(4) as u128);
        let at_top = self.choices.below(2) == 0;
        if at_top {
            let go_on = self.value(Op::Binary(Binary::Lt, count, runs));
            self.end(End::Branch { condition: go_on, yes: body, no: after });
        } else {
            self.end(End::Jump(body));
        }
        let at_head = self.vars.clone();
        self.at = body;
        let n = 1 + self.choices.below(4);
        self.statements(n);
        let next = self.value(Op::Binary(Binary::Add, count, constant(1)));
        let latch = self.at;
        if at_top {
            self.end(End::Jump(head));
        } else {
            let go_on = self.value(Op::Binary(Binary::Lt, next, runs));
            self.end(End::Branch { condition: go_on, yes: head, no: after });
        }
        let Operand::Value(count) = count else { unreachable!("made above") };
        let incoming = vec![(before, constant(0)), (latch, next)];
        self.f.blocks[head].phis.push(Phi { result: count, incoming });
        for (i, p) in phis.into_iter().enumerate() {
            let incoming = vec![(before, start[i]), (latch, self.vars[i])];
            self.f.blocks[head].phis.push(Phi { result: p, incoming });
        }
        let arm = if at_top { (head, at_head) } else { (latch, self.vars.clone()) };
        self.meet(after, &[arm]);
        self.depth -= 1;
    }

    /// The end of the function: the variables as results, or as output.
    fn leave(&mut self) {
        if self.id > 0 {
            let results = (0..self.f.results).map(|_| self.operand()).collect();
            return self.end(End::Return(results));
        }
        for i in 0..self.vars.len() {
            let v = self.vars[i];
            self.emit(Op::Store(constant(32 * i as u128), v), vec![]);
        }
        self.end(End::Finish(constant(0), constant(0x600)));
    }
}
