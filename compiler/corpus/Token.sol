// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// The demo's token, as `vm/programs/token.lasm` has it: balances lie in the slot numbered like the holder's address, the
/// owner in slot 2^255, set by genesis. Whatever fails reverts without data.
contract Token {
    uint256 private constant OWNER_SLOT = 1 << 255;

    function balanceOf(address holder) external view returns (uint256) {
        return _balance(holder);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        uint256 held = _balance(msg.sender);
        _require(held >= amount);
        unchecked {
            _setBalance(msg.sender, held - amount);
        }
        // After the debit: a transfer to oneself changes nothing.
        return _credit(to, amount);
    }

    function mint(address to, uint256 amount) external returns (bool) {
        uint256 owner;
        assembly ("memory-safe") {
            owner := sload(OWNER_SLOT)
        }
        _require(owner == uint256(uint160(msg.sender)));
        return _credit(to, amount);
    }

    /// The total can exceed 2^256 over several mints, so every addition is checked.
    function _credit(address to, uint256 amount) private returns (bool) {
        unchecked {
            uint256 held = _balance(to);
            uint256 sum = held + amount;
            _require(sum >= held);
            _setBalance(to, sum);
        }
        return true;
    }

    function _balance(address holder) private view returns (uint256 held) {
        assembly ("memory-safe") {
            held := sload(holder)
        }
    }

    function _setBalance(address holder, uint256 held) private {
        assembly ("memory-safe") {
            sstore(holder, held)
        }
    }

    function _require(bool holds) private pure {
        if (!holds) revert();
    }
}
