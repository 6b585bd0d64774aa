contract C {
    function left(uint256 a, uint256 n) external pure returns (uint256) { return a << n; }
    function right(int256 a, uint256 n) external pure returns (int256) { return a >> n; }
    function narrow(uint8 a, uint8 n) external pure returns (uint8) { return a << n; }
}
// ----
// left(uint256,uint256): 1, 255 -> 0x8000000000000000000000000000000000000000000000000000000000000000
// left(uint256,uint256): 1, 256 -> 0
// left(uint256,uint256): 1, 0x10000000000000000 -> 0
// right(int256,uint256): -1, 300 -> -1
// right(int256,uint256): -8, 1 -> -4
// right(int256,uint256): -7, 1 -> -4
// narrow(uint8,uint8): 0xff, 4 -> 0xf0
// narrow(uint8,uint8): 0xff, 8 -> 0
