//! The results file all commands write and `report` and `compare` read: rows of figures, the machine they were taken
//! on, and what was built. A file of another schema version is refused, never guessed at.

use crate::Failure;
use crate::machine::Machine;
use crate::measure::{Compared, Stats, median};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Version of the file's format.
pub const SCHEMA: u32 = 1;

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Operation, for instance `msmG1`.
    pub op: String,
    /// Logarithm of the number of points, values or constraints.
    pub log_size: u32,
    /// Kind of scalars; absent where it means nothing.
    pub scalars: Option<String>,
    /// Threads of the pool both sides ran on.
    pub threads: usize,
    /// Our backend.
    pub backend: String,
    /// Our device.
    pub device: String,
    /// The library compared with, if any.
    pub rival: Option<String>,
    /// Our median.
    pub seconds: f64,
    /// The rival's median.
    pub rival_seconds: Option<f64>,
    /// The rival's median over ours: how many times faster ours is.
    pub ratio: Option<f64>,
    /// Our statistics.
    pub stats: Stats,
    /// The rival's statistics.
    pub rival_stats: Option<Stats>,
    /// Whether the results were compared, or verified, and agreed. A row that fails this is never written.
    pub checked: bool,
}

impl Row {
    /// What two files' rows must share to be compared.
    pub fn key(&self) -> String {
        let scalars = self.scalars.as_deref().map(|s| format!(" {s}")).unwrap_or_default();
        let rival = self.rival.as_deref().map(|r| format!(" vs {r}")).unwrap_or_default();
        format!("{} 2^{}{scalars}, {} threads, {}{rival}", self.op, self.log_size, self.threads, self.backend)
    }
}

/// What a measurement was of.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Operation.
    pub op: String,
    /// Logarithm of the size.
    pub log_size: u32,
    /// Kind of scalars.
    pub scalars: Option<String>,
    /// Threads.
    pub threads: usize,
    /// Our backend.
    pub backend: String,
    /// Our device.
    pub device: String,
}

impl Subject {
    /// Rows of a comparison: one for each rival, or one without.
    pub fn rows(&self, compared: &Compared) -> Vec<Row> {
        let row = |rival: Option<&(String, Stats)>| {
            let stats = compared.ours.clone();
            Row {
                op: self.op.clone(),
                log_size: self.log_size,
                scalars: self.scalars.clone(),
                threads: self.threads,
                backend: self.backend.clone(),
                device: self.device.clone(),
                rival: rival.map(|(name, _)| name.clone()),
                seconds: stats.median,
                rival_seconds: rival.map(|(_, stats)| stats.median),
                ratio: rival.map(|(_, theirs)| theirs.median / stats.median),
                stats,
                rival_stats: rival.map(|(_, stats)| stats.clone()),
                checked: true,
            }
        };
        match compared.rivals.is_empty() {
            true => vec![row(None)],
            false => compared.rivals.iter().map(|rival| row(Some(rival))).collect(),
        }
    }
}

/// Part of a longer computation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// The whole it is a part of, for instance `groth16 2^18`.
    pub of: String,
    /// Its name.
    pub name: String,
    /// Median over the runs.
    pub ms: f64,
    /// Every run.
    pub runs_ms: Vec<f64>,
}

impl Stage {
    /// A stage with these runs, in milliseconds.
    pub fn new(of: &str, name: &str, runs_ms: Vec<f64>) -> Self {
        Stage { of: of.into(), name: name.into(), ms: median(&runs_ms), runs_ms }
    }
}

/// A comparison with what it must reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The work.
    pub title: String,
    /// What it is compared with.
    pub rival: String,
    /// The ratio to reach.
    pub at_least: f64,
    /// The ratio hoped for.
    pub aim: Option<f64>,
    /// The ratio measured.
    pub measured: f64,
    /// Our median.
    pub seconds: f64,
    /// The rival's median.
    pub rival_seconds: f64,
    /// Whether it was reached; absent where the run was not as the target demands.
    pub met: Option<bool>,
}

/// A results file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The command: `kernels`, `table`, `groth16`, `batch` or `quick`.
    pub command: String,
    /// The machine and the build.
    pub machine: Machine,
    /// The figures.
    #[serde(default)]
    pub rows: Vec<Row>,
    /// Where the time of longer computations went.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Comparisons with what they must reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Sentences a reader needs.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Results {
    /// An empty file of this command, on this machine.
    pub fn new(command: &str) -> Self {
        Results {
            schema: SCHEMA,
            command: command.into(),
            machine: Machine::here(),
            rows: Vec::new(),
            stages: Vec::new(),
            targets: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, by name.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| format!("{name}: not JSON: {e}"))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_u64);
        match schema {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(other) => {
                return Err(format!(
                    "{name}: results of schema {other}, expected {SCHEMA}; use the prover-bench that wrote it"
                )
                .into());
            }
            None => {
                return Err(
                    format!("{name}: no field `schema`; give a file that prover-bench --json wrote").into()
                );
            }
        }
        Ok(serde_json::from_value(value).map_err(|e| format!("{name}: {e}"))?)
    }
}

/// Writes figures as JSON, making the folder if it is missing.
///
/// # Errors
/// A folder or file that cannot be written, by name.
pub fn write(path: &Path, figures: &impl Serialize) -> Result<(), Failure> {
    write_text(path, &(serde_json::to_string_pretty(figures)? + "\n"))
}

/// Writes a file, making its folder if it is missing.
///
/// # Errors
/// A folder or file that cannot be written, by name.
pub fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.display();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(std::fs::write(path, text).map_err(|e| format!("{name}: {e}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures with one rival, made up.
    fn results() -> Results {
        let compared = Compared {
            ours: Stats::of(vec![0.5, 0.25, 0.75]),
            rivals: vec![("arkworks".into(), Stats::of(vec![4.0]))],
        };
        let subject = Subject {
            op: "msmG1".into(),
            log_size: 20,
            scalars: Some("full".into()),
            threads: 2,
            backend: "cpu".into(),
            device: "cpu (test)".into(),
        };
        Results { rows: subject.rows(&compared), ..Results::new("kernels") }
    }

    #[test]
    fn a_file_reads_back_as_it_was_written_and_names_its_fields_as_promised() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder/kernels.json");
        let written = results();
        write(&path, &written).unwrap();
        assert_eq!(Results::read(&path).unwrap(), written);
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let row = &json["rows"][0];
        assert_eq!((row["op"].as_str(), row["logSize"].as_u64()), (Some("msmG1"), Some(20)));
        assert_eq!((row["seconds"].as_f64(), row["rivalSeconds"].as_f64()), (Some(0.5), Some(4.0)));
        assert_eq!((row["ratio"].as_f64(), row["rival"].as_str()), (Some(8.0), Some("arkworks")));
        assert_eq!((row["scalars"].as_str(), row["threads"].as_u64()), (Some("full"), Some(2)));
    }

    #[test]
    fn files_of_another_schema_or_of_something_else_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old.json");
        for (text, words) in [("{\"schema\": 99}", "schema 99"), ("{}", "no field"), ("x", "not JSON")] {
            std::fs::write(&path, text).unwrap();
            let error = Results::read(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("old.json"), "{error}");
        }
    }
}
