// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {System} from "./lib/System.sol";

/// @title Nonces (0x8002)
/// @notice The nonces of accounts. Must never lower one, nor change another's than the caller's.
contract Nonces {
    /// @notice The transactions of `account` with nonces `from..to - 1` can no longer run.
    event NonceRaised(address indexed account, uint256 from, uint256 to);

    /// @notice A nonce goes up, by `MAX_STEP` at most, and never beyond `MAX_NONCE`.
    error NonceOutOfRange(uint256 current, uint256 got);

    /// @notice How far one call goes.
    uint256 public constant MAX_STEP = 2 ** 32;
    /// @notice How far all calls go: transactions alone do not get from here to the last nonce, 2^64 - 1.
    uint256 public constant MAX_NONCE = 2 ** 63;

    /// @notice The next nonce of an account: of its transactions, or of what a contract creates.
    function nonceOf(address account) external view returns (uint256) {
        return System.cell(System.NONCE, uint160(account));
    }

    /// @notice Makes `nonce` the caller's next one, which cancels every transaction of the caller with a
    /// lower nonce.
    function raiseTo(uint64 nonce) external {
        uint256 current = System.cell(System.NONCE, uint160(msg.sender));
        if (nonce <= current || nonce > current + MAX_STEP || nonce > MAX_NONCE) {
            revert NonceOutOfRange(current, nonce);
        }
        System.setCell(System.NONCE, uint160(msg.sender), nonce);
        emit NonceRaised(msg.sender, current, nonce);
    }
}
