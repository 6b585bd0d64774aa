contract C {
    enum E { A, B, D }
    uint256[] list;
    bytes data;
    function pop() external { list.pop(); }
    function index(uint256 i) external view returns (uint256) { return list[i]; }
    function convert(uint256 x) external pure returns (E) { return E(x); }
    function allocate(uint256 n) external pure returns (uint256) { return new uint256[](n).length; }
}
// ----
// pop() -> FAILURE, hex"4e487b71", 0x31
// index(uint256): 0 -> FAILURE, hex"4e487b71", 0x32
// convert(uint256): 2 -> 2
// convert(uint256): 3 -> FAILURE, hex"4e487b71", 0x21
// allocate(uint256): 5 -> 5
// allocate(uint256): 0x10000000000000000 -> FAILURE, hex"4e487b71", 0x41
