// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {LatheRollup} from "../src/LatheRollup.sol";
import {PriorityQueue} from "../src/PriorityQueue.sol";
import {Statement} from "../src/Statement.sol";
import {RollupTest} from "./lib/RollupTest.sol";
import {BatchVerifier} from "../src/BatchVerifier.sol";

/// @dev A rollup whose queue a test can fill; the deployed one has no way to.
contract RollupWithRequests is LatheRollup {
    constructor(bytes32 genesis, BatchVerifier verifier_, address operator_)
        LatheRollup(genesis, verifier_, keccak256("kernel"), 270, 0, operator_, false)
    {}

    function push(bytes32 operation) external {
        _push(operation);
    }
}

/// @notice L1 recomputes the chain from its own queue, and each operation is taken once.
contract PriorityQueueTest is RollupTest {
    RollupWithRequests internal queue;

    function setUp() public {
        setUpRollup();
        queue = new RollupWithRequests(GENESIS, verifier, OPERATOR);
        rollup = queue;
        for (uint256 i = 1; i <= 3; ++i) {
            queue.push(bytes32(i));
        }
    }

    function test_requests_are_reserved() public {
        vm.expectRevert(PriorityQueue.PriorityOpsReserved.selector);
        rollup.requestPriorityOp("operation");
    }

    function test_a_batch_takes_the_chain_of_its_operations() public {
        bytes32 first = keccak256(abi.encode(bytes32(0), uint256(1)));
        commit(headerWith(1, 2, keccak256(abi.encode(first, uint256(2)))));
        assertEq(rollup.priorityOpsCommitted(), 2, "taken");
        commit(headerWith(2, 0, 0));
        commit(headerWith(3, 1, keccak256(abi.encode(bytes32(0), uint256(3)))));
        assertEq(rollup.priorityOpsCommitted(), 3, "taken");
        assertEq(rollup.priorityOpsRequested(), 3, "requested");
    }

    function test_refuses_a_chain_that_is_not_the_queue_s() public {
        bytes32 expected = keccak256(abi.encode(bytes32(0), uint256(1)));
        bytes4 selector = LatheRollup.WrongPriorityOpsHash.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, expected, bytes32(0)));
        commit(headerWith(1, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(selector, bytes32(0), expected));
        commit(headerWith(1, 0, expected));
    }

    function test_refuses_more_operations_than_wait() public {
        commit(headerWith(1, 1, keccak256(abi.encode(bytes32(0), uint256(1)))));
        vm.expectRevert(abi.encodeWithSelector(PriorityQueue.PriorityOpsMissing.selector, 2, 3));
        commit(headerWith(2, 3, 0));
        uint256 huge = type(uint256).max;
        vm.expectRevert(abi.encodeWithSelector(PriorityQueue.PriorityOpsMissing.selector, 2, huge));
        commit(headerWith(2, huge, 0));
    }

    function test_reverting_a_batch_returns_its_operations() public {
        Statement.BatchHeader memory h = headerWith(1, 1, keccak256(abi.encode(bytes32(0), uint256(1))));
        commit(h);
        vm.prank(OPERATOR);
        rollup.revertBatches(0);
        assertEq(rollup.priorityOpsCommitted(), 0, "returned");
        commit(h);
        assertEq(rollup.priorityOpsCommitted(), 1, "taken again");
    }

    function headerWith(uint256 number, uint256 count, bytes32 chain)
        internal
        view
        returns (Statement.BatchHeader memory h)
    {
        h = header(number);
        (h.priorityOps, h.priorityOpsHash) = (count, chain);
    }
}
