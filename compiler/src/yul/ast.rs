//! The resolved tree: names are numbers, calls are checked for arity, literals are words.
use super::builtin::Builtin;
use crate::diagnostic::Loc;
use lathe_vm::Word;

/// A Yul object: code, data, and the objects it can deploy.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its name, as written between quotes.
    pub name: String,
    /// Its code.
    pub code: Code,
    /// Objects within it.
    pub objects: Vec<Object>,
    /// `data "name" hex"..."` and `data "name" "..."`.
    pub data: Vec<Data>,
    /// Source files by solc's number, from the `@use-src` before the object; solc writes one before each.
    pub sources: Vec<(u32, String)>,
    /// Where it stands.
    pub loc: Loc,
}

/// Named bytes of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The code of an object: one tree, with all its variables and functions numbered.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// What runs. Function definitions are lifted out into `functions`.
    pub body: Block,
    /// All functions of the code, nested ones too.
    pub functions: Vec<Function>,
    /// Names of all variables, by [`VarId`]; every variable of the code has a number of its own.
    pub variables: Vec<String>,
}

/// Index into [`Code::variables`].
pub type VarId = u32;

/// Index into [`Code::functions`].
pub type FunctionId = u32;

/// A function definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name; names may repeat in disjoint scopes.
    pub name: String,
    /// Parameters.
    pub parameters: Vec<VarId>,
    /// Return variables, zero at entry.
    pub returns: Vec<VarId>,
    /// The body; variables of other functions never occur in it.
    pub body: Block,
    /// Where it is defined.
    pub loc: Loc,
}

/// Statements in order.
pub type Block = Vec<Statement>;

/// A statement with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// Where it is.
    pub loc: Loc,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `{ ... }`
    Block(Block),
    /// `let a, b := value`; without a value the variables become zero.
    Let {
        /// New variables.
        variables: Vec<VarId>,
        /// A call that yields as many values, or any expression for one.
        value: Option<Expression>,
    },
    /// `a, b := value`
    Assign {
        /// Variables.
        variables: Vec<VarId>,
        /// As for `Let`.
        value: Expression,
    },
    /// An expression without value: a call.
    Expression(Expression),
    /// `if condition { ... }`
    If {
        /// Taken if it is not zero.
        condition: Expression,
        /// The body.
        body: Block,
    },
    /// `switch value case ... default ...`; case values are distinct.
    Switch {
        /// The selector.
        value: Expression,
        /// Cases.
        cases: Vec<(Word, Block)>,
        /// The default, if there is one.
        default: Option<Block>,
    },
    /// `for { init } condition { post } { body }`
    For {
        /// Runs once; its variables are in scope in the rest.
        init: Block,
        /// Checked before each round.
        condition: Expression,
        /// Runs after each round.
        post: Block,
        /// A round.
        body: Block,
    },
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `leave`
    Leave,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where it is.
    pub loc: Loc,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A number, `true`, `false`, or a string or hex literal of at most 32 bytes, left-aligned.
    Literal(Word),
    /// The string argument of `datasize`, `dataoffset`, `setimmutable`, `loadimmutable`, `linkersymbol`, `verbatim`.
    Text(String),
    /// A variable.
    Variable(VarId),
    /// A call of a builtin; its number of arguments is right.
    Builtin(Builtin, Vec<Expression>),
    /// A call of a function; its number of arguments is right.
    Call(FunctionId, Vec<Expression>),
}
