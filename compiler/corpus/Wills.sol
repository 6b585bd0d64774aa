// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Accounts that give all they have away, in a transaction after the one that made them.
contract Mortal {
    uint256 public value = 5;

    event Touched(address by, uint256 value);

    receive() external payable {}

    function end(address payable heir) external {
        value += 1;
        assembly {
            selfdestruct(heir)
        }
    }

    function touch() external payable returns (uint256) {
        value += 1;
        emit Touched(msg.sender, msg.value);
        return value;
    }
}

contract Undertaker {
    Mortal public last;
    uint256 public rounds;

    event Round(uint256 left, uint256 received, bool alive);

    receive() external payable {}

    function make(bytes32 salt) external payable returns (address) {
        last = new Mortal{salt: salt}();
        (bool ok,) = address(last).call{value: msg.value}("");
        require(ok, "made, but takes nothing");
        return address(last);
    }

    function end(Mortal mortal, address payable heir, bool fail) external {
        uint256 before = heir.balance;
        mortal.end(heir);
        emit Round(address(mortal).balance, heir.balance - before, address(mortal).code.length != 0);
        mortal.touch{value: address(this).balance > 3 ? 3 : 0}();
        mortal.end(heir);
        rounds += 1;
        require(!fail, "as told");
    }

    /// The code that ends is its caller's.
    function borrow(Mortal mortal, address payable heir) external {
        (bool ok,) = address(mortal).delegatecall(abi.encodeCall(Mortal.end, (heir)));
        require(ok, "delegatecall failed");
        rounds += 1;
    }
}
