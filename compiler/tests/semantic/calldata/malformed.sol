contract C {
    enum E { A, B }
    function flag(bool x) external pure returns (bool) { return x; }
    function who(address x) external pure returns (address) { return x; }
    function tag(bytes4 x) external pure returns (bytes4) { return x; }
    function pick(E x) external pure returns (E) { return x; }
    function signed(int8 x) external pure returns (int256) { return x; }
}
// ----
// flag(bool): true -> true
// flag(bool): 2 -> FAILURE
// who(address): 0x1212121212121212121212121212120000000012 -> 0x1212121212121212121212121212120000000012
// who(address): 0x010000000000000000000000000000000000000000 -> FAILURE
// tag(bytes4): left(0x01020304) -> left(0x01020304)
// tag(bytes4): left(0x0102030405) -> FAILURE
// pick(uint8): 1 -> 1
// pick(uint8): 2 -> FAILURE
// signed(int8): -128 -> -128
// signed(int8): 128 -> FAILURE
// signed(int8) -> FAILURE
// missing() -> FAILURE
// (): hex"01020304" -> FAILURE
// () -> FAILURE
