//! Single outputs, to the terminal or to files named as solc names them.
use super::{CliError, text_of};
use crate::compile::{Contract, Part};
use crate::estimate::least_steps_of_methods;
use crate::project::{Compiled, Output};
use clap::ValueEnum;
use serde_json::Value;
use std::path::Path;

/// What can be emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// solc's Yul, optimised
    Yul,
    /// LLVM IR after the optimiser
    LlvmIr,
    /// Disassembly
    Asm,
    /// Code pages in hex
    Bytecode,
    /// What a transaction that creates the contract carries, in hex: pages, hash; constructor arguments follow
    Creation,
    /// ABI
    Abi,
    /// Selectors of the methods
    Methods,
    /// Fewest steps of a call of each method
    Steps,
    /// Where state variables are
    StorageLayout,
    /// Where transient state variables are
    TransientStorageLayout,
    /// Source of each instruction, in solc's compressed form
    SourceMap,
    /// Contract metadata
    Metadata,
    /// Documentation for users
    Userdoc,
    /// Documentation for developers
    Devdoc,
}

/// One output of a contract: what it is, how its file's name ends, its text.
struct Piece {
    title: &'static str,
    suffix: &'static str,
    text: String,
}

impl Kind {
    /// What is written if nothing is named.
    pub(super) const USUAL: [Kind; 3] = [Kind::Bytecode, Kind::Abi, Kind::StorageLayout];

    fn pieces(self, contract: &Compiled, code: &Contract) -> Vec<Piece> {
        let front = |title, suffix, path: &str| {
            let value = Value::Object(contract.front.clone());
            vec![Piece { title, suffix, text: text_of(value.pointer(path)) }]
        };
        match self {
            Kind::Yul => vec![Piece { title: "Yul", suffix: "_opt.yul", text: contract.yul.clone() }],
            Kind::LlvmIr => parts(
                code,
                ["LLVM IR of the deploy code", "LLVM IR of the runtime code"],
                [".ll", "-runtime.ll"],
                |part| part.llvm_ir.clone().unwrap_or_default(),
            ),
            Kind::Asm => parts(
                code,
                ["Disassembly of the deploy page", "Disassembly of the runtime page"],
                [".lasm", "-runtime.lasm"],
                |part| part.listing.clone(),
            ),
            Kind::Bytecode => {
                parts(code, ["Deploy page", "Runtime page"], [".bin", ".bin-runtime"], Part::object)
            }
            Kind::Creation => {
                let text = code.creation_object().unwrap_or_default();
                vec![Piece { title: "Creation data", suffix: ".creation", text }]
            }
            Kind::SourceMap => parts(
                code,
                ["Source map of the deploy page", "Source map of the runtime page"],
                [".map", ".map-runtime"],
                Part::source_map_text,
            ),
            Kind::Abi => front("ABI", ".abi", "/abi"),
            Kind::Methods => front("Methods", ".signatures", "/evm/methodIdentifiers"),
            Kind::Steps => {
                let steps =
                    code.runtime.as_ref().map(|part| least_steps_of_methods(part, contract.methods()));
                let text = steps.map(|steps| format!("{:#}", Value::Object(steps))).unwrap_or_default();
                vec![Piece { title: "Fewest steps", suffix: "_steps.json", text }]
            }
            Kind::StorageLayout => front("Storage layout", "_storage.json", "/storageLayout"),
            Kind::TransientStorageLayout => {
                front("Transient storage layout", "_transient_storage.json", "/transientStorageLayout")
            }
            Kind::Metadata => front("Metadata", "_meta.json", "/metadata"),
            Kind::Userdoc => front("User documentation", ".docuser", "/userdoc"),
            Kind::Devdoc => front("Developer documentation", ".docdev", "/devdoc"),
        }
    }
}

fn parts(
    code: &Contract,
    titles: [&'static str; 2],
    suffixes: [&'static str; 2],
    text: impl Fn(&Part) -> String,
) -> Vec<Piece> {
    let parts = std::iter::once(&code.deploy).chain(&code.runtime);
    let labels = titles.into_iter().zip(suffixes);
    parts.zip(labels).map(|(part, (title, suffix))| Piece { title, suffix, text: text(part) }).collect()
}

/// Contracts with code and what is to be emitted of them.
fn pieces<'a>(output: &'a Output, kinds: &'a [Kind]) -> impl Iterator<Item = (&'a Compiled, Vec<Piece>)> {
    output.contracts.iter().filter_map(move |contract| {
        let code = contract.result.as_ref()?.as_ref().ok()?;
        let pieces =
            kinds.iter().flat_map(|kind| kind.pieces(contract, code)).filter(|piece| !piece.text.is_empty());
        Some((contract, pieces.collect()))
    })
}

/// All of it for the terminal. A single output stands alone, so that it can be piped on.
pub(super) fn to_text(output: &Output, kinds: &[Kind]) -> String {
    let all: Vec<_> = pieces(output, kinds).collect();
    if let [(_, pieces)] = &all[..]
        && let [piece] = &pieces[..]
    {
        return format!("{}\n", piece.text.trim_end());
    }
    let mut text = String::new();
    for (contract, pieces) in all {
        text.push_str(&format!("======= {}:{} =======\n", contract.file, contract.name));
        for piece in pieces {
            text.push_str(&format!("{}:\n{}\n\n", piece.title, piece.text.trim_end()));
        }
    }
    text
}

/// Writes files; answers how many.
pub(super) fn to_folder(
    output: &Output,
    kinds: &[Kind],
    folder: &Path,
    overwrite: bool,
) -> Result<usize, CliError> {
    let failed = |path: &Path, error| CliError::Write { path: path.to_owned(), error };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut written = 0;
    for (contract, pieces) in pieces(output, kinds) {
        for piece in pieces {
            let path = folder.join(format!("{}{}", contract.name.replace(['/', ':'], "_"), piece.suffix));
            if !overwrite && path.exists() {
                return Err(CliError::Usage(format!(
                    "{} exists already; --overwrite replaces it",
                    path.display()
                )));
            }
            std::fs::write(&path, piece.text).map_err(|error| failed(&path, error))?;
            written += 1;
        }
    }
    Ok(written)
}
