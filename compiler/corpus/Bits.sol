// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Bit tricks, square roots, tables: what numeric libraries are made of.
contract Bits {
    function sqrt(uint256 x) external pure returns (uint256 z) {
        if (x == 0) return 0;
        unchecked {
            z = 1 << (msb(x) / 2);
            for (uint256 i; i < 7; ++i) z = (z + x / z) / 2;
            uint256 other = x / z;
            return z < other ? z : other;
        }
    }

    function msb(uint256 x) public pure returns (uint256 n) {
        if (x >= 1 << 128) (x, n) = (x >> 128, n + 128);
        if (x >= 1 << 64) (x, n) = (x >> 64, n + 64);
        if (x >= 1 << 32) (x, n) = (x >> 32, n + 32);
        if (x >= 1 << 16) (x, n) = (x >> 16, n + 16);
        if (x >= 1 << 8) (x, n) = (x >> 8, n + 8);
        if (x >= 1 << 4) (x, n) = (x >> 4, n + 4);
        if (x >= 1 << 2) (x, n) = (x >> 2, n + 2);
        if (x >= 1 << 1) n += 1;
    }

    function popcount(uint256 x) external pure returns (uint256 n) {
        for (; x != 0; x &= x - 1) ++n;
    }

    function reverse(uint256 x) external pure returns (uint256 y) {
        for (uint256 i; i < 32; ++i) y = y << 8 | (x >> (8 * i) & 0xff);
    }

    function rotate(uint256 x, uint8 by) external pure returns (uint256, uint256) {
        return (x << by | x >> (256 - uint256(by)), x >> by | x << (256 - uint256(by)));
    }

    function rotate32(uint32 x, uint8 by) external pure returns (uint32) {
        by &= 31;
        return x << by | x >> ((32 - by) & 31);
    }

    function average(uint256 a, uint256 b) external pure returns (uint256, int256) {
        unchecked {
            int256 x = int256(a);
            int256 y = int256(b);
            return ((a & b) + (a ^ b) / 2, (x & y) + ((x ^ y) >> 1));
        }
    }

    function clamp(int256 x, int256 low, int256 high) external pure returns (int256) {
        return x < low ? low : x > high ? high : x;
    }

    function absolute(int256 x) external pure returns (uint256) {
        unchecked {
            return x < 0 ? uint256(-x) : uint256(x);
        }
    }

    function minMax(uint256 a, uint256 b) external pure returns (uint256, uint256) {
        return a < b ? (a, b) : (b, a);
    }

    function saturate(uint256 a, uint256 b) external pure returns (uint256, uint256) {
        unchecked {
            uint256 sum = a + b;
            return (sum < a ? type(uint256).max : sum, a > b ? a - b : 0);
        }
    }

    function pack(uint64 a, uint32 b, int96 c, bool d) external pure returns (uint256 word) {
        word = uint256(a) << 192 | uint256(b) << 160 | uint256(uint96(c)) << 64 | (d ? 1 : 0);
    }

    function unpack(uint256 word) external pure returns (uint64, uint32, int96, bool) {
        return (uint64(word >> 192), uint32(word >> 160), int96(uint96(word >> 64)), word & 1 == 1);
    }

    function crc(bytes calldata data) external pure returns (uint32 sum) {
        sum = type(uint32).max;
        for (uint256 i; i < data.length; ++i) {
            sum ^= uint8(data[i]);
            for (uint256 j; j < 8; ++j) sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
        }
        return ~sum;
    }

    function nibbles(bytes32 x) external pure returns (bytes memory out) {
        bytes16 digits = "0123456789abcdef";
        out = new bytes(64);
        for (uint256 i; i < 32; ++i) {
            out[2 * i] = digits[uint8(x[i]) >> 4];
            out[2 * i + 1] = digits[uint8(x[i]) & 15];
        }
    }

    function inverse(uint256 a, uint256 p) external pure returns (uint256 x) {
        if (p < 2) return 0;
        uint256 r = p;
        (int256 s, int256 t) = (0, 1);
        unchecked {
            for (a %= p; a != 0;) {
                uint256 q = r / a;
                (r, a) = (a, r - q * a);
                (s, t) = (t, s - int256(q) * t);
            }
            x = s < 0 ? p - uint256(-s) : uint256(s);
        }
    }
}
