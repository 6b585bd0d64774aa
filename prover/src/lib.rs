//! Proves a batch: bus, chips, circuits, and Groth16 with commitments.
