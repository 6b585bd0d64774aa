contract C {
    function add(uint8 a, uint8 b) external pure returns (uint8) { return a + b; }
    function sub(uint256 a, uint256 b) external pure returns (uint256) { return a - b; }
    function mul(int16 a, int16 b) external pure returns (int16) { return a * b; }
    function negate(int256 a) external pure returns (int256) { return -a; }
}
// ----
// add(uint8,uint8): 200, 55 -> 255
// add(uint8,uint8): 200, 56 -> FAILURE, hex"4e487b71", 0x11
// add(uint8,uint8): 256, 0 -> FAILURE
// sub(uint256,uint256): 5, 5 -> 0
// sub(uint256,uint256): 5, 6 -> FAILURE, hex"4e487b71", 0x11
// mul(int16,int16): -128, 256 -> -32768
// mul(int16,int16): -128, -256 -> FAILURE, hex"4e487b71", 0x11
// negate(int256): 7 -> -7
// negate(int256): 0x8000000000000000000000000000000000000000000000000000000000000000 -> FAILURE, hex"4e487b71", 0x11
