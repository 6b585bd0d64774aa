//! Tests of the server as a client sees it, at the paths of the code they test.
mod controllers;
mod harness;
mod l1;
mod relayer;
mod restart;
