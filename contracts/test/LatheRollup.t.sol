// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BatchVerifier} from "../src/BatchVerifier.sol";
import {IBatchVerifier} from "../src/IBatchVerifier.sol";
import {LatheRollup} from "../src/LatheRollup.sol";
import {Statement} from "../src/Statement.sol";
import {RollupTest} from "./lib/RollupTest.sol";

/// @notice Batches go through commit, prove and execute in order, and in no other way.
contract LatheRollupTest is RollupTest {
    event BatchCommitted(uint256 indexed number, bytes32 indexed statement, bytes32 newStateRoot);
    event BatchProven(uint256 indexed number, bytes32 indexed statement);
    event BatchExecuted(uint256 indexed number, bytes32 newStateRoot);
    event BatchesReverted(uint256 committed, uint256 proven);

    function setUp() public {
        setUpRollup();
    }

    /*//////////////////////////////////////////////////////////////
                              THE WAY THROUGH
    //////////////////////////////////////////////////////////////*/

    function test_starts_at_genesis() public view {
        assertEq(rollup.executedStateRoot(), GENESIS, "root");
        requireTotals(0, 0, 0);
        assertEq(rollup.storedStateRoot(0), GENESIS, "stored root");
        assertEq(rollup.storedStatement(0), 0, "no statement");
        assertEq(rollup.storedStatement(1), 0, "unknown batch");
    }

    function test_commit_prove_execute() public {
        Statement.BatchHeader memory h = header(1);
        bytes32 statement = rollup.statementOf(h);
        bytes memory proof = proofOf(h, PAIR);

        vm.expectEmit(true, true, true, true, address(rollup));
        emit BatchCommitted(1, statement, root(1));
        commit(h);
        assertEq(rollup.storedStatement(1), statement, "stored statement");
        requireTotals(1, 0, 0);

        vm.expectEmit(true, true, true, true, address(rollup));
        emit BatchProven(1, statement);
        rollup.proveBatch(h, PAIR, proof);
        requireTotals(1, 1, 0);
        assertEq(rollup.executedStateRoot(), GENESIS, "not executed yet");

        vm.expectEmit(true, true, true, true, address(rollup));
        emit BatchExecuted(1, root(1));
        rollup.executeBatch(1);
        requireTotals(1, 1, 1);
        assertEq(rollup.executedStateRoot(), root(1), "executed root");
    }

    function test_batches_may_overlap_in_their_steps() public {
        commit(header(1));
        commit(header(2));
        commit(header(3));
        prove(1);
        prove(2);
        rollup.executeBatch(1);
        prove(3);
        rollup.executeBatch(2);
        rollup.executeBatch(3);
        requireTotals(3, 3, 3);
        assertEq(rollup.executedStateRoot(), root(3), "executed root");
    }

    function test_a_batch_may_be_proven_under_any_layout_of_the_verifier() public {
        Statement.BatchHeader memory h = header(1);
        commit(h);
        rollup.proveBatch(h, MIXED, proofOf(h, MIXED));
        requireTotals(1, 1, 0);
    }

    /*//////////////////////////////////////////////////////////////
                                 COMMIT
    //////////////////////////////////////////////////////////////*/

    function test_only_the_operator_commits_and_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.NotOperator.selector, OPERATOR, address(this)));
        rollup.commitBatch(header(1), data);
        commit(header(1));
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.NotOperator.selector, OPERATOR, address(this)));
        rollup.revertBatches(0);
    }

    function test_commit_refuses_a_gap_and_a_repetition() public {
        refuseCommit(header(2), abi.encodeWithSelector(LatheRollup.WrongBatchNumber.selector, 1, 2));
        commit(header(1));
        refuseCommit(header(1), abi.encodeWithSelector(LatheRollup.WrongBatchNumber.selector, 2, 1));
    }

    function test_commit_refuses_another_previous_root() public {
        Statement.BatchHeader memory h = header(1);
        h.previousStateRoot = root(7);
        bytes4 selector = LatheRollup.WrongPreviousStateRoot.selector;
        refuseCommit(h, abi.encodeWithSelector(selector, GENESIS, root(7)));
        commit(header(1));
        h = header(2);
        h.previousStateRoot = GENESIS;
        refuseCommit(h, abi.encodeWithSelector(selector, root(1), GENESIS));
    }

    function test_commit_refuses_time_that_falls_or_runs_ahead() public {
        commit(header(1));
        Statement.BatchHeader memory h = header(2);
        h.timestamp = header(1).timestamp - 1;
        bytes4 early = LatheRollup.TimestampTooEarly.selector;
        refuseCommit(h, abi.encodeWithSelector(early, h.timestamp + 1, h.timestamp));
        h.timestamp = NOW + 15 minutes + 1;
        bytes4 late = LatheRollup.TimestampTooLate.selector;
        refuseCommit(h, abi.encodeWithSelector(late, NOW + 15 minutes, h.timestamp));
        h.timestamp = NOW + 15 minutes;
        commit(h);
    }

    function test_commit_refuses_other_bytes_than_the_header_names() public {
        Statement.BatchHeader memory h = header(1);
        h.batchDataHash = keccak256("other");
        bytes4 selector = LatheRollup.WrongBatchDataHash.selector;
        refuseCommit(h, abi.encodeWithSelector(selector, keccak256(data), h.batchDataHash));
    }

    /*//////////////////////////////////////////////////////////////
                            PROVE AND EXECUTE
    //////////////////////////////////////////////////////////////*/

    function test_prove_refuses_an_uncommitted_batch_and_the_wrong_order() public {
        Statement.BatchHeader memory h = header(1);
        bytes memory proof = proofOf(h, PAIR);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.BatchNotReady.selector, 0, 1));
        rollup.proveBatch(h, PAIR, proof);

        commit(header(1));
        commit(header(2));
        Statement.BatchHeader memory second = header(2);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.WrongBatchNumber.selector, 1, 2));
        rollup.proveBatch(second, PAIR, proof);

        rollup.proveBatch(h, PAIR, proof);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.WrongBatchNumber.selector, 2, 1));
        rollup.proveBatch(h, PAIR, proof);
    }

    function test_prove_refuses_another_header_than_the_committed_one() public {
        commit(header(1));
        Statement.BatchHeader memory h = header(1);
        h.newStateRoot = root(9);
        bytes memory proof = proofOf(h, PAIR);
        bytes32 expected = rollup.storedStatement(1);
        bytes32 got = rollup.statementOf(h);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.WrongStatement.selector, expected, got));
        rollup.proveBatch(h, PAIR, proof);
    }

    function test_prove_refuses_a_proof_of_another_batch() public {
        Statement.BatchHeader memory h = header(1);
        commit(h);
        bytes32 statement = rollup.storedStatement(1);
        bytes memory proof = proofOf(header(2), PAIR);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.ProofRejected.selector, 1, statement));
        rollup.proveBatch(h, PAIR, proof);
        requireTotals(1, 0, 0);
    }

    function test_prove_refuses_a_proof_made_for_another_rollup() public {
        Statement.BatchHeader memory h = header(1);
        bytes memory proof = proofOf(h, PAIR);
        rollup = new LatheRollup(GENESIS, verifier, KERNEL, L2_CHAIN, 0, OPERATOR, false);
        commit(h);
        bytes32 statement = rollup.storedStatement(1);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.ProofRejected.selector, 1, statement));
        rollup.proveBatch(h, PAIR, proof);
    }

    function test_prove_passes_on_why_a_proof_is_malformed() public {
        Statement.BatchHeader memory h = header(1);
        commit(h);
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.ProofLength.selector, 704, 0));
        rollup.proveBatch(h, PAIR, "");
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.UnknownLayout.selector, 77));
        rollup.proveBatch(h, 77, "");
    }

    function test_execute_refuses_an_unproven_batch_and_the_wrong_order() public {
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.BatchNotReady.selector, 0, 1));
        rollup.executeBatch(1);
        commit(header(1));
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.BatchNotReady.selector, 0, 1));
        rollup.executeBatch(1);
        prove(1);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.WrongBatchNumber.selector, 1, 2));
        rollup.executeBatch(2);
        rollup.executeBatch(1);
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.WrongBatchNumber.selector, 2, 1));
        rollup.executeBatch(1);
    }

    /*//////////////////////////////////////////////////////////////
                                 REVERT
    //////////////////////////////////////////////////////////////*/

    function test_reverted_batches_are_gone_and_their_numbers_free() public {
        commit(header(1));
        commit(header(2));
        commit(header(3));
        prove(1);
        prove(2);
        rollup.executeBatch(1);

        vm.expectEmit(true, true, true, true, address(rollup));
        emit BatchesReverted(1, 1);
        vm.prank(OPERATOR);
        rollup.revertBatches(1);
        requireTotals(1, 1, 1);
        assertEq(rollup.storedStatement(2), 0, "batch 2");
        assertEq(rollup.storedStatement(3), 0, "batch 3");

        Statement.BatchHeader memory h = header(2);
        h.newStateRoot = root(22);
        commit(h);
        assertEq(rollup.storedStatement(2), rollup.statementOf(h), "the new batch 2");
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.BatchNotReady.selector, 1, 2));
        rollup.executeBatch(2);
    }

    function test_revert_keeps_proven_batches_below_it() public {
        commit(header(1));
        commit(header(2));
        prove(1);
        vm.prank(OPERATOR);
        rollup.revertBatches(1);
        requireTotals(1, 1, 0);
    }

    function test_revert_refuses_executed_and_unknown_batches() public {
        commit(header(1));
        commit(header(2));
        prove(1);
        rollup.executeBatch(1);
        for (uint64 number = 0; number < 4; ++number) {
            if (number == 1) continue;
            vm.expectRevert(abi.encodeWithSelector(LatheRollup.CannotRevertTo.selector, 1, 2, number));
            vm.prank(OPERATOR);
            rollup.revertBatches(number);
        }
    }

    /*//////////////////////////////////////////////////////////////
                               DEPLOYMENT
    //////////////////////////////////////////////////////////////*/

    function test_production_refuses_protocol_version_0() public {
        BatchVerifier sound = new BatchVerifier(keys(false), layouts());
        vm.expectRevert(LatheRollup.ProductionNeedsProtocolVersion.selector);
        new LatheRollup(GENESIS, sound, KERNEL, L2_CHAIN, 0, OPERATOR, true);
        assertTrue(
            new LatheRollup(GENESIS, sound, KERNEL, L2_CHAIN, 1, OPERATOR, true).production(), "version 1"
        );
    }

    function test_production_refuses_development_keys() public {
        bytes4 selector = LatheRollup.ProductionNeedsCeremonyKeys.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, address(verifier)));
        new LatheRollup(GENESIS, verifier, KERNEL, L2_CHAIN, 1, OPERATOR, true);
    }

    function test_deployment_refuses_no_verifier_and_no_operator() public {
        vm.expectRevert(abi.encodeWithSelector(LatheRollup.NoVerifier.selector, address(5555)));
        new LatheRollup(GENESIS, IBatchVerifier(address(5555)), KERNEL, L2_CHAIN, 0, OPERATOR, false);
        vm.expectRevert(LatheRollup.NoOperator.selector);
        new LatheRollup(GENESIS, verifier, KERNEL, L2_CHAIN, 0, address(0), false);
    }

    /*//////////////////////////////////////////////////////////////
                                HELPERS
    //////////////////////////////////////////////////////////////*/

    function refuseCommit(Statement.BatchHeader memory h, bytes memory reason) internal {
        vm.expectRevert(reason);
        commit(h);
    }

    function requireTotals(uint256 committed, uint256 proven, uint256 executed) internal view {
        assertEq(rollup.totalBatchesCommitted(), committed, "committed");
        assertEq(rollup.totalBatchesProven(), proven, "proven");
        assertEq(rollup.totalBatchesExecuted(), executed, "executed");
    }
}
