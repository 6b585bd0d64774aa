// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Statement
/// @notice What a batch proof says, as one hash: the VM ran this kernel on this input from this state to that
/// state. Must never leave out a word that the circuits constrain.
library Statement {
    /// @notice A batch as posted to L1. The rollup adds protocolVersion, chainId and kernelHash itself.
    struct BatchHeader {
        uint256 number;
        uint256 timestamp;
        bytes32 previousStateRoot;
        bytes32 newStateRoot;
        bytes32 batchDataHash;
        /// How many operations the batch takes from the priority queue; L1 turns it into priorityOpsHash.
        uint256 priorityOps;
        bytes32 priorityOpsHash;
        bytes32 l2ToL1Root;
        uint256 baseFee;
        uint256 gasLimit;
        bytes32 prevrandao;
        uint256 l1GasPrice;
        bytes32 pastBlockHashes;
        address feeRecipient;
    }

    /// @notice keccak256 of 16 words: protocolVersion, chainId, number, timestamp, previousStateRoot,
    /// newStateRoot, batchDataHash, priorityOpsHash, l2ToL1Root, kernelHash, baseFee, gasLimit, prevrandao,
    /// l1GasPrice, pastBlockHashes, feeRecipient.
    function hash(BatchHeader calldata h, uint256 protocolVersion, uint256 chainId, bytes32 kernelHash)
        internal
        pure
        returns (bytes32)
    {
        // Two halves: 16 words at once do not fit the stack. All words are static, so the halves joined equal
        // one abi.encode of all.
        bytes memory first = abi.encode(
            protocolVersion,
            chainId,
            h.number,
            h.timestamp,
            h.previousStateRoot,
            h.newStateRoot,
            h.batchDataHash,
            h.priorityOpsHash
        );
        bytes memory second = abi.encode(
            h.l2ToL1Root,
            kernelHash,
            h.baseFee,
            h.gasLimit,
            h.prevrandao,
            h.l1GasPrice,
            h.pastBlockHashes,
            h.feeRecipient
        );
        return keccak256(bytes.concat(first, second));
    }
}
