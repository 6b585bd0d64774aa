// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BatchVerifier} from "../../src/BatchVerifier.sol";
import {Simulator} from "./Simulator.sol";
import {Test} from "./Test.sol";
import {TestKeys} from "./TestKeys.sol";

/// @title VerifierTest
/// @notice Base of tests that need a verifier with three simulated shapes and the layouts below.
abstract contract VerifierTest is Test {
    address internal constant ROLLUP = 0x1111111111111111111111111111111111111111;

    uint32 internal constant HEAD_ONLY = 4;
    uint32 internal constant PAIR = 1;
    uint32 internal constant PAIR_TWIN = 5;
    uint32 internal constant TWO_BODIES = 2;
    uint32 internal constant MIXED = 3;

    BatchVerifier internal verifier;

    function layouts() internal pure returns (BatchVerifier.Layout[] memory list) {
        list = new BatchVerifier.Layout[](5);
        list[0] = BatchVerifier.Layout(PAIR, hex"0001");
        list[1] = BatchVerifier.Layout(TWO_BODIES, hex"000101");
        list[2] = BatchVerifier.Layout(MIXED, hex"00020102");
        list[3] = BatchVerifier.Layout(HEAD_ONLY, hex"00");
        list[4] = BatchVerifier.Layout(PAIR_TWIN, hex"0001");
    }

    function keys(bool development) internal view returns (BatchVerifier.Key[] memory list) {
        list = new BatchVerifier.Key[](TestKeys.SHAPES);
        for (uint256 v = 0; v < list.length; ++v) {
            list[v] = BatchVerifier.Key(Simulator.key(v), development);
        }
    }

    /// @dev A job for the rollup, chain and layout of these tests.
    function job(bytes32 statement, uint256 layoutId) internal view returns (Simulator.Job memory) {
        bytes memory shapes = verifier.layoutShapes(layoutId);
        uint256[] memory sums = Simulator.balanced(shapes.length, layoutId);
        return Simulator.Job(block.chainid, ROLLUP, statement, layoutId, shapes, sums, layoutId);
    }

    function accepts(Simulator.Job memory j, uint256[11][] memory rows) internal view returns (bool) {
        return verifier.verify(j.rollup, j.statement, j.layoutId, Simulator.encode(rows));
    }
}
