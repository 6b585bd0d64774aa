//! `prover-bench`: measures Lathe's kernels and prover on this machine, beside other libraries where they are compiled
//! in. Never reports a figure that was not measured in the very run, nor one whose result was not checked.

pub mod backends;
pub mod batch;
pub mod compare;
#[cfg(feature = "compiler")]
pub mod compiler;
pub mod groth16;
pub mod kernels;
pub mod machine;
pub mod measure;
pub mod progress;
pub mod quick;
pub mod report;
pub mod results;
pub mod rivals;
pub mod table;
pub mod vm;
pub mod workload;

/// What went wrong, for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
