//! What chips assign their rows from: the trace of a batch and, for tables, the lookup counts.
use crate::circuit::Counts;
use lathe_vm::trace::BatchTrace;

/// A batch to prove.
pub struct ProverInput<'a> {
    /// The replayed batch.
    pub trace: &'a BatchTrace,
    /// Lookups counted so far; complete when the tables are assigned.
    pub counts: &'a Counts,
}
