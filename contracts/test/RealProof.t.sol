// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BatchVerifier} from "../src/BatchVerifier.sol";
import {Test} from "./lib/Test.sol";
import {TranscriptHarness} from "./lib/TranscriptHarness.sol";

/// @notice A batch proof that lathe-prover made: accepted as it is, its challenges recomputed word for word,
/// and refused after every change.
contract RealProofTest is Test {
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev A precompile that refuses its input consumes all it is given.
    uint256 internal constant GAS = 5_000_000;

    string internal json;
    BatchVerifier internal verifier;
    address internal rollup;
    bytes32 internal statement;
    uint32 internal layoutId;
    bytes internal shapes;
    bytes internal proof;

    function setUp() public {
        json = vm.readFile("test/fixtures/toy-batch.json");
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        rollup = vm.parseJsonAddress(json, ".contract");
        statement = vm.parseJsonBytes32(json, ".statement");
        layoutId = uint32(vm.parseJsonUint(json, ".layoutId"));
        proof = vm.parseJsonBytes(json, ".proof");
        uint256[] memory list = vm.parseJsonUintArray(json, ".shapes");
        uint256 count = 0;
        for (uint256 k = 0; k < list.length; ++k) {
            shapes = bytes.concat(shapes, bytes1(uint8(list[k])));
            if (list[k] >= count) count = list[k] + 1;
        }
        // The same shapes under a second id, and in a longer layout.
        BatchVerifier.Layout[] memory layouts = new BatchVerifier.Layout[](3);
        layouts[0] = BatchVerifier.Layout(layoutId, shapes);
        layouts[1] = BatchVerifier.Layout(layoutId + 1, shapes);
        layouts[2] = BatchVerifier.Layout(layoutId + 2, bytes.concat(shapes, bytes1(uint8(1))));
        verifier = new BatchVerifier(keys(count), layouts);
    }

    /*//////////////////////////////////////////////////////////////
                               ACCEPTANCE
    //////////////////////////////////////////////////////////////*/

    function test_accepts_the_proof() public view {
        assertTrue(verifier.verify(rollup, statement, layoutId, proof), "real proof");
    }

    function test_recomputes_the_prover_s_challenges() public {
        TranscriptHarness transcript = new TranscriptHarness();
        bytes32[] memory vkHashes = new bytes32[](shapes.length);
        for (uint256 k = 0; k < shapes.length; ++k) {
            uint256 shape = uint8(shapes[k]);
            vkHashes[k] = verifier.vkHash(shape);
            string memory path = string.concat(".vks[", vm.toString(shape), "].hash");
            assertEq(vkHashes[k], vm.parseJsonBytes32(json, path), "vkHash");
        }
        bytes32 h1 = transcript.commitmentsHash(rollup, statement, layoutId, vkHashes, proof);
        assertEq(h1, vm.parseJsonBytes32(json, ".h1"), "h1");
        assertEq(transcript.challenge(h1, 0), vm.parseJsonUint(json, ".r"), "r");
        assertEq(transcript.challenge(h1, 1), vm.parseJsonUint(json, ".c"), "c");
        bytes32 h2 = transcript.proofsHash(proof, shapes.length);
        assertEq(h2, vm.parseJsonBytes32(json, ".h2"), "h2");
        uint256[] memory rho = vm.parseJsonUintArray(json, ".rho");
        assertEq(rho.length, shapes.length, "coefficients");
        for (uint256 k = 0; k < rho.length; ++k) {
            assertEq(transcript.batching(h1, h2, k), rho[k], "rho");
        }
    }

    /*//////////////////////////////////////////////////////////////
                               REJECTION
    //////////////////////////////////////////////////////////////*/

    function test_rejects_a_flip_in_every_word_of_the_proof() public view {
        bytes memory other = proof;
        // One byte of each 32-byte word, a different one from word to word, and the last bit of each word.
        for (uint256 w = 0; w < other.length / 32; ++w) {
            uint256 i = 32 * w + (7 * w + 3) % 32;
            other[i] ^= 0x10;
            assertTrue(!accepts(layoutId, other), "flipped byte");
            other[i] ^= 0x10;
            other[32 * w + 31] ^= 0x01;
            assertTrue(!accepts(layoutId, other), "flipped bit");
            other[32 * w + 31] ^= 0x01;
        }
        assertTrue(accepts(layoutId, other), "restored proof");
    }

    /// @dev Negating D, A or C keeps it on the curve; the product must notice.
    function test_rejects_every_negated_point() public view {
        uint256 q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
        for (uint256 k = 0; k < shapes.length; ++k) {
            for (uint256 w = 1; w <= 9; w += w == 3 ? 6 : 2) {
                bytes memory other = proof;
                set(other, k, w, q - word(other, k, w));
                assertTrue(!verifier.verify(rollup, statement, layoutId, other), "negated point");
            }
        }
    }

    function test_rejects_partial_sums_changed_in_step_and_plus_p() public {
        bytes memory other = proof;
        set(other, 0, 10, addmod(word(proof, 0, 10), 1, P));
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.PartialSumsNotZero.selector, 1));
        verifier.verify(rollup, statement, layoutId, other);
        set(other, 1, 10, addmod(word(proof, 1, 10), P - 1, P));
        assertTrue(!verifier.verify(rollup, statement, layoutId, other), "balanced change");

        other = proof;
        uint256 value = word(proof, 1, 10) + P;
        set(other, 1, 10, value);
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.PartialSumTooLarge.selector, 1, value));
        verifier.verify(rollup, statement, layoutId, other);
    }

    function test_rejects_another_statement_rollup_chain_and_layout() public {
        for (uint256 bit = 0; bit < 256; bit += 15) {
            bytes32 other = statement ^ bytes32(2 ** bit);
            assertTrue(!verifier.verify(rollup, other, layoutId, proof), "statement");
        }
        assertTrue(!verifier.verify(address(this), statement, layoutId, proof), "rollup");
        assertTrue(!verifier.verify(rollup, statement, layoutId + 1, proof), "layout");
        vm.chainId(block.chainid + 1);
        assertTrue(!verifier.verify(rollup, statement, layoutId, proof), "chain");
    }

    function test_rejects_swapped_dropped_and_doubled_circuits() public {
        bytes memory first = slice(0);
        bytes memory second = slice(1);
        assertTrue(!verifier.verify(rollup, statement, layoutId, bytes.concat(second, first)), "swapped");
        assertTrue(!accepts(layoutId, bytes.concat(first, first)), "head doubled");
        assertTrue(!accepts(layoutId, bytes.concat(second, second)), "body doubled");
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.ProofLength.selector, 704, 352));
        verifier.verify(rollup, statement, layoutId, first);
        bytes memory longer = bytes.concat(proof, second);
        vm.expectRevert(abi.encodeWithSelector(BatchVerifier.ProofLength.selector, 704, 1056));
        verifier.verify(rollup, statement, layoutId, longer);
        assertTrue(!accepts(layoutId + 2, longer), "body doubled in a layout that has room for it");
    }

    function test_rejects_swapped_commitments() public view {
        bytes memory other = proof;
        for (uint256 w = 0; w < 2; ++w) {
            set(other, 0, w, word(proof, 1, w));
            set(other, 1, w, word(proof, 0, w));
        }
        assertTrue(!verifier.verify(rollup, statement, layoutId, other), "swapped commitments");
    }

    function test_rejects_the_proof_under_another_key() public {
        BatchVerifier.Layout[] memory layouts = new BatchVerifier.Layout[](1);
        layouts[0] = BatchVerifier.Layout(layoutId, shapes);
        BatchVerifier.Key[] memory list = keys(2);
        // IC of the last public input exchanged with that of the first: a valid key of another circuit.
        (list[1].words[20], list[1].words[32]) = (list[1].words[32], list[1].words[20]);
        (list[1].words[21], list[1].words[33]) = (list[1].words[33], list[1].words[21]);
        BatchVerifier other = new BatchVerifier(list, layouts);
        assertTrue(!other.verify(rollup, statement, layoutId, proof), "other key");
    }

    /*//////////////////////////////////////////////////////////////
                                HELPERS
    //////////////////////////////////////////////////////////////*/

    function keys(uint256 count) internal view returns (BatchVerifier.Key[] memory list) {
        list = new BatchVerifier.Key[](count);
        for (uint256 v = 0; v < count; ++v) {
            string memory path = string.concat(".vks[", vm.toString(v), "].words");
            uint256[] memory words = vm.parseJsonUintArray(json, path);
            assertEq(words.length, 34, "words of a key");
            for (uint256 i = 0; i < 34; ++i) {
                list[v].words[i] = words[i];
            }
            list[v].development = true;
        }
    }

    /// @dev False also when the verifier reverts.
    function accepts(uint256 layout_, bytes memory candidate) internal view returns (bool) {
        try verifier.verify{gas: GAS}(rollup, statement, layout_, candidate) returns (bool ok) {
            return ok;
        } catch {
            return false;
        }
    }

    function word(bytes memory data, uint256 k, uint256 w) internal pure returns (uint256 value) {
        // Equals: value = uint256(bytes32(data[352 * k + 32 * w:][:32])), which memory has no slices for.
        assembly ("memory-safe") {
            value := mload(add(add(data, 0x20), add(mul(k, 352), mul(w, 32))))
        }
    }

    function set(bytes memory data, uint256 k, uint256 w, uint256 value) internal pure {
        for (uint256 i = 0; i < 32; ++i) {
            data[352 * k + 32 * w + i] = bytes32(value)[i];
        }
    }

    function slice(uint256 k) internal view returns (bytes memory part) {
        for (uint256 w = 0; w < 11; ++w) {
            part = bytes.concat(part, bytes32(word(proof, k, w)));
        }
    }
}
