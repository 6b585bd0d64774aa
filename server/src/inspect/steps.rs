//! A run as a list of steps with contracts, operands and source lines: what `--trace` prints.
use super::abi::{decode_arguments, decode_revert, method, number};
use super::places::Places;
use super::project::Project;
use super::source::Line;
use lathe_vm::isa::{Class, Instruction, Operand, find, op};
use lathe_vm::sandbox::{CallStatus, Closed, Opened, Seen};
use lathe_vm::state::{CellId, kind};
use lathe_vm::{Word, disasm};
use serde::Serialize;

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Row {
    /// A context opens.
    Call {
        /// Contracts above it.
        depth: u32,
        /// What runs, with arguments where the interface tells them.
        call: String,
        /// Its own address.
        address: String,
        /// Who called.
        caller: String,
        /// Wei that came along.
        value: String,
    },
    /// The source goes on at another line.
    Source {
        /// Contracts above.
        depth: u32,
        /// `file:line`
        line: String,
        /// The line, trimmed.
        text: String,
    },
    /// A step.
    Step {
        /// Clock.
        clock: u32,
        /// Contracts above.
        depth: u32,
        /// The contract, or its address.
        contract: String,
        /// Index of the instruction in its page.
        pc: u32,
        /// Gas that it takes.
        gas: u32,
        /// The instruction as text.
        instruction: String,
        /// What it read and what it wrote.
        operands: String,
    },
    /// A context ends.
    End {
        /// Contracts above it.
        depth: u32,
        /// How, with the reason of a revert where the interfaces tell it.
        status: String,
        /// What it hands back.
        output: String,
    },
    /// More steps than were asked for.
    Left {
        /// How many.
        steps: u64,
    },
}

/// Turns steps into rows; holds no more than what the open contexts need.
pub struct Listing<'p> {
    places: Places<'p>,
    contexts: Vec<Context>,
    limit: u64,
    seen: u64,
    last: Option<Line>,
}

struct Context {
    contract: String,
    words: std::sync::Arc<lathe_vm::trace::Page>,
}

/// Instructions that read their destination slot and leave it as it is.
const SOURCES: [u16; 5] = [op::ST, op::ST8, op::ISTORE, op::COPY, op::LOG];
/// Instructions for which the destination slot is an operand too.
const BOTH: [u16; 3] = [op::ADDMOD, op::MULMOD, op::SELECT];
/// Instructions whose destination is written when what they call ends.
const CALLS: [u16; 5] = [op::CALL, op::STATICCALL, op::DELEGATECALL, op::CREATE, op::MIMICCALL];

