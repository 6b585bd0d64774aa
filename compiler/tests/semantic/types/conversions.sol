contract C {
    function narrow(uint256 x) external pure returns (uint8, int8, bytes1, address) {
        return (uint8(x), int8(int256(x)), bytes1(uint8(x)), address(uint160(x)));
    }
    function widen(int8 x) external pure returns (int256, uint256) { return (x, uint256(int256(x))); }
    function cut(bytes32 x) external pure returns (bytes4, bytes1) { return (bytes4(x), x[31]); }
}
// ----
// narrow(uint256): 0x1ff -> 0xff, -1, left(0xff), 0x1ff
// widen(int8): -2 -> -2, -2
// cut(bytes32): 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 -> left(0x01020304), left(0x20)
