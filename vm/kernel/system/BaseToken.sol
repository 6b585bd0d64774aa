// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Messenger} from "./Messenger.sol";
import {MESSENGER, System} from "./lib/System.sol";

/// @title BaseToken (0x8001)
/// @notice The coin that gas is paid in, seen as a token, and its way back to L1. Must never burn wei without
/// a message, nor send a message without burning. The kernel mints deposits by itself; there is no other
/// mint.
contract BaseToken {
    /// @notice `amount` wei were burnt here and belong to `receiver` on L1, by the message `leaf`.
    event Withdrawal(address indexed sender, address indexed receiver, uint256 amount, bytes32 indexed leaf);

    /// @notice A withdrawal sends wei along.
    error NothingToWithdraw();
    /// @notice A withdrawal has a receiver other than zero.
    error NoReceiver();

    string public constant name = "Ether";
    string public constant symbol = "ETH";
    uint8 public constant decimals = 18;

    /// @notice With what the message of a withdrawal begins.
    bytes4 public constant WITHDRAWAL = bytes4(keccak256("withdrawal(address,uint256)"));

    /// @notice Wei of an account.
    function balanceOf(address account) external view returns (uint256) {
        return account.balance;
    }

    /// @notice Burns the wei sent along and tells L1 to pay them out. The message, from this address, is 56
    /// bytes: `WITHDRAWAL | receiver | amount`, packed.
    /// @return leaf The message's leaf, which L1 pays for once.
    function withdraw(address receiver) external payable returns (bytes32 leaf) {
        if (msg.value == 0) revert NothingToWithdraw();
        if (receiver == address(0)) revert NoReceiver();
        uint256 held = System.cell(System.BALANCE, uint160(address(this)));
        System.setCell(System.BALANCE, uint160(address(this)), held - msg.value);
        leaf = Messenger(MESSENGER).sendToL1(abi.encodePacked(WITHDRAWAL, receiver, msg.value));
        emit Withdrawal(msg.sender, receiver, msg.value, leaf);
    }
}
