//! Leaf rows: the border of the state.
