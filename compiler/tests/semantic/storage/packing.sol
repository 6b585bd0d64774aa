contract C {
    uint8 a = 1;
    int16 b = -2;
    address c = address(0x1234);
    bool d = true;
    bytes3 e = "abc";
    uint256 f = 5;
    function word(uint256 i) external view returns (uint256 r) { assembly { r := sload(i) } }
    function set(int16 x, bytes3 y) external { b = x; e = y; }
    function all() external view returns (uint8, int16, address, bool, bytes3, uint256) { return (a, b, c, d, e, f); }
}
// ----
// word(uint256): 0 -> 0x0000000000616263010000000000000000000000000000000000001234fffe01
// word(uint256): 1 -> 5
// set(int16,bytes3): 300, "xyz" ->
// all() -> 1, 300, 0x1234, true, "xyz", 5
