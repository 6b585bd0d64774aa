contract C {
    function u(uint256 a, uint256 b) external pure returns (uint256, uint256) { return (a / b, a % b); }
    function s(int256 a, int256 b) external pure returns (int256, int256) { return (a / b, a % b); }
    function wrapping(int256 a, int256 b) external pure returns (int256) { unchecked { return a / b; } }
}
// ----
// u(uint256,uint256): 17, 5 -> 3, 2
// u(uint256,uint256): 17, 0 -> FAILURE, hex"4e487b71", 0x12
// s(int256,int256): -17, 5 -> -3, -2
// s(int256,int256): 17, -5 -> -3, 2
// s(int256,int256): -17, -5 -> 3, -2
// s(int256,int256): 0x8000000000000000000000000000000000000000000000000000000000000000, -1 -> FAILURE, hex"4e487b71", 0x11
// wrapping(int256,int256): 0x8000000000000000000000000000000000000000000000000000000000000000, -1 -> 0x8000000000000000000000000000000000000000000000000000000000000000
