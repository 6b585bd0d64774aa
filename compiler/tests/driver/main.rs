//! The program `lathec` as people and tools call it. solc comes from `contracts/node_modules` or from PATH.
mod cli;
mod creation;
mod estimate;
mod examples;
mod standard_json;

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with sources, and lathec to run in it.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(files: &[(&str, &str)]) -> Workspace {
        let workspace = Workspace(tempfile::tempdir().expect("a temporary folder"));
        for (name, text) in files {
            let path = workspace.0.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        workspace
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_with_input(arguments, "")
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = lathec();
        command.current_dir(&self.0).args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lathec");
        child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("lathec reads its input");
        Run::from(child.wait_with_output().expect("lathec ends"))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// What a run answered.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).expect("lathec writes UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }

    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).expect("JSON")
    }
}

fn lathec() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lathec"));
    let package = repository().join("contracts/node_modules/solc");
    if std::env::var_os("LATHEC_SOLC").is_none() && package.is_dir() {
        command.env("LATHEC_SOLC", package);
    }
    command
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A contract with an immutable and an event.
const COUNTER: &str = "\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
contract Counter {
    uint256 public value;
    uint256 immutable step;
    event Advanced(uint256 value);
    constructor(uint256 s) { step = s; }
    function advance() external { value += step; emit Advanced(value); }
}
";

/// A library that is called at its address, and its caller.
const LINKED: &str = "\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
library Steps { function next(uint256 v) external pure returns (uint256) { return v + 1; } }
contract Counter { uint256 public value; function advance() external { value = Steps.next(value); } }
";
