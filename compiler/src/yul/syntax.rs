//! The tree as it is written: names are text and nothing is checked beyond the grammar.
use crate::diagnostic::Loc;
use std::collections::HashMap;

pub(super) struct Object<'a> {
    pub name: String,
    pub code: Block<'a>,
    pub objects: Vec<Object<'a>>,
    pub data: Vec<(String, Vec<u8>)>,
    /// What each name within the object is: an index into `objects`, or nothing for data.
    pub members: HashMap<String, Option<usize>>,
    pub sources: Vec<(u32, String)>,
    pub loc: Loc,
}

pub(super) type Block<'a> = Vec<Statement<'a>>;

#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub text: &'a str,
    pub loc: Loc,
}

pub(super) struct Statement<'a> {
    pub kind: StatementKind<'a>,
    pub loc: Loc,
}

pub(super) enum StatementKind<'a> {
    Block(Block<'a>),
    Function(Function<'a>),
    Let { names: Vec<Name<'a>>, value: Option<Expression<'a>> },
    Assign { names: Vec<Name<'a>>, value: Expression<'a> },
    Expression(Expression<'a>),
    If { condition: Expression<'a>, body: Block<'a> },
    Switch { value: Expression<'a>, cases: Vec<(Literal<'a>, Block<'a>)>, default: Option<Block<'a>> },
    For { init: Block<'a>, condition: Expression<'a>, post: Block<'a>, body: Block<'a> },
    Break,
    Continue,
    Leave,
}

pub(super) struct Function<'a> {
    pub name: Name<'a>,
    pub parameters: Vec<Name<'a>>,
    pub returns: Vec<Name<'a>>,
    pub body: Block<'a>,
}

pub(super) struct Expression<'a> {
    pub kind: ExpressionKind<'a>,
    pub loc: Loc,
}

pub(super) enum ExpressionKind<'a> {
    Literal(Literal<'a>),
    Name(&'a str),
    Call { name: Name<'a>, arguments: Vec<Expression<'a>> },
}

pub(super) struct Literal<'a> {
    pub kind: LiteralKind<'a>,
    pub loc: Loc,
}

pub(super) enum LiteralKind<'a> {
    /// Digits, or `0x` and hex digits.
    Number(&'a str),
    Bool(bool),
    /// `"..."`, its escapes replaced.
    String(Vec<u8>),
    /// `hex"..."`.
    Hex(Vec<u8>),
}
