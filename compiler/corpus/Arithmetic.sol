// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Every arithmetic operator over several widths, checked and unchecked.
contract Arithmetic {
    function add(uint256 a, uint256 b) external pure returns (uint256) {
        return a + b;
    }

    function sub(uint256 a, uint256 b) external pure returns (uint256) {
        return a - b;
    }

    function mul(uint256 a, uint256 b) external pure returns (uint256) {
        return a * b;
    }

    function div(uint256 a, uint256 b) external pure returns (uint256, uint256) {
        return (a / b, a % b);
    }

    function power(uint256 a, uint256 b) external pure returns (uint256) {
        return a ** b;
    }

    function constantBase(uint256 b) external pure returns (uint256, uint256) {
        return (2 ** b, 10 ** b);
    }

    function signed(int256 a, int256 b) external pure returns (int256, int256) {
        return (a + b, a - b);
    }

    function signedMul(int256 a, int256 b) external pure returns (int256) {
        return a * b;
    }

    function signedDiv(int256 a, int256 b) external pure returns (int256, int256) {
        return (a / b, a % b);
    }

    function signedPower(int256 a, uint8 b) external pure returns (int256) {
        return a ** b;
    }

    function negate(int256 a) external pure returns (int256) {
        return -a;
    }

    function bytewise(uint8 a, uint8 b) external pure returns (uint8, uint8, uint8) {
        return (a + b, a * b, a / b);
    }

    function signedBytewise(int8 a, int8 b) external pure returns (int8, int8, int8, int8) {
        return (a + b, a * b, a / b, a % b);
    }

    function half(uint128 a, uint128 b) external pure returns (uint128, uint128, uint128) {
        return (a + b, a - b, a * b);
    }

    function signedHalf(int128 a, int128 b) external pure returns (int128, int128) {
        return (a * b, a / b);
    }

    function odd(uint72 a, int40 b) external pure returns (uint72, int40, int256) {
        return (a * 3, b * 5, int256(b) - int256(uint256(a)));
    }

    function wrapping(uint256 a, uint256 b) external pure returns (uint256, uint256, uint256, uint256) {
        unchecked {
            return (a + b, a - b, a * b, a ** b);
        }
    }

    function wrappingSigned(int256 a, int256 b) external pure returns (int256, int256, int256, int256) {
        unchecked {
            return (a + b, a - b, a * b, -a);
        }
    }

    function wrappingDiv(int256 a, int256 b) external pure returns (int256, int256) {
        unchecked {
            return (a / b, a % b);
        }
    }

    function wrappingBytes(uint8 a, int8 b) external pure returns (uint8, int8, uint8, int8) {
        unchecked {
            return (a + 200, b * 3, a ** 3, -b);
        }
    }

    function modular(uint256 a, uint256 b, uint256 n) external pure returns (uint256, uint256) {
        return (addmod(a, b, n), mulmod(a, b, n));
    }

    function shifts(uint256 a, int256 s, uint256 n) external pure returns (uint256, uint256, int256, int256) {
        return (a << n, a >> n, s << n, s >> n);
    }

    function narrowShifts(uint16 a, int16 s, uint8 n) external pure returns (uint16, uint16, int16, int16) {
        return (a << n, a >> n, s << n, s >> n);
    }

    function logic(uint256 a, uint256 b) external pure returns (uint256, uint256, uint256, uint256) {
        return (a & b, a | b, a ^ b, ~a);
    }

    function compare(uint256 a, uint256 b, int256 c, int256 d) external pure returns (bool[8] memory answers) {
        answers = [a < b, a <= b, a > b, a == b, c < d, c <= d, c >= d, c != d];
    }

    function casts(uint256 a, int256 b) external pure returns (uint8, uint64, int8, int64, address, bytes4, bytes1) {
        return (
            uint8(a),
            uint64(a),
            int8(b),
            int64(int256(a)),
            address(uint160(a)),
            bytes4(bytes32(a)),
            bytes1(uint8(uint256(b)))
        );
    }

    function mixed(int64 a, uint32 b, int8 c) external pure returns (int256) {
        int256 sum = int256(a) * int256(uint256(b));
        return c == 0 ? sum : sum / c;
    }

    /// The full 512-bit product divided by `n`, after Remco Bloemen's well-known method.
    function mulDiv(uint256 a, uint256 b, uint256 n) external pure returns (uint256 result) {
        unchecked {
            uint256 low = a * b;
            uint256 mm = mulmod(a, b, type(uint256).max);
            uint256 high = mm - low - (mm < low ? 1 : 0);
            require(n > high, "quotient too large");
            if (high == 0) return low / n;
            uint256 rest = mulmod(a, b, n);
            high -= rest > low ? 1 : 0;
            low -= rest;
            uint256 twos = n & (0 - n);
            n /= twos;
            low = low / twos | high * ((0 - twos) / twos + 1);
            uint256 inverse = (3 * n) ^ 2;
            for (uint256 i; i < 6; ++i) inverse *= 2 - n * inverse;
            return low * inverse;
        }
    }
}
