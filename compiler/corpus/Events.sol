// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Events: indexed values of every kind, anonymous ones, several in one call.
contract Events {
    struct Pair {
        uint8 a;
        int16 b;
    }

    event Plain();
    event Three(address indexed a, uint256 indexed b, bytes4 indexed c, bool d);
    event Dynamic(string indexed text, bytes data, uint256[] indexed list, Pair pair);
    event Structured(Pair indexed pair, Pair[] pairs);
    event Hidden(uint256 indexed a, int256 indexed b, bytes32 indexed c, address indexed d, string e) anonymous;
    event Bare(uint256 x) anonymous;

    function plain() external {
        emit Plain();
    }

    function three(uint256 b, bytes4 c, bool d) external {
        emit Three(msg.sender, b, c, d);
    }

    function dynamic(string calldata text, bytes calldata data, uint256[] calldata list, Pair calldata pair) external {
        emit Dynamic(text, data, list, pair);
    }

    function structured(Pair calldata pair, Pair[] calldata pairs) external {
        emit Structured(pair, pairs);
    }

    function hidden(uint256 a, int256 b, bytes32 c, string calldata e) external {
        emit Hidden(a, b, c, address(this), e);
    }

    function several(uint8 n, bool fail) external {
        for (uint256 i; i < n % 6; ++i) {
            emit Bare(i);
            if (i % 2 == 1) emit Plain();
        }
        require(!fail, "taken back");
    }
}
