//! The arguments, and the standard JSON input that they amount to.
use super::{CliError, emit::Kind, read};
use crate::compile::{Level, Options};
use crate::project::{Language, Project, Selection};
use crate::solc::evm::EVM_VERSION;
use crate::solc::paths::{Paths, Remapping};
use crate::standard_json::parse_address;
use clap::Parser;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  lathec Token.sol                                   compile, and say what came out
  lathec Token.sol --emit asm                        the disassembly
  lathec Token.sol --emit bytecode,abi -o build      files, named as solc names them
  lathec src/Token.sol @oz/=lib/openzeppelin/        an import remapping
  lathec adder.yul --emit llvm-ir -O z               Yul, optimised for size
  lathec --standard-json < input.json                what Foundry and Hardhat do

solc is the front end. It is found on PATH, or as the npm package `solc` in node_modules; LATHEC_SOLC names one.";

/// Compiles Solidity and Yul to the bytecode of Lathe's virtual machine.
#[derive(Parser, Debug)]
#[command(name = "lathec", after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Args {
    /// Source files, `-` for standard input, and remappings `[context:]prefix=target`
    #[arg(value_name = "FILE | PREFIX=TARGET")]
    pub inputs: Vec<String>,

    /// Read a standard JSON input from a file or standard input, and answer it as solc does
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with_all = ["emit", "json"])]
    pub standard_json: Option<PathBuf>,

    /// What to print, or to write with -o
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND,...")]
    pub emit: Vec<Kind>,

    /// Write files into this folder
    #[arg(short, long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print a summary as JSON
    #[arg(long, conflicts_with_all = ["emit", "output_dir"])]
    pub json: bool,

    /// Level of LLVM's optimiser: 0, 1, 2, 3, or z for size
    #[arg(short = 'O', value_name = "LEVEL", default_value = "3", env = "LATHEC_OPTIMIZATION")]
    pub level: String,

    /// Do not optimise the Yul before LLVM does
    #[arg(long)]
    pub no_yul_optimizer: bool,

    /// The sources are Yul, whatever their names
    #[arg(long)]
    pub yul: bool,

    /// The sources are Yul that runs as a kernel, with the builtins of docs/compiler.md, "Kernels"
    #[arg(long, conflicts_with = "standard_json")]
    pub kernel: bool,

    /// The folder that source names are relative to
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,

    /// Folders to look for imports in after the base path
    #[arg(long, value_name = "DIR")]
    pub include_path: Vec<PathBuf>,

    /// Folders that imports may be read from beside those of the sources
    #[arg(long, value_delimiter = ',', value_name = "DIR,...")]
    pub allow_paths: Vec<PathBuf>,

    /// Read no file that the input does not hold
    #[arg(long)]
    pub no_import_callback: bool,

    /// Addresses of libraries
    #[arg(long, value_delimiter = ',', value_name = "FILE:NAME=0x...,...")]
    pub libraries: Vec<String>,

    /// The EVM whose instructions solc may use
    #[arg(long, value_name = "VERSION", default_value = EVM_VERSION)]
    pub evm_version: String,

    /// Print the versions of this compiler and of solc
    #[arg(short = 'V', long)]
    pub version: bool,
}

impl Args {
    /// Where imports are looked for.
    pub(super) fn paths(&self) -> Paths {
        let mut allowed = self.allow_paths.clone();
        allowed.extend(self.files().filter_map(|file| file.parent().map(Path::to_owned)).map(or_here));
        Paths {
            base: self.base_path.clone().unwrap_or_default(),
            includes: self.include_path.clone(),
            allowed,
            sealed: self.no_import_callback,
        }
    }

    /// How to compile.
    pub(super) fn options(&self) -> Result<Options, CliError> {
        let usage = || CliError::Usage(format!("-O {} is not a level: use 0, 1, 2, 3 or z", self.level));
        let level = Level::parse(&self.level).ok_or_else(usage)?;
        let mut libraries = BTreeMap::new();
        for text in &self.libraries {
            let (name, address) = text.split_once('=').unwrap_or((text, ""));
            let address = parse_address(address).ok_or_else(|| {
                CliError::Usage(format!("--libraries {text}: expected FILE:NAME=0x and 40 hex digits"))
            })?;
            libraries.insert(name.to_string(), address);
        }
        let emit_llvm_ir = self.emit.contains(&Kind::LlvmIr);
        Ok(Options { level, libraries, emit_llvm_ir, kernel: self.kernel, ..Options::default() })
    }

    /// The project that the arguments describe.
    pub(super) fn project(&self) -> Result<Project, CliError> {
        let paths = self.paths();
        let mut sources = Map::new();
        for file in self.files() {
            let name = if file.as_os_str() == "-" { "<stdin>".into() } else { paths.unit_name(file) };
            sources.insert(name, json!({ "content": read(file)? }));
        }
        if sources.is_empty() {
            return Err(CliError::Usage(
                "no source file given: try `lathec Token.sol` or `lathec --help`".into(),
            ));
        }
        let language = self.language()?;
        if self.kernel && language != Language::Yul {
            return Err(CliError::Usage(
                "--kernel is for Yul: a kernel cannot be written in Solidity".into(),
            ));
        }
        let settings = json!({
            "remappings": self.remappings().collect::<Vec<_>>(),
            "optimizer": { "enabled": !self.no_yul_optimizer },
            "evmVersion": self.evm_version,
        });
        let settings = settings.as_object().cloned().unwrap_or_default();
        let selection = Selection::new(&json!({ "*": { "*": ["*"] } }));
        Ok(Project { language, sources, settings, selection, paths, options: self.options()? })
    }

    fn language(&self) -> Result<Language, CliError> {
        let is_yul = |file: &Path| self.yul || file.extension().is_some_and(|extension| extension == "yul");
        match (self.files().any(is_yul), self.files().all(is_yul)) {
            (true, true) => Ok(Language::Yul),
            (false, _) => Ok(Language::Solidity),
            (true, false) => {
                Err(CliError::Usage("Yul and Solidity files cannot be compiled together".into()))
            }
        }
    }

    fn is_remapping(text: &str) -> bool {
        Remapping::parse(text).is_some() && !Path::new(text).is_file()
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        self.inputs.iter().filter(|text| !Self::is_remapping(text)).map(Path::new)
    }

    fn remappings(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(String::as_str).filter(|text| Self::is_remapping(text))
    }
}

/// A folder to which no path leads is this one.
fn or_here(folder: PathBuf) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }
}
