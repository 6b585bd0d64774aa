//! What a module means, by walking it value by value: the oracle for the code generator.
//! Pure operations are the machine's own (`alu`), which has its own tests; control, phis and calls are told anew.
use lathe_compiler::mir::*;
use lathe_vm::Word;
use lathe_vm::isa::{self, op};
use lathe_vm::machine::alu;
use sha3::{Digest, Keccak256};
use std::collections::BTreeMap;

/// How a program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By `return`.
    Finished(Vec<u8>),
    /// By `revert`.
    Reverted(Vec<u8>),
    /// By an invalid instruction.
    Halted,
}

/// A log: topics and data.
pub type Logged = (Vec<Word>, Vec<u8>);

/// Storage, heap and all else that a program sees.
pub struct Interpreter<'a> {
    module: &'a Module,
    calldata: &'a [u8],
    heap: Vec<u8>,
    /// Storage slots.
    pub storage: BTreeMap<Word, Word>,
    transient: BTreeMap<Word, Word>,
    /// Logs in order.
    pub logs: Vec<Logged>,
    fuel: u32,
}

enum Stop {
    End(Outcome),
    Fuel,
}

/// Runs a module; `None` if it takes too long.
pub fn run<'a>(module: &'a Module, calldata: &'a [u8]) -> Option<(Outcome, Interpreter<'a>)> {
    let mut interpreter = Interpreter {
        module,
        calldata,
        heap: vec![0; 1 << 16],
        storage: BTreeMap::new(),
        transient: BTreeMap::new(),
        logs: Vec::new(),
        fuel: 200_000,
    };
    match interpreter.call(0, &[]) {
        Err(Stop::End(outcome)) => Some((outcome, interpreter)),
        Err(Stop::Fuel) => None,
        Ok(_) => panic!("the entry function must not return"),
    }
}

