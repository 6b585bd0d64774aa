//! Claims about the code in `bench/fixtures`, which `prover-bench vm` needs no compiler for: it is what the corpus compiles
//! to. `LATHE_WRITE_FIXTURES=1` writes the files anew.
use lathe_compiler::compile::Level;
use lathe_oracle::corpus;
use std::path::Path;

#[test]
fn the_erc20_of_the_benchmark_is_what_the_corpus_compiles_to() {
    let (contract, pages) = corpus::built("OzErc20", Level::O3).expect("the corpus compiles");
    let page = pages.runtime.expect("a contract with a runtime page");
    let page: String = page.words.iter().map(|word| format!("{word:016x}")).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/fixtures");
    for (name, code) in [("OzErc20.page.hex", page), ("OzErc20.evm.hex", hex::encode(&contract.initcode))] {
        let file = folder.join(name);
        if std::env::var_os("LATHE_WRITE_FIXTURES").is_some() {
            std::fs::write(&file, format!("{code}\n")).expect("a file");
        }
        let kept = std::fs::read_to_string(&file).expect("a file");
        assert!(
            kept.trim() == code,
            "{name} is not what the corpus compiles to; bench/fixtures/README.md says how to write it"
        );
    }
}
