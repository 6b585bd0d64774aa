// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// What runs out: gas in loops and calls, depth, memory. Nothing in here depends on what gas costs, only on that it ends.
contract Limits {
    uint256 public count;
    mapping(uint256 => uint256) public marks;

    event Came(bool ok, uint256 length);
    event Deep(uint256 depth);

    receive() external payable {
        count += 1;
    }

    /// Writes for ever.
    function spin() public payable {
        count = 1;
        for (uint256 i = 1;; ++i) marks[i] = i;
    }

    /// Computes for ever.
    function burn() external pure returns (uint256 x) {
        x = 1;
        unchecked {
            while (x != 0) x = x * 3 | 1;
        }
    }

    /// An endless memory.
    function grow() external pure returns (uint256 x) {
        for (uint256 at = 0;; at += 4096) {
            assembly {
                mstore(at, at)
                x := add(x, mload(at))
            }
        }
    }

    /// A write that no machine's memory has room for.
    function reach() external pure returns (uint256 x) {
        assembly {
            mstore(0xffffffffffffffffffff, 1)
            x := mload(0xffffffffffffffffffff)
        }
    }

    /// Calls itself or another with a little gas, and goes on.
    function within(uint256 gas_, address to, bytes calldata data) external payable returns (bool ok) {
        count += 1;
        bytes memory answer;
        (ok, answer) = to.call{gas: gas_, value: msg.value}(data);
        emit Came(ok, answer.length);
        count += 1;
    }

    function lookWithin(uint256 gas_, address to, bytes calldata data) external returns (bool ok) {
        bytes memory answer;
        (ok, answer) = to.staticcall{gas: gas_}(data);
        emit Came(ok, answer.length);
        count += 1;
    }

    function borrowWithin(uint256 gas_, address to, bytes calldata data) external returns (bool ok) {
        bytes memory answer;
        (ok, answer) = to.delegatecall{gas: gas_}(data);
        emit Came(ok, answer.length);
        count += 1;
    }

    /// The sixty-fourth that a call leaves is enough to tell of it.
    function survive(bytes calldata data) external returns (bool ok) {
        marks[0] = 1;
        (ok,) = address(this).call(data);
        marks[1] = ok ? 2 : 3;
        emit Came(ok, 0);
    }

    /// Goes down by calls, and says at the bottom that it was there.
    function down(uint256 depth) external returns (uint256) {
        if (depth == 0) {
            count += 1;
            emit Deep(0);
            return 0;
        }
        uint256 below = this.down(depth - 1);
        marks[depth] = below;
        return below + 1;
    }

    /// As deep as it goes; what is there does not matter, only that it comes back.
    function bottomless() external {
        (bool ok,) = address(this).call(msg.data);
        ok;
    }

    /// A stack of internal calls.
    function inner(uint256 depth) public returns (uint256) {
        if (depth == 0) return count;
        count += 1;
        return inner(depth - 1) + inner(depth - 1);
    }

    /// Each level fails or not, as a bit says, after the one below.
    function mixed(uint256 depth, uint256 bits) external returns (uint256 sum) {
        marks[depth] += 1;
        if (depth != 0) {
            (bool ok, bytes memory answer) = address(this).call(abi.encodeCall(this.mixed, (depth - 1, bits)));
            sum = ok ? abi.decode(answer, (uint256)) + 1 : answer.length;
            emit Came(ok, answer.length);
        }
        if (bits >> depth & 1 == 1) revert("as told");
    }

    /// A creation that runs out of gas takes no more than the sixty-fourths leave.
    function make(uint256 kind) external payable returns (address made) {
        try new Doomed{value: msg.value}(kind) returns (Doomed doomed) {
            made = address(doomed);
        } catch (bytes memory reason) {
            emit Came(false, reason.length);
        }
        count += 1;
    }
}

/// Fails in its constructor, in as many ways as there are.
contract Doomed {
    uint256 public kind;

    constructor(uint256 kind_) payable {
        kind = kind_;
        if (kind_ == 1) revert("no");
        if (kind_ == 2) assert(false);
        if (kind_ == 3) while (true) kind += 1;
        if (kind_ == 4) assembly { invalid() }
        if (kind_ == 5) Limits(payable(msg.sender)).mixed(2, 1);
        if (kind_ == 6) this.kind();
        if (kind_ == 7) assembly { revert(0, 0) }
    }
}
