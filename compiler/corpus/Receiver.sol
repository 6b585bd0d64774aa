// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Fallback and receive, payable or not.
contract Receiver {
    event Received(address from, uint256 value);
    event Fallen(bytes4 selector, uint256 value, bytes data);

    uint256 public received;
    uint256 public fallen;

    receive() external payable {
        received += msg.value;
        emit Received(msg.sender, msg.value);
    }

    fallback(bytes calldata input) external payable returns (bytes memory) {
        fallen += 1;
        emit Fallen(msg.sig, msg.value, input);
        return abi.encode(input.length, msg.value, input);
    }

    function free() external pure returns (uint256) {
        return 1;
    }

    function paid() external payable returns (uint256, uint256) {
        return (msg.value, address(this).balance);
    }

    function balance(address who) external view returns (uint256) {
        return who.balance;
    }
}

/// No receive, and a fallback that takes no value.
contract Closed {
    uint256 private count;

    fallback() external {
        if (msg.data.length > 8) revert("too long");
        ++count;
    }
}
