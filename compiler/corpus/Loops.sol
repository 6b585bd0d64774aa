// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Control flow: nested loops, early exits, recursion, long switches.
contract Loops {
    function primes(uint8 limit) external pure returns (uint256[] memory found) {
        bool[] memory composite = new bool[](uint256(limit) + 1);
        uint256 count;
        found = new uint256[](uint256(limit) + 1);
        for (uint256 i = 2; i <= limit; ++i) {
            if (composite[i]) continue;
            found[count++] = i;
            for (uint256 j = i * i; j <= limit; j += i) composite[j] = true;
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
    }

    function search(uint256[] calldata list, uint256 wanted) external pure returns (uint256 low) {
        uint256 high = list.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (list[middle] == wanted) return middle;
            if (list[middle] < wanted) low = middle + 1;
            else high = middle;
        }
    }

    function ackermann(uint8 m, uint8 n) external pure returns (uint256) {
        return _ackermann(m % 3, n % 6);
    }

    function _ackermann(uint256 m, uint256 n) private pure returns (uint256) {
        if (m == 0) return n + 1;
        if (n == 0) return _ackermann(m - 1, 1);
        return _ackermann(m - 1, _ackermann(m, n - 1));
    }

    function quicksort(uint256[] memory list) external pure returns (uint256[] memory) {
        if (list.length > 1) _quicksort(list, 0, int256(list.length - 1));
        return list;
    }

    function _quicksort(uint256[] memory list, int256 left, int256 right) private pure {
        (int256 i, int256 j) = (left, right);
        uint256 pivot = list[uint256(left + (right - left) / 2)];
        while (i <= j) {
            while (list[uint256(i)] < pivot) i++;
            while (pivot < list[uint256(j)]) j--;
            if (i <= j) {
                (list[uint256(i)], list[uint256(j)]) = (list[uint256(j)], list[uint256(i)]);
                i++;
                j--;
            }
        }
        if (left < j) _quicksort(list, left, j);
        if (i < right) _quicksort(list, i, right);
    }

    function opcode(uint8 code, uint256 a, uint256 b) external pure returns (uint256) {
        unchecked {
            if (code == 0) return a + b;
            if (code == 1) return a * b;
            if (code == 2) return a - b;
            if (code == 3) return b == 0 ? 0 : a / b;
            if (code == 4) return b == 0 ? 0 : a % b;
            if (code == 10) return a & b;
            if (code == 11) return a | b;
            if (code == 12) return a ^ b;
            if (code == 255) return ~a;
        }
        revert("no such opcode");
    }

    function product(uint8 n) external pure returns (uint256[] memory c) {
        uint256 size = uint256(n) % 5 + 1;
        uint256[] memory a = new uint256[](size * size);
        c = new uint256[](size * size);
        for (uint256 i; i < a.length; ++i) a[i] = i * 7 + 1;
        for (uint256 i; i < size; ++i) {
            for (uint256 j; j < size; ++j) {
                uint256 sum;
                for (uint256 k; k < size; ++k) sum += a[i * size + k] * a[k * size + j];
                c[i * size + j] = sum;
            }
        }
    }

    function digits(uint256 x) external pure returns (uint256 sum) {
        do {
            sum += x % 10;
            x /= 10;
        } while (x != 0);
    }

    function manyLocals(uint256 a, uint256 b, uint256 c, uint256 d) external pure returns (uint256 z) {
        unchecked {
            uint256 e = a + b;
            uint256 f = b * c;
            uint256 g = c ^ d;
            uint256 h = d - a;
            for (uint256 i; i < 5; ++i) {
                (a, b, c, d) = (b + e, c + f, d + g, a + h);
                (e, f, g, h) = (f ^ a, g ^ b, h ^ c, e ^ d);
            }
            z = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
        }
    }
}
