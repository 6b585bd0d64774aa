// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Modifiers, abstract contracts, interfaces, diamonds and `super`.
interface Shape {
    function area() external view returns (uint256);
    function name() external pure returns (string memory);
}

abstract contract Owned {
    address public owner;
    bool public paused;

    error NotOwner(address who);

    event Moved(address indexed from, address indexed to);

    constructor(address owner_) {
        owner = owner_;
    }

    modifier onlyOwner() virtual {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier unlessPaused(uint256 twice) {
        require(!paused, "paused");
        if (twice > 5) _;
        _;
    }

    function transferOwnership(address to) public virtual onlyOwner {
        emit Moved(owner, to);
        owner = to;
    }

    function setPaused(bool paused_) external onlyOwner {
        paused = paused_;
    }
}

abstract contract Base is Shape {
    string internal trail;

    function step(uint256 x) public virtual returns (uint256) {
        trail = string.concat(trail, "b");
        return x + 1;
    }

    function area() external view virtual returns (uint256);
}

contract Left is Base {
    function step(uint256 x) public virtual override returns (uint256) {
        trail = string.concat(trail, "l");
        return super.step(x * 2);
    }

    function area() external view virtual override returns (uint256) {
        return bytes(trail).length;
    }

    function name() external pure virtual returns (string memory) {
        return "left";
    }
}

abstract contract Right is Base {
    function step(uint256 x) public virtual override returns (uint256) {
        trail = string.concat(trail, "r");
        return super.step(x + 7);
    }
}

contract Inheritance is Owned, Left, Right {
    uint256 public runs;

    constructor() Owned(msg.sender) {}

    function step(uint256 x) public override(Left, Right) onlyOwner returns (uint256) {
        if (bytes(trail).length > 40) trail = "";
        return super.step(x);
    }

    function run(uint256 n) external unlessPaused(n) returns (uint256) {
        runs += n % 10;
        return runs;
    }

    function area() external view override(Base, Left) returns (uint256) {
        return bytes(trail).length * runs;
    }

    function name() external pure override(Left, Shape) returns (string memory) {
        return type(Inheritance).name;
    }

    function trailOf() external view returns (string memory) {
        return trail;
    }

    function identifiers() external pure returns (bytes4, bytes4, uint256, int8) {
        return (type(Shape).interfaceId, this.run.selector, type(uint128).max, type(int8).min);
    }
}
