//! The command line for people.
use super::{COUNTER, LINKED, Workspace};
use serde_json::Value;

#[test]
fn a_file_is_enough_and_the_summary_names_hashes_and_times() {
    let text = Workspace::new(&[("Counter.sol", COUNTER)]).run(&["Counter.sol"]).ok();
    assert!(text.contains("Counter.sol:Counter\n"), "{text}");
    for word in ["deploy", "runtime", "instructions", "slots", "solc 0.8.", "lathec: "] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    assert_eq!(text.matches("0x").count(), 2, "one hash per page: {text}");
}

#[test]
fn the_json_summary_says_the_same_for_programs() {
    let summary = Workspace::new(&[("Counter.sol", COUNTER)]).run(&["Counter.sol", "--json"]).json();
    let contract = &summary["contracts"]["Counter.sol:Counter"];
    for part in ["deploy", "runtime"] {
        assert!(
            contract[part]["bytes"].as_u64() > Some(0) && contract[part]["instructions"].as_u64() > Some(0)
        );
        assert_eq!(contract[part]["hash"].as_str().map(str::len), Some(66), "{part}");
    }
    assert_eq!(contract["methodIdentifiers"]["advance()"], "ea105ac7");
    assert_eq!(summary["errors"], Value::Array(Vec::new()));
}

