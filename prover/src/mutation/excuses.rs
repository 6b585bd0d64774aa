//! Survivors of the mutation harness that are no forgery, each with its reason. Wires go by number: a chip that gains a
//! wire before them must look at its entry again.
use super::Survivor;

/// Why a certain survivor is no forgery.
pub struct Excuse {
    /// The chip.
    pub chip: &'static str,
    /// 0 header, 1 row, 2 footer.
    pub template: usize,
    /// The changed wires, as the harness names them.
    pub wires: &'static [&'static str],
    /// The reason.
    pub reason: &'static str,
}

/// The whole list of excuses.
pub const EXCUSES: &[Excuse] = &[
    Excuse {
        chip: "statement",
        template: 0,
        wires: &["Committed(0)", "Committed(1)"],
        reason: "chunks of the input's length: the kernel hashes exactly that many bytes, and L1 compares the hash",
    },
    Excuse {
        chip: "statement",
        template: 0,
        wires: &["Committed(31)"],
        reason: "position of the last segment: each cpu turns k into k + 1, so only the number of circuits balances",
    },
    Excuse {
        chip: "tree leaf",
        template: 0,
        wires: &["Committed(6)"],
        reason: "old number of leaves: the statement receives it and compresses it into the old state root, which L1 holds",
    },
    Excuse {
        chip: "cpu",
        template: 1,
        wires: &["Committed(27)"],
        reason: "keep, where old is 0: the chip that provides an opcode provides it with KEEP or without, never both",
    },
    Excuse {
        chip: "drop",
        template: 1,
        wires: &["Committed(1)"],
        reason: "the id names the entry received; everything else comes with it, and each id is sent once",
    },
    Excuse {
        chip: "keccak words",
        template: 1,
        wires: &["Committed(1)", "Committed(2)"],
        reason: "id and number name the message taken and the next one sent: one row each by counting (keccak.md, Words)",
    },
    Excuse {
        chip: "keccak blocks",
        template: 1,
        wires: &["Committed(2)", "Committed(3)"],
        reason: "id and number name the state and lanes taken: one row each by counting (keccak.md, Lanes and Blocks)",
    },
];

/// The reason why a survivor is no forgery, if there is one.
pub fn excuse(chip: &str, survivor: &Survivor) -> Option<&'static str> {
    let fits = |e: &&Excuse| {
        e.chip == chip
            && e.template == survivor.template
            && survivor.wires.iter().all(|w| e.wires.contains(&w.as_str()))
    };
    EXCUSES.iter().find(fits).map(|e| e.reason)
}
