// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Transcript} from "../../src/Transcript.sol";

/// @title TranscriptHarness
/// @notice The transcript's steps as external calls, so that a test can give them calldata.
contract TranscriptHarness {
    function commitmentsHash(
        address rollup,
        bytes32 statement,
        uint256 layoutId,
        bytes32[] memory vkHashes,
        bytes calldata proof
    ) external view returns (bytes32) {
        return Transcript.commitmentsHash(rollup, statement, layoutId, vkHashes, proof);
    }

    function challenge(bytes32 h1, uint256 index) external pure returns (uint256) {
        return Transcript.challenge(h1, index);
    }

    function proofsHash(bytes calldata proof, uint256 count) external pure returns (bytes32) {
        return Transcript.proofsHash(proof, count);
    }

    function batching(bytes32 h1, bytes32 h2, uint256 k) external pure returns (uint256) {
        return Transcript.batching(h1, h2, k);
    }
}
