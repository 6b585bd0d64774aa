// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {System} from "./lib/System.sol";

/// @title Messenger (0x8005)
/// @notice Messages from L2 to L1: the Merkle root of a batch's messages is part of what its proof says. Must
/// never put a leaf in the tree for a sender who did not send it, nor the same leaf twice in the life of the
/// chain.
/// @dev The leaf of message `number`, counted from 0 over all batches, is `keccak256(abi.encode(number,
/// sender, keccak256(data)))`, of three words; a node is `keccak256(abi.encode(left, right))`, of two, so
/// that neither can pass for the other. A level of several nodes that are odd in number gets a zero as its
/// last. One message is its own root; the root of none is zero.
contract Messenger {
    /// @notice Message `number` of this chain.
    event L1Message(address indexed sender, uint256 indexed number, bytes32 indexed leaf, bytes data);

    /// @notice A batch has `MAX_MESSAGES` at most: send it in the next one.
    error TooManyMessages(uint256 limit);

    /// @notice How many messages a batch can have.
    uint256 public constant MAX_MESSAGES = 1024;

    /// @notice Messages of this batch so far.
    uint128 public pending;
    /// @notice Messages of all batches so far.
    uint128 public sent;
    /// @dev Leaves of this batch, below `pending`; those of earlier batches behind.
    bytes32[MAX_MESSAGES] private _leaves;

    /// @notice Sends a message; what it means is between sender and receiver.
    /// @return leaf Its leaf, which no other message has.
    function sendToL1(bytes calldata data) external returns (bytes32 leaf) {
        uint128 index = pending;
        uint128 number = sent;
        if (index >= MAX_MESSAGES) revert TooManyMessages(MAX_MESSAGES);
        leaf = keccak256(abi.encode(number, msg.sender, keccak256(data)));
        (pending, sent) = (index + 1, number + 1);
        _leaves[index] = leaf;
        emit L1Message(msg.sender, number, leaf, data);
    }

    /// @notice The root of this batch's messages, of which there are none from here on. Only for the kernel.
    function closeBatch() external returns (bytes32 root) {
        System.onlyKernel();
        uint256 count = pending;
        if (count == 0) return 0;
        pending = 0;
        bytes32[] memory level = new bytes32[](count + 1);
        for (uint256 i = 0; i < count; ++i) {
            level[i] = _leaves[i];
        }
        while (count > 1) {
            // Taken for the last node if they are odd in number; what the level below left there does not
            // count.
            level[count] = 0;
            count = (count + 1) / 2;
            for (uint256 i = 0; i < count; ++i) {
                level[i] = _node(level[2 * i], level[2 * i + 1]);
            }
        }
        return level[0];
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            hash := keccak256(0, 64)
        }
    }
}
