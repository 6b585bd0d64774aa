//! From the resolved tree to LLVM IR: statements, functions, variables. Builtins are next door.
//! Every variable is an alloca of its function, which LLVM's own SROA turns into SSA form.
use super::externs::{self, HEAP, WIDTH};
use super::inlining;
use super::{Fault, Scope, Symbol};
use crate::diagnostic::Loc;
use crate::yul::ast::{Block, Code, Expression, ExpressionKind, Function, Statement, StatementKind, VarId};
use crate::yul::builtin::Builtin;
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::context::Context;
use inkwell::debug_info::{
    AsDIScope, DIFlagsConstants, DISubprogram, DWARFEmissionKind, DWARFSourceLanguage, DebugInfoBuilder,
};
use inkwell::module::{FlagBehavior, Linkage, Module};
use inkwell::targets::TargetData;
use inkwell::types::{BasicMetadataTypeEnum, BasicTypeEnum, IntType};
use inkwell::values::{BasicMetadataValueEnum, BasicValue, FunctionValue, IntValue, PointerValue};
use inkwell::{AddressSpace, IntPredicate};
use lathe_vm::Word;
use std::collections::HashMap;

/// Big-endian, 256-bit pointers everywhere, 256 bits as the one native width.
const LAYOUT: &str = "E-p:256:256-p1:256:256-i256:256-S256-n256";

/// Values that a function may return; LLVM's time for compounds grows with the square of their fields.
const MOST_RETURNS: usize = 512;

/// An LLVM module and what its debug lines and constants refer to.
pub(super) struct Lowered<'c> {
    pub module: Module<'c>,
    /// Line `i + 1` of the debug information is this place.
    pub locs: Vec<Loc>,
    pub data: Vec<u8>,
    pub libraries: Vec<String>,
    /// How deep loops nest.
    pub deepest_loop: usize,
}

/// Lowers one code; its entry is the function `main`.
pub(super) fn lower<'c>(
    context: &'c Context,
    name: &str,
    code: &Code,
    scope: &Scope<'_>,
) -> Result<Lowered<'c>, Fault> {
    let module = context.create_module(name);
    module.set_data_layout(&TargetData::create(LAYOUT).get_data_layout());
    let mut lowerer = Lowerer::new(context, module, code, scope);
    lowerer.declare_functions()?;
    lowerer.main(&code.body)?;
    for (index, function) in code.functions.iter().enumerate() {
        lowerer.function(index, function)?;
    }
    lowerer.debug.finalize();
    let Lowerer { module, locs, data, libraries, deepest_loop, .. } = lowerer;
    Ok(Lowered { module, locs: locs.list, data: data.bytes, libraries, deepest_loop })
}

/// Places by debug line.
#[derive(Default)]
struct Locs {
    list: Vec<Loc>,
    numbers: HashMap<Loc, u32>,
}

impl Locs {
    fn line(&mut self, loc: Loc) -> u32 {
        *self.numbers.entry(loc).or_insert_with(|| {
            self.list.push(loc);
            self.list.len() as u32
        })
    }
}

/// The page's data, each named piece placed when it is first asked for.
#[derive(Default)]
pub(super) struct Segment {
    bytes: Vec<u8>,
    places: HashMap<String, u32>,
}

impl Segment {
    /// The offset of `bytes`, known as `name`.
    pub fn place(&mut self, name: &str, bytes: &[u8]) -> u32 {
        if let Some(at) = self.places.get(name) {
            return *at;
        }
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.places.insert(name.to_string(), at);
        at
    }
}

/// Blocks that `continue` and `break` go to.
#[derive(Clone, Copy)]
struct Loop<'c> {
    next: BasicBlock<'c>,
    out: BasicBlock<'c>,
}

/// A module in the making.
pub(super) struct Lowerer<'c, 'a> {
    pub(super) context: &'c Context,
    pub(super) module: Module<'c>,
    pub(super) builder: Builder<'c>,
    pub(super) word: IntType<'c>,
    pub(super) scope: &'a Scope<'a>,
    pub(super) data: Segment,
    pub(super) libraries: Vec<String>,
    /// The code asks for `msize`, so every access of the heap keeps count.
    pub(super) counts_memory: bool,
    /// Variables that are the `datasize` of an object and nothing else.
    pub(super) sizes: HashMap<VarId, &'a str>,
    code: &'a Code,
    functions: Vec<FunctionValue<'c>>,
    variables: HashMap<VarId, PointerValue<'c>>,
    loops: Vec<Loop<'c>>,
    deepest_loop: usize,
    /// Where `leave` goes.
    leave: Option<BasicBlock<'c>>,
    locs: Locs,
    debug: DebugInfoBuilder<'c>,
    subprogram: Option<DISubprogram<'c>>,
}

