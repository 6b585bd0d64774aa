// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Immutables of several types, set by a constructor with arguments.
contract Immutables {
    uint256 public immutable supply;
    address public immutable deployer;
    bytes32 public immutable tag;
    int8 private immutable small;
    bool private immutable flag;
    uint256 public immutable started = block.timestamp;
    string public name;

    constructor(uint256 supply_, int8 small_, bool flag_, string memory name_, uint16[] memory list) payable {
        supply = supply_;
        deployer = msg.sender;
        small = small_;
        flag = flag_;
        name = name_;
        uint256 sum;
        for (uint256 i; i < list.length; ++i) sum += list[i];
        tag = keccak256(abi.encodePacked(name_, sum));
    }

    function smalls() external view returns (int8, bool, int256) {
        return (small, flag, int256(small) * 3);
    }

    function branch(uint256 x) external view returns (uint256) {
        return flag ? x + supply : x - supply;
    }
}
