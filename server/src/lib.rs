//! The appliance: HTTP API, durable store, prover worker and L1 relayer.
//! A batch is acknowledged only once it is durable, called proven only once its proof was verified, and posted
//! to L1 at most once.

pub mod acceptor;
pub mod app;
pub mod batchgen;
pub mod cli;
pub mod commands;
pub mod config;
pub mod controllers;
pub mod demo;
pub mod device;
pub mod error;
pub mod genesis;
pub mod inspect;
pub mod keys;
pub mod metrics;
pub mod progress;
pub mod prover;
pub mod relayer;
pub mod store;
pub mod transaction;
pub mod view;
pub mod worker;

/// An HTTP client with a time limit per request, TLS by rustls with ring.
///
/// # Errors
/// Those of the client's builder.
pub fn http_client(timeout: std::time::Duration) -> reqwest::Result<reqwest::Client> {
    // Refused when a provider is installed already: then that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(timeout).build()
}

#[cfg(test)]
mod tests;
