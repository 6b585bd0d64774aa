// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Every way to fail: custom errors, reasons, panics.
contract Errors {
    error Empty();
    error Rich(address who, uint256 amount, string text, bytes4[] tags);

    enum Kind {
        None,
        Some,
        All
    }

    uint256[] private list;
    function() internal pure returns (uint256) private pointer;

    function custom(uint8 how, uint256 amount, string calldata text) external view {
        if (how % 3 == 0) revert Empty();
        if (how % 3 == 1) revert Rich(msg.sender, amount, text, new bytes4[](how % 4));
    }

    function required(uint256 x) external pure returns (uint256) {
        require(x != 0, "zero");
        require(x < 1 << 255, "a reason that is longer than thirty-two bytes, as many reasons are");
        require(x % 2 == 0);
        return x / 2;
    }

    function requiredCustom(uint256 x) external view returns (uint256) {
        require(x > 10, Empty());
        require(x < 1000, Rich(msg.sender, x, "large", new bytes4[](1)));
        return x;
    }

    function assertion(uint256 x) external pure {
        assert(x != 3);
    }

    function division(uint256 x) external pure returns (uint256) {
        return 100 / x;
    }

    function index(uint256 at) external view returns (uint256) {
        return list[at];
    }

    function memoryIndex(uint256 at) external pure returns (uint256) {
        uint256[4] memory fixedList = [uint256(1), 2, 3, 4];
        return fixedList[at];
    }

    function pop() external {
        list.pop();
    }

    function push(uint256 x) external {
        list.push(x);
    }

    function kind(uint8 x) external pure returns (Kind) {
        return Kind(x);
    }

    function kindArgument(Kind x) external pure returns (uint256) {
        return uint256(x) + 1;
    }

    function allocate(uint256 size) external pure returns (uint256) {
        if (size < 1 << 60 && size > 64) size = 64;
        return new uint256[](size).length;
    }

    function uninitialised() external view returns (uint256) {
        return pointer();
    }

    function bubble(bytes calldata reason) external pure {
        bytes memory copy = reason;
        assembly {
            revert(add(copy, 32), mload(copy))
        }
    }

    function message(string memory text) external pure {
        revert(text);
    }
}