impl Interpreter<'_> {
    fn call(&mut self, f: FunctionId, arguments: &[Word]) -> Result<Vec<Word>, Stop> {
        let module = self.module;
        let function = &module.functions[f];
        let mut values: Vec<Option<Word>> = vec![None; function.values as usize];
        for (v, a) in values.iter_mut().zip(arguments) {
            *v = Some(*a);
        }
        let (mut from, mut at) = (usize::MAX, 0);
        loop {
            let block = &function.blocks[at];
            let get = |values: &[Option<Word>], o: Operand| operand(values, o);
            let chosen: Vec<(ValueId, Word)> = block
                .phis
                .iter()
                .map(|p| {
                    let (_, o) = p.incoming.iter().find(|(b, _)| *b == from).expect("an operand per edge");
                    (p.result, get(&values, *o))
                })
                .collect();
            chosen.into_iter().for_each(|(v, w)| values[v as usize] = Some(w));
            for instruction in &block.instructions {
                self.fuel = self.fuel.checked_sub(1).ok_or(Stop::Fuel)?;
                let results = self.execute(&instruction.op, &values)?;
                for (r, w) in instruction.results.iter().zip(results) {
                    values[*r as usize] = Some(w);
                }
            }
            self.fuel = self.fuel.checked_sub(1).ok_or(Stop::Fuel)?;
            let next = match &block.end {
                End::Jump(to) => *to,
                End::Branch { condition, yes, no } => {
                    if get(&values, *condition).is_zero() {
                        *no
                    } else {
                        *yes
                    }
                }
                End::Switch { value, cases, default } => {
                    let value = get(&values, *value);
                    cases.iter().find(|(w, _)| *w == value).map_or(*default, |(_, to)| *to)
                }
                End::Return(results) => return Ok(results.iter().map(|o| get(&values, *o)).collect()),
                End::Finish(o, l) => {
                    let bytes = self.bytes(get(&values, *o), get(&values, *l));
                    return Err(Stop::End(Outcome::Finished(bytes)));
                }
                End::Revert(o, l) => {
                    let bytes = self.bytes(get(&values, *o), get(&values, *l));
                    return Err(Stop::End(Outcome::Reverted(bytes)));
                }
                End::Invalid | End::Unreachable => return Err(Stop::End(Outcome::Halted)),
            };
            (from, at) = (at, next);
        }
    }

    fn bytes(&self, offset: Word, length: Word) -> Vec<u8> {
        let (o, l) = (offset.lo as usize, length.lo as usize);
        if l == 0 { Vec::new() } else { self.heap[o..o + l].to_vec() }
    }

    fn execute(&mut self, operation: &Op, values: &[Option<Word>]) -> Result<Vec<Word>, Stop> {
        let get = |o: &Operand| operand(values, *o);
        let at = |o: &Operand| operand(values, *o).lo as usize;
        let old = |map: &BTreeMap<Word, Word>, o: &Operand| map.get(&get(o)).copied().unwrap_or_default();
        Ok(match operation {
            Op::Binary(kind, a, b) => vec![pure(code(*kind), get(a), get(b))],
            Op::Checked(kind, a, b) => {
                let (word, overflow) = match kind {
                    Checked::Add => alu::add_overflow(get(a), get(b)),
                    Checked::Sub => alu::sub_overflow(get(a), get(b)),
                    Checked::Mul => alu::mul_overflow(get(a), get(b)),
                };
                vec![word, Word::from(u128::from(overflow))]
            }
            Op::Bits { value, from, count } => {
                vec![alu::bits(get(value), (*from).into(), (*count).into()).expect("bits in range")]
            }
            Op::Select { condition, yes, no } => vec![get(if get(condition).is_zero() { no } else { yes })],
            Op::AddMod(a, b, m) => vec![alu::addmod(get(a), get(b), get(m))],
            Op::MulMod(a, b, m) => vec![alu::mulmod(get(a), get(b), get(m))],
            Op::Load(a) => {
                let mut word = [0; 32];
                word.copy_from_slice(&self.heap[at(a)..at(a) + 32]);
                vec![Word::from_be_bytes(word)]
            }
            Op::Store(a, v) => {
                self.heap[at(a)..at(a) + 32].copy_from_slice(&get(v).to_be_bytes());
                vec![]
            }
            Op::Store8(a, v) => {
                self.heap[at(a)] = get(v).lo as u8;
                vec![]
            }
            Op::Copy { from, to, offset, length } => {
                let source: &[u8] = match from {
                    CopyFrom::Heap => &self.heap.clone(),
                    CopyFrom::Calldata => self.calldata,
                    CopyFrom::Code => &self.module.data,
                    CopyFrom::Returndata => &[],
                };
                let start = match (from, offset) {
                    (CopyFrom::Code, Operand::Data(n)) => *n as usize,
                    _ => at(offset),
                };
                for i in 0..at(length) {
                    self.heap[at(to) + i] = source.get(start + i).copied().unwrap_or(0);
                }
                vec![]
            }
            Op::Keccak(o, l) => {
                vec![Word::from_be_bytes(Keccak256::digest(self.bytes(get(o), get(l))).into())]
            }
            Op::Env(Env::CalldataSize) => vec![Word::from(self.calldata.len() as u128)],
            Op::Env(_) => vec![Word::ZERO],
            Op::Lookup(Lookup::Calldata, a) => {
                let mut word = [0; 32];
                let start = get(a);
                for (i, byte) in word.iter_mut().enumerate() {
                    let index = alu::add(start, Word::from(i as u128));
                    let byte_there = usize::try_from(index.lo).ok().filter(|_| start.hi == 0);
                    *byte = byte_there.and_then(|i| self.calldata.get(i)).copied().unwrap_or(0);
                }
                vec![Word::from_be_bytes(word)]
            }
            Op::Lookup(Lookup::Storage, a) => vec![old(&self.storage, a)],
            Op::Lookup(Lookup::Transient, a) => vec![old(&self.transient, a)],
            Op::Lookup(..) | Op::LoadImmutable(_) => vec![Word::ZERO],
            Op::StoreStorage(a, v) => {
                self.storage.insert(get(a), get(v));
                vec![]
            }
            Op::StoreTransient(a, v) => {
                self.transient.insert(get(a), get(v));
                vec![]
            }
            Op::Log(o, l, topics) => {
                let data = self.bytes(get(o), get(l));
                self.logs.push((topics.iter().map(get).collect(), data));
                vec![]
            }
            Op::Call(f, arguments) => {
                let arguments: Vec<Word> = arguments.iter().map(get).collect();
                self.call(*f, &arguments)?
            }
            other => panic!("not interpreted: {other:?}"),
        })
    }
}

fn operand(values: &[Option<Word>], o: Operand) -> Word {
    match o {
        Operand::Value(v) => values[v as usize].expect("a definition before each use"),
        Operand::Const(w) => w,
        Operand::Data(_) | Operand::Library(_) => Word::ZERO,
    }
}

fn pure(opcode: u16, a: Word, b: Word) -> Word {
    let instruction = isa::Instruction { opcode, ..Default::default() };
    alu::eval(instruction, || a, || b, || Word::ZERO).expect("a pure instruction")
}

fn code(kind: Binary) -> u16 {
    match kind {
        Binary::Add => op::ADD,
        Binary::Sub => op::SUB,
        Binary::Mul => op::MUL,
        Binary::Mulhi => op::MULHI,
        Binary::Div => op::DIV,
        Binary::Mod => op::MOD,
        Binary::Sdiv => op::SDIV,
        Binary::Smod => op::SMOD,
        Binary::Exp => op::EXP,
        Binary::And => op::AND,
        Binary::Or => op::OR,
        Binary::Xor => op::XOR,
        Binary::Shl => op::SHL,
        Binary::Shr => op::SHR,
        Binary::Sar => op::SAR,
        Binary::Lt => op::LT,
        Binary::Slt => op::SLT,
        Binary::Eq => op::EQ,
        Binary::Byte => op::BYTE,
        Binary::Signextend => op::SIGNEXTEND,
    }
}
