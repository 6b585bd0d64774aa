//! The functions that stand for machine instructions in LLVM IR, and what LLVM may assume of each.
//! The reader turns calls of them back into operations; they never have a body.
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::context::Context;
use inkwell::module::{Linkage, Module};
use inkwell::types::BasicMetadataTypeEnum;
use inkwell::values::FunctionValue;
use inkwell::{AddressSpace, types::FunctionType};

/// Address space of the heap.
pub(super) const HEAP: u16 = 1;
/// All names begin with this, so that no Yul function and no library function of C can be meant.
pub(super) const PREFIX: &str = "lathe.";

/// What a function reads and writes, as LLVM's `memory` attribute encodes it: two bits per kind of memory, 1 for
/// reading, 2 for writing; argument memory (the heap), inaccessible memory (everything else), other memory.
#[derive(Clone, Copy)]
struct Memory(u64);

const NONE: Memory = Memory(0);
const HEAP_READ: Memory = Memory(1);
const HEAP_WRITE: Memory = Memory(2);
const WORLD_READ: Memory = Memory(1 << 2);
const WORLD_WRITE: Memory = Memory(2 << 2);
const WORLD: Memory = Memory(3 << 2);
const HEAP_TO_WORLD: Memory = Memory(1 | 3 << 2);
const WORLD_TO_HEAP: Memory = Memory(2 | 3 << 2);
const HEAP_TO_HEAP: Memory = Memory(3);
const ANYTHING: Memory = Memory(3 | 3 << 2 | 3 << 4);

/// Further promises.
#[derive(Clone, Copy, PartialEq)]
enum Promise {
    /// Comes back, and may be run where the source would not.
    Speculatable,
    /// Comes back.
    Returns,
    /// May end the context.
    MayHalt,
    /// Ends the context.
    Ends,
}

use Promise::{Ends, MayHalt, Returns, Speculatable};

/// Name, parameters (`w` a word, `p` a heap address), whether it yields a word, memory, promise.
type Row = (&'static str, &'static str, bool, Memory, Promise);

const TABLE: &[Row] = &[
    ("sdiv", "ww", true, NONE, Speculatable),
    ("smod", "ww", true, NONE, Speculatable),
    ("exp", "ww", true, NONE, Speculatable),
    ("byte", "ww", true, NONE, Speculatable),
    ("signextend", "ww", true, NONE, Speculatable),
    ("addmod", "www", true, NONE, Speculatable),
    ("mulmod", "www", true, NONE, Speculatable),
    ("caller", "", true, NONE, Speculatable),
    ("address", "", true, NONE, Speculatable),
    ("callvalue", "", true, NONE, Speculatable),
    ("cdsize", "", true, NONE, Speculatable),
    ("cdload", "w", true, NONE, Speculatable),
    ("blockvalue", "w", true, NONE, Speculatable),
    ("txvalue", "w", true, NONE, Speculatable),
    ("blockhash", "w", true, NONE, Speculatable),
    ("blobhash", "w", true, NONE, Speculatable),
    ("iload", "w", true, NONE, Speculatable),
    ("data", "w", true, NONE, Speculatable),
    ("library", "w", true, NONE, Speculatable),
    ("rdsize", "", true, WORLD_READ, Returns),
    ("gas", "", true, WORLD, Returns),
    ("sload", "w", true, WORLD_READ, Returns),
    ("tload", "w", true, WORLD_READ, Returns),
    ("balance", "w", true, WORLD_READ, Returns),
    ("extcodehash", "w", true, WORLD_READ, Returns),
    ("extcodesize", "w", true, WORLD_READ, Returns),
    ("sstore", "ww", false, WORLD_WRITE, MayHalt),
    ("tstore", "ww", false, WORLD_WRITE, MayHalt),
    ("istore", "ww", false, WORLD_WRITE, MayHalt),
    ("keccak", "pw", true, HEAP_READ, Returns),
    ("keccak.calldata", "ww", true, NONE, Returns),
    ("sha256", "pw", true, HEAP_READ, Returns),
    ("ecrecover", "p", true, HEAP_READ, Returns),
    ("pagehash.calldata", "ww", true, NONE, Returns),
    ("st8", "pw", false, HEAP_WRITE, Returns),
    ("copy.heap", "ppw", false, HEAP_TO_HEAP, Returns),
    ("copy.calldata", "pww", false, HEAP_WRITE, Returns),
    ("copy.code", "pww", false, HEAP_WRITE, Returns),
    ("copy.returndata", "pww", false, WORLD_TO_HEAP, MayHalt),
    ("log0", "pw", false, HEAP_TO_WORLD, MayHalt),
    ("log1", "pww", false, HEAP_TO_WORLD, MayHalt),
    ("log2", "pwww", false, HEAP_TO_WORLD, MayHalt),
    ("log3", "pwwww", false, HEAP_TO_WORLD, MayHalt),
    ("log4", "pwwwww", false, HEAP_TO_WORLD, MayHalt),
    ("call", "wwwpw", true, ANYTHING, MayHalt),
    ("staticcall", "wwpw", true, ANYTHING, MayHalt),
    ("delegatecall", "wwpw", true, ANYTHING, MayHalt),
    ("create", "wpw", true, ANYTHING, MayHalt),
    ("create2", "wpww", true, ANYTHING, MayHalt),
    ("aload", "w", true, WORLD_READ, Returns),
    ("astore", "ww", false, WORLD_WRITE, MayHalt),
    ("mimiccall.heap", "wpwwwwwww", true, ANYTHING, MayHalt),
    ("mimiccall.calldata", "wwwwwwwww", true, WORLD, MayHalt),
    ("selfdestruct", "w", false, WORLD, Ends),
    ("return", "pw", false, HEAP_TO_WORLD, Ends),
    ("revert", "pw", false, HEAP_TO_WORLD, Ends),
    ("invalid", "", false, WORLD, Ends),
];

