// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Contracts that make and call contracts: create, create2, try and catch, low-level calls.
contract Child {
    uint256 public immutable seed;
    address public immutable parent;
    uint256 public value;

    error Refused(uint256 value);

    constructor(uint256 seed_) payable {
        require(seed_ != 13, "unlucky");
        seed = seed_;
        parent = msg.sender;
    }

    function set(uint256 value_) external payable returns (uint256) {
        if (value_ == 7) revert Refused(value_);
        require(value_ != 8, "eight");
        assert(value_ != 9);
        value = value_;
        return value_ + seed;
    }
}

contract Factory {
    address[] public children;

    event Made(address child, bytes32 salt);
    event Caught(string kind, bytes data);

    function make(uint256 seed) external payable returns (address) {
        Child child = new Child{value: msg.value}(seed);
        children.push(address(child));
        emit Made(address(child), 0);
        return address(child);
    }

    function make2(uint256 seed, bytes32 salt) external returns (address) {
        try new Child{salt: salt}(seed) returns (Child child) {
            children.push(address(child));
            emit Made(address(child), salt);
            return address(child);
        } catch Error(string memory reason) {
            emit Caught("error", bytes(reason));
        } catch (bytes memory reason) {
            emit Caught("raw", reason);
        }
        return address(0);
    }

    function count() external view returns (uint256) {
        return children.length;
    }

    function set(uint256 at, uint256 value) external returns (uint256 result) {
        try Child(children[at]).set(value) returns (uint256 sum) {
            result = sum;
        } catch Error(string memory reason) {
            emit Caught("error", bytes(reason));
        } catch Panic(uint256 code) {
            emit Caught("panic", abi.encode(code));
        } catch (bytes memory reason) {
            emit Caught("raw", reason);
        }
    }

    function forward(address to, bytes calldata data) external payable returns (bool ok, bytes memory answer) {
        (ok, answer) = to.call{value: msg.value}(data);
    }

    function look(address to, bytes calldata data) external view returns (bool ok, bytes memory answer) {
        (ok, answer) = to.staticcall(data);
    }

    function borrow(address to, bytes calldata data) external returns (bool ok, bytes memory answer) {
        (ok, answer) = to.delegatecall(data);
    }

    function pay(address payable to, uint256 amount) external payable returns (bool) {
        return to.send(amount);
    }
}
