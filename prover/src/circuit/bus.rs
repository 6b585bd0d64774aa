//! The bus: every message any chip sends, its tag and the position of each element.
//! A message with elements `e_k` has the denominator `r - (sum e_k c^k + tag c^24)`; the tag has a power of its
//! own, so no packing inside an element can turn one kind of message into another.

/// The power of `c` that carries the tag; elements use powers below it.
pub const TAG_POWER: u8 = 24;

/// What a message says. The positions of the elements are listed in `docs/proof-system.md`, "Bus".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tag {
    /// Table of 0..2^16.
    Range16 = 1,
    /// Table of `x + 2^8 y + 2^16 (x and y)`.
    And8 = 2,
    /// Table of `n + 2^8 * 2^n`, n in 0..=128.
    Pow2 = 3,
    /// Table of 16 binary digits in Keccak's base (see `chips/keccak/tables.rs`). Numbers 5 to 7 are free.
    KeccakBits = 4,
    /// An instruction of a page.
    Fetch = 10,
    /// A constant of a page.
    Const = 11,
    /// A page and its hash.
    Page = 12,
    /// A pure instruction.
    Alu = 13,
    /// A keyed instruction.
    Keyed = 14,
    /// A memory cell at a time.
    Mem = 15,
    /// A state cell at a time.
    State = 16,
    /// A journal entry.
    Journal = 17,
    /// The registers saved by a far call.
    Frame = 18,
    /// The CPU's registers between segments.
    Segment = 19,
    /// A Keccak-256 to compute and its digest.
    KeccakCall = 20,
    /// One absorbed lane.
    KeccakLane = 21,
    /// Progress of a Keccak-256 between chips.
    KeccakState = 22,
    /// A node of the state tree, before and after.
    Node = 23,
    /// The number of leaves of the state tree, before or after.
    LeafCount = 24,
}

/// On which side of the LogUp sum a message stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// Multiplicity fixed by the row (0 or 1 times a sign).
    Exact,
    /// Provided by a table, page or pure chip with a free multiplicity.
    Provide,
    /// Taken from such a provider.
    Lookup,
}
