//! From [`crate::mir`] to a code page: selection, slots, layout, encoding.
