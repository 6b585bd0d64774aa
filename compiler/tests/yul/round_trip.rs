//! A printed tree parses to itself.
use crate::support::{FIXTURES, accepted, without_places};
use lathe_compiler::yul::ast::*;
use lathe_compiler::yul::builtin::Builtin;
use lathe_compiler::yul::print::print;
use lathe_vm::Word;
use proptest::prelude::*;

/// Names that collide with each other and with the suffixes that make them distinct.
const NAMES: &[&str] = &["x", "x", "x_2", "f", "usr$a.b", "$"];

/// Builds a tree from a tape of decisions; an empty tape decides for zero, which ends everything.
/// Variables are numbered as the parser numbers those of a printed tree: the body's, then each function's.
struct Builder {
    tape: std::vec::IntoIter<u8>,
    variables: Vec<String>,
    /// Parameters and returns of the functions.
    signatures: Vec<(usize, usize)>,
    /// Variables that the statement may use.
    visible: Vec<VarId>,
    in_loop: bool,
    in_function: bool,
}

impl Builder {
    fn pick(&mut self, choices: usize) -> usize {
        usize::from(self.tape.next().unwrap_or(0)) % choices
    }

    fn name(&mut self) -> String {
        NAMES[self.pick(NAMES.len())].to_string()
    }

    /// One of the visible variables, of which there must be some.
    fn variable(&mut self) -> VarId {
        let index = self.pick(self.visible.len());
        self.visible[index]
    }

    fn new_variables(&mut self, count: usize) -> Vec<VarId> {
        let first = self.variables.len() as VarId;
        for _ in 0..count {
            let name = self.name();
            self.variables.push(name);
        }
        let ids: Vec<_> = (first..self.variables.len() as VarId).collect();
        self.visible.extend(&ids);
        ids
    }

    fn code(&mut self) -> Code {
        self.signatures = (0..self.pick(4)).map(|_| (self.pick(4), self.pick(4))).collect();
        (self.variables, self.visible) = Default::default();
        self.in_function = false;
        let body = self.block(4);
        let functions = (0..self.signatures.len()).map(|id| self.function(id)).collect();
        Code { body, functions, variables: std::mem::take(&mut self.variables) }
    }

    fn function(&mut self, id: usize) -> Function {
        let (parameters, returns) = self.signatures[id];
        self.visible.clear();
        self.in_function = true;
        let name = self.name();
        let (parameters, returns) = (self.new_variables(parameters), self.new_variables(returns));
        Function { name, parameters, returns, body: self.block(4), loc: Default::default() }
    }

    fn block(&mut self, depth: usize) -> Block {
        let visible = self.visible.len();
        let block = self.open_block(depth);
        self.visible.truncate(visible);
        block
    }

    /// A block whose variables stay visible.
    fn open_block(&mut self, depth: usize) -> Block {
        let count = if depth == 0 { 0 } else { self.pick(5) };
        let statement = |kind| Statement { kind, loc: Default::default() };
        (0..count).map(|_| statement(self.statement(depth - 1))).collect()
    }

    fn statement(&mut self, depth: usize) -> StatementKind {
        match self.pick(11) {
            0 => StatementKind::Block(self.block(depth)),
            1 => {
                let value = if self.pick(2) == 0 { None } else { Some(self.value(3)) };
                StatementKind::Let { variables: self.new_variables(1), value }
            }
            2 => match self.call_yielding(2) {
                Some(value) => StatementKind::Let { variables: self.new_variables(2), value: Some(value) },
                None => StatementKind::Let { variables: self.new_variables(3), value: None },
            },
            3 if !self.visible.is_empty() => {
                let variable = self.variable();
                StatementKind::Assign { variables: vec![variable], value: self.value(3) }
            }
            4 => StatementKind::If { condition: self.value(3), body: self.block(depth) },
            5 => self.switch(depth),
            6 => self.for_loop(depth),
            7 if self.in_loop => [StatementKind::Break, StatementKind::Continue][self.pick(2)].clone(),
            8 if self.in_function => StatementKind::Leave,
            9 => match self.call_yielding(0) {
                Some(call) => StatementKind::Expression(call),
                None => StatementKind::Expression(self.builtin(Builtin::Mstore, 2)),
            },
            _ => StatementKind::Expression(self.builtin(Builtin::Setimmutable, 2)),
        }
    }

    fn switch(&mut self, depth: usize) -> StatementKind {
        let value = self.value(2);
        let count = self.pick(4);
        let cases: Vec<_> = (0..count).map(|n| (Word::new(0, 1 << (9 * n)), self.block(depth))).collect();
        let default = (cases.is_empty() || self.pick(2) == 0).then(|| self.block(depth));
        StatementKind::Switch { value, cases, default }
    }