impl<'c, 'a> Lowerer<'c, 'a> {
    fn new(context: &'c Context, module: Module<'c>, code: &'a Code, scope: &'a Scope<'a>) -> Self {
        let version = context.i32_type().const_int(3, false);
        module.add_basic_value_flag("Debug Info Version", FlagBehavior::Warning, version);
        let (debug, _) = module.create_debug_info_builder(
            true,
            DWARFSourceLanguage::C,
            "code.yul",
            "",
            "lathec",
            true,
            "",
            0,
            "",
            DWARFEmissionKind::Full,
            0,
            false,
            false,
            "",
            "",
        );
        Lowerer {
            context,
            builder: context.create_builder(),
            word: context.custom_width_int_type(WIDTH).expect("LLVM has integers of 256 bits"),
            scope,
            data: Segment::default(),
            libraries: Vec::new(),
            counts_memory: asks_for_msize(code),
            sizes: sizes(code),
            module,
            code,
            functions: Vec::new(),
            variables: HashMap::new(),
            loops: Vec::new(),
            deepest_loop: 0,
            leave: None,
            locs: Locs::default(),
            debug,
            subprogram: None,
        }
    }

    fn declare_functions(&mut self) -> Result<(), Fault> {
        let inline = inlining::worth(self.code);
        for (index, function) in self.code.functions.iter().enumerate() {
            if function.returns.len() > MOST_RETURNS {
                let (name, n) = (&function.name, function.returns.len());
                let message = format!("`{name}` returns {n} values; at most {MOST_RETURNS} are supported");
                return Err(Fault::at(function.loc, message));
            }
            let parameters: Vec<BasicMetadataTypeEnum<'c>> =
                vec![self.word.into(); function.parameters.len()];
            let ty = match function.returns.len() {
                0 => self.context.void_type().fn_type(&parameters, false),
                1 => self.word.fn_type(&parameters, false),
                n => {
                    let fields: Vec<BasicTypeEnum<'c>> = vec![self.word.into(); n];
                    self.context.struct_type(&fields, false).fn_type(&parameters, false)
                }
            };
            // A prefix of our own: no function must look like one of C's library to LLVM.
            let value =
                self.module.add_function(&format!("yul.{}", function.name), ty, Some(Linkage::Internal));
            self.attributes(value);
            if inline[index] {
                let always = Attribute::get_named_enum_kind_id("alwaysinline");
                value.add_attribute(AttributeLoc::Function, self.context.create_enum_attribute(always, 0));
            }
            self.functions.push(value);
        }
        Ok(())
    }

    /// What holds for every function: nothing unwinds, and no switch becomes a table in a memory that is not there.
    fn attributes(&self, function: FunctionValue<'c>) {
        let nounwind = Attribute::get_named_enum_kind_id("nounwind");
        function.add_attribute(AttributeLoc::Function, self.context.create_enum_attribute(nounwind, 0));
        let no_tables = self.context.create_string_attribute("no-jump-tables", "true");
        function.add_attribute(AttributeLoc::Function, no_tables);
    }

    /// Begins a function's entry block, with all variables of `variables` in it.
    fn enter(&mut self, value: FunctionValue<'c>, loc: Loc) -> Result<(), Fault> {
        let file = self.debug.create_file("code.yul", "");
        let ty = self.debug.create_subroutine_type(file, None, &[], inkwell::debug_info::DIFlags::PUBLIC);
        let line = self.locs.line(loc);
        let name = value.get_name().to_string_lossy().into_owned();
        let subprogram = self.debug.create_function(
            file.as_debug_info_scope(),
            &name,
            None,
            file,
            line,
            ty,
            true,
            true,
            line,
            inkwell::debug_info::DIFlags::PUBLIC,
            true,
        );
        value.set_subprogram(subprogram);
        self.subprogram = Some(subprogram);
        self.variables.clear();
        let entry = self.context.append_basic_block(value, "entry");
        self.builder.position_at_end(entry);
        self.at(loc);
        Ok(())
    }

