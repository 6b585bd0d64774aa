// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BatchVerifier} from "../../src/BatchVerifier.sol";
import {LatheRollup} from "../../src/LatheRollup.sol";
import {Statement} from "../../src/Statement.sol";
import {Simulator} from "./Simulator.sol";
import {VerifierTest} from "./VerifierTest.sol";

/// @title RollupTest
/// @notice Base of tests that need a rollup over the simulated verifier, with headers and proofs for it.
abstract contract RollupTest is VerifierTest {
    bytes32 internal constant GENESIS = keccak256("genesis");
    bytes32 internal constant KERNEL = keccak256("kernel");
    uint256 internal constant L2_CHAIN = 270;
    uint256 internal constant NOW = 1_800_000_000;
    address internal constant OPERATOR = 0x2222222222222222222222222222222222222222;

    /// @dev As long as 16 transfers of 116 bytes, with few zero bytes.
    bytes internal data;

    LatheRollup internal rollup;

    function setUpRollup() internal {
        vm.warp(NOW);
        for (uint256 i = 0; i < 58; ++i) {
            data = bytes.concat(data, keccak256(abi.encode("posted", i)));
        }
        verifier = new BatchVerifier(keys(true), layouts());
        rollup = new LatheRollup(GENESIS, verifier, KERNEL, L2_CHAIN, 0, OPERATOR, false);
    }

    function root(uint256 number) internal pure returns (bytes32) {
        return number == 0 ? GENESIS : keccak256(abi.encode("root", number));
    }

    function header(uint256 number) internal view returns (Statement.BatchHeader memory) {
        return Statement.BatchHeader({
            number: number,
            timestamp: NOW - 100 + number,
            previousStateRoot: root(number - 1),
            newStateRoot: root(number),
            batchDataHash: keccak256(data),
            priorityOps: 0,
            priorityOpsHash: 0,
            l2ToL1Root: keccak256("messages"),
            baseFee: 7,
            gasLimit: 30_000_000,
            prevrandao: keccak256("randao"),
            l1GasPrice: 11,
            pastBlockHashes: keccak256("blocks"),
            feeRecipient: address(0x33)
        });
    }

    /// @dev A simulated proof of `h` for this rollup.
    function proofOf(Statement.BatchHeader memory h, uint256 layoutId) internal view returns (bytes memory) {
        Simulator.Job memory j = job(rollup.statementOf(h), layoutId);
        j.rollup = address(rollup);
        return Simulator.encode(Simulator.prove(j));
    }

    function commit(Statement.BatchHeader memory h) internal {
        vm.prank(OPERATOR);
        rollup.commitBatch(h, data);
    }

    function prove(uint256 number) internal {
        Statement.BatchHeader memory h = header(number);
        rollup.proveBatch(h, PAIR, proofOf(h, PAIR));
    }
}
