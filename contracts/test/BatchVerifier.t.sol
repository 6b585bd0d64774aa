// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "../src/BN254.sol";
import {BatchVerifier} from "../src/BatchVerifier.sol";
import {Simulator} from "./lib/Simulator.sol";
import {TestKeys} from "./lib/TestKeys.sol";
import {VerifierTest} from "./lib/VerifierTest.sol";

/// @notice Every claim breaks an accepted proof in one way and expects its rejection.
contract BatchVerifierTest is VerifierTest {
    bytes32 internal constant STATEMENT = keccak256("statement");

    /// @dev Far above what a check needs; a precompile that refuses its input consumes all it is given.
    uint256 internal constant GAS = 5_000_000;

    function setUp() public {
        verifier = new BatchVerifier(keys(true), layouts());
    }

    /*//////////////////////////////////////////////////////////////
                               ACCEPTANCE
    //////////////////////////////////////////////////////////////*/

    function test_accepts_a_proof_of_each_layout() public view {
        for (uint256 id = 1; id <= 5; ++id) {
            Simulator.Job memory j = job(STATEMENT, id);
            assertTrue(accepts(j, Simulator.prove(j)), "simulated proof");
        }
    }

    function testFuzz_accepts_any_statement(bytes32 statement, uint256 seed) public view {
        Simulator.Job memory j = job(statement, PAIR);
        j.seed = seed;
        j.partialSums = Simulator.balanced(2, seed);
        assertTrue(accepts(j, Simulator.prove(j)), "simulated proof");
    }

    /// @dev (0, 0) negated must stay (0, 0): Q would be refused by the precompile.
    function test_accepts_partial_sums_of_zero() public view {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        j.partialSums = new uint256[](2);
        assertTrue(accepts(j, Simulator.prove(j)), "zero partial sums");
    }

    /*//////////////////////////////////////////////////////////////
                             FLIPPED WORDS
    //////////////////////////////////////////////////////////////*/

    function test_rejects_every_flipped_proof_word() public view {
        Simulator.Job memory j = job(STATEMENT, MIXED);
        uint256[11][] memory rows = Simulator.prove(j);
        for (uint256 k = 0; k < rows.length; ++k) {
            for (uint256 w = 0; w < 11; ++w) {
                rows[k][w] ^= 1;
                assertTrue(!acceptsOrReverts(j, rows), "flipped word");
                rows[k][w] ^= 1;
            }
        }
        assertTrue(accepts(j, rows), "restored proof");
    }

    /// @dev Unlike a flipped word, another point of the group reaches the pairing product.
    function test_rejects_every_point_replaced_by_another_group_element() public view {
        Simulator.Job memory j = job(STATEMENT, MIXED);
        (uint256 x, uint256 y) = Simulator.times(7);
        for (uint256 k = 0; k < j.shapes.length; ++k) {
            for (uint256 w = 0; w <= 8; w += w == 2 ? 6 : 2) {
                uint256[11][] memory rows = Simulator.prove(j);
                (rows[k][w], rows[k][w + 1]) = (x, y);
                assertTrue(!accepts(j, rows), "other G1 point");
            }
            uint256[11][] memory proof = Simulator.prove(j);
            uint256[4] memory b = TestKeys.point(TestKeys.b(k + 1));
            (proof[k][4], proof[k][5], proof[k][6], proof[k][7]) = (b[0], b[1], b[2], b[3]);
            assertTrue(!accepts(j, proof), "other G2 point");
        }
    }

    function test_rejects_points_at_infinity() public view {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        for (uint256 k = 0; k < 2; ++k) {
            for (uint256 w = 0; w <= 8; w += w == 2 ? 6 : 2) {
                uint256[11][] memory rows = Simulator.prove(j);
                (rows[k][w], rows[k][w + 1]) = (0, 0);
                assertTrue(!accepts(j, rows), "G1 infinity");
            }
            uint256[11][] memory proof = Simulator.prove(j);
            (proof[k][4], proof[k][5], proof[k][6], proof[k][7]) = (0, 0, 0, 0);
            assertTrue(!accepts(j, proof), "G2 infinity");
        }
        assertTrue(!accepts(j, new uint256[11][](2)), "all zero");
    }

    function test_rejects_B_outside_the_subgroup() public {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        uint256[11][] memory rows = Simulator.prove(j);
        uint256[4] memory b = TestKeys.outsideSubgroup();
        (rows[1][4], rows[1][5], rows[1][6], rows[1][7]) = (b[0], b[1], b[2], b[3]);
        expectRejection(j, rows, abi.encodeWithSelector(BN254.PairingRefused.selector));
    }

    function test_rejects_points_off_the_curve() public {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        for (uint256 w = 0; w <= 8; w += w == 2 ? 6 : 2) {
            uint256[11][] memory rows = Simulator.prove(j);
            rows[1][w + 1] ^= 1;
            bytes4 selector = BatchVerifier.PointNotOnCurve.selector;
            expectRejection(j, rows, abi.encodeWithSelector(selector, 1, w));
        }
    }

    function test_rejects_coordinates_plus_q() public {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        for (uint256 w = 0; w < 10; ++w) {
            uint256[11][] memory rows = Simulator.prove(j);
            rows[1][w] += Simulator.Q;
            bytes4 selector = BatchVerifier.CoordinateTooLarge.selector;
            expectRejection(j, rows, abi.encodeWithSelector(selector, 1, w, rows[1][w]));
        }
    }

    /*//////////////////////////////////////////////////////////////
                             PUBLIC INPUTS
    //////////////////////////////////////////////////////////////*/

    function test_rejects_partial_sum_plus_p() public {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        uint256[11][] memory rows = Simulator.prove(j);
        rows[0][10] += Simulator.P;
        bytes4 selector = BatchVerifier.PartialSumTooLarge.selector;
        expectRejection(j, rows, abi.encodeWithSelector(selector, 0, rows[0][10]));
    }

    function test_rejects_an_unbalanced_bus() public {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        j.partialSums[1] = addmod(j.partialSums[1], 5, Simulator.P);
        uint256[11][] memory rows = Simulator.prove(j);
        expectRejection(j, rows, abi.encodeWithSelector(BatchVerifier.PartialSumsNotZero.selector, 5));
    }

    function test_rejects_partial_sums_shifted_between_circuits() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        rows[1][10] = addmod(rows[1][10], 1, Simulator.P);
        rows[2][10] = addmod(rows[2][10], Simulator.P - 1, Simulator.P);
        assertTrue(!accepts(j, rows), "shifted partial sums");
    }

    function test_rejects_every_flipped_statement_bit() public view {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        bytes memory proof = Simulator.encode(Simulator.prove(j));
        for (uint256 bit = 0; bit < 256; bit += 17) {
            bytes32 other = STATEMENT ^ bytes32(2 ** bit);
            assertTrue(!verifier.verify(ROLLUP, other, PAIR, proof), "flipped statement bit");
        }
    }

    /// @dev Both statements are one field element; the 128-bit halves tell them apart.
    function test_rejects_statement_plus_p() public view {
        Simulator.Job memory j = job(bytes32(uint256(5)), PAIR);
        bytes memory proof = Simulator.encode(Simulator.prove(j));
        assertTrue(verifier.verify(ROLLUP, bytes32(uint256(5)), PAIR, proof), "statement");
        assertTrue(!verifier.verify(ROLLUP, bytes32(5 + Simulator.P), PAIR, proof), "statement + p");
    }

    function test_rejects_another_layout_of_the_same_shapes() public view {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        bytes memory proof = Simulator.encode(Simulator.prove(j));
        assertTrue(!verifier.verify(ROLLUP, STATEMENT, PAIR_TWIN, proof), "twin layout");
    }

    function test_rejects_an_unknown_layout() public {
        bytes memory proof = Simulator.encode(Simulator.prove(job(STATEMENT, PAIR)));
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.UnknownLayout.selector, 6));
        verifier.verify(ROLLUP, STATEMENT, 6, proof);
        uint256 alias_ = PAIR + Simulator.P;
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.UnknownLayout.selector, alias_));
        verifier.verify(ROLLUP, STATEMENT, alias_, proof);
    }

    function test_rejects_another_rollup_and_another_chain() public {
        bytes memory proof = Simulator.encode(Simulator.prove(job(STATEMENT, PAIR)));
        assertTrue(!verifier.verify(address(uint160(ROLLUP) ^ 1), STATEMENT, PAIR, proof), "other rollup");
        vm.chainId(block.chainid + 1);
        assertTrue(!verifier.verify(ROLLUP, STATEMENT, PAIR, proof), "other chain");
    }

    /*//////////////////////////////////////////////////////////////
                           REARRANGED CIRCUITS
    //////////////////////////////////////////////////////////////*/

    function test_rejects_swapped_commitments() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        (rows[1][0], rows[1][1], rows[2][0], rows[2][1]) = (rows[2][0], rows[2][1], rows[1][0], rows[1][1]);
        assertTrue(!accepts(j, rows), "swapped commitments");
    }

    function test_rejects_the_commitment_of_another_batch() public view {
        Simulator.Job memory j = job(STATEMENT, PAIR);
        uint256[11][] memory rows = Simulator.prove(j);
        j.seed = 99;
        uint256[11][] memory other = Simulator.prove(j);
        (rows[1][0], rows[1][1]) = (other[1][0], other[1][1]);
        assertTrue(!accepts(j, rows), "foreign commitment");
    }

    function test_rejects_swapped_circuits() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        (rows[1], rows[2]) = (rows[2], rows[1]);
        assertTrue(!accepts(j, rows), "swapped bodies");
        j = job(STATEMENT, PAIR);
        rows = Simulator.prove(j);
        (rows[0], rows[1]) = (rows[1], rows[0]);
        assertTrue(!accepts(j, rows), "swapped head and body");
    }

    /// @dev Zero partial sums, so that the copy cannot fail on the bus sum alone.
    function test_rejects_a_circuit_copied_over_its_neighbour() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        j.partialSums = new uint256[](3);
        uint256[11][] memory rows = Simulator.prove(j);
        assertTrue(accepts(j, rows), "before the copy");
        rows[2] = rows[1];
        assertTrue(!accepts(j, rows), "doubled circuit");
    }

    function test_rejects_a_dropped_or_added_circuit_and_any_other_length() public {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        bytes memory proof = Simulator.encode(rows);
        uint256[6] memory lengths = [uint256(0), 352, 704, 1055, 1057, 1408];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory other = new bytes(lengths[i]);
            for (uint256 n = 0; n < other.length; ++n) {
                other[n] = proof[n % proof.length];
            }
            vm.expectRevert(abi.encodeWithSelector(BatchVerifier.ProofLength.selector, 1056, lengths[i]));
            verifier.verify(ROLLUP, STATEMENT, TWO_BODIES, other);
        }
    }

    function test_rejects_one_circuit_of_another_batch() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        rows[2] = Simulator.prove(job(keccak256("other"), TWO_BODIES))[2];
        assertTrue(!acceptsOrReverts(j, rows), "foreign circuit");
    }

    /*//////////////////////////////////////////////////////////////
                          CANCELLING ERRORS
    //////////////////////////////////////////////////////////////*/

    /// @dev The sum of C_1 and C_2 is unchanged: with equal coefficients the product would still be one.
    function test_rejects_errors_that_cancel_under_equal_coefficients() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        (uint256 x, uint256 y) = Simulator.add(rows[1][8], rows[1][9], rows[2][8], rows[2][9]);
        shiftC(rows[1], 12345);
        shiftC(rows[2], Simulator.P - 12345);
        (uint256 x2, uint256 y2) = Simulator.add(rows[1][8], rows[1][9], rows[2][8], rows[2][9]);
        assertTrue(x == x2 && y == y2, "the sum stands");
        assertTrue(!accepts(j, rows), "cancelling errors");
    }

    /// @dev Cancels under the coefficients of the original proof; they change with C.
    function test_rejects_errors_that_cancel_under_the_old_coefficients() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        bytes32 h1 = Simulator.transcript(j, rows).h1;
        uint256 rho1 = Simulator.rho(h1, rows, 1);
        uint256 rho2 = Simulator.rho(h1, rows, 2);
        shiftC(rows[1], Simulator.inverse(rho1));
        shiftC(rows[2], Simulator.P - Simulator.inverse(rho2));
        assertTrue(!accepts(j, rows), "cancelling errors");
    }

    /// @dev The same attempt with B-side factors: A_1 + X, A_2 - X under one B.
    function test_rejects_errors_in_A_that_cancel_under_equal_coefficients() public view {
        Simulator.Job memory j = job(STATEMENT, TWO_BODIES);
        uint256[11][] memory rows = Simulator.prove(j);
        (uint256 x, uint256 y) = Simulator.times(77);
        (rows[1][2], rows[1][3]) = Simulator.add(rows[1][2], rows[1][3], x, y);
        // e(X, B_1) moved into C_1 and C_2 with opposite signs.
        uint256 share = mulmod(
            mulmod(77, TestKeys.scalar(TestKeys.b(1)), Simulator.P),
            Simulator.inverse(TestKeys.scalar(TestKeys.delta(1))),
            Simulator.P
        );
        shiftC(rows[2], share);
        assertTrue(!accepts(j, rows), "error of circuit 1 paid by circuit 2");
        shiftC(rows[2], Simulator.P - share);
        shiftC(rows[1], share);
        assertTrue(accepts(j, rows), "paid by circuit 1 itself: a re-randomised proof");
    }

    /*//////////////////////////////////////////////////////////////
                                LAYOUTS
    //////////////////////////////////////////////////////////////*/

    function test_deployment_refuses_bad_layouts() public {
        expectLayoutRefused(hex"", abi.encodeWithSelector(BatchVerifier.EmptyLayout.selector, 9));
        expectLayoutRefused(hex"01", abi.encodeWithSelector(BatchVerifier.LayoutHead.selector, 9, 0));
        expectLayoutRefused(hex"0100", abi.encodeWithSelector(BatchVerifier.LayoutHead.selector, 9, 0));
        expectLayoutRefused(hex"000100", abi.encodeWithSelector(BatchVerifier.LayoutHead.selector, 9, 2));
        expectLayoutRefused(hex"0003", abi.encodeWithSelector(BatchVerifier.UnknownShape.selector, 9, 1, 3));

        BatchVerifier.Layout[] memory twice = new BatchVerifier.Layout[](2);
        twice[0] = BatchVerifier.Layout(9, hex"0001");
        twice[1] = BatchVerifier.Layout(9, hex"0002");
        BatchVerifier.Key[] memory list = keys(false);
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.DuplicateLayout.selector, 9));
        new BatchVerifier(list, twice);
    }

    /*//////////////////////////////////////////////////////////////
                                HELPERS
    //////////////////////////////////////////////////////////////*/

    function expectLayoutRefused(bytes memory shapes, bytes memory reason) internal {
        BatchVerifier.Layout[] memory list = new BatchVerifier.Layout[](1);
        list[0] = BatchVerifier.Layout(9, shapes);
        BatchVerifier.Key[] memory keyList = keys(false);
        vm.expectRevert(reason);
        new BatchVerifier(keyList, list);
    }

    function expectRejection(Simulator.Job memory j, uint256[11][] memory rows, bytes memory reason)
        internal
    {
        bytes memory proof = Simulator.encode(rows);
        vm.expectRevert(reason);
        verifier.verify{gas: GAS}(j.rollup, j.statement, j.layoutId, proof);
    }

    /// @dev False also when the verifier reverts.
    function acceptsOrReverts(Simulator.Job memory j, uint256[11][] memory rows)
        internal
        view
        returns (bool)
    {
        try verifier.verify{gas: GAS}(j.rollup, j.statement, j.layoutId, Simulator.encode(rows)) returns (
            bool ok
        ) {
            return ok;
        } catch {
            return false;
        }
    }

    function shiftC(uint256[11] memory row, uint256 scalar) internal view {
        (uint256 x, uint256 y) = Simulator.times(scalar);
        (row[8], row[9]) = Simulator.add(row[8], row[9], x, y);
    }
}
