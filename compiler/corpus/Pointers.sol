// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Function pointers, user-defined value types with operators, enums.
type Fixed is uint128;

using {addFixed as +, mulFixed as *, lessFixed as <, eqFixed as ==, toWhole} for Fixed global;

function addFixed(Fixed a, Fixed b) pure returns (Fixed) {
    return Fixed.wrap(Fixed.unwrap(a) + Fixed.unwrap(b));
}

function mulFixed(Fixed a, Fixed b) pure returns (Fixed) {
    return Fixed.wrap(uint128(uint256(Fixed.unwrap(a)) * Fixed.unwrap(b) / 1e6));
}

function lessFixed(Fixed a, Fixed b) pure returns (bool) {
    return Fixed.unwrap(a) < Fixed.unwrap(b);
}

function eqFixed(Fixed a, Fixed b) pure returns (bool) {
    return Fixed.unwrap(a) == Fixed.unwrap(b);
}

function toWhole(Fixed a) pure returns (uint256) {
    return Fixed.unwrap(a) / 1e6;
}

contract Pointers {
    enum Phase {
        Open,
        Running,
        Done
    }

    Phase public phase;
    mapping(Phase => uint256) private counts;
    function(uint256, uint256) internal pure returns (uint256) private stored;

    constructor() {
        stored = plus;
    }

    function plus(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return a + b;
        }
    }

    function times(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return a * b;
        }
    }

    function choose(uint8 how) private pure returns (function(uint256, uint256) internal pure returns (uint256)) {
        return how % 2 == 0 ? plus : times;
    }

    function fold(uint256[] calldata list, uint8 how) external pure returns (uint256 sum) {
        function(uint256, uint256) internal pure returns (uint256) f = choose(how);
        sum = 1;
        for (uint256 i; i < list.length; ++i) sum = f(sum, list[i]);
    }

    function store(uint8 how) external {
        stored = choose(how);
    }

    function apply_(uint256 a, uint256 b) external view returns (uint256) {
        return stored(a, b);
    }

    function table(uint8 at, uint256 x) external pure returns (uint256) {
        function(uint256, uint256) internal pure returns (uint256)[3] memory list = [plus, times, plus];
        return list[at](x, x);
    }

    function advance() external returns (Phase) {
        counts[phase] += 1;
        phase = Phase((uint8(phase) + 1) % 3);
        return phase;
    }

    function setPhase(Phase to) external returns (uint256, Phase, Phase) {
        phase = to;
        return (counts[to], type(Phase).min, type(Phase).max);
    }

    function fixedPoint(Fixed a, Fixed b) external pure returns (Fixed, Fixed, bool, bool, uint256) {
        return (a + b, a * b, a < b, a == b, a.toWhole());
    }

    function selectorOf(function(uint256) external returns (uint256) f) external pure returns (bytes4, address) {
        return (f.selector, f.address);
    }
}
