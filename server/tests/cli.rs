//! The command line: help that shows how, errors that say what, exit statuses that tell.
use lathe_kernels::{BackendChoice, DeviceOptions, detect};
use std::process::{Command, Output};

fn lathe(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lathe")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_subcommand_has_help_with_an_example() {
    for name in ["serve", "submit", "status", "setup", "verify", "run", "debug", "demo"] {
        let output = lathe(&[name, "--help"]);
        assert!(output.status.success());
        let help = text(&output.stdout);
        assert!(help.contains("Example") && help.contains(&format!("lathe {name}")), "{name}: {help}");
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error_in_words() {
    for args in [&["status"][..], &["status", "1"], &["status", "--json"]] {
        let output = lathe(&[args, &["--url", "http://127.0.0.1:9"]].concat());
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains("does not answer"), "{}", text(&output.stderr));
    }
}

#[test]
fn files_that_are_missing_or_wrong_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_string();
    for command in ["submit", "verify", "debug"] {
        let output = lathe(&[command, &path("none.json")]);
        assert!(
            !output.status.success() && text(&output.stderr).contains("none.json"),
            "{}",
            text(&output.stderr)
        );
    }
    std::fs::write(path("batch.json"), r#"{"number":1,"timestamp":1,"transaction":[]}"#).unwrap();
    let output = lathe(&["submit", &path("batch.json")]);
    let error = text(&output.stderr);
    assert!(error.contains("batch.json") && error.contains("transaction"), "{error}");
    // Keys that are no keys: the file at fault is named, nothing panics.
    std::fs::write(path("verifying-keys.json"), "{}").unwrap();
    let proof = r#"{"number":1}"#;
    std::fs::write(path("proof.json"), proof).unwrap();
    let output = lathe(&["verify", &path("proof.json"), "--keys-dir", dir.path().to_str().unwrap()]);
    assert!(text(&output.stderr).contains("proof.json"), "{}", text(&output.stderr));
}

#[test]
fn wrong_settings_of_the_server_are_refused_by_name() {
    for args in
        [&["serve", "--listen", "nowhere"][..], &["serve", "--max-steps", "many"], &["setup", "--deploy"]]
    {
        let output = lathe(args);
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(
            error.contains("--listen") || error.contains("--max-steps") || error.contains("--l1-key-file"),
            "{error}"
        );
    }
    for command in ["serve", "setup", "demo"] {
        for (args, hint) in [
            (["--backend", "gpu"], "choose auto, cuda, wgpu or cpu"),
            (["--device-memory", "8 gigs"], "8GiB"),
        ] {
            let output = lathe(&[&[command][..], &args].concat());
            assert_eq!(output.status.code(), Some(2));
            let error = text(&output.stderr);
            assert!(error.contains(args[0]) && error.contains(hint), "{error}");
        }
    }
}

/// Before any key is made or read: a device asked for by name that is not there must not cost minutes first.
#[test]
fn a_backend_that_is_not_there_is_an_error_and_never_replaced() {
    let Err(reason) = detect(BackendChoice::Cuda, &DeviceOptions::default()) else {
        eprintln!("this machine has a CUDA device: there is nothing to refuse");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let output = lathe(&["setup", "--backend", "cuda", "--keys-dir", dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("cuda is not available") && error.contains(&reason.to_string()), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
