// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title BN254
/// @notice The curve precompiles of EIP-196 and EIP-197 over memory structs. Must never return a value when
/// a precompile refused its input: a refused point is an error here, not a zero.
/// @dev All words are big-endian integers. G2 coordinates come imaginary part first: x.c1, x.c0, y.c1, y.c0.
library BN254 {
    /*//////////////////////////////////////////////////////////////
                                 TYPES
    //////////////////////////////////////////////////////////////*/

    /// @notice A point of G1, coordinates below Q; (0, 0) is the point at infinity.
    struct G1 {
        uint256 x;
        uint256 y;
    }

    /// @notice ecAdd or ecMul refused a point or ran out of gas.
    error PointRefused(uint256 x, uint256 y);

    /// @notice The pairing precompile refused its input: some point is not on its curve or, for G2, not in the
    /// subgroup of order P.
    error PairingRefused();

    /*//////////////////////////////////////////////////////////////
                               CONSTANTS
    //////////////////////////////////////////////////////////////*/

    /// @notice Order of G1 and G2, the scalar field.
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @notice The base field.
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    /// @notice x of the G2 generator of EIP-197.
    uint256 internal constant G2_X_C1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 internal constant G2_X_C0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;

    /*//////////////////////////////////////////////////////////////
                              G1 OPERATIONS
    //////////////////////////////////////////////////////////////*/

    /// @notice Whether (x, y), both below Q, is infinity or meets y^2 = x^3 + 3. G1 is the whole curve, so no
    /// subgroup check is needed. Asked before a precompile is, because a precompile that refuses its input
    /// also consumes all the gas it was given.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        if (x == 0 && y == 0) return true;
        return mulmod(y, y, Q) == addmod(mulmod(mulmod(x, x, Q), x, Q), 3, Q);
    }

    /// @notice Adds scalar * (x, y) to `acc` in place.
    function addMul(G1 memory acc, uint256 x, uint256 y, uint256 scalar) internal view {
        bool ok = true;
        // Equals: (x, y) = ecMul(x, y, scalar); acc = ecAdd(acc.x, acc.y, x, y), with the product skipped for
        // scalar 1. The five words lie beyond the free memory pointer, which is not moved.
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, mload(acc))
            mstore(add(words, 0x20), mload(add(acc, 0x20)))
            mstore(add(words, 0x40), x)
            mstore(add(words, 0x60), y)
            if iszero(eq(scalar, 1)) {
                mstore(add(words, 0x80), scalar)
                ok := staticcall(gas(), 0x07, add(words, 0x40), 0x60, add(words, 0x40), 0x40)
            }
            ok := and(ok, staticcall(gas(), 0x06, words, 0x80, acc, 0x40))
        }
        if (!ok) revert PointRefused(x, y);
    }

    /// @notice -y for a coordinate below Q, so that (x, negate(y)) = -(x, y); keeps infinity at (0, 0).
    function negate(uint256 y) internal pure returns (uint256) {
        return y == 0 ? 0 : Q - y;
    }

    /*//////////////////////////////////////////////////////////////
                                PAIRING
    //////////////////////////////////////////////////////////////*/

    /// @notice Whether the product of e(G1_i, G2_i) is one. `words` holds 6 words per pair: x, y of G1, then
    /// the four words of G2.
    function pairing(uint256[] memory words) internal view returns (bool isOne) {
        bool ok;
        // Equals: (ok, out) = address(8).staticcall(abi.encodePacked(words)); isOne = abi.decode(out, (bool)).
        // Scratch word 0 receives the answer; a refused input leaves it unused.
        assembly ("memory-safe") {
            ok := staticcall(gas(), 0x08, add(words, 0x20), mul(mload(words), 0x20), 0x00, 0x20)
            isOne := and(ok, eq(mload(0x00), 1))
        }
        if (!ok) revert PairingRefused();
    }
}
