//! Where a solc may be, and whether what is there is one.
use super::{GUARD, Program, Solc, SolcError, Version};
use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) fn find() -> Result<Solc, SolcError> {
    if env::var_os(GUARD).is_some() {
        return Err(SolcError::Itself);
    }
    if let Some(chosen) = env::var_os("LATHEC_SOLC").filter(|value| !value.is_empty()) {
        return chosen_solc(Path::new(&chosen));
    }
    let mut refused = None;
    let mut take = |solc: Solc| -> Option<Solc> {
        if solc.version.is_supported() {
            return Some(solc);
        }
        refused.get_or_insert((solc.path().to_owned(), solc.version));
        None
    };
    if let Some(solc) = on_path("solc").filter_map(|path| native(&path)).find_map(&mut take) {
        return Ok(solc);
    }
    for package in npm_packages() {
        if let Some(solc) = npm(&package)?.and_then(&mut take) {
            return Ok(solc);
        }
    }
    Err(refused.map_or(SolcError::NotFound, |(path, version)| SolcError::Unsupported { path, version }))
}

/// What `LATHEC_SOLC` names, and nothing else.
fn chosen_solc(path: &Path) -> Result<Solc, SolcError> {
    let solc = if path.is_dir() {
        let nested = path.join("node_modules/solc");
        npm(if nested.is_dir() { &nested } else { path })?
    } else {
        native(path)
    };
    let solc = solc.ok_or_else(|| SolcError::NotSolc(path.to_owned()))?;
    if !solc.version.is_supported() {
        return Err(SolcError::Unsupported { path: path.to_owned(), version: solc.version });
    }
    Ok(solc)
}

/// Every executable of this name on PATH that is not this one.
fn on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let this = env::current_exe().and_then(|path| path.canonicalize()).ok();
    let folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    folders
        .into_iter()
        .map(move |folder| folder.join(&file))
        .filter(move |path| path.canonicalize().is_ok_and(|real| real.is_file() && Some(real) != this))
}

/// A native solc, if the file answers `--version` as one does.
fn native(path: &Path) -> Option<Solc> {
    let mut command = Command::new(path);
    let answer =
        command.arg("--version").env(GUARD, "1").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    if !answer.status.success() {
        return None;
    }
    let text = String::from_utf8(answer.stdout).ok()?;
    let long = text.lines().find_map(|line| line.strip_prefix("Version: "))?.trim().to_string();
    Some(Solc {
        program: Program::Native(path.to_owned()),
        version: Version::parse(&long)?,
        long_version: long,
    })
}

/// Folders where npm puts packages: of this project, of its parents, and of where lathec was built.
fn npm_packages() -> impl Iterator<Item = PathBuf> {
    let starts = [env::current_dir().ok(), env::current_exe().and_then(|path| path.canonicalize()).ok()];
    let mut seen = BTreeSet::new();
    let mut packages = Vec::new();
    for start in starts.iter().flatten() {
        for folder in start.ancestors() {
            for inner in ["node_modules/solc", "contracts/node_modules/solc"] {
                let package = folder.join(inner);
                if package.join("package.json").is_file() && seen.insert(package.clone()) {
                    packages.push(package);
                }
            }
        }
    }
    packages.into_iter()
}

/// The npm package in a folder, if it is solc's.
fn npm(package: &Path) -> Result<Option<Solc>, SolcError> {
    let manifest = std::fs::read(package.join("package.json")).ok();
    let manifest: Option<Value> = manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(manifest) = manifest.filter(|manifest| manifest["name"] == "solc") else { return Ok(None) };
    let text = manifest["version"].as_str().unwrap_or_default();
    let Some(version) = Version::parse(text) else { return Ok(None) };
    let node = on_path("node").next().ok_or_else(|| SolcError::NoNode(package.to_owned()))?;
    // Absolute, since `require` takes anything else for the name of an installed package.
    let package = package.canonicalize().unwrap_or_else(|_| package.to_owned());
    Ok(Some(Solc { program: Program::Npm { node, package }, version, long_version: format!("{text}+npm") }))
}
