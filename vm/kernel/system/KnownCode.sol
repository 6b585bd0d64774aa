// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {System} from "./lib/System.sol";

/// @title KnownCode (0x8004)
/// @notice The code pages that contracts can be made of. Must never make a hash known whose page was not
/// given here; what is known stays known.
contract KnownCode {
    /// @notice The page with this hash, of this many 64-bit words, is known from here on.
    event Published(bytes32 indexed hash, uint256 words);

    /// @notice Makes a page known; one that is known already stays as it is.
    /// @param page Its words, 8 bytes each, big-endian.
    function publish(bytes calldata page) external returns (bytes32 hash) {
        hash = System.pageHash(page);
        if (isKnown(hash)) return hash;
        System.setCell(System.CODE, uint256(hash), page.length / 8);
        emit Published(hash, page.length / 8);
    }

    /// @notice True if contracts can be made of the page with this hash.
    function isKnown(bytes32 hash) public view returns (bool) {
        return lengthOf(hash) != 0;
    }

    /// @notice The length of a known page in 64-bit words; 0 if it is not known.
    function lengthOf(bytes32 hash) public view returns (uint256) {
        return System.cell(System.CODE, uint256(hash));
    }
}
