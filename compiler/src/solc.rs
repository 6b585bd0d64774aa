//! solc as the front end: finding one, running it, and giving it every source a program imports.
//! Its EVM code generator is never asked for; what we take is Yul, the ABI and what is said about storage.
pub mod evm;
mod find;
pub mod paths;

use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Set for every process started here, so that a script that calls lathec as `solc` cannot call itself for ever.
pub const GUARD: &str = "LATHEC_FRONT_END";

/// The oldest solc whose Yul this compiler takes: the first with all of Cancun.
pub const OLDEST: Version = Version { major: 0, minor: 8, patch: 24 };

/// A version of solc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 0
    pub major: u32,
    /// 8
    pub minor: u32,
    /// The one that changes.
    pub patch: u32,
}

impl Version {
    /// Reads `0.8.37`, whatever follows.
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.trim().split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let mut next = || parts.next()?.ok();
        Some(Version { major: next()?, minor: next()?, patch: next()? })
    }

    /// Whether this compiler takes its output.
    pub fn is_supported(self) -> bool {
        self >= OLDEST && (self.major, self.minor) == (OLDEST.major, OLDEST.minor)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Why there is no answer of solc.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SolcError {
    /// Nothing anywhere.
    #[error(
        "solc was not found: put a native solc (version {OLDEST} or newer) on PATH, or install the npm package with \
         `npm install solc` in your project, or set LATHEC_SOLC to a solc binary or to the folder of the npm package"
    )]
    NotFound,
    /// What `LATHEC_SOLC` names is no solc.
    #[error(
        "LATHEC_SOLC names {0}, which is neither a solc that answers `--version` nor a folder with solc's npm package"
    )]
    NotSolc(PathBuf),
    /// Some were found, all of the wrong version.
    #[error(
        "{path} is solc {version}; lathec takes solc {OLDEST} or a later 0.8: upgrade it or set LATHEC_SOLC"
    )]
    Unsupported {
        /// The first of them.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// The npm package is there but nothing that runs it.
    #[error("{0} needs node to run, which is not on PATH: install Node.js or a native solc")]
    NoNode(PathBuf),
    /// The process did not start or broke off.
    #[error("{path} could not be run: {error}")]
    Run {
        /// What was started.
        path: PathBuf,
        /// What the system said.
        error: Arc<std::io::Error>,
    },
    /// It ended with a failure and no JSON.
    #[error("{path} failed ({status}): {stderr}")]
    Failed {
        /// What ran.
        path: PathBuf,
        /// Its exit status.
        status: String,
        /// What it wrote.
        stderr: String,
    },
    /// lathec was started by lathec in place of solc.
    #[error(
        "lathec was started as its own front end: the `solc` on PATH is lathec; set LATHEC_SOLC to the real solc"
    )]
    Itself,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Program {
    /// A binary, or a script that behaves like one.
    Native(PathBuf),
    /// The npm package in a folder, through node.
    Npm {
        /// The interpreter.
        node: PathBuf,
        /// The folder.
        package: PathBuf,
    },
}

/// A solc that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solc {
    program: Program,
    /// Its version.
    pub version: Version,
    /// Its version with commit and platform, as far as it is known without running the compiler.
    pub long_version: String,
}

/// Runs the npm package: standard JSON from stdin to stdout. Its first argument is the package's folder.
const NPM_SCRIPT: &str = r#"
const fs = require("fs");
const solc = require(process.argv[1]);
process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
"#;

impl Solc {
    /// The solc of this machine: `LATHEC_SOLC`, else the first supported one on PATH, else the npm package in
    /// `node_modules` or `contracts/node_modules` of the working directory, of the executable's, or above one.
    ///
    /// # Errors
    /// There is none, or none of a supported version.
    pub fn find() -> Result<Solc, SolcError> {
        find::find()
    }

    /// The file or folder it was found at.
    pub fn path(&self) -> &std::path::Path {
        match &self.program {
            Program::Native(path) => path,
            Program::Npm { package, .. } => package,
        }
    }

    /// Answers a standard JSON input. Errors in the sources are in the answer.
    ///
    /// # Errors
    /// The process could not be run or gave no JSON.
    pub fn run(&self, input: &Value) -> Result<Value, SolcError> {
        let mut command = match &self.program {
            Program::Native(path) => {
                let mut command = Command::new(path);
                // All sources are in the input: it must find the same ones as the npm package.
                command.args(["--standard-json", "--no-import-callback"]);
                command
            }
            Program::Npm { node, package } => {
                let mut command = Command::new(node);
                command.arg("-e").arg(NPM_SCRIPT).arg(package);
                command
            }
        };
        let failed = |error| SolcError::Run { path: self.path().to_owned(), error: Arc::new(error) };
        command.env(GUARD, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let mut stdin = child.stdin.take();
        let text = input.to_string();
        // Written from a thread of its own: a process that answers before it has read all would block both.
        let writer = std::thread::spawn(move || stdin.as_mut().map(|pipe| pipe.write_all(text.as_bytes())));
        let output = child.wait_with_output().map_err(failed)?;
        drop(writer.join());
        serde_json::from_slice(&output.stdout).map_err(|_| SolcError::Failed {
            path: self.path().to_owned(),
            status: output.status.to_string(),
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_string(),
        })
    }
}