/// The declaration of `name`, made when it is first asked for. `None` for a name that is not in the table. A name may
/// end with a number that the instruction carries, `#` before it: two such calls are calls of two functions, which LLVM
/// does not merge into one with a variable for the number.
pub(super) fn declare<'c>(
    context: &'c Context,
    module: &Module<'c>,
    name: &str,
) -> Option<FunctionValue<'c>> {
    let full = format!("{PREFIX}{name}");
    if let Some(function) = module.get_function(&full) {
        return Some(function);
    }
    let (plain, _) = numbered(name);
    let row = TABLE.iter().find(|row| row.0 == plain)?;
    let function = module.add_function(&full, signature(context, row), Some(Linkage::External));
    let add = |name: &str, value: u64| {
        let kind = Attribute::get_named_enum_kind_id(name);
        function.add_attribute(AttributeLoc::Function, context.create_enum_attribute(kind, value));
    };
    add("nounwind", 0);
    add("nocallback", 0);
    add("nosync", 0);
    add("nofree", 0);
    add("memory", row.3.0);
    match row.4 {
        Speculatable => {
            add("willreturn", 0);
            add("speculatable", 0);
        }
        Returns => add("willreturn", 0),
        MayHalt => {}
        Ends => add("noreturn", 0),
    }
    Some(function)
}

/// A name without its number, and the number; 0 if there is none.
pub(super) fn numbered(name: &str) -> (&str, u16) {
    let parts = name.split_once('#').and_then(|(plain, number)| Some((plain, number.parse().ok()?)));
    parts.unwrap_or((name, 0))
}

fn signature<'c>(context: &'c Context, row: &Row) -> FunctionType<'c> {
    let word = context.custom_width_int_type(WIDTH).expect("LLVM has integers of 256 bits");
    let heap = context.ptr_type(AddressSpace::from(HEAP));
    let parameters: Vec<BasicMetadataTypeEnum<'c>> =
        row.1.chars().map(|c| if c == 'p' { heap.into() } else { word.into() }).collect();
    match row.2 {
        true => word.fn_type(&parameters, false),
        false => context.void_type().fn_type(&parameters, false),
    }
}

/// Bits of a word.
pub(super) const WIDTH: std::num::NonZeroU32 = std::num::NonZeroU32::new(256).expect("256 is not zero");
