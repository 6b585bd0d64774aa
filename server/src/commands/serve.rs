//! `lathe serve`: opens keys and stores, then serves until SIGINT or SIGTERM.
use super::CommandError;
use crate::app::Server;
use crate::config::Config;
use crate::keys;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the server. Prints `listening on http://...` once it answers.
///
/// # Errors
/// Whatever keeps it from starting, or ends it.
pub async fn run(config: Config) -> Result<(), CommandError> {
    let dir = config.keys_dir();
    tracing::info!(keys = %dir.display(), "opening the proving keys; missing ones are made, which takes minutes");
    let device = config.device;
    let open = move || {
        let progress = |what: &str, done| tracing::info!(percent = (done * 100.0) as u32, "{what}");
        keys::open(&dir, device.open()?, &progress)
    };
    let system = tokio::task::spawn_blocking(open).await??;
    if system.development() {
        tracing::warn!(
            "development keys: anybody can forge proofs under them; a production rollup refuses them"
        );
    }
    let server = Server::open(config, Arc::new(system)).await?;
    println!("listening on http://{}", server.address()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    Ok(server.run(shutdown).await?)
}
