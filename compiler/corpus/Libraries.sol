// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// A library whose functions are compiled in.
library Sorting {
    function sort(uint256[] memory list) internal pure {
        for (uint256 i = 1; i < list.length; ++i) {
            uint256 key = list[i];
            uint256 j = i;
            for (; j > 0 && list[j - 1] > key; --j) list[j] = list[j - 1];
            list[j] = key;
        }
    }
}

/// A library of its own, reached by delegate calls.
library Sums {
    struct Ledger {
        uint256 total;
        mapping(address => uint256) shares;
    }

    function add(Ledger storage ledger, address who, uint256 amount) external returns (uint256) {
        ledger.total += amount;
        return ledger.shares[who] += amount;
    }

    function mean(uint256[] memory list) public pure returns (uint256 sum) {
        for (uint256 i; i < list.length; ++i) sum += list[i];
        return sum / list.length;
    }
}

/// A user of both kinds of library.
contract Libraries {
    using Sorting for uint256[];
    using Sums for Sums.Ledger;

    Sums.Ledger private ledger;

    function sorted(uint256[] memory list) external pure returns (uint256[] memory) {
        list.sort();
        return list;
    }

    function credit(address who, uint256 amount) external returns (uint256) {
        return ledger.add(who, amount);
    }

    function mean(uint256[] memory list) external pure returns (uint256) {
        return Sums.mean(list);
    }
}
