//! The example projects, built by Foundry and Hardhat with this lathec.
use super::creation::unpack;
use super::repository;
use lathe_vm::trace::Page;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Copies a project without what builds leave in it; `node_modules` stays where it is and is linked.
fn copied(name: &str) -> tempfile::TempDir {
    let target = tempfile::tempdir().expect("a temporary folder");
    copy(&example(name), target.path());
    target
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name();
        let built = ["node_modules", "out", "cache", "artifacts"].iter().any(|built| name == *built);
        if built {
            continue;
        }
        // Follows links: Hardhat's contracts are Foundry's.
        if entry.path().is_dir() {
            std::fs::create_dir_all(to.join(&name)).expect("a folder");
            copy(&entry.path(), &to.join(&name));
        } else {
            std::fs::copy(entry.path(), to.join(&name)).expect("a file");
        }
    }
}

fn run(command: &mut Command) -> String {
    command.env("LATHEC", env!("CARGO_BIN_EXE_lathec"));
    if std::env::var_os("LATHEC_SOLC").is_none() {
        command.env("LATHEC_SOLC", repository().join("contracts/node_modules/solc"));
    }
    let output = command.output().expect("the tool runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

/// The page of an artifact, as the tool wrote it, beside the code hash that lathec gives for the same source.
fn assert_is_our_page(page: &Page, file: &str, contract: &str, part: &str) {
    let sources = example("foundry");
    let steps = format!("src/Counter.sol:Steps={}", "0x00000000000000000000000000000000000c0de1");
    let mut command = super::lathec();
    command.current_dir(sources).args([file, "--json", "--libraries", &steps]);
    let summary: Value = serde_json::from_str(&run(&mut command)).expect("JSON");
    let hash = format!("0x{}", hex::encode(page.hash_word().to_be_bytes()));
    assert_eq!(
        summary["contracts"][format!("{file}:{contract}")][part]["hash"],
        hash.as_str(),
        "{contract} {part}"
    );
}

#[test]
fn foundry_builds_with_lathec() {
    let project = copied("foundry");
    let forge = repository().join("contracts/node_modules/.bin/forge").canonicalize();
    let forge = forge.expect("forge is installed: make -C contracts install");
    run(Command::new(forge).arg("build").current_dir(&project));
    for (file, contract) in [("Token.sol", "Token"), ("Counter.sol", "Counter"), ("Counter.sol", "Steps")] {
        let artifact = json(&project.path().join("out").join(file).join(format!("{contract}.json")));
        for (field, part) in [("bytecode", "deploy"), ("deployedBytecode", "runtime")] {
            let object = artifact[field]["object"].as_str().expect("hex");
            let page = match part {
                "deploy" => unpack(object.trim_start_matches("0x")).0.swap_remove(0),
                _ => Page::from_hex(object).expect("a code page"),
            };
            assert_is_our_page(&page, &format!("src/{file}"), contract, part);
            assert!(artifact[field]["sourceMap"].as_str().is_some_and(|map| !map.is_empty()));
        }
    }
}

#[test]
fn hardhat_builds_with_lathec() {
    let project = copied("hardhat");
    let modules = example("hardhat/node_modules");
    assert!(modules.join("hardhat").is_dir(), "Hardhat is installed: make -C compiler install");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        modules.canonicalize().expect("a folder"),
        project.path().join("node_modules"),
    )
    .expect("a link");
    let mut command = Command::new("node");
    command
        .args(["node_modules/hardhat/internal/cli/bootstrap.js", "compile", "--force"])
        .current_dir(&project);
    run(command.env("HARDHAT_DISABLE_TELEMETRY_PROMPT", "true"));
    for (file, contract) in [("Token.sol", "Token"), ("Counter.sol", "Counter")] {
        let artifact = json(&project.path().join(format!("artifacts/contracts/{file}/{contract}.json")));
        let object = |field: &str| artifact[field].as_str().expect("hex");
        let runtime = Page::from_hex(object("deployedBytecode")).expect("a code page");
        let (pages, _) = unpack(object("bytecode").trim_start_matches("0x"));
        assert_eq!(pages[1].words, runtime.words);
    }
}
