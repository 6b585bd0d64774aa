//! What the Yul front end takes, what it refuses and where it says so.
mod calls;
mod flow;
mod fuzz;
mod lexical;
mod literals;
mod objects;
mod places;
mod rendering;
mod round_trip;
mod scopes;
mod support;
