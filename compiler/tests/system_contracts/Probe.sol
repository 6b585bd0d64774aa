// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @dev Calls others in the way it is told to, and hands back what they hand back.
contract Probe {
    function borrow(address code, bytes calldata data) external payable {
        (bool done, bytes memory output) = code.delegatecall(data);
        _end(done, output);
    }

    function look(address to, bytes calldata data) external view {
        (bool done, bytes memory output) = to.staticcall(data);
        _end(done, output);
    }

    function _end(bool done, bytes memory output) private pure {
        assembly ("memory-safe") {
            switch done
            case 0 { revert(add(output, 32), mload(output)) }
            default { return(add(output, 32), mload(output)) }
        }
    }
}

/// @dev Keeps what its constructor sees.
contract Child {
    error Odd(uint256 got);

    address public immutable creator;
    uint256 public immutable number;
    uint256 public immutable wei_;

    constructor(uint256 given) payable {
        if (given % 2 == 1) revert Odd(given);
        if (given == 4) assembly ("memory-safe") { invalid() }
        (creator, number, wei_) = (msg.sender, given, msg.value);
    }
}
