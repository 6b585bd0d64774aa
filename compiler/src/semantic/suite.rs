//! A whole folder of tests. solc is started once for many of them, since starting it is most of its time; a batch that it
//! refuses is tried again test by test.
use super::calls::{self, Step};
use super::file::{FileError, TestFile};
use super::run::{Sources, Verdict, run};
use super::skips::Skips;
use crate::solc::{Solc, SolcError};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tests in one run of solc.
const BATCH: usize = 24;

/// What a folder of tests came to, by path.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Each test's verdict.
    pub verdicts: BTreeMap<PathBuf, Verdict>,
}

impl Report {
    /// How many passed.
    pub fn passed(&self) -> usize {
        self.verdicts.values().filter(|verdict| **verdict == Verdict::Passed).count()
    }

    /// The failures with what went wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.verdicts.iter().filter_map(|(path, verdict)| match verdict {
            Verdict::Failed(message) => Some((path.as_path(), message.as_str())),
            _ => None,
        })
    }

    /// What was skipped, with its reason.
    pub fn skipped(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.verdicts.iter().filter_map(|(path, verdict)| match verdict {
            Verdict::Skipped(reason) => Some((path.as_path(), reason.as_str())),
            _ => None,
        })
    }

    /// How many were skipped for each reason.
    pub fn by_reason(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for (_, reason) in self.skipped() {
            *reasons.entry(reason).or_default() += 1;
        }
        reasons
    }

    /// `{passed, failed, skipped, byReason}`
    pub fn json(&self) -> Value {
        let by_reason = self.by_reason();
        json!({
            "passed": self.passed(),
            "failed": self.failures().count(),
            "skipped": by_reason.values().sum::<usize>(),
            "byReason": by_reason,
        })
    }
}

/// Why a folder cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A file or folder that cannot be read.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// No solc.
    #[error(transparent)]
    Solc(#[from] SolcError),
}

/// A test that is to be run.
struct Test {
    path: PathBuf,
    file: TestFile,
    steps: Vec<Step>,
}

/// Runs every `.sol` file of a folder and of those within it.
///
/// # Errors
/// An unreadable file, or no solc. What is wrong with a test is its verdict.
pub fn run_folder(folder: &Path, skips: &Skips) -> Result<Report, SuiteError> {
    let solc = Solc::find()?;
    let mut report = Report::default();
    let mut batches: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for path in files(folder)? {
        let text = std::fs::read_to_string(&path).map_err(|error| SuiteError::Io(path.clone(), error))?;
        match prepared(&path, &text, skips) {
            Ok(test) => batches.entry(batch_of(&test)).or_default().push(test),
            Err(verdict) => drop(report.verdicts.insert(path, verdict)),
        }
    }
    let batches: Vec<&[Test]> = batches.values().flat_map(|tests| tests.chunks(BATCH)).collect();
    report.verdicts.extend(in_parallel(&batches, |batch| run_batch(&solc, batch, skips)));
    Ok(report)
}

/// Runs the batches on all processors.
fn in_parallel<R: Send>(
    batches: &[&[Test]],
    work: impl Fn(&[Test]) -> Vec<(PathBuf, R)> + Sync,
) -> Vec<(PathBuf, R)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(batches.len());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let results = work(batch);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(results);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let fault = |error| SuiteError::Io(folder.into(), error);
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['_', '.']));
        if path.is_dir() && !hidden {
            out.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sol") {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}

/// A test ready to be compiled, or what is known of it already.
fn prepared(path: &Path, text: &str, skips: &Skips) -> Result<Test, Verdict> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = TestFile::read(text, folder).map_err(|error| match error {
        FileError::NoExpectations => Verdict::Skipped("noTest".into()),
        external => Verdict::Failed(external.to_string()),
    })?;
    if let Some(reason) = skips.of_test(&path.to_string_lossy(), &file) {
        return Err(Verdict::Skipped(reason));
    }
    let steps = calls::parse(&file.expectations).map_err(|error| Verdict::Failed(error.to_string()))?;
    Ok(Test { path: path.into(), file, steps })
}

/// Tests of one batch are compiled with the same settings; one with several sources goes alone.
fn batch_of(test: &Test) -> String {
    let alone = test.file.sources.len() > 1 || !test.file.main.is_empty();
    let own = if alone { test.path.to_string_lossy() } else { "".into() };
    format!("{} {own}", test.file.settings.get("revertStrings").map_or("default", String::as_str))
}

fn run_batch(solc: &Solc, batch: &[Test], skips: &Skips) -> Vec<(PathBuf, Verdict)> {
    // The optimiser refuses some assembly, such as `msize`.
    let plain = || if let [_] = batch { compiled(solc, batch, false) } else { Err(Verdict::Passed) };
    match compiled(solc, batch, true).or_else(|verdict| plain().map_err(|_| verdict)) {
        Ok(contracts) => {
            let numbered = batch.iter().enumerate();
            numbered.map(|(i, test)| (test.path.clone(), verdict(test, i, &contracts, skips))).collect()
        }
        Err(_) if batch.len() > 1 => {
            batch.iter().flat_map(|test| run_batch(solc, std::slice::from_ref(test), skips)).collect()
        }
        Err(verdict) => batch.iter().map(|test| (test.path.clone(), verdict.clone())).collect(),
    }
}

/// The name of a source in a batch; one without a name gets its test's number.
fn unit_name(name: &str, index: usize) -> String {
    if name.is_empty() { format!("test{index}.sol") } else { name.to_string() }
}

/// solc's `contracts` of a batch.
fn compiled(solc: &Solc, batch: &[Test], optimise: bool) -> Result<Value, Verdict> {
    let mut sources = Map::new();
    for (i, test) in batch.iter().enumerate() {
        for (name, content) in &test.file.sources {
            sources.insert(unit_name(name, i), json!({ "content": content }));
        }
    }
    let revert_strings = batch.first().and_then(|test| test.file.settings.get("revertStrings"));
    let yul = if optimise { "irOptimized" } else { "ir" };
    let input = json!({
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "viaIR": true,
            "evmVersion": "cancun",
            "optimizer": { "enabled": optimise },
            "debug": { "revertStrings": revert_strings.map_or("default", String::as_str) },
            "outputSelection": { "*": { "*": [yul] } },
        },
    });
    let output = solc.run(&input).map_err(|error| Verdict::Failed(error.to_string()))?;
    let messages = output["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    match messages.iter().any(|message| message["severity"] == "error") {
        true => Err(Verdict::Skipped("solcRefuses".into())),
        false => Ok(output["contracts"].clone()),
    }
}

fn verdict(test: &Test, index: usize, contracts: &Value, skips: &Skips) -> Verdict {
    let Some(contract) = test.file.contract() else {
        return Verdict::Failed("the test has no contract".into());
    };
    let mut sources =
        Sources { tested: format!("{}:{contract}", unit_name(&test.file.main, index)), ..Sources::default() };
    for name in test.file.sources.keys().map(|name| unit_name(name, index)) {
        for (contract, output) in contracts[&name].as_object().into_iter().flatten() {
            let yul = output["irOptimized"].as_str().or(output["ir"].as_str()).unwrap_or_default();
            sources.yul.insert(format!("{name}:{contract}"), yul.into());
        }
    }
    run(&test.steps, &sources, skips)
}