    fn main(&mut self, body: &Block) -> Result<(), Fault> {
        let value = self.module.add_function("main", self.context.void_type().fn_type(&[], false), None);
        self.attributes(value);
        self.enter(value, body.first().map_or(Loc::default(), |s| s.loc))?;
        self.block(body)?;
        // Code that runs off its end stops.
        let zero = self.constant(Word::ZERO);
        let nowhere = self.heap_pointer(zero)?;
        self.extern_call("return", &[nowhere.into(), zero.into()])?;
        self.builder.build_unreachable()?;
        Ok(())
    }

    fn function(&mut self, index: usize, function: &Function) -> Result<(), Fault> {
        let value = self.functions[index];
        self.enter(value, function.loc)?;
        for (i, variable) in function.parameters.iter().enumerate() {
            let parameter = value.get_nth_param(i as u32).ok_or_else(|| missing("a parameter"))?;
            let place = self.variable(*variable)?;
            self.builder.build_store(place, parameter)?;
        }
        for variable in &function.returns {
            let place = self.variable(*variable)?;
            self.builder.build_store(place, self.constant(Word::ZERO))?;
        }
        let leave = self.context.append_basic_block(value, "leave");
        self.leave = Some(leave);
        self.block(&function.body)?;
        self.builder.build_unconditional_branch(leave)?;
        self.builder.position_at_end(leave);
        self.leave = None;
        self.results(function)
    }

    fn results(&mut self, function: &Function) -> Result<(), Fault> {
        let mut values = Vec::with_capacity(function.returns.len());
        for variable in &function.returns {
            let place = self.variable(*variable)?;
            values.push(self.builder.build_load(self.word, place, "")?);
        }
        match values.as_slice() {
            [] => self.builder.build_return(None)?,
            [one] => self.builder.build_return(Some(one))?,
            many => self.builder.build_aggregate_return(many)?,
        };
        Ok(())
    }

