//! Lathe server.
