//! Finding and calling `lathec`, the compiler. It is a process of its own: `lathe` does not link LLVM.
use super::InspectError;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The compiler's program.
#[derive(Clone, Debug)]
pub struct Lathec(PathBuf);

impl Lathec {
    /// What LATHEC names, else the one next to this program, else the one on PATH.
    ///
    /// # Errors
    /// None is there: says how to build it.
    pub fn find() -> Result<Lathec, InspectError> {
        if let Some(named) = std::env::var_os("LATHEC").filter(|named| !named.is_empty()) {
            let path = PathBuf::from(named);
            return match path.is_file() {
                true => Ok(Lathec(path)),
                false => Err(InspectError(format!("LATHEC names {}, which is no file", path.display()))),
            };
        }
        let name = format!("lathec{}", std::env::consts::EXE_SUFFIX);
        let own = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
        let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
        let on_path: Vec<PathBuf> =
            std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        let mut candidates = beside.into_iter().chain(on_path).map(|folder| folder.join(&name));
        candidates.find(|path| path.is_file()).map(Lathec).ok_or_else(|| {
            InspectError::new(
                "lathec, the Solidity compiler, was found neither next to lathe nor on PATH: build it with \
                 `make compiler`, or set LATHEC to its path",
            )
        })
    }

    /// Answers a standard JSON input; `arguments` say where imports are.
    ///
    /// # Errors
    /// The program does not run, or says why it cannot compile anything.
    pub fn answer(&self, input: &Value, arguments: &[String]) -> Result<Value, InspectError> {
        let failed = |error: &dyn std::fmt::Display| InspectError(format!("{}: {error}", self.0.display()));
        let mut child = Command::new(&self.0)
            .arg("--standard-json")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let mut stdin = child.stdin.take().ok_or_else(|| failed(&"no standard input"))?;
        let text = input.to_string();
        // A program that ends before it has read everything says why on stderr.
        let written = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().map_err(|error| failed(&error))?;
        let written = written.join().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr).trim()));
        }
        written.map_err(|error| failed(&error))?;
        serde_json::from_slice(&output.stdout).map_err(|error| failed(&format!("its answer: {error}")))
    }
}
