//! A local L1 node as a child process on a free loopback port. It ends with its handle.
use alloy::signers::local::PrivateKeySigner;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The first account of anvil's published test mnemonic, "test test ... junk". Worthless by design.
pub const OPERATOR_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Where npm puts the binary, seen from the repository's root.
pub const NPM_PATH: &str = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
pub enum AnvilError {
    /// No binary.
    #[error("no anvil found: not on PATH and not at {}; run `make -C contracts install`, or pass --anvil", .0.display())]
    Missing(PathBuf),
    /// It did not start.
    #[error("{program}: {what}")]
    Start {
        /// The binary.
        program: PathBuf,
        /// What happened.
        what: String,
    },
}

/// A running node.
pub struct Anvil {
    _child: Child,
    port: u16,
}

/// The binary: the one given, else one on PATH, else npm's below `root`.
///
/// # Errors
/// [`AnvilError::Missing`].
pub fn find(given: Option<&Path>, root: &Path) -> Result<PathBuf, AnvilError> {
    if let Some(path) = given {
        return Ok(path.to_path_buf());
    }
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|p| std::env::split_paths(&p).collect::<Vec<_>>());
    let npm = root.join(NPM_PATH);
    let mut candidates = on_path.map(|dir| dir.join("anvil")).chain([npm.clone()]);
    candidates.find(|p| p.is_file()).ok_or(AnvilError::Missing(npm))
}

impl Anvil {
    /// Starts `program` on a free port, with further arguments.
    ///
    /// # Errors
    /// [`AnvilError::Start`] with the program's own words.
    pub async fn start(program: &Path, further: &[&str]) -> Result<Anvil, AnvilError> {
        let fail = |what: String| AnvilError::Start { program: program.to_path_buf(), what };
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", "0"]).args(further);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| fail(e.to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| fail("it has no output".into()))?;
        let mut lines = BufReader::new(stdout).lines();
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().await.map_err(|e| fail(e.to_string()))? {
            if let Some(port) = line.strip_prefix("Listening on ").and_then(|a| a.rsplit(':').next()) {
                let port = port.trim().parse().map_err(|_| fail(format!("it listens on {line:?}")))?;
                // Keep reading, or its log fills the pipe and it stops.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Anvil { _child: child, port });
            }
            seen.push(line);
        }
        Err(fail(format!("it ended: {}", seen.join(" "))))
    }

    /// JSON-RPC URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The operator of local chains.
///
/// # Errors
/// None for the constant key.
pub fn operator() -> Result<PrivateKeySigner, alloy::signers::local::LocalSignerError> {
    OPERATOR_KEY.parse()
}