    /// The alloca of a variable, made in the entry block when it is first asked for.
    fn variable(&mut self, id: VarId) -> Result<PointerValue<'c>, Fault> {
        if let Some(place) = self.variables.get(&id) {
            return Ok(*place);
        }
        let entry = self.current()?.get_first_basic_block().ok_or_else(|| missing("an entry block"))?;
        let builder = self.context.create_builder();
        match entry.get_first_instruction() {
            Some(first) => builder.position_before(&first),
            None => builder.position_at_end(entry),
        }
        let name = self.code.variables.get(id as usize).map_or("", |s| s.as_str());
        let place = builder.build_alloca(self.word, name)?;
        self.variables.insert(id, place);
        Ok(place)
    }

    /// The function being built.
    pub(super) fn current(&self) -> Result<FunctionValue<'c>, Fault> {
        let block = self.builder.get_insert_block().ok_or_else(|| missing("a block"))?;
        block.get_parent().ok_or_else(|| missing("a function"))
    }

    pub(super) fn new_block(&self, name: &str) -> Result<BasicBlock<'c>, Fault> {
        Ok(self.context.append_basic_block(self.current()?, name))
    }

    /// Gives what is built from here on a place in the source.
    fn at(&mut self, loc: Loc) {
        let Some(subprogram) = self.subprogram else { return };
        let line = self.locs.line(loc);
        let location =
            self.debug.create_debug_location(self.context, line, 0, subprogram.as_debug_info_scope(), None);
        self.builder.set_current_debug_location(location);
    }

    fn block(&mut self, block: &Block) -> Result<(), Fault> {
        block.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Fault> {
        self.at(statement.loc);
        match &statement.kind {
            StatementKind::Block(block) => self.block(block),
            StatementKind::Let { variables, value: Some(value) } => self.assign(variables, value),
            StatementKind::Let { variables, value: None } => {
                variables.iter().try_for_each(|v| self.set(*v, self.constant(Word::ZERO)))
            }
            StatementKind::Assign { variables, value } => self.assign(variables, value),
            StatementKind::Expression(expression) => self.values(expression).map(drop),
            StatementKind::If { condition, body } => self.if_(condition, body),
            StatementKind::Switch { value, cases, default } => self.switch(value, cases, default.as_ref()),
            StatementKind::For { init, condition, post, body } => self.for_(init, condition, post, body),
            StatementKind::Break => self.jump(self.loops.last().map(|l| l.out)),
            StatementKind::Continue => self.jump(self.loops.last().map(|l| l.next)),
            StatementKind::Leave => self.jump(self.leave),
        }
    }

    fn set(&mut self, variable: VarId, value: IntValue<'c>) -> Result<(), Fault> {
        let place = self.variable(variable)?;
        self.builder.build_store(place, value)?;
        Ok(())
    }

    fn assign(&mut self, variables: &[VarId], value: &Expression) -> Result<(), Fault> {
        let values = self.values(value)?;
        if values.len() != variables.len() {
            return Err(Fault::at(value.loc, "the number of values differs from the number of variables"));
        }
        variables.iter().zip(values).try_for_each(|(variable, value)| self.set(*variable, value))
    }

    /// Leaves the block; what follows in the source is dead and gets a block that nothing reaches.
    fn jump(&mut self, target: Option<BasicBlock<'c>>) -> Result<(), Fault> {
        let target = target.ok_or_else(|| missing("the target of a jump"))?;
        self.builder.build_unconditional_branch(target)?;
        self.dead()
    }

    /// Goes on in a block that nothing reaches.
    pub(super) fn dead(&mut self) -> Result<(), Fault> {
        let block = self.new_block("dead")?;
        self.builder.position_at_end(block);
        Ok(())
    }

    fn condition(&mut self, expression: &Expression) -> Result<IntValue<'c>, Fault> {
        let value = self.value(expression)?;
        Ok(self.builder.build_int_compare(IntPredicate::NE, value, self.constant(Word::ZERO), "")?)
    }

    fn if_(&mut self, condition: &Expression, body: &Block) -> Result<(), Fault> {
        let condition = self.condition(condition)?;
        let (then, out) = (self.new_block("then")?, self.new_block("endif")?);
        self.builder.build_conditional_branch(condition, then, out)?;
        self.builder.position_at_end(then);
        self.block(body)?;
        self.builder.build_unconditional_branch(out)?;
        self.builder.position_at_end(out);
        Ok(())
    }

    fn switch(
        &mut self,
        value: &Expression,
        cases: &[(Word, Block)],
        default: Option<&Block>,
    ) -> Result<(), Fault> {
        let value = self.value(value)?;
        let out = self.new_block("endswitch")?;
        let other = match default {
            Some(_) => self.new_block("default")?,
            None => out,
        };
        let mut targets = Vec::with_capacity(cases.len());
        for (word, _) in cases {
            targets.push((self.constant(*word), self.new_block("case")?));
        }
        self.builder.build_switch(value, other, &targets)?;
        let bodies = cases.iter().zip(&targets).map(|((_, body), (_, block))| (body, *block));
        for (body, block) in bodies.chain(default.map(|body| (body, other))) {
            self.builder.position_at_end(block);
            self.block(body)?;
            self.builder.build_unconditional_branch(out)?;
        }
        self.builder.position_at_end(out);
        Ok(())
    }

    fn for_(
        &mut self,
        init: &Block,
        condition: &Expression,
        post: &Block,
        body: &Block,
    ) -> Result<(), Fault> {
        self.block(init)?;
        let [head, round, next, out] = [
            self.new_block("for")?,
            self.new_block("round")?,
            self.new_block("next")?,
            self.new_block("endfor")?,
        ];
        self.builder.build_unconditional_branch(head)?;
        self.builder.position_at_end(head);
        let condition = self.condition(condition)?;
        self.builder.build_conditional_branch(condition, round, out)?;
        self.builder.position_at_end(round);
        self.loops.push(Loop { next, out });
        self.deepest_loop = self.deepest_loop.max(self.loops.len());
        self.block(body)?;
        self.loops.pop();
        self.builder.build_unconditional_branch(next)?;
        self.builder.position_at_end(next);
        self.block(post)?;
        self.builder.build_unconditional_branch(head)?;
        self.builder.position_at_end(out);
        Ok(())
    }

    /// The one value of an expression.
    pub(super) fn value(&mut self, expression: &Expression) -> Result<IntValue<'c>, Fault> {
        match self.values(expression)?.as_slice() {
            [value] => Ok(*value),
            _ => Err(Fault::at(expression.loc, "expected an expression with one value")),
        }
    }

    /// All values of an expression.
    fn values(&mut self, expression: &Expression) -> Result<Vec<IntValue<'c>>, Fault> {
        match &expression.kind {
            ExpressionKind::Literal(word) => Ok(vec![self.constant(*word)]),
            ExpressionKind::Text(_) => {
                Err(Fault::at(expression.loc, "a string is no value here; expected a number or a variable"))
            }
            ExpressionKind::Variable(id) => {
                let place = self.variable(*id)?;
                Ok(vec![self.builder.build_load(self.word, place, "")?.into_int_value()])
            }
            ExpressionKind::Call(id, arguments) => self.call(*id as usize, arguments),
            ExpressionKind::Builtin(builtin, arguments) => {
                let value = self.builtin(*builtin, arguments, expression.loc)?;
                Ok(value.into_iter().collect())
            }
        }
    }

    /// The arguments of a call, evaluated as Yul wants it: last to first.
    pub(super) fn arguments(&mut self, arguments: &[Expression]) -> Result<Vec<IntValue<'c>>, Fault> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments.iter().rev() {
            values.push(self.value(argument)?);
        }
        values.reverse();
        Ok(values)
    }

    fn call(&mut self, index: usize, arguments: &[Expression]) -> Result<Vec<IntValue<'c>>, Fault> {
        let arguments: Vec<BasicMetadataValueEnum<'c>> =
            self.arguments(arguments)?.into_iter().map(Into::into).collect();
        let function = *self.functions.get(index).ok_or_else(|| missing("a function"))?;
        let results = self.code.functions[index].returns.len() as u32;
        let call = self.builder.build_call(function, &arguments, "")?.try_as_basic_value();
        let Some(value) = call.basic() else { return Ok(Vec::new()) };
        if results == 1 {
            return Ok(vec![value.into_int_value()]);
        }
        let parts = (0..results).map(|i| {
            let part = self.builder.build_extract_value(value.into_struct_value(), i, "")?;
            Ok(part.into_int_value())
        });
        parts.collect()
    }

    /// A constant word.
    pub(super) fn constant(&self, word: Word) -> IntValue<'c> {
        let limbs = [word.lo as u64, (word.lo >> 64) as u64, word.hi as u64, (word.hi >> 64) as u64];
        self.word.const_int_arbitrary_precision(&limbs)
    }

    /// A small constant word.
    pub(super) fn small(&self, value: u64) -> IntValue<'c> {
        self.word.const_int(value, false)
    }

    /// A word as an address of the heap.
    pub(super) fn heap_pointer(&self, address: IntValue<'c>) -> Result<PointerValue<'c>, Fault> {
        let ty = self.context.ptr_type(AddressSpace::from(HEAP));
        Ok(self.builder.build_int_to_ptr(address, ty, "")?)
    }

    /// Calls one of the functions that stand for instructions.
    pub(super) fn extern_call(
        &mut self,
        name: &str,
        arguments: &[BasicMetadataValueEnum<'c>],
    ) -> Result<Option<IntValue<'c>>, Fault> {
        let function =
            externs::declare(self.context, &self.module, name).ok_or_else(|| missing("a declaration"))?;
        let call = self.builder.build_call(function, arguments, "")?.try_as_basic_value();
        Ok(call.basic().map(|value| value.as_basic_value_enum().into_int_value()))
    }

    /// The symbol that the string argument of `datasize` or `dataoffset` names.
    pub(super) fn symbol(&self, name: &str, loc: Loc) -> Result<&'a Symbol, Fault> {
        let symbol = self.scope.symbols.get(name);
        symbol.ok_or_else(|| Fault::at(loc, format!("\"{name}\" is no object or data within this object")))
    }
}

