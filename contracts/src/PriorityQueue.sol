// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title PriorityQueue
/// @notice L1's own queue of L1 -> L2 operations and the Keccak chain over a range of it. Must never take an
/// operation's hash from the operator.
/// @dev Requests are reserved: no kernel runs priority operations yet, so the queue stays empty and every
/// batch takes zero of them, with chain zero.
///
/// What an operation's hash will be, which is how L2's kernel hashes the operation in a batch: keccak256 of
/// `0x7e | rlp([id, from, to, minted, value, gasLimit, refundRecipient, data])`. Numbers have no leading
/// zeros, addresses 20 bytes, `to` none for a creation; `id` is the operation's place in this queue, from 0.
abstract contract PriorityQueue {
    /// @notice Priority operations cannot be requested in this version.
    error PriorityOpsReserved();
    /// @notice The batch takes more operations than wait in the queue.
    error PriorityOpsMissing(uint256 waiting, uint256 got);

    /// @dev Hashes of all operations ever requested, in order.
    bytes32[] private _queue;

    /// @notice Requests an operation. Reserved: always reverts.
    function requestPriorityOp(bytes calldata) external pure {
        revert PriorityOpsReserved();
    }

    /// @notice Number of operations ever requested, the queue's tail.
    function priorityOpsRequested() public view returns (uint256) {
        return _queue.length;
    }

    /// @dev Appends an operation's hash.
    function _push(bytes32 operation) internal {
        _queue.push(operation);
    }

    /// @dev chain_0 = 0, chain_{i+1} = keccak256(chain_i | operation_{start + i}), over `count` operations.
    function _priorityOpsHash(uint256 start, uint256 count) internal view returns (bytes32 chain) {
        if (count > _queue.length - start) revert PriorityOpsMissing(_queue.length - start, count);
        for (uint256 i = start; i < start + count; ++i) {
            chain = keccak256(abi.encode(chain, _queue[i]));
        }
    }
}
