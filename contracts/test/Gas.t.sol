// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Statement} from "../src/Statement.sol";
import {RollupTest} from "./lib/RollupTest.sol";

/// @notice Prints what each L1 call costs and holds it to a ceiling. `make gas` runs it with each call as a
/// transaction of its own, base cost and calldata included.
contract GasTest is RollupTest {
    function setUp() public {
        setUpRollup();
        // The first batch writes slots that later ones only change.
        run(1, PAIR, false);
    }

    function test_gas_of_one_head_and_one_body() public {
        run(2, PAIR, true);
    }

    function test_gas_of_four_circuits_of_three_shapes() public {
        run(2, MIXED, true);
    }

    function run(uint256 number, uint256 layoutId, bool print) internal {
        Statement.BatchHeader memory h = header(number);
        bytes memory proof = proofOf(h, layoutId);
        commit(h);
        uint256 committed = vm.lastCallGas().gasTotalUsed;
        rollup.proveBatch(h, layoutId, proof);
        uint256 proven = vm.lastCallGas().gasTotalUsed;
        rollup.executeBatch(number);
        uint256 executed = vm.lastCallGas().gasTotalUsed;
        if (!print) return;
        emit log_named_uint("proof bytes  ", proof.length);
        emit log_named_uint("commitBatch  ", committed);
        emit log_named_uint("proveBatch   ", proven);
        emit log_named_uint("executeBatch ", executed);
        // DESIGN section 5: 264k + 110k per further shape + 58k per circuit, and room for the rollup's own part.
        uint256 shapes = layoutId == PAIR ? 2 : 3;
        uint256 budget = 264_000 + 110_000 * (shapes - 1) + 58_000 * proof.length / 352 + 60_000;
        assertTrue(proven <= budget, "proveBatch within its budget");
    }
}
