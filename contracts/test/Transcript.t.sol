// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BatchVerifier} from "../src/BatchVerifier.sol";
import {Simulator} from "./lib/Simulator.sol";
import {TranscriptHarness} from "./lib/TranscriptHarness.sol";
import {VerifierTest} from "./lib/VerifierTest.sol";

/// @notice The challenges equal those of an independent model and depend on all that they must bind.
contract TranscriptTest is VerifierTest {
    bytes32 internal constant STATEMENT = keccak256("statement");

    TranscriptHarness internal transcript;

    function setUp() public {
        verifier = new BatchVerifier(keys(false), layouts());
        transcript = new TranscriptHarness();
    }

    function test_challenges_equal_the_model_s() public view {
        Simulator.Job memory j = job(STATEMENT, MIXED);
        uint256[11][] memory rows = Simulator.prove(j);
        Simulator.Challenges memory expected = Simulator.transcript(j, rows);
        bytes32 h1 = h1Of(rows);
        assertEq(h1, expected.h1, "h1");
        assertEq(transcript.challenge(h1, 0), expected.r, "r");
        assertEq(transcript.challenge(h1, 1), expected.c, "c");
        for (uint256 k = 0; k < rows.length; ++k) {
            assertEq(rhoOf(rows, h1, k), Simulator.rho(h1, rows, k), "rho");
        }
    }

    function test_the_first_coefficient_is_one_and_the_others_have_128_bits() public view {
        uint256 seen = 0;
        for (uint256 k = 1; k < 40; ++k) {
            seen |= transcript.batching(keccak256("h1"), keccak256("h2"), k);
        }
        assertEq(transcript.batching(keccak256("h1"), keccak256("h2"), 0), 1, "rho_0");
        assertEq(seen, type(uint128).max, "every one of 128 bits, and no other");
    }

    /// @dev Words 0 and 1 are D, bound by h1; the rest by h2 and so by every coefficient.
    function test_each_proof_word_changes_what_must_bind_it() public view {
        uint256[11][] memory rows = Simulator.prove(job(STATEMENT, MIXED));
        bytes32 h1 = h1Of(rows);
        uint256 rho1 = rhoOf(rows, h1, 1);
        uint256 rho3 = rhoOf(rows, h1, 3);
        for (uint256 k = 0; k < rows.length; ++k) {
            for (uint256 w = 0; w < 11; ++w) {
                rows[k][w] ^= 1;
                assertTrue((h1Of(rows) != h1) == (w < 2), "h1 binds the commitments");
                assertTrue((rhoOf(rows, h1, 1) != rho1) == (w >= 2), "rho_1 binds the proofs");
                assertTrue((rhoOf(rows, h1, 3) != rho3) == (w >= 2), "rho_3 binds the proofs");
                rows[k][w] ^= 1;
            }
        }
        assertTrue(rhoOf(rows, keccak256("other"), 1) != rho1, "rho_1 binds h1");
    }

    function h1Of(uint256[11][] memory rows) internal view returns (bytes32) {
        bytes memory shapes = verifier.layoutShapes(MIXED);
        bytes32[] memory vkHashes = new bytes32[](shapes.length);
        for (uint256 k = 0; k < shapes.length; ++k) {
            vkHashes[k] = verifier.vkHash(uint8(shapes[k]));
        }
        return transcript.commitmentsHash(ROLLUP, STATEMENT, MIXED, vkHashes, Simulator.encode(rows));
    }

    function rhoOf(uint256[11][] memory rows, bytes32 h1, uint256 k) internal view returns (uint256) {
        return transcript.batching(h1, transcript.proofsHash(Simulator.encode(rows), rows.length), k);
    }
}