    fn for_loop(&mut self, depth: usize) -> StatementKind {
        let visible = self.visible.len();
        let outer = std::mem::replace(&mut self.in_loop, false);
        let init = self.open_block(depth);
        let condition = self.value(2);
        let post = self.block(depth);
        self.in_loop = true;
        let body = self.block(depth);
        self.in_loop = outer;
        self.visible.truncate(visible);
        StatementKind::For { init, condition, post, body }
    }

    /// An expression of one value.
    fn value(&mut self, depth: usize) -> Expression {
        let kind = match self.pick(6) {
            1 if !self.visible.is_empty() => ExpressionKind::Variable(self.variable()),
            2 => return self.builtin(Builtin::Memoryguard, 0),
            3 if depth > 0 => return self.builtin(Builtin::Addmod, depth - 1),
            4 if depth > 0 => return self.builtin(Builtin::Datasize, depth - 1),
            5 if depth > 0 => match self.call_yielding(1) {
                Some(call) => return call,
                None => return self.builtin(Builtin::Gas, 0),
            },
            _ => self.literal(),
        };
        Expression { kind, loc: Default::default() }
    }

    fn literal(&mut self) -> ExpressionKind {
        let mut half = || (0..3).fold(0u128, |half, _| half << 60 | self.pick(256) as u128);
        ExpressionKind::Literal(Word::new(half(), half()))
    }

    fn builtin(&mut self, builtin: Builtin, depth: usize) -> Expression {
        let arguments = (0..builtin.arguments()).map(|position| {
            let kind = match builtin {
                _ if builtin.text_arguments().contains(&position) => ExpressionKind::Text("o\"\\é".into()),
                Builtin::Memoryguard => self.literal(),
                _ => return self.value(depth),
            };
            Expression { kind, loc: Default::default() }
        });
        Expression { kind: ExpressionKind::Builtin(builtin, arguments.collect()), loc: Default::default() }
    }

    /// A call of a function of so many returns, if there is one.
    fn call_yielding(&mut self, returns: usize) -> Option<Expression> {
        let id = self.signatures.iter().position(|signature| signature.1 == returns)?;
        let arguments = (0..self.signatures[id].0).map(|_| self.value(1)).collect();
        Some(Expression { kind: ExpressionKind::Call(id as FunctionId, arguments), loc: Default::default() })
    }
}

fn object(tape: Vec<u8>) -> Object {
    let mut builder = Builder {
        tape: tape.into_iter(),
        variables: Vec::new(),
        signatures: Vec::new(),
        visible: Vec::new(),
        in_loop: false,
        in_function: false,
    };
    let mut object = |name: &str, objects, data| Object {
        name: name.to_string(),
        code: builder.code(),
        objects,
        data,
        sources: vec![(0, "a \"b\".sol".to_string())],
        loc: Default::default(),
    };
    let inner = object("i\n", Vec::new(), vec![Data { name: "o\"\\é".into(), bytes: vec![0, 255] }]);
    object("o\"\\é", vec![inner], Vec::new())
}

/// The same tree with no names but those of objects.
fn nameless(mut object: Object) -> Object {
    object.code.variables.iter_mut().for_each(String::clear);
    object.code.functions.iter_mut().for_each(|function| function.name.clear());
    object.objects = object.objects.into_iter().map(nameless).collect();
    object
}

proptest! {
    #[test]
    fn a_tree_survives_printing_up_to_places_and_repeated_names(tape in prop::collection::vec(any::<u8>(), 0..1500)) {
        let tree = object(tape);
        let printed = print(&tree);
        let parsed = without_places(accepted(&printed));
        prop_assert_eq!(print(&parsed), printed);
        prop_assert_eq!(nameless(parsed), nameless(tree));
    }
}

#[test]
fn names_that_are_distinct_survive_printing() {
    let object = accepted("{ let x := f(1) function f(a) -> b { let c.d := a } }");
    let again = accepted(&print(&object));
    assert_eq!(without_places(again), without_places(object));
}

#[test]
fn texts_print_to_a_form_that_stays() {
    for fixture in FIXTURES {
        let printed = print(&accepted(fixture));
        assert_eq!(print(&accepted(&printed)), printed);
    }
}

#[test]
fn the_printed_form_is_plain_yul() {
    let text = "object \"a\" { code { if 1 { f() } function f() { let x { let y := \"a\" } } { let x } } data \"d\" 'x' }";
    let expected = "object \"a\" {
    code {
        if 0x1 {
            f()
        }
        {
            let x_2
        }
        function f() {
            let x
            {
                let y := 0x6100000000000000000000000000000000000000000000000000000000000000
            }
        }
    }
    data \"d\" hex\"78\"
}
";
    assert_eq!(print(&accepted(text)), expected);
}
