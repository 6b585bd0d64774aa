// A project that Hardhat builds with lathec: the subtask that chooses a compiler answers with ours.
"use strict";

const path = require("path");
const { execFileSync } = require("child_process");
const { subtask } = require("hardhat/config");
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require("hardhat/builtin-tasks/task-names");

/** $LATHEC, else what this script finds. */
const compilerPath = process.env.LATHEC || path.join(__dirname, "../foundry/lathec");

/** The version of Solidity that lathec reads: solc's, the last line of `lathec --version`. */
const longVersion = execFileSync(compilerPath, ["--version"], { encoding: "utf8" }).match(/^Version: (.*)$/m)[1];
const version = longVersion.split("+")[0];

subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async () => ({ compilerPath, isSolcJs: false, version, longVersion }));

module.exports = {
  solidity: {
    version,
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 200 },
      libraries: { "contracts/Counter.sol": { Steps: "0x00000000000000000000000000000000000c0de1" } },
    },
  },
};
