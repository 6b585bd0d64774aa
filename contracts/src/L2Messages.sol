// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title L2Messages
/// @notice Whether L2's messenger sent a message in a batch, from the batch's `l2ToL1Root`. Must never accept
/// a message that was not sent, nor take a part of the tree for one.
/// @dev The tree is that of `vm/kernel/system/Messenger.sol`: a leaf is the hash of three words, a node that
/// of two, so no hash is both; a level of several nodes that are odd in number has a zero as its last; one
/// leaf is its own root; no message at all has root zero. A leaf is always hashed here, never given, or the
/// zeros and nodes of a tree would pass for leaves.
library L2Messages {
    /// @notice A message, as the event `L1Message` on L2 tells it.
    struct Message {
        /// Its number among all messages of the chain: no two messages have the same leaf.
        uint256 number;
        address sender;
        bytes data;
    }

    /// @notice Paths of trees with 1024 leaves, the most that a batch has.
    uint256 internal constant MAX_DEPTH = 10;

    /// @notice The message's leaf. Who acts on a message remembers its leaf, and so acts once.
    function leafOf(Message memory message) internal pure returns (bytes32) {
        return keccak256(abi.encode(message.number, message.sender, keccak256(message.data)));
    }

    /// @notice True if the message is in the tree with this root.
    /// @param root `l2ToL1Root` of a batch that L1 has executed.
    /// @param index Its place among the messages of its batch, from 0.
    /// @param path The neighbours on the way from the leaf to the root, zeros included.
    function isIncluded(bytes32 root, Message memory message, uint256 index, bytes32[] memory path)
        internal
        pure
        returns (bool)
    {
        // Bits beyond the path would let one message be in many places.
        if (path.length > MAX_DEPTH || index >> path.length != 0) return false;
        bytes32 node = leafOf(message);
        for (uint256 i = 0; i < path.length; ++i) {
            node = index & 1 == 0 ? _node(node, path[i]) : _node(path[i], node);
            index >>= 1;
        }
        return node == root;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            hash := keccak256(0, 0x40)
        }
    }
}
