// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @dev Who the kernel is to the contracts that it calls on its own account.
address constant KERNEL = address(0x8000);
address constant BASE_TOKEN = address(0x8001);
address constant NONCES = address(0x8002);
address constant DEPLOYER = address(0x8003);
address constant KNOWN_CODE = address(0x8004);
address constant MESSENGER = address(0x8005);
address constant BLOCK_CONTEXT = address(0x8006);

/// @title System
/// @notice The system precompiles, which answer contracts at 0x8001..0x80ff and nobody else (docs/isa.md).
/// Must never be used by code that delegates to code of others.
library System {
    /// @notice Kinds of state cells. The key of the first two is an account, of the last a page hash.
    uint256 internal constant NONCE = 1;
    uint256 internal constant BALANCE = 2;
    uint256 internal constant CODE = 6;

    /// @notice Only the kernel may call this.
    error NotKernel(address got);
    /// @notice The machine does not answer: the running address is no system contract's.
    error NoSystemContract(address here);
    /// @notice These bytes are no code page: 96 to 131,040 of them, a multiple of 96.
    error NotAPage(uint256 length);

    /// @dev Reverts unless the kernel calls.
    function onlyKernel() internal view {
        if (msg.sender != KERNEL) revert NotKernel(msg.sender);
    }

    /// @dev The value of a state cell.
    function cell(uint256 kind, uint256 key) internal view returns (uint256 value) {
        bool done;
        assembly ("memory-safe") {
            mstore(0, kind)
            mstore(32, key)
            done := staticcall(gas(), 0x8100, 0, 64, 0, 32)
            // An account without code answers nothing.
            done := and(done, eq(returndatasize(), 32))
            value := mload(0)
        }
        if (!done) revert NoSystemContract(address(this));
    }

    /// @dev Sets a state cell that `cell` has read before: for an address that the machine does not serve,
    /// this call is one of an account without code, and succeeds. A revert takes the write back.
    function setCell(uint256 kind, uint256 key, uint256 value) internal {
        bool done;
        assembly ("memory-safe") {
            let free := mload(64)
            mstore(free, kind)
            mstore(add(free, 32), key)
            mstore(add(free, 64), value)
            done := call(gas(), 0x8100, 0, free, 96, 0, 0)
        }
        if (!done) revert NoSystemContract(address(this));
    }

    /// @dev The hash of a code page.
    function pageHash(bytes calldata page) internal view returns (bytes32 hash) {
        bool done;
        assembly ("memory-safe") {
            let free := mload(64)
            calldatacopy(free, page.offset, page.length)
            done := staticcall(gas(), 0x8101, free, page.length, 0, 32)
            done := and(done, eq(returndatasize(), 32))
            hash := mload(0)
        }
        if (!done) revert NotAPage(page.length);
    }
}
