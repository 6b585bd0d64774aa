//! Claims about the pages that are checked in for the kernel and its contracts: they are what their sources compile to.
use lathe_compiler::compile::{Options, compile};
use lathe_vm::trace::Page;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const KERNEL: &str = "{ astore(1, 7, aload(1, 5)) mstore(0, calldatasize()) return(0, 96) }";
const COUNTER: &str = "\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
import {Step} from \"./shared/Step.sol\";
contract Counter is Step {
    uint256 public value;
    function advance() external { value += step(); }
}
";
const STEP: &str = "\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
abstract contract Step { function step() internal pure returns (uint256) { return 3; } }
";

/// A library that no page is made of, since nobody can call it.
const ERRORS: &str = "\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
library Errors {
    error No();
    function no() internal pure { revert No(); }
}
";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs lathec-kernel with the solc of the repository.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lathec-kernel"));
    let package = repository().join("contracts/node_modules/solc");
    if std::env::var_os("LATHEC_SOLC").is_none() && package.is_dir() {
        command.env("LATHEC_SOLC", package);
    }
    command.arg(folder).args(arguments).output().expect("lathec-kernel runs")
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The command fails, saying all of this.
#[track_caller]
fn fails(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} is missing: {said}");
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir_all(folder.path().join("system/shared")).expect("folders");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_pages_of_this_repository_are_what_their_sources_compile_to() {
    succeeds(&run(&repository().join("vm/kernel"), &["--check"]));
}

#[test]
fn a_folder_is_built_and_whatever_differs_is_named() {
    let sources = [
        ("small.yul", KERNEL),
        ("system/Counter.sol", COUNTER),
        ("system/shared/Step.sol", STEP),
        ("system/Errors.sol", ERRORS),
        ("old.hex", ""),
    ];
    let folder = folder(&sources);
    let folder = folder.path();
    let check = || run(folder, &["--check"]);
    fails(
        &check(),
        &["small.hex: ", "Counter.hex: ", "hashes.json: ", "old.hex has no source", "run `make kernel`"],
    );
    assert!(!folder.join("small.hex").exists(), "a check writes nothing");
    succeeds(&run(folder, &[]));
    succeeds(&check());
    assert!(!folder.join("old.hex").exists());

    let hashes: Value = serde_json::from_str(&read(folder, "hashes.json")).expect("JSON");
    let options = Options { kernel: true, ..Options::default() };
    let kernel = compile(KERNEL, &options).expect("a kernel").deploy;
    let page = Page::from_hex(&read(folder, "small.hex")).expect("a page");
    assert_eq!(page.words, kernel.words);
    assert_eq!(hashes["pages"]["small"].as_str(), kernel.hash_hex().as_deref());
    let counter = Page::from_hex(&read(folder, "system/Counter.hex")).expect("a page");
    let hash = format!("0x{}", hex::encode(counter.hash_word().to_be_bytes()));
    assert_eq!(hashes["pages"]["system/Counter"].as_str(), Some(&hash[..]));
    assert_eq!(hashes["pages"].as_object().map(|pages| pages.len()), Some(2));
    assert!(hashes["solc"].as_str().is_some_and(|version| version.starts_with("0.8.")), "{hashes}");

    std::fs::write(folder.join("system/shared/Step.sol"), STEP.replace('3', "4")).expect("a file");
    fails(&check(), &["system/Counter.hex is not what its source compiles to", "hashes.json is not"]);
}

#[test]
fn sources_that_make_no_page_are_refused_by_name() {
    let contract = |body: &str| {
        COUNTER.replace("import {Step} from \"./shared/Step.sol\";", "").replace(
        "contract Counter is Step {\n    uint256 public value;\n    function advance() external { value += step(); }\n}\n",
        body,
    )
    };
    let refused = |file: &str, text: &str, words: &[&str]| {
        let folder = folder(&[(file, text)]);
        fails(&run(folder.path(), &[]), words);
        assert!(!folder.path().join("hashes.json").exists());
    };
    refused("bad.yul", "{ astore(4, 1, 1) }", &["bad.yul", "its kinds are 1, 2, 3 and 6"]);
    refused("system/A.sol", &contract("contract B {}\n"), &["A.sol: it has no contract `A`"]);
    refused("system/A.sol", &contract("contract A { uint }\n"), &["A.sol", "Expected"]);
    let immutable = "contract A { uint256 public immutable x; constructor() { x = 1; } }\n";
    refused("system/A.sol", &contract(immutable), &["A.sol", "immutables"]);
}
