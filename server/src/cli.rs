//! The command line of `lathe`. Help texts are the manual: every subcommand shows an example.
use crate::commands::{debug::Debug, run::Run, setup::Setup, status::Status, submit::Submit, verify::Verify};
use crate::config::Config;
use crate::demo::Demo;
use clap::{Parser, Subcommand};

/// Proves batches of L2 transactions and settles them on L1.
#[derive(Debug, Parser)]
#[command(name = "lathe", version, about, propagate_version = true)]
#[command(after_help = "Logs go to stderr; LATHE_LOG sets their level (info, debug, lathe=debug,...).")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server: HTTP API, prover and, if a contract is given, the L1 relayer.
    #[command(
        after_help = "Examples:\n  lathe serve\n  lathe serve --data-dir /var/lib/lathe --l1-rpc https://node.example \\\n      --l1-contract 0x5fbd... --l1-key-file /etc/lathe/operator.key"
    )]
    Serve(Box<Config>),
    /// Post a batch to a server.
    #[command(
        after_help = "Examples:\n  lathe submit batch.json\n  lathe submit - --url http://10.0.0.2:8080 --wait executed < batch.json"
    )]
    Submit(Submit),
    /// Ask a server how it is, or how far a batch is.
    #[command(after_help = "Examples:\n  lathe status\n  lathe status 1 --json")]
    Status(Status),
    /// Make and cache the proving keys; with --deploy, deploy the L1 contracts too.
    #[command(
        after_help = "Examples:\n  lathe setup\n  lathe setup --deploy --l1-rpc http://127.0.0.1:8545 --l1-key-file operator.key"
    )]
    Setup(Setup),
    /// Verify a proof offline.
    #[command(
        after_help = "Examples:\n  curl -s localhost:8080/v1/batches/1/proof > proof.json\n  lathe verify proof.json"
    )]
    Verify(Verify),
    /// Compile a Solidity file with lathec, deploy a contract of it on the VM and call it.
    #[command(
        after_help = "Examples:\n  lathe run Token.sol --args 1000 --call 'transfer(address,uint256)' 0x7000000000000000000000000000000000000070 7\n  \
                      lathe run Vault.sol --contract Vault --call deposit --value '1 ether' --call 'balance()' --json\n  \
                      lathe run Token.sol --args 1000 --call totalSupply --trace\n  \
                      lathe run Token.sol --args 1000 --call totalSupply --profile=token.svg\n\n\
                      Options behind a call belong to it, those before the first call to the deployment. Exit status 1: a call failed."
    )]
    Run(Box<Run>),
    /// Replay a batch transaction by transaction, without a server: what each did, which cells it changed.
    #[command(
        after_help = "Examples:\n  lathe debug batch.json\n  lathe debug batch-1.json batch-2.json --genesis genesis.json\n  \
                      lathe debug batch.json --tx 3 --trace --source Token.sol\n\n\
                      A batch is what `lathe submit` posts: {\"number\", \"timestamp\", \"transactions\": [\"0x02f8...\"]}. It may name its \
                      state too, as \"genesis\": {\"accounts\": [...]}. Exit status 1: it has no outcome."
    )]
    Debug(Debug),
    /// Run everything once on this machine: local L1, contracts, server, a batch, its proof, settlement.
    #[command(after_help = "Example:\n  lathe demo --txs 16")]
    Demo(Demo),
}
