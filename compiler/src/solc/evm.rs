//! The EVM versions that solc knows.

/// In their order.
pub const VERSIONS: [&str; 14] = [
    "homestead",
    "tangerineWhistle",
    "spuriousDragon",
    "byzantium",
    "constantinople",
    "petersburg",
    "istanbul",
    "berlin",
    "london",
    "paris",
    "shanghai",
    "cancun",
    "prague",
    "osaka",
];

/// The one whose rules the machine follows, and that solc is told if none is asked for.
pub const EVM_VERSION: &str = "cancun";

/// Where a version stands in [`VERSIONS`].
pub fn position(version: &str) -> Option<usize> {
    VERSIONS.iter().position(|known| *known == version)
}

/// True for a version of proof of work.
pub fn is_before_the_merge(version: &str) -> bool {
    position(version).is_some_and(|at| Some(at) < position("paris"))
}
