contract C {
    error Plain();
    error Rich(uint256 a, string b);
    function reason(uint256 x) external pure {
        require(x > 1, "too small");
        require(x > 2);
        if (x == 3) revert Plain();
        if (x == 4) revert Rich(x, "four");
        assert(x != 5);
        if (x == 6) revert("six");
        if (x == 7) assembly { invalid() }
    }
}
// ----
// reason(uint256): 1 -> FAILURE, hex"08c379a0", 0x20, 9, "too small"
// reason(uint256): 2 -> FAILURE
// reason(uint256): 3 -> FAILURE, hex"4cfa3fcd"
// reason(uint256): 4 -> FAILURE, hex"05e37000", 4, 0x40, 4, "four"
// reason(uint256): 5 -> FAILURE, hex"4e487b71", 1
// reason(uint256): 6 -> FAILURE, hex"08c379a0", 0x20, 3, "six"
// reason(uint256): 7 -> FAILURE
// reason(uint256): 8 ->