#[test]
fn errors_are_solcs_with_excerpt_and_caret_and_exit_code_1() {
    let broken = COUNTER.replace("value += step", "value += stepp");
    let run = Workspace::new(&[("Counter.sol", &broken)]).run(&["Counter.sol"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stdout, "");
    assert!(run.stderr.starts_with("Error: Undeclared identifier."), "{}", run.stderr);
    assert!(run.stderr.contains(" --> Counter.sol:8:44:\n"), "{}", run.stderr);
    assert!(run.stderr.contains("^^^^^") && !run.stderr.contains('\x1b'), "{}", run.stderr);
}

#[test]
fn what_the_machine_cannot_do_is_an_error_at_the_solidity_line() {
    let source = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract A {\n    function f(address a) external {\n        \
                  assembly { extcodecopy(a, 0, 0, 32) return(0, 32) }\n    }\n}\n";
    let run = Workspace::new(&[("A.sol", source)]).run(&["A.sol"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("extcodecopy") && run.stderr.contains("A.sol:5:"), "{}", run.stderr);
}

#[test]
fn a_fault_within_solcs_helpers_is_blamed_on_the_line_that_led_to_it() {
    let source = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract A {\n    function f(address a) external view \
                  returns (bytes memory) {\n        return a.code;\n    }\n}\n";
    let run = Workspace::new(&[("A.sol", source)]).run(&["A.sol"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains(" --> A.sol:5:16:\n") && run.stderr.contains("^^^^^^\n"), "{}", run.stderr);
}

#[test]
fn a_contract_that_waits_for_a_library_compiles_with_a_warning_and_has_no_hash() {
    let summary = Workspace::new(&[("A.sol", LINKED)]).run(&["A.sol", "--json"]).json();
    let warning = summary["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(warning.contains("`A.sol:Steps`") && warning.contains("--libraries"), "{summary:#}");
    let counter = &summary["contracts"]["A.sol:Counter"];
    for part in ["deploy", "runtime"] {
        assert!(counter[part]["hash"].is_null(), "{counter:#}");
    }
    assert!(counter["runtime"]["linkReferences"]["A.sol"]["Steps"].is_array(), "{counter:#}");
}

#[test]
fn a_kernel_has_builtins_of_its_own_if_it_is_called_one() {
    let text = "{ astore(1, 7, aload(1, 5)) return(0, 96) }";
    let workspace = Workspace::new(&[("kernel.txt", text)]);
    let listing = workspace.run(&["--yul", "--kernel", "kernel.txt", "--emit", "asm"]).ok();
    assert!(listing.contains("astore ") && listing.contains("aload "), "{listing}");
    let run = workspace.run(&["--yul", "kernel.txt"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("`aload` is no function that is known here"), "{}", run.stderr);
}

#[test]
fn a_wrong_command_line_or_file_is_exit_code_2_and_says_what_to_do() {
    let workspace = Workspace::new(&[("a.yul", "object \"A\" { code { } }"), ("A.sol", COUNTER)]);
    for (arguments, expected) in [
        (&["Nothing.sol"][..], "Nothing.sol cannot be read"),
        (&["A.sol", "-O", "7"], "use 0, 1, 2, 3 or z"),
        (&["A.sol", "a.yul"], "cannot be compiled together"),
        (&["A.sol", "--kernel"], "--kernel is for Yul"),
        (&["--standard-json", "--kernel"], "cannot be used with"),
        (&["A.sol", "--libraries", "A.sol:L=0x12"], "40 hex digits"),
        (&["x/=y/"], "no source file given"),
        (&["A.sol", "--emit", "nothing"], "possible values"),
    ] {
        let run = workspace.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn one_output_of_one_contract_stands_alone_and_several_are_titled() {
    let workspace = Workspace::new(&[("Counter.sol", COUNTER)]);
    let abi: Value =
        serde_json::from_str(&workspace.run(&["Counter.sol", "--emit", "abi"]).ok()).expect("JSON");
    assert!(abi.as_array().is_some_and(|entries| entries.iter().any(|entry| entry["name"] == "advance")));
    let text = workspace.run(&["Counter.sol", "--emit", "yul,llvm-ir,asm,bytecode,source-map,methods"]).ok();
    for title in [
        "======= Counter.sol:Counter =======",
        "Yul:\n",
        "LLVM IR of the deploy code:\n",
        "Disassembly of the runtime page:\n",
        "Deploy page:\n",
        "Runtime page:\n",
        "Source map of the runtime page:\n",
        "Methods:\n",
    ] {
        assert!(text.contains(title), "{title:?} is missing");
    }
    assert!(text.contains("define ") && text.contains("object \"Counter_"), "IR and Yul are texts");
}

#[test]
fn files_are_named_as_solc_names_them_and_not_replaced_unasked() {
    let workspace = Workspace::new(&[("Counter.sol", COUNTER)]);
    let arguments = ["Counter.sol", "--emit", "bytecode,abi,storage-layout,asm", "-o", "build"];
    workspace.run(&arguments).ok();
    let (deploy, runtime) =
        (workspace.read("build/Counter.bin"), workspace.read("build/Counter.bin-runtime"));
    for page in [&deploy, &runtime] {
        assert!(
            !page.is_empty()
                && page.len().is_multiple_of(12 * 16)
                && page.bytes().all(|c| c.is_ascii_hexdigit())
        );
    }
    assert!(workspace.read("build/Counter_storage.json").contains("\"label\": \"value\""));
    assert!(workspace.read("build/Counter.abi").starts_with('['));
    assert!(!workspace.read("build/Counter-runtime.lasm").is_empty());
    let again = workspace.run(&arguments);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("--overwrite"), "{}", again.stderr);
    workspace.run(&[&arguments[..], &["--overwrite"]].concat()).ok();
}

#[test]
fn imports_are_found_by_remapping_include_path_and_base_path() {
    let main = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\nimport {A} from \"@lib/A.sol\";\n\
                import \"shared/B.sol\";\ncontract C is A, B { }\n";
    let part = |name: &str| {
        format!("// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract {name} {{ }}\n")
    };
    let workspace = Workspace::new(&[
        ("app/src/C.sol", main),
        ("lib/a/A.sol", &part("A")),
        ("include/shared/B.sol", &part("B")),
    ]);
    let found = ["app/src/C.sol", "@lib/=lib/a/", "--include-path", "include"];
    assert!(workspace.run(&found).ok().contains("app/src/C.sol:C"));
    let based = ["app/src/C.sol", "@lib/=../lib/a/", "--base-path", "app", "--include-path", "include"];
    assert!(workspace.run(&based).ok().contains("src/C.sol:C"));
    let missing = workspace.run(&found[..2]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("Searched the following locations: \"shared/B.sol\""),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_file_outside_the_allowed_folders_is_not_read() {
    let outside = Workspace::new(&[("Secret.sol", "contract Secret { }")]);
    let path = outside.0.path().join("Secret.sol");
    let source = format!("pragma solidity ^0.8.24;\nimport \"{}\";\n", path.display());
    let inside = Workspace::new(&[("A.sol", &source)]);
    let run = inside.run(&["A.sol"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("File outside of allowed directories"), "{}", run.stderr);
    let folder = outside.0.path().display().to_string();
    inside.run(&["A.sol", "--allow-paths", &folder]).ok();
}

#[test]
fn yul_needs_no_solc() {
    let yul = "object \"Adder\" { code { mstore(0, add(calldataload(0), calldataload(32))) return(0, 32) } }";
    let workspace = Workspace::new(&[("adder.yul", yul), ("adder.txt", yul)]);
    let text = workspace.run(&["adder.yul"]).ok();
    assert!(text.contains("adder.yul:Adder") && !text.contains("solc"), "{text}");
    assert!(workspace.run(&["--yul", "adder.txt", "--emit", "asm"]).ok().contains("add"));
    assert!(workspace.run_with_input(&["--yul", "-"], yul).ok().contains("<stdin>:Adder"));
    let broken = workspace.run_with_input(&["--yul", "-"], "object \"A\" { code { pop(add(1)) } }");
    assert_eq!(broken.code, Some(1));
    assert!(broken.stderr.contains("--> <stdin>:1:") && broken.stderr.contains('^'), "{}", broken.stderr);
}

#[test]
fn the_level_changes_the_code() {
    let workspace = Workspace::new(&[("Counter.sol", COUNTER)]);
    let size = |level: &str| {
        let summary = workspace.run(&["Counter.sol", "--json", "-O", level]).json();
        summary["contracts"]["Counter.sol:Counter"]["runtime"]["instructions"].as_u64().expect("a number")
    };
    assert!(size("0") > size("z"), "-O0 {} instructions, -Oz {}", size("0"), size("z"));
}

#[test]
fn libraries_are_linked_from_the_command_line() {
    let workspace = Workspace::new(&[("A.sol", LINKED)]);
    let linked = |address: &str| {
        let libraries = format!("A.sol:Steps={address}");
        let summary = workspace.run(&["A.sol", "--json", "--libraries", &libraries]).json();
        summary["contracts"]["A.sol:Counter"]["runtime"]["hash"].as_str().map(str::to_string).expect("a hash")
    };
    let one = linked("0x1111111111111111111111111111111111111111");
    assert_ne!(one, linked("0x2222222222222222222222222222222222222222"), "the hash depends on the address");
}

#[test]
fn the_version_ends_with_solcs_as_foundry_reads_it() {
    let text = Workspace::new(&[]).run(&["--version"]).ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "lathec, the Lathe compiler commandline interface");
    assert!(lines[1].ends_with(env!("CARGO_PKG_VERSION")), "{}", lines[1]);
    let (number, build) =
        lines[2].strip_prefix("Version: ").and_then(|v| v.split_once('+')).expect("a version");
    assert!(number.starts_with("0.8.") && build.contains("lathe"), "{}", lines[2]);
}

#[test]
fn without_solc_the_message_says_how_to_get_one() {
    let workspace = Workspace::new(&[("Counter.sol", COUNTER), ("empty", "")]);
    let program = env!("CARGO_BIN_EXE_lathec");
    let run = |solc: &str, guard: bool| {
        let mut command = std::process::Command::new(program);
        command.current_dir(&workspace.0).env("LATHEC_SOLC", solc).arg("Counter.sol");
        if guard {
            command.env("LATHEC_FRONT_END", "1");
        }
        super::Run::from(command.output().expect("lathec"))
    };
    for (solc, guard, expected) in [
        ("empty", false, "neither a solc"),
        (".", false, "neither a solc"),
        ("", true, "as its own front end"),
    ] {
        let run = run(solc, guard);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains(expected) && run.stderr.contains("LATHEC_SOLC"), "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_native_solc_on_path_is_preferred_to_the_npm_package() {
    use std::os::unix::fs::PermissionsExt;
    // The npm package behind what looks like a native solc.
    let script = "#!/bin/sh\ncase \"$1\" in\n\
        --version) printf 'solc, the solidity compiler commandline interface\\nVersion: 0.8.37+commit.01234567.Linux.g++\\n' ;;\n\
        --standard-json) touch called\n\
        exec node -e 'const fs = require(\"fs\"); const solc = require(process.argv[1]); \
        process.stdout.write(solc.compile(fs.readFileSync(0, \"utf8\")))' \"$PACKAGE\" ;;\nesac\n";
    let workspace = Workspace::new(&[("Counter.sol", COUNTER), ("bin/solc", script)]);
    let solc = workspace.0.path().join("bin/solc");
    std::fs::set_permissions(&solc, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = std::env::var("PATH").unwrap_or_default();
    let run = |argument: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lathec"));
        command.current_dir(&workspace.0).arg(argument).env_remove("LATHEC_SOLC");
        command.env("PATH", format!("{}:{path}", workspace.0.path().join("bin").display()));
        command.env(
            "PACKAGE",
            super::repository().join("contracts/node_modules/solc").canonicalize().expect("solc"),
        );
        super::Run::from(command.output().expect("lathec")).ok()
    };
    assert!(run("--version").ends_with("Version: 0.8.37+commit.01234567.Linux.g++.lathe.0.1.0\n"));
    assert!(run("Counter.sol").contains("runtime"));
    assert!(workspace.0.path().join("called").is_file(), "the native one ran");
}
