// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// How far a counter goes. `next` is external: the library has an address and counters call it there.
library Steps {
    function next(uint256 value, uint256 step) external pure returns (uint256) {
        return value + step;
    }
}

/// Counts in steps of a fixed size.
contract Counter {
    uint256 public immutable step;
    uint256 public value;

    event Advanced(uint256 value);

    constructor(uint256 step_) {
        step = step_;
    }

    function advance() external {
        value = Steps.next(value, step);
        emit Advanced(value);
    }
}
