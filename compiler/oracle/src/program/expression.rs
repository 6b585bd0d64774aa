//! Expressions and statements with effects, and the variables they may name.
use super::Maker;
use crate::draw::Draw;

/// Builtins by their number of operands; those that touch memory or storage are drawn elsewhere.
const UNARY: &[&str] = &["not", "iszero", "iszero", "calldataload"];
const BINARY: &[&str] = &[
    "add",
    "add",
    "sub",
    "sub",
    "mul",
    "mul",
    "div",
    "div",
    "sdiv",
    "sdiv",
    "mod",
    "mod",
    "smod",
    "smod",
    "exp",
    "lt",
    "gt",
    "slt",
    "sgt",
    "eq",
    "and",
    "or",
    "xor",
    "byte",
    "shl",
    "shr",
    "sar",
    "signextend",
];
const TERNARY: &[&str] = &["addmod", "mulmod"];
const NULLARY: &[&str] = &[
    "caller",
    "address",
    "callvalue",
    "origin",
    "calldatasize",
    "returndatasize",
    "timestamp",
    "number",
    "chainid",
    "gaslimit",
    "basefee",
    "coinbase",
    "prevrandao",
    "gasprice",
    "selfbalance",
    "msize",
];

/// The variables that are visible, and which may be written.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    writable: Vec<String>,
    constant: Vec<String>,
}

impl Scope {
    /// A function's variables, all writable.
    pub(super) fn new(writable: Vec<String>) -> Scope {
        Scope { writable, constant: Vec::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.writable.len() + self.constant.len()
    }

    /// One more.
    pub(super) fn declare(&mut self, name: String) {
        self.writable.push(name);
    }

    /// One more that is only read.
    pub(super) fn declare_constant(&mut self, name: String) {
        self.constant.push(name);
    }

    /// Some variable that may be written.
    pub(super) fn writable(&self, draw: &mut Draw) -> Option<String> {
        (!self.writable.is_empty()).then(|| draw.pick(&self.writable).clone())
    }

    fn any(&self, draw: &mut Draw) -> Option<String> {
        let at = draw.below(self.len().max(1));
        self.writable.iter().chain(&self.constant).nth(at).cloned()
    }
}

impl Maker<'_> {
    /// A literal, in one of the notations of Yul.
    fn literal(&mut self) -> String {
        let word = self.draw.word();
        match self.draw.below(8) {
            0 => ["true", "false", "\"abc\"", "hex\"ff00\"", "0"][self.draw.below(5)].into(),
            1 | 2 => self.draw.below(260).to_string(),
            3 => (1u128 << self.draw.below(127)).to_string(),
            _ => word.to_string(),
        }
    }

    /// An expression of at most this depth.
    pub(super) fn expression(&mut self, scope: &Scope, depth: usize) -> String {
        if depth == 0 || self.draw.once_in(6) {
            return match (self.draw.below(8), scope.any(self.draw)) {
                (0..=4, Some(name)) => name,
                (7, _) => format!("{}()", self.draw.pick(NULLARY)),
                _ => self.literal(),
            };
        }
        match self.draw.below(16) {
            0 | 1 => format!("{}({})", self.draw.pick(UNARY), self.expression(scope, depth - 1)),
            2 => {
                let (a, b, c) =
                    (self.operand(scope, depth), self.operand(scope, depth), self.operand(scope, depth));
                format!("{}({a}, {b}, {c})", self.draw.pick(TERNARY))
            }
            3 => format!("mload({})", self.offset(scope)),
            4 => format!("{}({})", self.draw.pick(&["sload", "tload"]), self.slot(scope)),
            5 if self.draw.once_in(2) => format!("keccak256({}, {})", self.offset(scope), self.length(scope)),
            _ => {
                let (a, b) = (self.operand(scope, depth), self.operand(scope, depth));
                format!("{}({a}, {b})", self.draw.pick(BINARY))
            }
        }
    }

    fn operand(&mut self, scope: &Scope, depth: usize) -> String {
        self.expression(scope, depth - 1)
    }

    /// A place in memory: small, but now and then anything at all.
    pub(super) fn offset(&mut self, scope: &Scope) -> String {
        match self.draw.below(40) {
            0 => self.expression(scope, 1),
            1..=15 => (32 * self.draw.below(16)).to_string(),
            16..=22 => self.draw.below(0x200).to_string(),
            _ => format!("and({}, 0x1ff)", self.expression(scope, 1)),
        }
    }

    fn length(&mut self, scope: &Scope) -> String {
        match self.draw.below(4) {
            0 => format!("and({}, 0x7f)", self.expression(scope, 1)),
            _ => [0, 1, 31, 32, 33, 64, 96, 5][self.draw.below(8)].to_string(),
        }
    }

    fn slot(&mut self, scope: &Scope) -> String {
        match self.draw.below(4) {
            0 => self.expression(scope, 1),
            1 => format!("and({}, 3)", self.expression(scope, 1)),
            _ => self.draw.below(4).to_string(),
        }
    }

    /// A statement that changes memory, storage or the logs.
    pub(super) fn effect(&mut self, scope: &Scope) -> String {
        match self.draw.below(16) {
            0..=4 => {
                let value = self.expression(scope, 2);
                format!("mstore({}, {value})", self.offset(scope))
            }
            5 => {
                let value = self.expression(scope, 2);
                format!("mstore8({}, {value})", self.offset(scope))
            }
            6 | 7 => {
                let value = self.expression(scope, 2);
                format!("{}({}, {value})", self.draw.pick(&["sstore", "sstore", "tstore"]), self.slot(scope))
            }
            8 | 9 => {
                let (to, from) = (self.offset(scope), self.offset(scope));
                format!("mcopy({to}, {from}, {})", self.length(scope))
            }
            // Nothing comes back from a call that is never made: all but the empty range at 0 halts.
            10 if self.draw.once_in(8) => {
                let from = self.expression(scope, 1);
                format!("returndatacopy({}, and({from}, 1), 0)", self.offset(scope))
            }
            10 => {
                let from = self.expression(scope, 1);
                format!("calldatacopy({}, {from}, {})", self.offset(scope), self.length(scope))
            }
            11 => {
                let to = self.offset(scope);
                match self.draw.once_in(2) {
                    true => format!("datacopy({to}, add(dataoffset(\"d\"), 1), sub(datasize(\"d\"), 1))"),
                    false => format!("datacopy({to}, dataoffset(\"d\"), datasize(\"d\"))"),
                }
            }
            12 | 13 => self.log(scope),
            14 => format!("pop({})", self.expression(scope, 2)),
            _ => format!("sstore({}, add(sload({}), 1))", self.draw.below(4), self.draw.below(4)),
        }
    }

    fn log(&mut self, scope: &Scope) -> String {
        let topics = self.draw.below(5);
        let mut text = format!("log{topics}({}, {}", self.offset(scope), self.length(scope));
        for _ in 0..topics {
            text.push_str(&format!(", {}", self.expression(scope, 0)));
        }
        text + ")"
    }
}
