// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title IBatchVerifier
/// @notice What the rollup needs of a verifier, so that a later proof system can replace this one.
interface IBatchVerifier {
    /// @notice Whether `proof` proves `statement` for the rollup at `rollup` on this L1 chain.
    /// @dev Reverts with a typed error when the proof is malformed; returns false when it is well formed and
    /// does not prove the statement. A caller must accept only `true`.
    function verify(address rollup, bytes32 statement, uint256 layoutId, bytes calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether any of its keys comes from a development setup, whose trapdoor is public.
    function development() external view returns (bool);
}
