// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {System} from "./lib/System.sol";

/// @title BlockContext (0x8006)
/// @notice This batch, which is a block, and the data hashes of those before it. Must never answer a number
/// with the data hash of another batch.
contract BlockContext {
    /// @notice How many batches are remembered.
    uint256 public constant PAST_BATCHES = 256;

    /// @dev Batch `number` has place `number % PAST_BATCHES`; the kernel closes every batch, so no place is
    /// older than that.
    bytes32[PAST_BATCHES] private _hashes;

    /// @notice Number of this batch.
    function number() external view returns (uint256) {
        return block.number;
    }

    /// @notice Seconds.
    function timestamp() external view returns (uint256) {
        return block.timestamp;
    }

    /// @notice Wei per gas.
    function baseFee() external view returns (uint256) {
        return block.basefee;
    }

    /// @notice Gas of a batch.
    function gasLimit() external view returns (uint256) {
        return block.gaslimit;
    }

    /// @notice Chain id of this L2.
    function chainId() external view returns (uint256) {
        return block.chainid;
    }

    /// @notice The data hash of one of the last `PAST_BATCHES` batches; zero for this one, later ones and
    /// older ones.
    function batchDataHash(uint256 batch) external view returns (bytes32) {
        if (batch >= block.number || block.number - batch > PAST_BATCHES) return 0;
        return _hashes[batch % PAST_BATCHES];
    }

    /// @notice Remembers the data hash of this batch. Only for the kernel, as the batch's last call.
    function closeBatch(bytes32 dataHash) external {
        System.onlyKernel();
        _hashes[block.number % PAST_BATCHES] = dataHash;
    }
}
