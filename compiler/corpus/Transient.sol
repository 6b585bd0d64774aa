// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Transient storage: a reentrancy lock and values that do not outlive a call.
contract Transient {
    uint256 private transient depth;
    address private transient user;
    bool private transient locked;
    uint256 public total;

    error Locked();

    modifier lock() {
        if (locked) revert Locked();
        locked = true;
        _;
        locked = false;
    }

    function deposit(uint128 amount) external lock returns (uint256) {
        depth += 1;
        user = msg.sender;
        total += amount;
        return depth;
    }

    function relock() external lock lock {}

    function leftovers() external view returns (uint256, address, bool) {
        return (depth, user, locked);
    }

    function raw(uint256 slot, uint256 value) external returns (uint256 before, uint256 afterwards) {
        assembly {
            before := tload(slot)
            tstore(slot, value)
            afterwards := tload(slot)
        }
    }
}
