contract C {
    function power(uint256 a, uint256 b) external pure returns (uint256) { return a ** b; }
    function two(uint256 b) external pure returns (uint256) { return 2 ** b; }
    function wrapping(uint256 a, uint256 b) external pure returns (uint256) { unchecked { return a ** b; } }
    function modular(uint256 a, uint256 b, uint256 n) external pure returns (uint256, uint256) {
        return (addmod(a, b, n), mulmod(a, b, n));
    }
}
// ----
// power(uint256,uint256): 0, 0 -> 1
// power(uint256,uint256): 3, 5 -> 243
// power(uint256,uint256): 2, 256 -> FAILURE, hex"4e487b71", 0x11
// two(uint256): 255 -> 0x8000000000000000000000000000000000000000000000000000000000000000
// two(uint256): 256 -> FAILURE, hex"4e487b71", 0x11
// wrapping(uint256,uint256): 2, 256 -> 0
// wrapping(uint256,uint256): -1, 3 -> -1
// modular(uint256,uint256,uint256): -1, -1, 10 -> 0, 5
// modular(uint256,uint256,uint256): 1, 1, 0 -> FAILURE, hex"4e487b71", 0x12