/// A fault of this module, not of the source.
pub(super) fn missing(what: &str) -> Fault {
    Fault::Llvm(format!("the lowering lost {what}"))
}

fn asks_for_msize(code: &Code) -> bool {
    let mut asks = false;
    code.for_each_expression(&mut |e| asks |= matches!(e.kind, ExpressionKind::Builtin(Builtin::Msize, _)));
    asks
}

/// Variables declared as the `datasize` of something and never assigned to.
fn sizes(code: &Code) -> HashMap<VarId, &str> {
    let mut sizes = HashMap::new();
    let mut assigned = Vec::new();
    code.for_each_statement(&mut |statement| match &statement.kind {
        StatementKind::Let { variables, value: Some(value) } => {
            if let ([variable], Some(name)) = (variables.as_slice(), text_of(value, Builtin::Datasize)) {
                sizes.insert(*variable, name);
            }
        }
        StatementKind::Assign { variables, .. } => assigned.extend(variables),
        _ => {}
    });
    sizes.retain(|variable, _| !assigned.contains(&variable));
    sizes
}

/// The name in `dataoffset("name")` or `datasize("name")`.
pub(super) fn text_of(expression: &Expression, builtin: Builtin) -> Option<&str> {
    match &expression.kind {
        ExpressionKind::Builtin(b, arguments) if *b == builtin => match &arguments.first()?.kind {
            ExpressionKind::Text(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}