impl<'p> Listing<'p> {
    /// At most `limit` steps.
    pub fn new(project: &'p Project, limit: u64) -> Listing<'p> {
        Listing { places: Places::new(project), contexts: Vec::new(), limit, seen: 0, last: None }
    }

    /// Tells the rows of a step; steps of the kernel have none.
    pub fn step(&mut self, seen: &Seen, tell: &mut dyn FnMut(Row)) {
        let within = self.contexts.len();
        if within > 0 {
            self.seen += 1;
            if self.seen <= self.limit {
                self.rows(seen, within as u32 - 1, tell);
            }
        }
        if let Some(closed) = seen.closed {
            self.contexts.pop();
            self.last = None;
            if self.seen <= self.limit {
                tell(self.end(closed, within.saturating_sub(1) as u32));
            }
        }
        if let Some(opened) = seen.opened {
            self.places.learn(opened);
            self.last = None;
            if self.seen <= self.limit {
                tell(self.call(opened, within as u32));
            }
            let known = self.places.contract(opened.code).map(|contract| contract.name.clone());
            let contract = known.unwrap_or_else(|| address(opened.code_address));
            self.contexts.push(Context { contract, words: opened.page.clone() });
        }
    }

    /// The row for the steps that were too many, if there were.
    pub fn left(&self) -> Option<Row> {
        self.seen.checked_sub(self.limit).filter(|steps| *steps > 0).map(|steps| Row::Left { steps })
    }

    fn rows(&mut self, seen: &Seen, depth: u32, tell: &mut dyn FnMut(Row)) {
        let Some(context) = self.contexts.last() else { return };
        let line = self.places.line(seen.regs.code, seen.regs.pc);
        // The compiler's own instructions go with the line before them.
        if let Some(line) = line.filter(|line| self.last != Some(*line)) {
            self.last = Some(line);
            let (line, text) = self.places.project.sources.show(line);
            tell(Row::Source { depth, line, text: text.into() });
        }
        let instruction = disasm::instruction(seen.word, seen.regs.pc as usize, context.words.words.len());
        tell(Row::Step {
            clock: seen.clock,
            depth,
            contract: context.contract.clone(),
            pc: seen.regs.pc,
            gas: seen.spent,
            instruction,
            operands: operands(seen),
        });
    }

    fn call(&self, opened: &Opened, depth: u32) -> Row {
        let call = match self.places.contract(opened.code) {
            Some(contract) => {
                let method = method(&contract.abi, opened);
                let name = method.split('(').next().unwrap_or_default();
                let arguments = decode_arguments(&contract.abi, opened);
                match arguments {
                    Some(arguments) => format!("{}.{name}({arguments})", contract.name),
                    None => format!("{}.{method}", contract.name),
                }
            }
            None => format!("{} with 0x{}", address(opened.code_address), hex::encode(&opened.calldata)),
        };
        Row::Call {
            depth,
            call,
            address: address(opened.address),
            caller: address(opened.caller),
            value: number(opened.value).to_string(),
        }
    }

    fn end(&self, closed: &Closed, depth: u32) -> Row {
        let status = match closed.status {
            CallStatus::Success => "returned".into(),
            CallStatus::Halted(kind) => format!("halted: {kind}"),
            CallStatus::Reverted => match decode_revert(self.places.project, &closed.output) {
                Some(reason) => format!("reverted: {reason}"),
                None => "reverted".into(),
            },
        };
        Row::End { depth, status, output: format!("0x{}", hex::encode(&closed.output)) }
    }
}

fn address(bytes: [u8; 20]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A state cell in words.
pub fn cell_name(cell: &CellId) -> String {
    let (of, slot) = (address(cell.address), number(cell.slot));
    match cell.kind {
        kind::STORAGE => format!("storage {of}[{slot:#x}]"),
        kind::NONCE => format!("nonce {of}"),
        kind::BALANCE => format!("balance {of}"),
        kind::CODE_HASH => format!("code hash {of}"),
        kind::IMMUTABLE => format!("immutable {of}[{slot}]"),
        kind::TRANSIENT => format!("transient storage {of}[{slot:#x}]"),
        _ => format!("known code {slot:#x}"),
    }
}

/// The slots that a step read with their values, and what it wrote.
fn operands(seen: &Seen) -> String {
    let i = Instruction::decode(seen.word);
    let Some(row) = find(i.opcode) else { return String::new() };
    let slot = |offset: u16, value: Word| format!("[{offset}]={:#x}", number(value));
    let mut read = Vec::new();
    for operand in row.form {
        match operand {
            Operand::A => read.push(slot(i.a, seen.a)),
            Operand::B => read.push(slot(i.b, seen.b)),
            Operand::D if SOURCES.contains(&i.opcode) || BOTH.contains(&i.opcode) => {
                read.push(slot(i.d, seen.old));
            }
            _ => {}
        }
    }
    let writes = row.form.contains(&Operand::D) && row.class() != Class::J;
    if writes && !SOURCES.contains(&i.opcode) && !CALLS.contains(&i.opcode) {
        read.push(format!("-> {}", slot(i.d, seen.new)));
    }
    if CALLS.contains(&i.opcode) && seen.opened.is_none() {
        read.push("-> done within the step".into());
    }
    if let Some(cell) = seen.undone {
        let kind = ["storage", "nonce", "balance", "code hash", "immutable", "transient storage"];
        let kind = kind.get(usize::from(cell.kind)).unwrap_or(&"cell");
        read.push(format!(
            "(takes back a write of {kind} {:#x} of {})",
            number(cell.slot),
            address(cell.address)
        ));
    }
    read.join(" ")
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let indent = |depth: &u32| "  ".repeat(*depth as usize);
        match self {
            Row::Call { depth, call, address, caller, value } => {
                let value = if value == "0" { String::new() } else { format!(" with {value} wei") };
                write!(f, "{}> {call}{value}  (at {address}, from {caller})", indent(depth))
            }
            Row::Source { depth, line, text } => write!(f, "{}  {line}: {text}", indent(depth)),
            Row::Step { clock, depth, contract, pc, gas, instruction, operands } => {
                let place = format!("{contract}:{pc}");
                let text =
                    format!("{}{clock:>9} {gas:>6} {place:<16} {instruction:<28} {operands}", indent(depth));
                write!(f, "{}", text.trim_end())
            }
            Row::End { depth, status, output } => {
                let output = if output == "0x" { String::new() } else { format!(" {output}") };
                write!(f, "{}< {status}{output}", indent(depth))
            }
            Row::Left { steps } => write!(f, "... {steps} more steps; --trace-limit shows more"),
        }
    }
}
