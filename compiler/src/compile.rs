//! One contract from Yul text to code pages: objects innermost first, since a page's hash is part of what creates it.
use crate::artifact::MOST_PAGES;
use crate::backend;
use crate::diagnostic::{Diagnostic, Loc, Src};
use crate::llvm::{self, Role, Scope, Symbol};
use crate::yul::ast::{Code, ExpressionKind, Object};
use crate::yul::builtin::{Builtin, Dialect};
use lathe_vm::Word;
use lathe_vm::trace::Page;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use crate::llvm::Level;

/// How to compile.
#[derive(Clone, Debug)]
pub struct Options {
    /// LLVM's optimisation level.
    pub level: Level,
    /// Addresses of libraries, by `file:Name` or `Name`.
    pub libraries: BTreeMap<String, [u8; 20]>,
    /// Keep LLVM's text in [`Part::llvm_ir`].
    pub emit_llvm_ir: bool,
    /// Compile again for size if a page becomes too large.
    pub fallback_to_size: bool,
    /// The text is a kernel's: it may use the builtins of [`Builtin::KERNEL`]. For plain Yul only.
    pub kernel: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            level: Level::default(),
            libraries: BTreeMap::new(),
            emit_llvm_ir: false,
            fallback_to_size: true,
            kernel: false,
        }
    }
}

/// A place where the address of a library belongs once it is known, or the hash of an object that waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkReference {
    /// The library, as solc names it: `file:Name`; or the object.
    pub library: String,
    /// The page constant that is zero until linked.
    pub constant: usize,
}

/// One compiled object: a code page with what tools need to know of it.
#[derive(Clone, Debug)]
pub struct Part {
    /// The object's name.
    pub name: String,
    /// The padded page.
    pub words: Vec<u64>,
    /// Poseidon2 hash of the page; none while libraries are not linked.
    pub hash: Option<Word>,
    /// Instructions; constants and data follow.
    pub code_words: usize,
    /// For each instruction its place in the Solidity sources.
    pub source_map: Vec<Option<Src>>,
    /// Index of each immutable by solc's name of it.
    pub immutables: BTreeMap<String, u32>,
    /// What is left to link.
    pub link_references: Vec<LinkReference>,
    /// Disassembly.
    pub listing: String,
    /// LLVM's text after optimisation.
    pub llvm_ir: Option<String>,
    /// Slots of the largest frame.
    pub slots: u32,
    /// Compiled for size because the page was too large otherwise.
    pub for_size: bool,
}

impl Part {
    /// The page.
    ///
    /// # Errors
    /// None for what [`compile`] made; the words may have been changed since.
    pub fn page(&self) -> Result<Page, lathe_vm::code::CodeError> {
        Page::new(self.words.clone())
    }
}

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The page that runs once. For a plain Yul object without objects in it: its only page, which is runtime code.
    pub deploy: Part,
    /// The page that runs at every call.
    pub runtime: Option<Part>,
    /// The contracts that this one's code can create.
    pub created: Vec<Contract>,
    /// Things to tell.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles solc's Yul text of one contract, or a plain Yul object.
///
/// # Errors
/// Everything that is wrong with the text, and what the machine cannot do, with places.
pub fn compile(yul_text: &str, options: &Options) -> Result<Contract, Vec<Diagnostic>> {
    let dialect = if options.kernel { Dialect::Kernel } else { Dialect::Evm };
    let object = crate::yul::parse_in(dialect, yul_text)?;
    let contract = Compiler { options, done: BTreeMap::new() }.contract(&object)?;
    let pages = contract.pages().len();
    if pages > MOST_PAGES {
        let message = format!(
            "`{}` and the contracts that it can create have {pages} pages; creation data holds {MOST_PAGES}: let another \
             contract create some of them",
            object.name
        );
        return Err(vec![Diagnostic::error(object.loc, message)]);
    }
    Ok(contract)
}

/// True for the name that solc gives runtime code.
fn is_runtime_name(name: &str) -> bool {
    name.ends_with("_deployed")
}

/// The object that a deploy object's code becomes: `NAME_deployed`, else its first.
fn runtime_of(object: &Object) -> Option<&Object> {
    let wanted = format!("{}_deployed", object.name);
    object.objects.iter().find(|o| o.name == wanted).or(object.objects.first())
}

/// Contracts by the text of their object: solc repeats one wherever it is created. Plain Yul may use a name twice.
struct Compiler<'a> {
    options: &'a Options,
    done: BTreeMap<String, Contract>,
}

impl Compiler<'_> {
    fn contract(&mut self, object: &Object) -> Result<Contract, Vec<Diagnostic>> {
        let text = crate::yul::print::print(object);
        if let Some(done) = self.done.get(&text) {
            return Ok(done.clone());
        }
        let runtime = runtime_of(object).filter(|_| !is_runtime_name(&object.name));
        let parts = [Some(object), runtime].into_iter().flatten();
        let immutables = number_immutables(parts.map(|o| &o.code));
        let mut created = Vec::new();
        let mut part = |o, role, runtime| self.part(o, role, &immutables, runtime, &mut created);
        let runtime = runtime.map(|o| part(o, Role::Runtime, None)).transpose()?;
        let role = if runtime.is_some() { Role::Deploy } else { Role::Runtime };
        let deploy = part(object, role, runtime.as_ref())?;
        let warnings = unlinked(object, runtime.iter().chain([&deploy]));
        let contract = Contract { deploy, runtime, created, warnings };
        self.done.insert(text, contract.clone());
        Ok(contract)
    }

    /// Compiles one object's code; contracts within it first.
    fn part(
        &mut self,
        object: &Object,
        role: Role,
        immutables: &BTreeMap<String, u32>,
        runtime: Option<&Part>,
        created: &mut Vec<Contract>,
    ) -> Result<Part, Vec<Diagnostic>> {
        let mut symbols = HashMap::from([(object.name.clone(), Symbol::Own)]);
        for data in &object.data {
            symbols.insert(data.name.clone(), Symbol::Data(data.bytes.clone()));
        }
        let symbol = |part: &Part| part.hash.map_or(Symbol::Unlinked, Symbol::Object);
        for inner in &object.objects {
            if let Some(part) = runtime.filter(|r| r.name == inner.name) {
                symbols.insert(inner.name.clone(), symbol(part));
                continue;
            }
            let contract = self.contract(inner)?;
            symbols.insert(inner.name.clone(), symbol(&contract.deploy));
            if let Some(part) = &contract.runtime {
                symbols.insert(format!("{}.{}", inner.name, part.name), symbol(part));
            }
            let same = |c: &Contract| {
                (&c.deploy.name, c.deploy.hash) == (&contract.deploy.name, contract.deploy.hash)
            };
            if !created.iter().any(same) {
                created.push(contract);
            }
        }
        let scope = Scope { role, symbols, immutables, libraries: &self.options.libraries };
        generate(object, &scope, self.options).map_err(|d| vec![d])
    }
}

/// A warning for each library whose address is missing.
fn unlinked<'a>(object: &Object, parts: impl Iterator<Item = &'a Part>) -> Vec<Diagnostic> {
    let references = parts.flat_map(|p| &p.link_references).map(|r| r.library.as_str());
    // What is no library is an object, whose own contract has the warning.
    let libraries: BTreeSet<&str> = references.filter(|name| name.contains(':')).collect();
    let warning = |library: &str| {
        let message = format!(
            "`{}` needs the address of the library `{library}`: give it with --libraries, or in settings.libraries, and \
             compile again; until then its pages have no code hash and cannot be deployed",
            object.name
        );
        Diagnostic { loc: None, ..Diagnostic::warning(object.loc, message) }
    };
    libraries.into_iter().map(warning).collect()
}

fn generate(object: &Object, scope: &Scope<'_>, options: &Options) -> Result<Part, Diagnostic> {
    let mut levels = vec![options.level];
    if options.fallback_to_size && options.level != Level::Oz {
        levels.push(Level::Oz);
    }
    let mut fault = None;
    for (attempt, level) in levels.into_iter().enumerate() {
        let keep_ir = options.emit_llvm_ir;
        let compiled = llvm::compile(&object.name, &object.code, scope, level, keep_ir)?;
        let how = backend::Options { optimise: level != Level::O0, optimise_size: level == Level::Oz };
        match backend::generate(&compiled.module, &how) {
            Ok(program) => {
                let made = Made { object, scope, compiled, program, for_size: attempt > 0 };
                return made.part();
            }
            Err(e) => fault = Some(e),
        }
    }
    let message = fault.map(|e| e.to_string()).unwrap_or_default();
    Err(Diagnostic::error(object.loc, format!("`{}`: {message}", object.name)))
}

/// A generated program and where it came from.
struct Made<'a> {
    object: &'a Object,
    scope: &'a Scope<'a>,
    compiled: llvm::Compiled,
    program: backend::Program,
    for_size: bool,
}

impl Made<'_> {
    fn part(self) -> Result<Part, Diagnostic> {
        let Made { object, scope, compiled, program, for_size } = self;
        let page = Page::new(program.words.clone())
            .map_err(|e| Diagnostic::error(object.loc, format!("`{}`: {e}", object.name)))?;
        let reference = |(library, constant): &(u32, usize)| LinkReference {
            library: compiled.module.libraries.get(*library as usize).cloned().unwrap_or_default(),
            constant: *constant,
        };
        let link_references: Vec<LinkReference> = program.libraries.iter().map(reference).collect();
        let src = |loc: &Option<Loc>| loc.as_ref().and_then(|l| l.src);
        Ok(Part {
            name: object.name.clone(),
            hash: link_references.is_empty().then(|| page.hash_word()),
            words: page.words,
            code_words: program.code_words,
            source_map: program.locs.iter().map(src).collect(),
            immutables: scope.immutables.clone(),
            link_references,
            listing: backend::listing(&program),
            llvm_ir: compiled.llvm_ir,
            slots: program.slots(),
            for_size,
        })
    }
}

/// Numbers all immutables that the codes name.
fn number_immutables<'a>(codes: impl Iterator<Item = &'a Code>) -> BTreeMap<String, u32> {
    let mut names = BTreeSet::new();
    for code in codes {
        code.for_each_expression(&mut |e| {
            if let ExpressionKind::Builtin(Builtin::Setimmutable | Builtin::Loadimmutable, arguments) =
                &e.kind
            {
                for argument in arguments {
                    if let ExpressionKind::Text(name) = &argument.kind {
                        names.insert(name.clone());
                    }
                }
            }
        });
    }
    let mut ordered: Vec<String> = names.into_iter().collect();
    // solc names them by the number of their declaration.
    ordered.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    ordered.into_iter().zip(0..).collect()
}
